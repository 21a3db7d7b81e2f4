import asyncio
from contextlib import suppress

import pytest
from telethon import events, functions, types
from telethon.tl.core import RpcResult
from telethon.tl.types import upload
from telethon.tl.types.storage import FileJpeg

from bot.sandbox import server
from bot.sandbox.protocol import connection, outbox
from bot.sandbox.protocol.tl import gunzip, rpc_result

from .kit import ACCOUNT, GET_STATE, UPDATES, WAIT_S, running

PING = functions.PingRequest(7)


async def test_a_repeated_request_gets_its_stored_answer() -> None:
    async with running() as parts:
        client = await parts.raw()
        msg_id = client.send(GET_STATE, seqno=1)
        first = await client.wait_for(RpcResult, msg_id)
        client.send(GET_STATE, msg_id=msg_id, seqno=1)
        again = await client.wait_for(RpcResult, msg_id)
        assert (again.msg_id, again.seqno, again.message.body) == (first.msg_id, first.seqno, first.message.body)
        assert parts.library.runs == 1


async def test_a_request_under_a_new_msg_id_is_a_new_request() -> None:
    async with running() as parts:
        client = await parts.raw()
        assert [(await client.ask(GET_STATE)).pts for _ in range(2)] == [1, 2]


async def test_an_acknowledged_answer_is_not_repeated() -> None:
    async with running() as parts:
        client = await parts.raw()
        msg_id = client.send(GET_STATE, seqno=1)
        answer = await client.wait_for(RpcResult, msg_id)
        client.send(types.MsgsAck([answer.msg_id]), seqno=2)
        client.send(GET_STATE, msg_id=msg_id, seqno=1)
        assert (await client.wait_for(types.MsgsAck)).message.msg_ids == [msg_id]
        assert parts.library.runs == 1


async def test_a_slow_request_is_acknowledged_before_it_is_answered() -> None:
    async with running() as parts:
        client = await parts.raw()
        msg_id = client.send(functions.help.GetNearestDcRequest(), seqno=1)
        assert (await client.wait_for(types.MsgsAck)).message.msg_ids == [msg_id]
        client.send(functions.help.GetNearestDcRequest(), msg_id=msg_id, seqno=1)
        assert (await client.wait_for(types.MsgsAck)).message.msg_ids == [msg_id]
        parts.library.gate.set()
        assert (await client.result(msg_id)).country == "FI"
        assert [call.name for call in parts.dispatcher.calls] == ["GetNearestDc"]


async def test_an_unacknowledged_answer_is_sent_again_when_the_client_comes_back_and_a_push_is_not() -> None:
    async with running() as parts:
        client = await parts.raw()
        msg_id = client.send(GET_STATE)
        first = await client.wait_for(RpcResult, msg_id)
        parts.server.push([ACCOUNT], UPDATES)
        await client.wait_for(types.UpdateShort)
        await client.close()
        await client.connect()
        client.send(PING, seqno=2)
        seen = [await client.receive() for _ in range(2)]
        assert [type(each.message) for each in seen] == [RpcResult, types.Pong]
        assert seen[0].msg_id == first.msg_id


async def test_a_client_may_ask_for_a_message_again() -> None:
    async with running() as parts:
        client = await parts.raw()
        answer = await client.wait_for(RpcResult, client.send(GET_STATE))
        parts.server.push([ACCOUNT], UPDATES)
        push = await client.wait_for(types.UpdateShort)
        client.send(types.MsgResendReq([answer.msg_id, push.msg_id]), seqno=2)
        assert (await client.wait_for(RpcResult)).msg_id == answer.msg_id
        assert (await client.wait_for(types.UpdateShort)).msg_id == push.msg_id
        client.send(types.MsgResendReq([answer.msg_id, 1]), seqno=2)
        assert len((await client.wait_for(types.MsgsStateInfo)).message.info) == 2


async def test_an_answer_can_be_dropped() -> None:
    async with running() as parts:
        client = await parts.raw()
        done = client.send(GET_STATE)
        answer = await client.wait_for(RpcResult, done)
        dropped = await client.ask(functions.RpcDropAnswerRequest(done))
        assert isinstance(dropped, types.RpcAnswerDropped)
        assert dropped.msg_id == answer.msg_id
        assert isinstance(await client.ask(functions.RpcDropAnswerRequest(done)), types.RpcAnswerUnknown)
        assert isinstance(await client.ask(functions.RpcDropAnswerRequest(4)), types.RpcAnswerUnknown)


async def test_a_running_request_is_dropped_before_it_answers() -> None:
    async with running() as parts:
        client = await parts.raw()
        slow = client.send(functions.help.GetNearestDcRequest())
        running_one = await client.ask(functions.RpcDropAnswerRequest(slow))
        assert isinstance(running_one, types.RpcAnswerDroppedRunning)
        parts.library.gate.set()
        last = client.send(GET_STATE)
        received = await client.wait_for(RpcResult)
        assert received.message.req_msg_id == last


