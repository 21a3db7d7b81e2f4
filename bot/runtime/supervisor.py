"""Keeps loops going whatever error they meet, except one that cannot heal, and knows which of them are well.

Each loop is handed a beat, with which it says how many seconds may pass until it says so again: its pause and the
longest turn, or for ever where it waits for others.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import structlog

from bot.errors import FatalError, ReaderLostError
from bot.runtime.disk import fatal_in

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=BaseException)
Beat = Callable[[float], None]  # says: I go round, and will again within so many seconds
Loop = Callable[[Beat], Awaitable[None]]
TURN = 300.0  # s that a turn takes at most, where a loop knows no better
BACK_OFF = 5.0  # s, after a loop failed
STEADY = 60.0  # s that it has to go on until it counts as well again


def no_beat(_: float) -> None:
    """Take a beat of a loop that nobody watches."""


class Health:
    """Knows which loops are well: they have not failed lately, and beat as soon as they said."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failed: dict[str, float] = {}  # until when each loop that failed is not well
        self._due: dict[str, float] = {}  # when each loop has gone round again at the latest

    def beat(self, loop: str, within: float) -> None:
        """Note that a loop goes round, and will again within so many seconds."""
        self._due[loop] = self._monotonic() + within

    def fail(self, loop: str) -> None:
        """Note that a loop rests after an error."""
        self._failed[loop] = math.inf

    def go_on(self, loop: str) -> None:
        """Note that a loop begins anew; one that failed is well again after `STEADY` seconds."""
        if loop in self._failed:
            self._failed[loop] = self._monotonic() + STEADY

    def forget(self, loop: str) -> None:
        """Expect nothing more of a loop that has ended."""
        self._failed.pop(loop, None)
        self._due.pop(loop, None)

    def wrong(self) -> list[str]:
        """Return a line for each loop that failed or hangs."""
        now = self._monotonic()
        failed = {loop for loop, until in self._failed.items() if until > now}
        hung = {loop for loop, due in self._due.items() if due < now} - failed
        return [f"{loop} failed" for loop in sorted(failed)] + [f"{loop} hangs" for loop in sorted(hung)]


async def guarded(name: str, loop: Loop, health: Health | None = None, *, back_off: float = BACK_OFF) -> None:
    """Run a loop, and again after each error. Raises FatalError, ReaderLostError."""
    health = health or Health()
    try:
        while True:
            health.go_on(name)
            health.beat(name, TURN)  # one that says nothing by then counts as hung
            try:
                await loop(partial(health.beat, name))
            except (FatalError, ReaderLostError):
                raise
            except asyncio.CancelledError:
                if is_ending():
                    raise
                log.warning("a loop was cut off and continues", loop=name, pause=back_off)
            except Exception as error:
                if (fatal := fatal_in(error)) is not None:
                    raise fatal from error
                log.exception("a loop failed and continues", loop=name, pause=back_off)
            else:
                return
            health.fail(name)
            await asyncio.sleep(back_off)
    finally:
        health.forget(name)


async def repeat(act: Callable[[], Awaitable[object]], beat: Beat, *, every: float, after: float = 0.0) -> None:
    """Do something every so many seconds, for ever; the first time after some."""
    pause = after
    while True:
        beat(pause + TURN)
        await asyncio.sleep(pause)
        await act()
        pause = every


def is_ending() -> bool:
    """Tell whether the present task is being cancelled.

    Telethon cancels what is pending when it disconnects: a task that waits for that is cut off, and not to end.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def first_of(group: BaseExceptionGroup[E]) -> E:
    """Return the first error of a group, however deep: one that ended loops running side by side."""
    error = group.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error
