import asyncio
import gc
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from telethon import events
from telethon.crypto import AuthKey, Factorization
from telethon.sessions import SQLiteSession
from telethon.tl import TLObject
from telethon.tl.functions.updates import GetStateRequest

from bot.errors import FatalError, SettingsError, TelegramError, Verdict
from bot.sandbox import Sandbox, User
from bot.settings import Settings, load_settings
from bot.telegram import connections, sessions
from bot.telegram.client import Client, Timings, anonymous, bot_client, reader_client
from bot.telegram.rpc import ask, ping
from tests.kit_bot import TOKEN
from tests.waiting import WAIT_S, until

# Telethon does not close a file that it refuses; since Python 3.13 that is a warning, wherever it is noticed.
leaves_the_file_open = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
Make = Callable[..., Settings]


@pytest.fixture
def settings(tmp_path: Path) -> Make:
    def make(**overrides: object) -> Settings:
        credentials = {"telegram_api_id": 1, "telegram_api_hash": "0" * 32, "telegram_bot_token": TOKEN}
        return load_settings(_env_file=None, data_dir=tmp_path / "data", **credentials, **overrides)

    return make


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def made_elsewhere(path: Path, *, key: bytes, address: tuple[str, int]) -> None:
    path.parent.mkdir(exist_ok=True)
    session = SQLiteSession(str(path))
    session.set_dc(4, *address)
    session.auth_key = AuthKey(key)
    session.save()
    session.close()


@asynccontextmanager
async def reader(sandbox: Sandbox, settings: Make, account: User | None) -> AsyncIterator[Client]:
    """Make a reader whose session is signed in to an account, or to none; it is not connected yet."""
    chosen = settings(telegram_server=sandbox.address)
    chosen.data_dir.mkdir()
    sandbox.session_for(account, chosen.data_dir / "reader.session")
    client = reader_client(chosen)
    try:
        yield client
    finally:
        await client.disconnect()


async def test_a_new_session_is_private_to_its_owner(settings: Make) -> None:
    client = reader_client(settings())
    client.session.close()
    assert mode(settings().data_dir) == 0o700
    assert mode(settings().data_dir / "reader.session") == 0o600


async def test_a_session_that_others_can_read_is_mended(settings: Make) -> None:
    path = settings().data_dir / "bot.session"
    made_elsewhere(path, key=os.urandom(256), address=("149.154.167.91", 443))
    path.chmod(0o644)
    bot_client(settings()).session.close()
    assert mode(path) == 0o600


async def test_a_session_made_elsewhere_is_used_as_it_is(settings: Make) -> None:
    path, key = settings().data_dir / "reader.session", os.urandom(256)
    made_elsewhere(path, key=key, address=("149.154.167.91", 443))
    session = reader_client(settings()).session
    assert (session.dc_id, session.server_address, session.port) == (4, "149.154.167.91", 443)
    assert session.auth_key.key == key
    session.close()


async def test_another_server_keeps_the_login_of_a_session(settings: Make) -> None:
    path, key = settings().data_dir / "reader.session", os.urandom(256)
    made_elsewhere(path, key=key, address=("149.154.167.91", 443))
    for server, address in (("127.0.0.1:4430", ("127.0.0.1", 4430)), ("[::1]:4430", ("::1", 4430))):
        session = reader_client(settings(telegram_server=server)).session
        assert (session.dc_id, session.server_address, session.port) == (4, *address)
        assert session.auth_key.key == key
        session.close()


@leaves_the_file_open
async def test_a_file_that_is_no_session_says_what_to_do(settings: Make) -> None:
    path = settings().data_dir / "reader.session"
    path.parent.mkdir()
    path.write_text("This is a note, and no database at all." * 100)
    with pytest.raises(FatalError, match="is no Telethon session"):
        reader_client(settings())
    gc.collect()


@leaves_the_file_open
async def test_a_database_of_something_else_says_what_to_do(settings: Make) -> None:
    path = settings().data_dir / "reader.session"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE version (number INTEGER)")
    connection.close()
    with pytest.raises(FatalError, match="is no Telethon session"):
        reader_client(settings())
    gc.collect()


