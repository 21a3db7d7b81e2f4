"""A request of the reader comes in, Telegram's answer goes out, or an error with its verdict."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

from telethon import TelegramClient, errors
from telethon.tl import TLRequest

from bot.errors import TelegramError
from bot.telegram import rpc
from bot.telegram.errors import to_error

T = TypeVar("T")
# s; Telethon sends a request again after a lost connection, but waits for ever where only the answer was lost.
ANSWER_WITHIN = 60.0
# OSError: no connection, no answer in time; the next: something of a newer Telegram; ValueError: tried in vain.
_FAILURES = (errors.RPCError, errors.AuthKeyNotFound, OSError, errors.TypeNotFoundError, ValueError)
RETRY_AFTER = timedelta(minutes=1)  # at least, after what can heal


async def call(client: TelegramClient, request: TLRequest) -> Any:  # noqa: ANN401 - each request has its own answer
    """Ask Telegram something, like `answer`."""
    return await answer(client(request))


async def answer(question: Awaitable[T]) -> T:
    """Wait for Telegram's answer to what a client was told to ask.

    Raises TelegramError. Telethon refuses a method that Telegram wants us to wait with, until the wait is over, and
    without asking again.
    """
    try:
        return await rpc.answer(question, within=ANSWER_WITHIN)
    except _FAILURES as error:
        raise to_error(error) from error


def pause(error: TelegramError) -> timedelta:
    """Say how long to leave a thing alone after a refusal that can heal."""
    return max(timedelta(seconds=error.retry_after), RETRY_AFTER)
