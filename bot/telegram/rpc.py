"""A question to Telegram comes in that is on its way; its answer goes out, or, in time, the error that none came."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def answer(question: Awaitable[T], *, within: float) -> T:
    """Wait for the answer so many seconds.

    Raises what the question raises; TimeoutError, or ConnectionError where Telethon gave it up: it cancels what is
    pending when it disconnects, which must not look as if whoever waits were to end.
    """
    asked = asyncio.ensure_future(question)
    try:
        done, _ = await asyncio.wait({asked}, timeout=within)
    finally:
        asked.cancel()  # does nothing once it is there
    if not done:
        raise TimeoutError
    if asked.cancelled():
        raise ConnectionError
    return asked.result()
