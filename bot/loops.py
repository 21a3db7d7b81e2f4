"""A loop comes in and is kept going whatever it meets, except what cannot heal."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.errors import FatalError, ReaderLostError

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=BaseException)
BACK_OFF = 5.0  # s, after a loop failed


async def guarded(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop, and again after each error. Raises FatalError, ReaderLostError."""
    while True:
        try:
            await loop()
        except (FatalError, ReaderLostError):
            raise
        except Exception:
            log.exception("a loop failed and goes on", loop=name, pause=BACK_OFF)
        else:
            return
        await asyncio.sleep(BACK_OFF)


def first_of(group: BaseExceptionGroup[E]) -> E:
    """Return the first error of those that ended loops running side by side, however deep."""
    error = group.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error
