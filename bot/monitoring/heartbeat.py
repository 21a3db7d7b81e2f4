"""The heartbeat: signs of life in the database, and pings of a watchdog elsewhere while all is well.

The watchdog is not pinged while anything is wrong: it alerts somebody when the pings stop.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import structlog
from pydantic import SecretStr

from bot.models import Clock
from bot.runtime.supervisor import Beat, Health, no_beat, repeat
from bot.store import meta
from bot.store.database import Database, Reader

log = structlog.get_logger(__name__)

EVERY = 30.0  # s between two looks
FETCH_EVERY = 60.0  # s
FETCH_WITHIN = 5.0  # s
ALIVE, HEALTHY, STOPPED = "run", "healthy", "stopped"  # rows of heartbeats …
FRESH = timedelta(minutes=2)  # … and how old they may be
AHEAD = timedelta(seconds=5)  # by which they may be dated in the future: each process has a clock of its own

Check = Callable[[], str | None]  # returns what is wrong, if anything


def is_fresh(at: datetime | None, now: datetime) -> bool:
    """Tell whether a sign of life is a recent one. One from the future is none: somebody has set the clock back."""
    return at is not None and -AHEAD <= now - at <= FRESH


async def find_fault(db: Reader) -> str | None:
    """Return why the service is not well, as the predicate of a sentence; None where it is, and lately was."""
    beats, now = await meta.last_beats(db), (await meta.clock(db))()
    alive, healthy, stopped = map(beats.get, (ALIVE, HEALTHY, STOPPED))
    if stopped is not None:
        return f"does not run: it was stopped at {stopped:%Y-%m-%d %H:%M} UTC"
    if not is_fresh(alive, now):
        return f"has given no sign of life{_since(alive)}"
    if not is_fresh(healthy, now):
        return f"runs, but has not been well{_since(healthy)}: {await meta.fault(db) or 'its log says why'}"
    return None


async def put_start(database: Database) -> None:
    """Note that the service runs again."""
    await database.write(lambda tx: meta.forget_beat(tx, STOPPED))


async def put_stop(database: Database, now: datetime) -> None:
    """Note that the service was stopped, so that nobody takes its last sign of life for health."""
    await database.write(lambda tx: meta.beat(tx, STOPPED, now))


def _since(moment: datetime | None) -> str:
    return "" if moment is None else f" since {moment:%Y-%m-%d %H:%M} UTC"


class Heartbeat:
    """Checks again and again whether all is well."""

    def __init__(  # noqa: PLR0913 - what it looks at, and how often
        self,
        database: Database,
        health: Health,
        url: SecretStr | None,
        *,
        checks: Sequence[Check],
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
        fetch_within: float = FETCH_WITHIN,
    ) -> None:
        self._database = database
        self._health = health
        self._url = url
        self._checks = checks
        self._clock = clock
        self._monotonic = monotonic
        self._fetch_within = fetch_within
        self._fetched_at = monotonic() - FETCH_EVERY
        self._wrong: list[str] = []
        self._is_reached = True  # the watchdog answered the last time

    async def run(self, beat: Beat = no_beat) -> None:
        """Look for ever."""
        await repeat(self.look, beat, every=EVERY)

    async def look(self) -> bool:
        """Write the sign of life; where all is well, write that too, and ping the watchdog. Return whether it is."""
        now = self._clock()
        await self._database.write(lambda tx: meta.beat(tx, ALIVE, now))
        wrong = [*self._health.wrong(), *filter(None, (check() for check in self._checks))]
        if wrong != self._wrong:
            self._wrong = wrong
            if wrong:
                log.warning("something is wrong", wrong=wrong)
            else:
                log.info("all is well again")
            await self._database.write(lambda tx: meta.put_fault(tx, "; ".join(wrong)))
        if wrong:
            return False

        await self._database.write(lambda tx: meta.beat(tx, HEALTHY, now))
        await self._ping()
        return True

    async def _ping(self) -> None:
        if self._url is None or self._monotonic() - self._fetched_at < FETCH_EVERY - EVERY / 2:
            return
        self._fetched_at = self._monotonic()
        url = self._url.get_secret_value()
        try:
            async with asyncio.timeout(self._fetch_within):  # that of urllib holds for each piece, and not for names
                await _fetch(url, within=self._fetch_within)
        except Exception as error:  # noqa: BLE001 - whatever it is that keeps the watchdog from answering
            if self._is_reached:  # the path is a secret, and errors of urllib may repeat it
                name = type(getattr(error, "reason", None) or error).__name__
                name = f"HTTP {error.code}" if isinstance(error, HTTPError) else name
                log.warning("the watchdog cannot be reached", host=urlsplit(url).hostname, error=name)
            self._is_reached = False
        else:
            self._is_reached = True


async def _fetch(url: str, *, within: float) -> None:
    """Fetch an address in a thread of its own, for which nobody waits at the end; the answer is not read."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(None)
        else:
            outcome.set_exception(error)

    def work() -> None:
        failure: BaseException | None = None
        try:
            urlopen(url, timeout=within).close()  # noqa: S310 - the settings take http and https only
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
            failure = error
            if isinstance(error, HTTPError):
                error.close()  # it holds the connection
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, failure)

    threading.Thread(target=work, name="heartbeat", daemon=True).start()
    await outcome
