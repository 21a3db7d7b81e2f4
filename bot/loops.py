"""A loop comes in and is kept going whatever it meets, except what cannot heal; which of them are well goes out."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.errors import FatalError, ReaderLostError

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=BaseException)
BACK_OFF = 5.0  # s, after a loop failed


class Health:
    """Knows which loops are well: they do not rest after an error, and have gone round as soon as they said."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failed: set[str] = set()
        self._due: dict[str, float] = {}  # when each loop has gone round again at the latest

    def beat(self, loop: str, *, within: float) -> None:
        """Take in that a loop goes round, and will again within so many seconds."""
        self._due[loop] = self._monotonic() + within

    def fail(self, loop: str) -> None:
        """Take in that a loop rests after an error."""
        self._failed.add(loop)

    def go_on(self, loop: str) -> None:
        """Take in that a loop begins anew."""
        self._failed.discard(loop)

    def forget(self, loop: str) -> None:
        """Expect nothing more of a loop that has ended."""
        self._failed.discard(loop)
        self._due.pop(loop, None)

    def wrong(self) -> list[str]:
        """Say what is wrong, a line for each loop; nothing where all is well."""
        now = self._monotonic()
        hung = sorted(loop for loop, due in self._due.items() if due < now and loop not in self._failed)
        return [f"{loop} failed" for loop in sorted(self._failed)] + [f"{loop} hangs" for loop in hung]


async def guarded(
    name: str, loop: Callable[[], Awaitable[None]], health: Health | None = None, *, back_off: float = BACK_OFF
) -> None:
    """Run a loop, and again after each error. Raises FatalError, ReaderLostError."""
    health = health or Health()
    try:
        while True:
            health.go_on(name)
            try:
                await loop()
            except (FatalError, ReaderLostError):
                raise
            except Exception:
                log.exception("a loop failed and goes on", loop=name, pause=back_off)
            else:
                return
            health.fail(name)
            await asyncio.sleep(back_off)
    finally:
        health.forget(name)


def first_of(group: BaseExceptionGroup[E]) -> E:
    """Return the first error of those that ended loops running side by side, however deep."""
    error = group.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error
