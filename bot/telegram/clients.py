"""Settings come in, Telethon clients go out that never give up."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from telethon import TelegramClient, errors, functions
from telethon.crypto import rsa
from telethon.tl import TLObject, types

import bot
from bot.errors import FatalError, SettingsError, TelegramError, Verdict
from bot.runtime.supervisor import TURN, Beat, unheard
from bot.settings import Settings
from bot.telegram import sessions
from bot.telegram.client import Client
from bot.telegram.convert import attach, named_in
from bot.telegram.errors import to_error
from bot.telegram.proxies import proxy_arguments
from bot.telegram.rpc import answer

log = structlog.get_logger(__name__)

READER, STANDBY = "reader.session", "reader-2.session"  # files in DATA_DIR
SLOW_CONNECT = 15.0  # s until a person is told that Telegram does not answer
BREATHER = 5.0  # s between two connections that Telethon gave up
CONNECT_WITHIN = 60.0  # s; what a new connection asks first may be lost, and Telethon would wait for it for ever
ASK_EVERY = 30.0  # s; what the bot was told and no push brought is waited for no longer


def tap(client: TelegramClient, hear: Callable[[TLObject], None]) -> None:
    """Hand every update to `hear` the moment it is pushed, before Telethon puts updates in order.

    After a gap Telethon waits for half a second, then asks for the difference, and drops what was pushed meanwhile: an
    edit that was followed by another would be lost, though we had it in our hands. A test pins what this leans on.
    """
    queue = client._updates_queue  # noqa: SLF001 - Telethon has no public name for what is pushed
    put = queue.put_nowait

    def put_and_tell(container: TLObject) -> None:
        named = named_in(container)
        for update in getattr(container, "updates", None) or [getattr(container, "update", None)]:
            if update is not None:
                attach(update, named)
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
    client.renews_key = True  # its token signs it in
    return client


async def connect_reader(client: TelegramClient) -> int:
    """Connect the reader and return its account id. Raises SettingsError where it is not logged in, FatalError."""
    me = await connect(client)
    if me is None:
        raise SettingsError(f"The reader account is not logged in, or was logged out by Telegram: {sessions.LOGIN}.")
    if me.bot:
        raise SettingsError(f"reader.session belongs to a bot, and bots cannot read channels: {sessions.LOGIN}.")
    return int(me.id)


async def connect_bot(client: Client, settings: Settings) -> str:
    """Connect the bot, signed in by its token, and return its username. Raises SettingsError, FatalError."""
    assert settings.telegram_bot_token is not None  # noqa: S101 - whoever connects a bot has required the token
    token = settings.telegram_bot_token.get_secret_value()
    me = await connect(client)
    if me is None:
        await client.forget_login()
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
    """Connect, however long it takes, and say who is signed in, if anybody. Raises SettingsError, FatalError."""
    advice = "Telegram does not answer yet; where it is blocked, set TELEGRAM_PROXY in .env"
    alarm = asyncio.get_running_loop().call_later(SLOW_CONNECT, log.warning, advice)
    try:
        while True:
            try:
                return await answer(_signed_in(client), within=CONNECT_WITHIN)
            except TimeoutError:
                await client.disconnect()  # it may be half connected
    except (errors.RPCError, errors.AuthKeyNotFound) as error:
        raise refused(to_error(error)) from None
    finally:
        alarm.cancel()


def has_connection(client: TelegramClient) -> bool:
    """Tell whether a client is connected now; Telethon's own word tells whether it wants to be."""
    return bool(client._sender._transport_connected())  # noqa: SLF001 - see above


async def answers(client: TelegramClient) -> bool:
    """Ask whether Telegram answers a client; a client that is connecting again does not wait for it."""
    if not has_connection(client):
        return False
    try:
        await answer(client(functions.updates.GetStateRequest()), within=SLOW_CONNECT)
    except errors.RPCError as error:
        return to_error(error).verdict is not Verdict.FATAL  # that it refuses to say is an answer, too
    except (errors.AuthKeyNotFound, OSError):
        return False
    return True


@asynccontextmanager
async def nobody(settings: Settings) -> AsyncIterator[Client]:
    """Connect without a login, for what anybody may ask: no session is touched.

    Raises TimeoutError where Telegram does not answer, SettingsError, FatalError.
    """
    with TemporaryDirectory() as folder:
        client = _client(settings, Path(folder) / "nobody.session")
        try:
            async with asyncio.timeout(SLOW_CONNECT):
                await client.connect()
            yield client
        except (errors.RPCError, errors.AuthKeyNotFound) as error:
            raise refused(to_error(error)) from None
        finally:
            await client.disconnect()


async def keep_connected(client: Client, beat: Beat = unheard, *, ask_every: float | None = None) -> None:
    """Connect again whenever Telethon gave up, for ever; ask for missed updates every so many seconds.

    Telethon disconnects for good after an error in its update loop. Raises FatalError where the session is gone.
    """
    while True:
        gone = client.disconnected
        beat(math.inf if ask_every is None else ask_every + TURN)
        await asyncio.wait({gone}, timeout=ask_every)
        beat(TURN)
        if not gone.done():
            gone.cancel()  # only ours: the client's own is shielded
            await client.catch_up()
            continue
        log.warning("a client was disconnected and connects again", why=repr(gone.exception()))
        await _connect_again(client)
        await asyncio.sleep(BREATHER)


async def _connect_again(client: Client) -> None:
    try:
        me = await answer(_signed_in(client), within=CONNECT_WITHIN)
    except Exception as error:
        await client.disconnect()  # it may be half connected, without its update loop
        if not isinstance(error, errors.RPCError | errors.AuthKeyNotFound | OSError):
            raise  # to whoever guards this loop, which begins anew
        refusal = to_error(error)
        if refusal.verdict is Verdict.FATAL:
            raise refused(refusal) from None
        log.warning("a client could not sign in again yet", error=refusal.error)
        return
    if client.on_reconnect is not None:
        await client.on_reconnect()
    if me is None:
        raise FatalError(f"Telegram has ended a session: check TELEGRAM_BOT_TOKEN, or {sessions.LOGIN}.")


async def _signed_in(client: TelegramClient) -> types.User | None:
    await client.connect()
    return await client.get_me()


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
    session = sessions.opened(path, server=settings.telegram_server)
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


def _trust(key: Path) -> None:
    """Let Telethon accept the server that holds this key's private half. Raises SettingsError."""
    try:
        rsa.add_key(key.read_text(), old=False)
    except (OSError, ValueError) as error:
        raise SettingsError(f"TELEGRAM_SERVER_KEY: {key} is no RSA public key in PEM (PKCS#1): {error}") from None
