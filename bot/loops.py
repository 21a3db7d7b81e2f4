"""A loop comes in and is kept going whatever it meets, except what cannot heal; which of them are well goes out."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.errors import FatalError, ReaderLostError

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=BaseException)
BACK_OFF = 5.0  # s, after a loop failed
STEADY = 60.0  # s that it has to go on until it counts as well again


class Health:
    """Knows which loops are well: they have not failed lately, and have gone round as soon as they said."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failed: dict[str, float] = {}  # until when each loop that failed is not well
        self._due: dict[str, float] = {}  # when each loop has gone round again at the latest

    def beat(self, loop: str, *, within: float) -> None:
        """Take in that a loop goes round, and will again within so many seconds."""
        self._due[loop] = self._monotonic() + within

    def fail(self, loop: str) -> None:
        """Take in that a loop rests after an error."""
        self._failed[loop] = math.inf

    def go_on(self, loop: str) -> None:
        """Take in that a loop begins anew; one that failed has to prove itself."""
        if loop in self._failed:
            self._failed[loop] = self._monotonic() + STEADY

    def forget(self, loop: str) -> None:
        """Expect nothing more of a loop that has ended."""
        self._failed.pop(loop, None)
        self._due.pop(loop, None)

    def wrong(self) -> list[str]:
        """Say what is wrong, a line for each loop; nothing where all is well."""
        now = self._monotonic()
        failed = {loop for loop, until in self._failed.items() if until > now}
        hung = {loop for loop, due in self._due.items() if due < now} - failed
        return [f"{loop} failed" for loop in sorted(failed)] + [f"{loop} hangs" for loop in sorted(hung)]


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
