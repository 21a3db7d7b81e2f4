import asyncio

import pytest
from telethon import functions, types
from telethon.errors import BadRequestError, UnauthorizedError
from telethon.tl import TLRequest
from telethon.tl.alltlobjects import LAYER
from telethon.tl.core import RpcResult
from telethon.tl.functions import InvokeAfterMsgRequest, InvokeAfterMsgsRequest, InvokeWithoutUpdatesRequest

from bot.runtime.clock import utc_now
from bot.sandbox.dispatcher import Caller, Dispatcher, handles
from bot.sandbox.faults import Faults

from .kit import ACCOUNT, GET_STATE, UPDATES, Library, RawClient, running


def introduction(query: TLRequest, layer: int = LAYER) -> functions.InvokeWithLayerRequest:
    init = functions.InitConnectionRequest(17, "raw device", "1", "2.3", "en", "", "ru", query)
    return functions.InvokeWithLayerRequest(layer, init)


async def error_of(client: RawClient, request: TLRequest) -> tuple[int, str]:
    error = await client.ask(request)
    assert isinstance(error, types.RpcError)
    return error.error_code, error.error_message


async def test_every_kind_of_result_is_read_by_telethon() -> None:
    async with running() as parts:
        client = parts.telethon()
        await client.connect()
        users = await client(functions.users.GetUsersRequest([types.InputUserSelf()] * 3))
        assert [user.id for user in users] == [ACCOUNT] * 3
        assert await client(functions.account.UpdateStatusRequest(offline=True)) is True
        assert await client(functions.account.UpdateStatusRequest(offline=False)) is False
        assert await client(functions.messages.ReceivedQueueRequest(5)) == [5, -(1 << 62)]
        assert (await client(functions.help.GetConfigRequest())).this_dc == 2


async def test_calls_are_recorded_without_their_wrappers() -> None:
    async with running() as parts:
        client = await parts.raw()
        await client.ask(introduction(GET_STATE))
        (call,) = parts.dispatcher.calls
        assert (call.name, type(call.request), call.account_id) == ("GetState", type(GET_STATE), ACCOUNT)


async def test_a_request_that_nobody_handles_is_an_error_that_the_test_sees() -> None:
    async with running() as parts:
        client = parts.telethon()
        await client.connect()
        with pytest.raises(BadRequestError, match="INPUT_METHOD_INVALID_GetAllStickers"):
            await client(functions.messages.GetAllStickersRequest(0))
        assert parts.dispatcher.unknown == ["GetAllStickers"]


async def test_only_anonymous_methods_are_allowed_before_signing_in() -> None:
    async with running() as parts:
        client = parts.telethon(account_id=None)
        await client.connect()
        with pytest.raises(UnauthorizedError, match="not registered in the system"):
            await client(GET_STATE)
        assert (await client(functions.help.GetConfigRequest())).this_dc == 2


async def test_the_next_request_after_a_revocation_says_so() -> None:
    async with running() as parts:
        client, other = await parts.raw(), await parts.raw(account_id=7)
        await client.ask(GET_STATE)
        parts.server.revoke(ACCOUNT)
        assert await error_of(client, GET_STATE) == (401, "SESSION_REVOKED")
        assert (await other.ask(GET_STATE)).pts == 2
        unregistered = await parts.raw(account_id=None)
        assert await error_of(unregistered, GET_STATE) == (401, "AUTH_KEY_UNREGISTERED")


async def test_a_handler_that_breaks_is_recorded_and_answered() -> None:
    async with running() as parts:
        client = await parts.raw()
        assert await error_of(client, functions.help.GetSupportRequest()) == (500, "INTERNAL")
        assert [type(crash) for crash in parts.dispatcher.crashes] == [ZeroDivisionError]


class Twice:
    @handles(functions.updates.GetStateRequest)
    def state(self, _request: object, _caller: Caller) -> bool:
        return True


def test_a_request_that_two_services_handle_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="GetStateRequest is handled twice"):
        Dispatcher([Library(), Twice()], Faults(), utc_now)


