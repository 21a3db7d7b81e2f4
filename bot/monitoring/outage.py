"""Whether Telegram itself is out: the bot cannot send, or no channel can be read, for longer than patience allows.

What follows is told to the owners, and alerts go to the fallbacks of their chats meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.models import Clock
from bot.models.notices import Outage
from bot.runtime.supervisor import Beat, no_beat, repeat
from bot.store import channels, fallbacks
from bot.store.database import Database

log = structlog.get_logger(__name__)

EVERY = 5.0  # s between two looks
ROUNDS = 3  # of the sweep that may fail
STEADY = timedelta(seconds=60)  # that everything has to work until an outage is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is known of one way, of sending or of reading."""

    failing_since: datetime | None = None  # nothing has worked since then
    working_since: datetime | None = None  # in an outage: everything has worked since then
    out_since: datetime | None = None  # it is an outage; None: it is none


def next_watch(
    watch: Watch, now: datetime, *, works: bool | None, patience: timedelta, failing_since: datetime | None = None
) -> Watch:
    """Return what is known after another look; `works` is None where there was nothing to be seen. Pure.

    A failure has to last for `patience` to be an outage, and its end for `STEADY` to be one: between the two nothing
    changes for people. `failing_since` is since when, where that is known.
    """
    if works is None:
        return watch
    if watch.out_since is not None:
        if not works:
            return replace(watch, working_since=None)
        since = watch.working_since or now
        return Watch() if now - since >= STEADY else replace(watch, working_since=since)
    if works:
        return Watch()
    since = failing_since or watch.failing_since or now
    return Watch(failing_since=since, out_since=since if now - since >= patience else None)


def sending_works(*, is_connected: bool, has_taken: bool, is_pending: bool) -> bool:
    """Tell whether Telegram takes what the bot sends, by what was seen since the look before. Pure.

    What it has taken is the best sign; without one, a connection on which it answers and nothing waits to be taken.
    """
    return has_taken or (is_connected and not is_pending)


class OutageMonitor:
    """Looks again and again; begins and ends outages."""

    def __init__(  # noqa: PLR0913 - what it looks at, and how patiently
        self,
        database: Database,
        *,
        clock: Clock,
        patience: timedelta,
        round_takes: timedelta = timedelta(),
        is_connected: Callable[[], bool],
        taken: Callable[[], int],
    ) -> None:
        self._database = database
        self._clock = clock
        self._patience = patience
        self._reading_patience = max(patience, ROUNDS * round_takes)  # each round reads some channel
        self._is_connected = is_connected
        self._taken = taken  # how many messages Telegram has taken so far
        self._taken_before = 0
        self._began = self._looked_at = clock()
        self._watches: dict[Outage, Watch] = {}  # empty: to be read from the store

    async def run(self, beat: Beat = no_beat) -> None:
        """Look for ever."""
        await repeat(self.look, beat, every=EVERY)

    async def look(self) -> None:
        """Look once; during an outage bring what waits to the fallbacks."""
        if not self._watches:
            for each in Outage:
                self._watches[each] = Watch(out_since=await fallbacks.out_since(self._database, each))
        now = self._clock()
        if now - self._looked_at > self._patience:  # this machine slept
            self._began = now
        self._looked_at = now
        await self._take_in(Outage.SENDING, now, works=await self._sends(now))
        read_at = await channels.read_at(self._database)
        if read_at is not None:
            read_at = max(read_at, self._began)  # before, nobody could read anything here
            works = now - read_at < self._reading_patience
            await self._take_in(Outage.READING, now, works=works, failing_since=read_at)
        if self._watches[Outage.SENDING].out_since is not None:
            await self._database.write(lambda tx: fallbacks.divert(tx, now=now))

    async def _sends(self, now: datetime) -> bool:
        taken = self._taken()
        has_taken, self._taken_before = taken > self._taken_before, taken
        is_pending = await fallbacks.is_pending(self._database, now)
        return sending_works(is_connected=self._is_connected(), has_taken=has_taken, is_pending=is_pending)

    async def _take_in(
        self, outage: Outage, now: datetime, *, works: bool, failing_since: datetime | None = None
    ) -> None:
        before = self._watches[outage]
        watch = self._watches[outage] = next_watch(
            before, now, works=works, patience=self._patience, failing_since=failing_since
        )
        if before.out_since is None and (since := watch.out_since) is not None:
            log.warning("Telegram is out", what=outage.value, since=str(since))
            await self._database.write(lambda tx: fallbacks.begin(tx, outage, since, now=now))
        elif before.out_since is not None and watch.out_since is None:
            log.info("Telegram is back", what=outage.value)
            await self._database.write(lambda tx: fallbacks.end(tx, outage, now=now))
