"""Settings come in, Telethon clients go out that never give up, hold their files private and share them with nobody."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from telethon import TelegramClient, errors, functions
from telethon.crypto import rsa
from telethon.sessions import SQLiteSession
from telethon.tl import TLObject, types

import bot
from bot.errors import FatalError, SettingsError, TelegramError, Verdict
from bot.settings import Settings
from bot.telegram.client import Client
from bot.telegram.failures import to_error
from bot.telegram.proxies import proxy_arguments

log = structlog.get_logger(__name__)

READER, STANDBY = "reader.session", "reader-2.session"  # files in DATA_DIR
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
SLOW_CONNECT = 15.0  # s until a person is told that Telegram does not answer
BREATHER = 5.0  # s between two connections that Telethon gave up
ASK_EVERY = 30.0  # s; what the bot was told and no push brought is waited for no longer
LOGIN = "run `channelwatch login`"


def tap(client: TelegramClient, hear: Callable[[TLObject], None]) -> None:
    """Hand every update to `hear` the moment it is pushed, before Telethon puts updates in order.

    After a gap Telethon waits for half a second, then asks for the difference, and drops what was pushed meanwhile: an
    edit that was followed by another would be lost, though we had it in our hands. A test pins what this leans on.
    """
    queue = client._updates_queue  # noqa: SLF001 - Telethon has no public name for what is pushed
    put = queue.put_nowait

    def put_and_tell(container: TLObject) -> None:
        for update in getattr(container, "updates", None) or [getattr(container, "update", None)]:
            if update is not None:
                hear(update)
        put(container)

    queue.put_nowait = put_and_tell


def reader_client(settings: Settings, session: str = READER) -> Client:
    """Make a client that reads channels; it is not connected yet. Raises SettingsError, FatalError."""
    return _client(settings, settings.data_dir / session)


def bot_client(settings: Settings) -> Client:
    """Make the client that talks to chats; it is not connected yet. Raises SettingsError, FatalError."""
    client = _client(settings, settings.data_dir / "bot.session")
    client.on_reconnect = client.catch_up
    return client


@contextmanager
def lock(session: Path) -> Iterator[None]:
    """Hold a session file for this process: Telegram kills a session that two programs use (AUTH_KEY_DUPLICATED).

    Raises FatalError where another process holds it.
    """
    _private_folder(session.parent)
    with session.with_name(f"{session.name}.lock").open("w") as file:
        os.fchmod(file.fileno(), PRIVATE_FILE)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FatalError(f"another channelwatch uses {session}: stop it first") from None
        yield


async def connect_reader(client: TelegramClient) -> int:
    """Connect the reader and return its account id. Raises SettingsError where it is not logged in, FatalError."""
    me = await connect(client)
    if me is None:
        raise SettingsError(f"The reader account is not logged in, or was logged out by Telegram: {LOGIN}.")
    if me.bot:
        raise SettingsError(f"reader.session belongs to a bot, and bots cannot read channels: {LOGIN}.")
    return int(me.id)


async def connect_bot(client: TelegramClient, settings: Settings) -> str:
    """Connect the bot, signed in by its token, and return its username. Raises SettingsError, FatalError."""
    assert settings.telegram_bot_token is not None  # noqa: S101 - whoever connects a bot has required the token
    token = settings.telegram_bot_token.get_secret_value()
    me = await connect(client)
    if me is None:
        me = await _sign_in(client, token)
    elif not token.startswith(f"{me.id}:"):
        log.warning(
            "bot.session belongs to another bot than TELEGRAM_BOT_TOKEN; delete it to change bots", bot=me.username
        )
    # Telethon would write down for the first time in a minute from where to catch up: what is said to a bot that
    # was killed before that would be lost.
    await client._save_states_and_entities()  # noqa: SLF001 - it has no public name
    client.session.save()
    return str(me.username)


async def connect(client: TelegramClient) -> types.User | None:
    """Connect and say who is signed in, if anybody. Raises SettingsError, FatalError."""
    connecting = asyncio.ensure_future(client.connect())
    try:
        done, _ = await asyncio.wait({connecting}, timeout=SLOW_CONNECT)
        if not done:
            log.warning("Telegram does not answer yet; where it is blocked, set TELEGRAM_PROXY in .env")
        await connecting
        return await client.get_me()
    except (errors.RPCError, errors.AuthKeyNotFound) as error:
        raise refused(to_error(error)) from None
    finally:
        connecting.cancel()


async def clock_error(client: TelegramClient, now: Callable[[], datetime]) -> timedelta:
    """Measure by how much Telegram's clock is ahead of ours, to the second; zero where it does not say."""
    try:
        state = await asyncio.wait_for(client(functions.updates.GetStateRequest()), SLOW_CONNECT)
    except (errors.RPCError, OSError) as error:
        log.warning("Telegram does not tell the time", error=str(error))
        return timedelta()
    return timedelta(seconds=round((state.date - now()).total_seconds() + 0.5))  # Telegram cuts fractions off


def has_connection(client: TelegramClient) -> bool:
    """Tell whether a client is connected now; Telethon's own word tells whether it wants to be."""
    return bool(client._sender._transport_connected())  # noqa: SLF001 - see above


async def answers(client: TelegramClient) -> bool:
    """Ask whether Telegram answers a client; a client that is connecting again does not wait for it."""
    if not has_connection(client):
        return False
    try:
        await asyncio.wait_for(client(functions.updates.GetStateRequest()), SLOW_CONNECT)
    except (errors.RPCError, OSError, TimeoutError):
        return False
    return True


