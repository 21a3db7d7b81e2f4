"""How a run ends: by what the service does, since a busy machine makes any number of seconds too short."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import takewhile
from time import monotonic
from typing import Protocol

from bot.sandbox import Sandbox

HANGS_AFTER = 300.0  # s without a round; then the service does nothing at all


class Turns(Protocol):
    """Counts what the service does again and again."""

    def count(self) -> int: ...


class Rounds:
    """Counts the rounds of the service's sweep."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._last = sandbox.calls[-1] if sandbox.calls else None
        self._count = 0

    def count(self) -> int:
        new = list(
            takewhile(lambda call: call is not self._last, reversed(self._sandbox.calls))
        )  # the server drops old ones
        if new:
            self._last = new[0]
        self._count += sum(call.name == "GetDialogs" for call in new)
        return self._count

    async def more(self, count: int) -> None:
        """Wait for so many more; whatever was to come has come then."""
        last, at = self.count(), monotonic()
        wanted = last + count
        while last < wanted and monotonic() - at < HANGS_AFTER:
            await asyncio.sleep(0.1)
            if self.count() > last:
                last, at = self.count(), monotonic()


async def missing(turns: Turns, look: Callable[[], Awaitable[list[str]]], *, rounds: int) -> list[str]:
    """Wait until `look` finds nothing missing; return what it finds once that has been the same for so many rounds."""
    found, since, at = await look(), turns.count(), monotonic()
    while found and turns.count() - since < rounds and monotonic() - at < HANGS_AFTER:
        before = turns.count()
        await asyncio.sleep(0.2)
        if turns.count() > before:
            at = monotonic()
        if (now := await look()) != found:
            found, since = now, turns.count()
    return found