async def test_a_client_must_introduce_itself_first() -> None:
    async with running() as parts:
        client = await parts.raw(introduced=False)
        assert await error_of(client, GET_STATE) == (400, "CONNECTION_NOT_INITED")
        layered = functions.InvokeWithLayerRequest(LAYER, GET_STATE)
        assert await error_of(client, layered) == (400, "CONNECTION_NOT_INITED")
        assert await error_of(client, introduction(GET_STATE, layer=100)) == (400, "CONNECTION_LAYER_INVALID")
        assert (await client.ask(introduction(GET_STATE))).pts == 1
        assert (await client.ask(GET_STATE)).pts == 2
        (auth,) = parts.server.auths
        assert (auth.layer, auth.api_id, auth.device_model, auth.app_version) == (LAYER, 17, "raw device", "2.3")
        assert (auth.system_version, auth.system_lang_code, auth.lang_code) == ("1", "en", "ru")


async def test_a_wrapper_around_no_request_is_refused() -> None:
    async with running() as parts:
        client = await parts.raw()
        code = types.InputPeerSelf.CONSTRUCTOR_ID
        wrapped = InvokeWithoutUpdatesRequest(types.InputPeerSelf())
        assert await error_of(client, wrapped) == (400, f"INPUT_METHOD_INVALID_{code}")


async def test_a_session_that_only_asks_without_updates_gets_none() -> None:
    async with running() as parts:
        client = await parts.raw()
        await client.ask(InvokeWithoutUpdatesRequest(GET_STATE))
        parts.server.push([ACCOUNT], UPDATES)
        msg_id = client.send(GET_STATE)
        assert (await client.receive()).message.req_msg_id == msg_id
        parts.server.push([ACCOUNT], UPDATES)
        await client.wait_for(types.UpdateShort)


async def test_a_request_waits_for_those_it_names() -> None:
    async with running() as parts:
        client = await parts.raw()
        first = client.send(functions.help.GetNearestDcRequest())
        second = client.send(InvokeAfterMsgRequest(first, GET_STATE))
        third = client.send(InvokeAfterMsgsRequest([first, second], functions.users.GetUsersRequest([])))
        await client.ask(functions.account.UpdateStatusRequest(offline=True))
        assert [call.name for call in parts.dispatcher.calls] == ["GetNearestDc", "UpdateStatus"]
        parts.library.gate.set()
        results = [(await client.wait_for(RpcResult)).message.req_msg_id for _ in range(3)]
        assert results == [first, second, third]
        assert [call.name for call in parts.dispatcher.calls][2:] == ["GetState", "GetUsers"]


async def test_what_waits_for_a_failure_fails() -> None:
    async with running() as parts:
        client = await parts.raw()
        failed = client.send(functions.messages.GetAllStickersRequest(0))
        assert await error_of(client, InvokeAfterMsgRequest(failed, GET_STATE)) == (400, "MSG_WAIT_FAILED")
        assert await error_of(client, InvokeAfterMsgRequest(4, GET_STATE)) == (400, "MSG_WAIT_FAILED")
        itself = client.new_id() + 4
        msg_id = client.send(InvokeAfterMsgRequest(itself, GET_STATE), msg_id=itself)
        assert (await client.result(msg_id)).error_message == "MSG_WAIT_FAILED"
        assert parts.library.runs == 0


async def test_a_ping_does_not_keep_what_waits_for_it() -> None:
    async with running() as parts:
        client = await parts.raw()
        ping = client.send(functions.PingRequest(1))
        assert (await client.ask(InvokeAfterMsgRequest(ping, GET_STATE))).pts == 1


async def test_telethons_ordered_requests_are_answered_in_order() -> None:
    async with running() as parts:
        client = parts.telethon()
        await client.connect()
        before = parts.library.runs
        results = await client([GET_STATE] * 5, ordered=True)
        assert [result.pts - before for result in results] == [1, 2, 3, 4, 5]


async def test_requests_of_several_clients_do_not_wait_for_each_other() -> None:
    async with running() as parts:
        clients = [parts.telethon(account_id=number) for number in range(1, 6)]
        await asyncio.gather(*(client.connect() for client in clients))
        slow = asyncio.ensure_future(clients[0](functions.help.GetNearestDcRequest()))
        users = await asyncio.gather(*(client.get_me() for client in clients))
        assert [user.id for user in users] == [1, 2, 3, 4, 5]
        assert not slow.done()
        parts.library.gate.set()
        assert (await slow).country == "FI"


async def test_what_still_waits_ends_with_the_server() -> None:
    async with running() as parts:
        client = await parts.raw()
        client.send(functions.help.GetNearestDcRequest())
        client.send(functions.PingRequest(1))
        await client.wait_for(types.Pong)
    assert parts.dispatcher.crashes == []
