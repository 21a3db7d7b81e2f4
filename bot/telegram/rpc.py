"""Puts questions to Telegram: the answer comes in time, or a TelegramError does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from telethon import TelegramClient, errors, functions
from telethon.tl import TLRequest

from bot.errors import TelegramError, Verdict
from bot.telegram.errors import CONNECTION_LOST, UNREADABLE, to_error

T = TypeVar("T")
Ask = Callable[[TLRequest], Awaitable[Any]]

ANSWER_WITHIN = 20.0  # s; Telegram answers in well under one
# OSError: no connection, no answer in time; ValueError: tried in vain.
_FAILURES = (errors.RPCError, errors.AuthKeyNotFound, OSError, ValueError, *UNREADABLE)


async def ask(question: Awaitable[T], *, within: float = ANSWER_WITHIN) -> T:
    """Wait at most `within` seconds for the answer to a request, or to another question put to a client.

    Raises TelegramError; where no answer came, it is CONNECTION_LOST. Telethon sends a request again after a lost
    connection, but waits for ever where only the answer was lost.
    """
    try:
        return await answer(question, within=within)
    except _FAILURES as error:
        raise to_error(error) from error


async def answer(question: Awaitable[T], *, within: float) -> T:
    """Wait like `ask`; raise what the question raises, TimeoutError, or ConnectionError where Telethon gave it up.

    Telethon cancels what is pending when it disconnects; to the task that waits, this must not look like its own end.
    """
    asked = asyncio.ensure_future(question)
    try:
        done, _ = await asyncio.wait({asked}, timeout=within)
    finally:
        asked.cancel()  # does nothing once the answer is there
    if not done:
        raise TimeoutError
    if asked.cancelled():
        raise ConnectionError
    return asked.result()


def has_connection(client: TelegramClient) -> bool:
    """Tell whether a client is connected now; Telethon's own `is_connected` tells whether it wants to be."""
    return bool(client._sender._transport_connected())  # noqa: SLF001 - see above


async def ping(client: TelegramClient, ask_client: Ask | None = None, *, within: float = ANSWER_WITHIN) -> bool:
    """Tell whether Telegram answers a client; one that is connecting again is not waited for.

    `ask_client` asks in the client's place, where its requests are counted. A refusal is an answer, too, unless it
    says that the session has ended.
    """
    if not has_connection(client):
        return False
    try:
        await ask((ask_client or client)(functions.updates.GetStateRequest()), within=within)
    except TelegramError as error:
        return error.error != CONNECTION_LOST and error.verdict is not Verdict.FATAL
    return True
