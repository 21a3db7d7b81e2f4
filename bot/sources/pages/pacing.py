"""How fast public pages may be asked for: nobody knows the limit, and all who were thrown out had asked in parallel.

One request is under way at a time, with a pause between the starts of two. What looks like throttling (429, cut
connections, shells instead of pages) makes all wait, longer each time; the wait outlives a restart.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.models import Clock
from bot.store import meta
from bot.store.database import Database

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=10)
LONGEST_ASKED = timedelta(hours=2)  # more than this in Retry-After is no pause but a mistake
_MORE = 1 / 3  # of the pause, by chance


def next_wait(backoff: meta.PageBackoff, now: datetime, *, asked: timedelta | None, is_long: bool) -> meta.PageBackoff:
    """Return the wait after another sign of throttling: as long as the server asked for, else twice the last one."""
    doubled = max(FIRST_WAIT, 2 * timedelta(seconds=backoff.seconds))
    wait = LONGEST_WAIT if is_long else min(doubled, LONGEST_WAIT)
    until = now + (wait if asked is None else min(max(asked, FIRST_WAIT), LONGEST_ASKED))
    return replace(backoff, seconds=wait.total_seconds(), until=until)


class Pacer:
    """Lets requests start one by one; its wait is kept in the database, where there is one."""

    def __init__(self, database: Database | None, clock: Clock, *, pause: float) -> None:
        self._database = database
        self._clock = clock
        self._pause = pause
        self._lock = asyncio.Lock()
        self._next_at = 0.0  # of the event loop's clock
        self._backoff: meta.PageBackoff | None = None

    async def backoff(self) -> meta.PageBackoff:
        """Return how long all have to wait."""
        if self._backoff is None:
            self._backoff = await meta.get_page_backoff(self._database) if self._database else meta.PageBackoff()
        return self._backoff

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a request's turn, and hold it until that is answered."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            await asyncio.sleep(max(0.0, self._next_at - loop.time()))
            self._next_at = loop.time() + self._pause * random.uniform(1, 1 + _MORE)  # noqa: S311 - no secret
            yield

    async def wait_longer(self, *, reason: str, asked: timedelta | None = None, is_long: bool = False) -> datetime:
        """Make all wait; return until when."""
        now = self._clock()
        longer = next_wait(await self.backoff(), now, asked=asked, is_long=is_long)
        await self._put(replace(longer, reason=reason))
        return longer.until or now

    async def go_on(self) -> None:
        """Forget the wait: a page was read."""
        if await self.backoff() != meta.PageBackoff():
            await self._put(meta.PageBackoff())

    async def _put(self, backoff: meta.PageBackoff) -> None:
        self._backoff = backoff
        if self._database is not None:
            await self._database.write(lambda tx: meta.put_page_backoff(tx, backoff))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The hosts that serve the pages, of which one is asked until it fails twice in a row."""

    urls: tuple[str, ...]
    place: int = 0
    failures: int = 0  # in a row, of all hosts together

    @property
    def url(self) -> str:
        """The one to ask."""
        return self.urls[self.place]

    @property
    def are_all_out(self) -> bool:
        """Whether each has failed twice since one of them answered."""
        return self.failures >= _TRIES * len(self.urls)

    def failed(self) -> "Hosts":
        """Return the hosts after a failure of this one."""
        failures = self.failures + 1
        place = self.place if failures % _TRIES else (self.place + 1) % len(self.urls)
        return replace(self, place=place, failures=failures)

    def answered(self) -> "Hosts":
        """Return the hosts after an answer of this one."""
        return replace(self, failures=0)


_TRIES = 2
