"""Removes what takes room for nothing: the oldest files of posts above the limit, and rows that are over."""

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from bot.models import Clock
from bot.runtime.clock import utc_now
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.store import captures, housekeeping, media, targets
from bot.store.blobs import Blobs
from bot.store.database import Database

log = structlog.get_logger(__name__)

GIGABYTE = 1 << 30
EVERY = 300.0  # s
CLEAR_EVERY = 288  # looks: a day
_AN_HOUR = timedelta(hours=1)  # others may be about to write the row of a file
SHOWN_FOR = timedelta(days=30)  # of an alert: what it shows is not removed


class Pruner:
    """Keeps the files below `most` bytes in all, clears rows each day, and addresses of removed targets soon."""

    def __init__(self, database: Database, folder: Path, *, most: int, clock: Clock) -> None:
        self._database = database
        self._blobs = Blobs(folder)
        self._most = most
        self._clock = clock
        self._is_over = False

    async def run(self, beat: Beat = no_beat) -> None:
        """Look for ever."""
        beat(TURN)
        await media.remove_strays(self._database, self._blobs, before=utc_now() - _AN_HOUR)
        looks = 0
        while True:
            beat(EVERY + TURN)
            if looks % CLEAR_EVERY == 0:
                await self._database.write(partial(housekeeping.clear, now=self._clock()))
            looks += 1
            await self._database.write(partial(targets.forget_removed, now=self._clock()))
            await self.prune()
            await asyncio.sleep(EVERY)

    async def prune(self) -> int:
        """Remove as many files as needed, the oldest first; return how many."""
        excess, count, after = await media.total_size(self._database) - self._most, 0, 0
        since = self._clock() - SHOWN_FOR
        while excess > 0 and (pages := await self._database.write(partial(captures.prune, size=excess, before=since))):
            await asyncio.to_thread(self._blobs.remove, [blob.sha256 for blob in pages])
            excess -= sum(blob.size for blob in pages)
        while excess > 0:
            job = partial(media.prune, size=excess, after=after, shown_since=since)
            pruned = await self._database.write(job)
            await asyncio.to_thread(self._blobs.remove, [blob.sha256 for blob in pruned.blobs])
            count += len(pruned.blobs)
            excess -= sum(blob.size for blob in pruned.blobs)
            if pruned.last_id is None:
                break
            after = pruned.last_id
        if count:
            log.info("files of posts were removed to make room", files=count)
        if excess > 0 and not self._is_over:
            log.warning("the files of posts take too much space, and recent alerts show all of them", excess=excess)
        self._is_over = excess > 0
        return count
