import asyncio
from pathlib import Path

import pytest
from telethon import TelegramClient, errors, events
from telethon.sessions import SQLiteSession
from telethon.tl import TLRequest, functions, types

from bot.sandbox import Sandbox
from tests.kit_bot import WAIT_S, embedded_server

from .worlds import START

PHONE = "+79990000001"
PASSWORD = "correct horse"  # noqa: S105 - a test's own


async def test_a_phone_and_its_code_sign_in() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna", phone=PHONE)
        client = await server.client(None)
        assert not await client.is_user_authorized()
        await client.send_code_request(PHONE)
        with pytest.raises(errors.PhoneCodeInvalidError):
            await client.sign_in(PHONE, "no")
        me = await client.sign_in(PHONE, world.login_code(PHONE))
        assert (me.id, me.phone, me.is_self) == (anna.id, PHONE, True)
        assert await client.is_user_authorized()


async def test_the_second_factor_is_asked_for_and_checked() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna", phone=PHONE, password=PASSWORD)
        client = await server.client(None)
        await client.send_code_request(PHONE)
        with pytest.raises(errors.SessionPasswordNeededError):
            await client.sign_in(PHONE, world.login_code(PHONE))
        assert not await client.is_user_authorized()
        with pytest.raises(errors.PasswordHashInvalidError):
            await client.sign_in(password="wrong")  # noqa: S106 - a test's own
        assert (await client.sign_in(password=PASSWORD)).id == anna.id


async def test_a_phone_without_an_account_has_to_sign_up() -> None:
    async with embedded_server() as server:
        client = await server.client(None)
        sent = await client.send_code_request(PHONE)
        code = server.sandbox.world.login_code(PHONE)
        answer = await client(functions.auth.SignInRequest(PHONE, sent.phone_code_hash, code))
        assert isinstance(answer, types.auth.AuthorizationSignUpRequired)


@pytest.mark.parametrize("password", [None, PASSWORD])
async def test_a_scanned_qr_code_signs_in(password: str | None) -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna", password=password)
        phone, client = await server.client(anna), await server.client(None)
        qr = await client.qr_login()
        waiting = asyncio.ensure_future(qr.wait(WAIT_S))
        await asyncio.sleep(0)  # the handler must stand before the code is scanned
        await phone(functions.auth.AcceptLoginTokenRequest(qr.token))
        if password is None:
            assert (await waiting).id == anna.id
        else:
            with pytest.raises(errors.SessionPasswordNeededError):
                await waiting
            assert (await client.sign_in(password=password)).id == anna.id


async def test_a_bot_signs_in_by_its_token_from_a_fresh_key(tmp_path: Path) -> None:
    async with embedded_server() as server:
        bot = server.sandbox.world.add_bot("1:abc", "Watch", "watch_bot")
        server.sandbox.session_for(None, tmp_path / "bot")
        client = TelegramClient(str(tmp_path / "bot"), 1, "hash")
        server.clients.append(client)
        await client.start(bot_token="1:abc")  # noqa: S106 - a test's own
        me = await client.get_me()
        assert (me.id, me.bot, me.username) == (bot.id, True, "watch_bot")
        other = await server.client(None)
        with pytest.raises(errors.AccessTokenInvalidError):
            await other.sign_in(bot_token="2:xyz")  # noqa: S106 - a test's own


async def test_a_prepared_session_file_is_signed_in(tmp_path: Path) -> None:
    async with embedded_server() as server:
        anna = server.sandbox.world.add_user("Anna")
        server.sandbox.session_for(anna, tmp_path / "reader")
        client = TelegramClient(SQLiteSession(str(tmp_path / "reader")), 1, "hash")
        server.clients.append(client)
        await client.connect()
        assert (await client.get_me()).id == anna.id


async def test_after_logging_out_nobody_is_signed_in() -> None:
    async with embedded_server() as server:
        anna = server.sandbox.world.add_user("Anna")
        client, other = await server.client(anna), await server.client(anna)
        await client(functions.auth.LogOutRequest())
        assert await client.get_me() is None
        assert (await other.get_me()).id == anna.id


async def test_a_revoked_session_is_refused() -> None:
    async with embedded_server() as server:
        anna = server.sandbox.world.add_user("Anna")
        client = await server.client(anna)
        assert await client.get_me()
        server.sandbox.revoke(anna)
        with pytest.raises(errors.SessionRevokedError):
            await client(functions.updates.GetStateRequest())