async def test_a_key_that_is_none_names_its_setting(settings: Make, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(SettingsError, match="TELEGRAM_SERVER_KEY"):
        reader_client(settings(telegram_server="127.0.0.1:1", telegram_server_key=tmp_path / "key.pem"))


def test_a_session_belongs_to_one_process(tmp_path: Path) -> None:
    path = tmp_path / "reader.session"
    with sessions.lock(path), pytest.raises(FatalError, match="another channelwatch uses"), sessions.lock(path):
        pass
    with sessions.lock(path):
        assert mode(tmp_path / "reader.session.lock") == 0o600


async def test_a_session_held_for_a_moment_only_is_waited_for(tmp_path: Path) -> None:
    path, first = tmp_path / "reader.session", ExitStack()
    first.enter_context(sessions.lock(path))
    with pytest.raises(sessions.InUseError):
        async with sessions.lock_within(path, 0.0):
            pass
    asyncio.get_running_loop().call_later(0.15, first.close)
    async with sessions.lock_within(path, 20.0):
        with pytest.raises(sessions.InUseError), sessions.lock(path):
            pass


@pytest.mark.parametrize("method", ["GetConfig", "GetUsers"])
async def test_a_start_whose_first_answer_is_lost_begins_anew(sandbox: Sandbox, settings: Make, method: str) -> None:
    account = sandbox.world.add_user("Reader")
    hold = sandbox.faults.hold(method, times=1)
    async with reader(sandbox, settings, account) as client:
        client.timings = Timings(connect_within=1.0, connect_pause=0.0)
        assert await asyncio.wait_for(connections.connect_reader(client), 30) == account.id
    hold.release()


async def test_a_bot_signs_in_over_a_fresh_key_exchange(sandbox: Sandbox, settings: Make, tmp_path: Path) -> None:
    bot = sandbox.world.add_bot(TOKEN, "Watch", "watch_bot")
    (tmp_path / "key.pem").write_text(sandbox.key_pem)
    chosen = settings(telegram_server=sandbox.address, telegram_server_key=tmp_path / "key.pem")
    for _ in range(2):  # the second time from its session
        client = bot_client(chosen)
        try:
            assert await connections.connect_bot(client, chosen) == "watch_bot"
        finally:
            await client.disconnect()
    assert sum(call.name == "ImportBotAuthorization" for call in sandbox.calls) == 1
    assert [auth.account_id for auth in sandbox.server.auths] == [bot.id]


@pytest.mark.parametrize("method", ["GetState", "GetDifference"])
@pytest.mark.parametrize("error", ["INPUT_METHOD_INVALID", "INTERNAL"])
async def test_a_server_that_does_not_say_from_where_updates_go_on_is_served(
    sandbox: Sandbox, settings: Make, method: str, error: str
) -> None:
    bot = sandbox.world.add_bot(TOKEN, "Watch", "watch_bot")
    chosen = settings(telegram_server=sandbox.address)
    chosen.data_dir.mkdir()
    sandbox.session_for(None, chosen.data_dir / "bot.session")
    sandbox.faults.answer(method, error, code=500 if error == "INTERNAL" else 400, times=None)
    client = bot_client(chosen)
    heard: asyncio.Queue[str] = asyncio.Queue()
    client.add_event_handler(lambda event: heard.put(event.raw_text), events.NewMessage(incoming=True))
    try:
        await connections.connect_bot(client, chosen)
        assert await ping(client)  # though it says no
        sandbox.world.add_user("Anna").sends(bot, "/start")
        assert await asyncio.wait_for(heard.get(), 10) == "/start"
    finally:
        await client.disconnect()


async def test_a_client_that_was_signed_out_is_not_answered(sandbox: Sandbox, settings: Make) -> None:
    me = sandbox.world.add_user("Reader")
    async with reader(sandbox, settings, me) as client:
        await connections.connect_reader(client)
        assert await ping(client)
        sandbox.revoke(me)
        assert not await ping(client)


async def test_what_telethon_gives_up_ends_nobody_who_waits_for_it(sandbox: Sandbox, settings: Make) -> None:
    async with reader(sandbox, settings, sandbox.world.add_user("Reader")) as client:
        await connections.connect_reader(client)
        hold = sandbox.faults.hold("GetState")
        waiting = asyncio.create_task(ping(client))
        await hold.reached()
        await client.disconnect()
        assert await waiting is False


async def test_a_client_that_disconnects_is_a_lost_connection_and_no_cancellation(
    sandbox: Sandbox, settings: Make
) -> None:
    async with reader(sandbox, settings, sandbox.world.add_user("Reader")) as client:
        await connections.connect_reader(client)
        hold = sandbox.faults.hold("GetState")
        asking = asyncio.create_task(ask(client(GetStateRequest())))
        await asyncio.wait_for(hold.reached(), WAIT_S)
        await client.disconnect()
        with pytest.raises(TelegramError, match="CONNECTION_LOST") as refusal:
            await asyncio.wait_for(asking, WAIT_S)
        assert refusal.value.verdict is Verdict.RETRY


async def test_our_own_end_ends_a_request(sandbox: Sandbox, settings: Make) -> None:
    async with reader(sandbox, settings, sandbox.world.add_user("Reader")) as client:
        await connections.connect_reader(client)
        hold = sandbox.faults.hold("GetState")
        asking = asyncio.create_task(ask(client(GetStateRequest())))
        await asyncio.wait_for(hold.reached(), WAIT_S)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        hold.release()


@pytest.mark.parametrize(
    ("setting", "error"),
    [({"telegram_proxy": "ftp://x"}, SettingsError), ({"telegram_server": "127.0.0.1:9"}, TimeoutError)],
    ids=["a proxy that is none", "no server"],
)
async def test_a_client_without_a_login_leaves_no_session_open(
    settings: Make, setting: dict[str, object], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[SQLiteSession] = []
    begin = SQLiteSession.__init__

    def remember(session: SQLiteSession, path: str) -> None:
        opened.append(session)
        begin(session, path)

    monkeypatch.setattr(SQLiteSession, "__init__", remember)
    with pytest.raises(error):
        async with anonymous(settings(**setting), timings=Timings(slow_after=0.1)):
            pass
    assert all(session._conn is None for session in opened)  # noqa: SLF001 - Telethon has no public name for it


async def test_a_bot_whose_key_the_server_has_forgotten_signs_in_anew(
    sandbox: Sandbox, settings: Make, tmp_path: Path
) -> None:
    bot = sandbox.world.add_bot(TOKEN, "Watch", "watch_bot")
    (tmp_path / "key.pem").write_text(sandbox.key_pem)
    chosen = settings(telegram_server=sandbox.address, telegram_server_key=tmp_path / "key.pem")
    made_elsewhere(chosen.data_dir / "bot.session", key=os.urandom(256), address=("127.0.0.1", 1))
    client = bot_client(chosen)
    try:
        assert await connections.connect_bot(client, chosen) == "watch_bot"
    finally:
        await client.disconnect()
    assert [auth.account_id for auth in sandbox.server.auths] == [bot.id]


async def test_a_reader_that_is_not_logged_in_is_told_how(sandbox: Sandbox, settings: Make) -> None:
    async with reader(sandbox, settings, None) as client:
        with pytest.raises(SettingsError, match="channelwatch login"):
            await connections.connect_reader(client)


async def test_a_revoked_reader_is_told_how_to_log_in(sandbox: Sandbox, settings: Make) -> None:
    me = sandbox.world.add_user("Reader")
    async with reader(sandbox, settings, me) as client:
        sandbox.revoke(me)
        with pytest.raises(SettingsError, match="channelwatch login"):
            await connections.connect_reader(client)


async def test_whom_updates_name_is_written_into_the_session_once(sandbox: Sandbox, settings: Make) -> None:
    me = sandbox.world.add_user("Reader")
    channel = sandbox.world.add_channel("News", members=[me])
    seen = asyncio.Queue[TLObject]()
    async with reader(sandbox, settings, me) as client, asyncio.timeout(WAIT_S):
        client.add_event_handler(seen.put, events.Raw())
        await connections.connect_reader(client)
        channel.post("Тихий день")
        await seen.get()
        assert client.session.get_input_entity(channel.id)
        before = client.session._conn.total_changes  # noqa: SLF001 - Telethon has no name for what it writes
        channel.post("Другой день")
        await seen.get()
        assert client.session._conn.total_changes == before  # noqa: SLF001 - likewise


async def test_a_reader_that_cannot_fetch_updates_is_not_well_though_it_is_answered(
    sandbox: Sandbox, settings: Make
) -> None:
    me = sandbox.world.add_user("Reader")
    async with reader(sandbox, settings, me) as client:
        client.timings = Timings(ping_every=0.02)
        await connections.connect_reader(client)
        sandbox.faults.answer("GetDifference", "INTERNAL", code=400, times=None)
        keeping = asyncio.create_task(connections.keep_connected(client))
        try:
            await until(lambda: client.fault is not None)
            assert client.is_answered
            sandbox.faults.clear()
            await until(lambda: client.fault is None)
        finally:
            keeping.cancel()


async def test_a_reader_that_is_frozen_stays_connected_though_telethon_asks_for_what_it_missed(
    sandbox: Sandbox, settings: Make
) -> None:
    me = sandbox.world.add_user("Reader")
    channel = sandbox.world.add_channel("Agency", username="agency", members=[me])
    async with reader(sandbox, settings, me) as client:
        await connections.connect_reader(client)
        await client.get_dialogs()
        sandbox.faults.freeze(me.id)
        sandbox.faults.drop_pushes(account_id=me.id, times=1)
        channel.post("one")
        channel.post("two")  # with a gap before it
        await client.catch_up()
        await until(lambda: {"GetDifference", "GetChannelDifference"} <= {call.name for call in sandbox.calls})
        assert await ping(client)
        assert client.is_connected()


async def test_a_bot_cannot_be_the_reader(sandbox: Sandbox, settings: Make) -> None:
    bot = sandbox.world.add_bot(TOKEN, "Watch", "watch_bot")
    async with reader(sandbox, settings, bot) as client:
        with pytest.raises(SettingsError, match="belongs to a bot"):
            await connections.connect_reader(client)


@pytest.mark.parametrize(
    ("fault", "expected", "sentence"),
    [
        ("ImportBotAuthorization ACCESS_TOKEN_INVALID", SettingsError, "TELEGRAM_BOT_TOKEN is refused"),
        ("GetConfig API_ID_INVALID", SettingsError, "TELEGRAM_API_ID and TELEGRAM_API_HASH are refused"),
        ("ImportBotAuthorization FLOOD_WAIT_300", FatalError, "wait 300 s"),
        ("GetConfig FROZEN_PARTICIPANT_MISSING", FatalError, "has frozen the account"),
    ],
)
async def test_refused_credentials_are_named(
    sandbox: Sandbox, settings: Make, fault: str, expected: type[Exception], sentence: str
) -> None:
    sandbox.world.add_bot(TOKEN, "Watch", "watch_bot")
    chosen = settings(telegram_server=sandbox.address)
    chosen.data_dir.mkdir()
    sandbox.session_for(None, chosen.data_dir / "bot.session")
    sandbox.faults.answer(*fault.split(), times=None)
    client = bot_client(chosen)
    try:
        with pytest.raises(expected, match=sentence):
            await connections.connect_bot(client, chosen)
    finally:
        await client.disconnect()


async def test_a_server_that_comes_late_is_waited_for(sandbox: Sandbox, settings: Make) -> None:
    me = sandbox.world.add_user("Reader")
    chosen = settings(telegram_server=sandbox.address)
    chosen.data_dir.mkdir()
    sandbox.session_for(me, chosen.data_dir / "reader.session")
    sandbox.faults.unanswered = True
    client = reader_client(chosen)
    connecting = asyncio.create_task(connections.connect_reader(client))
    try:
        await asyncio.wait({connecting}, timeout=0.1)
        assert not connecting.done()
        sandbox.faults.unanswered = False
        sandbox.server.cut()
        async with asyncio.timeout(30):
            assert await connecting == me.id
    finally:
        await client.disconnect()


async def test_a_key_exchange_that_breaks_off_is_begun_anew(
    sandbox: Sandbox, settings: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.world.add_bot(TOKEN, "Watch", "watch_bot")
    (tmp_path / "key.pem").write_text(sandbox.key_pem)
    chosen = settings(telegram_server=sandbox.address, telegram_server_key=tmp_path / "key.pem")
    factors = Factorization.factorize
    tries: list[int] = []

    def fail_once(number: int) -> tuple[int, int]:
        tries.append(number)
        return (1, number) if len(tries) == 1 else factors(number)  # as Telethon does now and then

    monkeypatch.setattr(Factorization, "factorize", fail_once)
    client = bot_client(chosen, timings=Timings(key_pause=0.01))
    try:
        async with asyncio.timeout(30):
            assert await connections.connect_bot(client, chosen) == "watch_bot"
    finally:
        await client.disconnect()
    assert len(tries) == 2
