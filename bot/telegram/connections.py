"""Connects and signs clients in, and connects them again whenever Telegram no longer answers them."""

import asyncio
from contextlib import suppress

import structlog
from telethon import TelegramClient, errors
from telethon.tl import types

from bot.errors import FatalError, SettingsError, TelegramError, Verdict
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.settings import Settings
from bot.telegram import sessions
from bot.telegram.client import Client
from bot.telegram.errors import CONNECTION_LOST, to_error, to_startup_error
from bot.telegram.missed_updates import GIVE_UP_AFTER
from bot.telegram.rpc import Ask, ask, has_connection, ping

log = structlog.get_logger(__name__)

MOST_MISSES = 2  # pings without an answer, after which the connection is made anew


async def connect_reader(client: Client) -> int:
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
        try:
            me = await client.sign_in(bot_token=token)
        except errors.RPCError as error:
            raise to_startup_error(to_error(error)) from None
    elif not token.startswith(f"{me.id}:"):
        log.warning(
            "bot.session belongs to another bot than TELEGRAM_BOT_TOKEN; delete it to change bots", bot=me.username
        )
    # Telethon would write down for the first time in a minute from where to catch up: what is said to a bot that
    # was killed before that would be lost.
    await client.save_place()
    return str(me.username)


async def connect(client: Client) -> types.User | None:
    """Connect, however long it takes, and return the account that is signed in, if any.

    Raises SettingsError, FatalError.
    """
    alarm = asyncio.get_running_loop().call_later(client.timings.slow_after, _warn_of_silence, client)
    try:
        while True:
            try:
                return await ask(_signed_in(client), within=client.timings.connect_within)
            except TelegramError as error:
                if error.error != CONNECTION_LOST:
                    raise to_startup_error(error) from None
            await client.disconnect()  # it may be half connected
            await asyncio.sleep(client.timings.connect_pause)
    finally:
        alarm.cancel()


def _warn_of_silence(client: Client) -> None:
    if has_connection(client):  # else the backoff says what is tried
        log.warning("connected, but Telegram does not answer; if it is blocked here, set TELEGRAM_PROXY")


async def keep_connected(client: Client, beat: Beat = no_beat, *, ask_client: Ask | None = None) -> None:
    """Ping again and again, for ever, and connect anew where Telegram does not answer or Telethon gave up.

    Telethon disconnects for good after an error in its update loop, and may take a dead connection for a live one for
    minutes. `ask_client` asks in the client's place, where its requests are counted. Raises FatalError where the
    session is gone.
    """
    misses = 0
    while True:
        gone = client.disconnected
        pause = client.timings.poll_every if client.polls_updates else client.timings.ping_every
        beat(pause + TURN)
        await asyncio.wait({gone}, timeout=pause)
        beat(TURN)
        if not gone.done():
            gone.cancel()  # only ours: the client's own is shielded
            client.is_answered = await ping(client, ask_client, within=client.timings.ping_within)
            if client.is_answered:
                await _fetch_missed(client, ask_client)
            misses = misses + 1 if has_connection(client) and not client.is_answered else 0
            if misses < MOST_MISSES:
                continue
            log.warning("Telegram does not answer a client; it reconnects")
            await client.disconnect()
        else:
            log.warning("a client was disconnected and reconnects", why=repr(gone.exception()))
        misses = 0
        await _connect_again(client)
        await asyncio.sleep(client.timings.connect_pause)


async def _fetch_missed(client: Client, ask_client: Ask | None) -> None:
    """Have a bot fetch what it missed, or look whether a reader could; where that fails for long, begin anew.

    A reader's own update loop would ask for all channels that have changed, and past the budget of its requests.
    """
    try:
        if client.polls_updates:
            await client.catch_up()
            with suppress(TimeoutError):
                await asyncio.wait_for(client.missed.settled.wait(), client.timings.ping_within)
        elif (request := client.missed.request()) is not None:
            await ask((ask_client or client)(request), within=client.timings.ping_within)
    except TelegramError as error:
        log.info("missed updates cannot be fetched", error=error.error)
    if not client.missed.failures:
        return
    try:
        is_new = client.missed.failures >= GIVE_UP_AFTER and await client.missed.skip()
        if client.polls_updates:
            await client.missed.read()
        if is_new and client.on_skip is not None:
            await client.on_skip()
    except TelegramError as error:
        log.info("missed updates cannot be fetched any other way", error=error.error)


async def _connect_again(client: Client) -> None:
    try:
        me = await ask(_signed_in(client), within=client.timings.connect_within)
    except TelegramError as error:
        await client.disconnect()  # it may be half connected, without its update loop
        if error.verdict is Verdict.FATAL:
            raise to_startup_error(error) from None
        log.warning("a client could not sign in again yet", error=error.error)
        return
    except Exception:
        await client.disconnect()  # whoever guards the loop begins anew
        raise
    client.is_answered = True
    if client.on_reconnect is not None:
        await client.on_reconnect()
    if me is None:
        raise FatalError(f"Telegram has ended a session: check TELEGRAM_BOT_TOKEN, or {sessions.LOGIN}.")


async def _signed_in(client: TelegramClient) -> types.User | None:
    await client.connect()
    return await client.get_me()