async def test_what_only_bots_or_people_may_ask_is_refused_to_others() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        person = await server.client(world.add_user("Anna"))
        bot = await server.client(world.add_bot("1:a", "Watch", "watch_bot"))
        world.add_channel("News", username="news_now")
        with pytest.raises(errors.BotMethodInvalidError):
            await bot.get_messages("news_now", limit=1)
        with pytest.raises(errors.BotMethodInvalidError):
            await bot.get_dialogs()
        with pytest.raises(errors.BotMethodInvalidError):
            await bot(functions.channels.JoinChannelRequest("news_now"))
        with pytest.raises(errors.UserBotRequiredError):
            await person(functions.bots.GetBotCommandsRequest(types.BotCommandScopeDefault(), ""))


async def test_an_unknown_request_is_an_error_that_the_test_sees() -> None:
    async with embedded_server(unknown=True) as server:
        client = await server.client(server.sandbox.world.add_user("Anna"))
        with pytest.raises(errors.BadRequestError, match="INPUT_METHOD_INVALID"):
            await client(functions.stories.GetAllStoriesRequest())
        assert server.sandbox.unknown == ["GetAllStories"]


@pytest.mark.parametrize(
    "request_",
    [
        functions.messages.SendMessageRequest(types.InputPeerSelf(), "later", schedule_date=START),
        functions.messages.SendMessageRequest(types.InputPeerSelf(), "kept here", noforwards=True),
        functions.messages.SendMessageRequest(
            types.InputPeerSelf(), "a quote", reply_to=types.InputReplyToMessage(1, quote_text="a")
        ),
        functions.messages.SearchRequest(
            types.InputPeerSelf(),
            "in a topic",
            types.InputMessagesFilterEmpty(),
            None,
            None,
            0,
            0,
            9,
            0,
            0,
            0,
            top_msg_id=1,
        ),
    ],
    ids=["schedule", "noforwards", "quote", "search in a topic"],
)
async def test_what_a_known_request_asks_beyond_this_server_is_seen_too(request_: TLRequest) -> None:
    async with embedded_server(unknown=True) as server:
        anna = server.sandbox.world.add_user("Anna")
        client = await server.client(anna)
        with pytest.raises(errors.ServerError):
            await client._sender.send(request_)  # noqa: SLF001 - past Telethon's own retries
        assert [type(crash) for crash in server.sandbox.crashes] == [NotImplementedError]


async def test_the_server_tells_of_itself() -> None:
    async with embedded_server() as server:
        client = await server.client(None)
        config = await client(functions.help.GetConfigRequest())
        assert {(dc.ip_address, dc.port) for dc in config.dc_options} == {
            (server.sandbox.server.host, server.sandbox.server.port)
        }
        assert (config.message_length_max, config.caption_length_max) == (4096, 1024)
        assert (await client(functions.help.GetNearestDcRequest())).this_dc == config.this_dc
        limits = (await client(functions.help.GetAppConfigRequest(0))).config.value
        assert ("channels_limit_default", 500.0) in [(pair.key, pair.value.value) for pair in limits]


async def test_two_sandboxes_do_not_know_each_other() -> None:
    async with Sandbox() as one, Sandbox() as other:
        assert one.address != other.address
        anna = one.world.add_user("Anna")
        client = one.client(anna)
        await client.connect()
        assert [session.auth.account_id for session in one.server.sessions] == [anna.id]
        assert other.server.sessions == []
        await client.disconnect()


async def test_an_update_of_the_status_is_taken() -> None:
    async with embedded_server() as server:
        client = await server.client(server.sandbox.world.add_user("Anna"))
        assert await client(functions.account.UpdateStatusRequest(offline=False))


async def test_a_raw_event_tells_a_scan_to_nobody_else() -> None:
    async with embedded_server() as server:
        world = server.sandbox.world
        anna = world.add_user("Anna")
        client, bystander = await server.client(None), await server.client(None)
        seen: list[object] = []
        bystander.add_event_handler(seen.append, events.Raw(types.UpdateLoginToken))
        token = (await client(functions.auth.ExportLoginTokenRequest(1, "hash", []))).token
        await bystander(functions.auth.ExportLoginTokenRequest(1, "hash", []))
        world.accept_login_token(token, anna)
        answer = await client(functions.auth.ImportLoginTokenRequest(token))
        assert isinstance(answer, types.auth.LoginTokenSuccess)
        await bystander(functions.help.GetNearestDcRequest())
        assert seen == []