async def test_pushes_of_one_turn_share_a_packet_and_keep_their_order() -> None:
    async with running() as parts:
        client = await parts.raw()
        await client.ask(GET_STATE)
        before = client.packets
        for number in range(50):
            parts.server.push(
                [ACCOUNT], types.UpdateShort(types.UpdateUserTyping(number, types.SendMessageTypingAction()), None)
            )
        numbers = [(await client.wait_for(types.UpdateShort)).message.update.user_id for _ in range(50)]
        assert numbers == list(range(50))
        assert client.packets == before + 1


async def test_pushes_reach_every_session_of_the_account_and_nobody_else() -> None:
    async with running() as parts:
        clients = [await parts.raw() for _ in range(2)]
        stranger = await parts.raw(account_id=7)
        for client in (*clients, stranger):
            await client.ask(GET_STATE)
        parts.server.push([ACCOUNT], UPDATES)
        for client in clients:
            await client.wait_for(types.UpdateShort)
        skipped = next(s for s in parts.server.sessions if s.id == clients[0].session_id)
        parts.server.push([ACCOUNT, 7], UPDATES, skip=skipped)
        await clients[1].wait_for(types.UpdateShort)
        await stranger.wait_for(types.UpdateShort)
        for client in (clients[0], stranger):
            client.send(PING)
            assert isinstance((await client.receive()).message, types.Pong)


async def test_a_key_that_nobody_signed_in_with_can_get_a_login_update() -> None:
    async with running() as parts:
        client = await parts.raw(account_id=None)
        client.send(PING)
        await client.wait_for(types.Pong)
        parts.server.push_auth(parts.server.auths[0], types.UpdateShort(types.UpdateLoginToken(), None))
        assert isinstance((await client.wait_for(types.UpdateShort)).message.update, types.UpdateLoginToken)


async def test_unacknowledged_messages_are_kept_in_bounded_number() -> None:
    async with running() as parts:
        client = await parts.raw()
        first = client.send(GET_STATE, seqno=1)
        answer = await client.wait_for(RpcResult, first)
        for _ in range(outbox.MAX_KEPT):
            parts.server.push([ACCOUNT], UPDATES)
        client.send(types.MsgResendReq([answer.msg_id]), seqno=2)
        info = await client.wait_for(types.MsgsStateInfo)
        assert len(info.message.info) == 1


async def test_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_UNREAD", 1 << 20)
    async with running() as parts:
        client, other = await parts.raw(), await parts.raw(account_id=7)
        await client.ask(GET_STATE)
        await other.ask(GET_STATE)
        big = types.UpdateShort(
            types.UpdateServiceNotification("x" * (1 << 20), "y", types.MessageMediaEmpty(), []), None
        )
        for _ in range(40):
            parts.server.push([ACCOUNT], big)
        assert await client.closed()
        assert (await other.ask(GET_STATE)).pts == 3


@pytest.mark.parametrize("turns", range(1, 9))
async def test_a_client_that_comes_while_the_server_stops_is_cut(turns: int) -> None:
    async with running() as parts:
        coming = asyncio.create_task(asyncio.open_connection(parts.server.host, parts.server.port))
        for _ in range(turns):
            await asyncio.sleep(0)
        await parts.server.stop()
        with suppress(ConnectionError):
            reader, writer = await coming
            with suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
            writer.close()


async def test_sessions_that_nobody_came_back_to_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_SESSIONS", 2)
    async with running() as parts:
        client = await parts.raw()
        first = client.session_id
        for session_id in (first, 2, 3, 4, 5):
            client.session_id = session_id
            await client.ask(GET_STATE)
            parts.server.cut()
            await client.closed()
            client.counted = 0
            await client.connect()
        client.session_id = first
        client.send(PING)
        assert isinstance((await client.receive()).message, types.NewSessionCreated)
        assert len(parts.server.sessions) == 1


async def test_a_large_answer_arrives_whole() -> None:
    async with running() as parts:
        client = parts.telethon()
        await client.connect()
        assert (await client(functions.help.GetInviteTextRequest())).message == "come and see " * 30_000


async def test_a_telethon_handler_gets_pushes_in_order() -> None:
    async with running() as parts:
        client = parts.telethon(sequential_updates=True)
        seen: list[int] = []
        done = asyncio.Event()

        @client.on(events.Raw(types.UpdateUserTyping))
        async def _collect(update: types.UpdateUserTyping) -> None:
            seen.append(update.user_id)
            if len(seen) == 300:
                done.set()

        await client.connect()
        for number in range(300):
            parts.server.push(
                [ACCOUNT], types.UpdateShort(types.UpdateUserTyping(number, types.SendMessageTypingAction()), None)
            )
            if number % 7 == 0:
                await client(GET_STATE)
        await asyncio.wait_for(done.wait(), WAIT_S)
        assert seen == list(range(300))


def test_only_huge_answers_are_compressed_and_files_never() -> None:
    huge = bytes(types.help.InviteText("come and see " * 30_000))
    packed = rpc_result(4, huge)
    assert len(packed) < len(huge) / 50
    assert gunzip(packed[12:]) == huge
    photo = bytes(upload.File(FileJpeg(), 0, bytes(1 << 19)))
    for body in (huge[: 1 << 17], photo):
        assert rpc_result(4, body)[12:] == body