async def ask_the_time(settings: Settings) -> datetime:
    """Ask Telegram what time it is, as nobody: no session is touched.

    Raises TimeoutError where it does not answer, SettingsError, FatalError.
    """
    with TemporaryDirectory() as folder:
        client = _client(settings, Path(folder) / "nobody.session")
        try:
            async with asyncio.timeout(SLOW_CONNECT):
                await client.connect()
                config = await client(functions.help.GetConfigRequest())
        except (errors.RPCError, errors.AuthKeyNotFound) as error:
            raise refused(to_error(error)) from None
        finally:
            await client.disconnect()
    date: datetime = config.date
    return date


async def keep_connected(client: Client, *, ask_every: float | None = None) -> None:
    """Connect again whenever Telethon gave up, for ever; ask for missed updates every so many seconds.

    Telethon disconnects for good after an error in its update loop. Raises FatalError where the session is gone.
    """
    while True:
        gone = client.disconnected
        await asyncio.wait({gone}, timeout=ask_every)
        if not gone.done():
            gone.cancel()  # only ours: the client's own is shielded
            await client.catch_up()
            continue
        log.warning("a client was disconnected and connects again", why=repr(gone.exception()))
        await _connect_again(client)
        await asyncio.sleep(BREATHER)


async def _connect_again(client: Client) -> None:
    try:
        await client.connect()
        me = await client.get_me()
    except (errors.RPCError, errors.AuthKeyNotFound, OSError) as error:
        refusal = to_error(error)
        if refusal.verdict is Verdict.FATAL:
            raise refused(refusal) from None
        log.warning("a client could not sign in again yet", error=refusal.error)
        await client.disconnect()  # it may be half connected, without its update loop
        return
    if client.on_reconnect is not None:
        await client.on_reconnect()
    if me is None:
        raise FatalError(f"Telegram has ended a session: check TELEGRAM_BOT_TOKEN, or {LOGIN}.")


def refused(error: TelegramError) -> SettingsError | FatalError:
    """Say what to do about a refusal before anything runs."""
    if error.error in {"API_ID_INVALID", "API_ID_PUBLISHED_FLOOD"}:
        return SettingsError("TELEGRAM_API_ID and TELEGRAM_API_HASH are refused: copy both anew from my.telegram.org.")
    if error.error.startswith("ACCESS_TOKEN_"):
        return SettingsError("TELEGRAM_BOT_TOKEN is refused: copy it anew from @BotFather (/mybots).")
    if error.retry_after:
        return FatalError(f"Telegram asks to wait {error.retry_after:.0f} s before signing in again ({error.error}).")
    if error.verdict is Verdict.RETRY:
        return FatalError(f"{error}: it cannot serve us now; start again in a few minutes.")
    return FatalError(f"{error}: the session is of no use any more; delete its file and sign in again.")


async def _sign_in(client: TelegramClient, token: str) -> types.User:
    try:
        return await client.sign_in(bot_token=token)
    except errors.RPCError as error:
        raise refused(to_error(error)) from None


def _client(settings: Settings, path: Path) -> Client:
    settings.require("TELEGRAM_API_ID", "TELEGRAM_API_HASH")
    assert settings.telegram_api_hash is not None  # noqa: S101 - required in the line above
    proxy = settings.telegram_proxy.get_secret_value() if settings.telegram_proxy else None
    if settings.telegram_server_key is not None:
        _trust(settings.telegram_server_key)
    session = _session(path)
    if settings.telegram_server is not None:
        _direct(session, settings.telegram_server)
    return Client(
        session,
        settings.telegram_api_id,
        settings.telegram_api_hash.get_secret_value(),
        **proxy_arguments(proxy),
        use_ipv6=":" in (session.server_address or ""),  # else Telethon forgets the address and the login with it
        app_version=bot.__version__,
        device_model="channelwatch",
        catch_up=True,
        connection_retries=None,  # never gives up
        flood_sleep_threshold=0,  # a wait is ours to decide on: Telethon would hold up its update loop for it
        request_retries=1,  # what the server fails at, or refuses for now, is tried again in our own time
        raise_last_call_error=True,
        sequential_updates=True,  # events keep their order; our handlers only put them into a queue
    )


def _session(path: Path) -> SQLiteSession:
    """Open an ordinary Telethon session file, made here or elsewhere."""
    _private_folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, PRIVATE_FILE))  # Telethon would make it readable for all
    _mend(path, PRIVATE_FILE)
    try:
        return SQLiteSession(str(path))
    except (sqlite3.DatabaseError, ValueError) as error:  # ValueError: another layout, by another Telethon
        raise FatalError(f"{path} is no Telethon session ({error}): move it away and {LOGIN}.") from None


def _trust(key: Path) -> None:
    """Let Telethon accept the server that holds this key's private half. Raises SettingsError."""
    try:
        rsa.add_key(key.read_text(), old=False)
    except (OSError, ValueError) as error:
        raise SettingsError(f"TELEGRAM_SERVER_KEY: {key} is no RSA public key in PEM (PKCS#1): {error}") from None


def _direct(session: SQLiteSession, server: str) -> None:
    """Point a session at another server, its login kept."""
    host, _, port = server.rpartition(":")
    address = (host.strip("[]"), int(port))
    if (session.server_address, session.port) != address:
        session.set_dc(session.dc_id or 2, *address)
        session.save()


def _private_folder(path: Path) -> None:
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    _mend(path, PRIVATE_FOLDER)


def _mend(path: Path, mode: int) -> None:
    if not path.stat().st_mode & 0o077:
        return
    try:
        path.chmod(mode)
        log.warning("others could read this; now only its owner can", path=str(path))
    except PermissionError:  # a mounted folder of somebody else's
        log.warning("others can read this, and it is not ours to change", path=str(path))
