"""Reads the web pages of public channels wherever that is needed; nothing of it is loaded before.

They stand in for a reader account that cannot read, and are witnesses beside one that can.
"""

import asyncio
import math
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from bot.errors import SettingsError
from bot.models import Clock, Network
from bot.models.captures import OTHER_SERVER
from bot.pipeline.ingest import Ingest
from bot.runtime.supervisor import TURN, Beat, Health, guarded, no_beat
from bot.search.pool import Searches
from bot.settings import Settings
from bot.sources.assignment import Assignments
from bot.sources.follow_answers import FollowAnswers
from bot.sources.reader import ReaderAccount
from bot.store import captures, channels
from bot.store.blobs import Blobs
from bot.store.database import Database, Subject
from bot.telegram.client import PATIENT, Timings

if TYPE_CHECKING:
    from bot.sources.pages.reader import PageReader

log = structlog.get_logger(__name__)

LOOK_EVERY = 10.0  # s
STRANGE_PAGE = "page-not-understood.html"  # the last one, in DATA_DIR


class PageService:
    """What reads web pages, in the place of reader accounts."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        settings: Settings,
        database: Database,
        ingest: Ingest,
        assignments: Assignments,
        accounts: Sequence[ReaderAccount],
        *,
        searches: Searches,
        clock: Clock,
        health: Health,
        timings: Timings = PATIENT,
    ) -> None:
        self._settings = settings
        self._database = database
        self._ingest = ingest
        self._assignments = assignments
        self._searches = searches
        self._clock = clock
        self._health = health
        self._grace, self._least = timedelta(seconds=timings.away), timedelta(seconds=timings.page_pause)
        self._reader: PageReader | None = None
        self._accounts = accounts

    @property
    def fault(self) -> str | None:
        """Why channels are read neither by an account nor through their pages; None where all are read."""
        return "no reader account reads" if self._reader is None else self._reader.fault

    async def run(self, beat: Beat = no_beat) -> None:
        """Read pages for ever, from when they are needed on."""
        if not self._settings.has_pages:
            await self._give_captures_up(beat, OTHER_SERVER)
        changes = self._database.changes
        while not await self._is_needed():
            beat(LOOK_EVERY + TURN)
            pause = min(LOOK_EVERY, self._least.total_seconds())
            await changes.wait(Subject.FOLLOWS, changes.revision(Subject.FOLLOWS), pause)
        try:
            await self._read(beat)
        except SettingsError as error:
            log.warning("the web pages of channels cannot be read", why=str(error))
            await self._give_captures_up(beat, str(error))

    async def _give_captures_up(self, beat: Beat, why: str) -> None:
        """Say of each capture that is wanted why there is none, for ever."""

        async def give_up() -> bool:
            is_wanted = await captures.is_wanted(self._database)
            if is_wanted:
                await self._database.write(partial(captures.give_up, detail=why))
            return is_wanted

        await self._database.changes.work_off(Subject.CAPTURES, give_up, beat, turn=TURN, pause=LOOK_EVERY)

    async def _is_needed(self) -> bool:
        if await self._assignments.is_absent(self._grace):
            return True
        followed = [each for each in await channels.followed(self._database) if each.network is Network.TELEGRAM]
        is_unread = self._assignments.has_readers and not all(map(self._assignments.reads, followed))
        is_wanted = is_unread or any(channel.is_witnessed for channel in followed)
        return is_wanted or await captures.is_wanted(self._database)

    async def _read(self, beat: Beat) -> None:
        from bot.sources.pages.captures import PageCaptures  # noqa: PLC0415 - what parses HTML: few services need it
        from bot.sources.pages.fetcher import Pages  # noqa: PLC0415 - likewise
        from bot.sources.pages.follow_requests import PageFollowRequests  # noqa: PLC0415 - likewise
        from bot.sources.pages.page_archive import PageArchive  # noqa: PLC0415 - likewise
        from bot.sources.pages.reader import PageReader  # noqa: PLC0415 - likewise
        from bot.sources.pages.witness import PageWitness  # noqa: PLC0415 - likewise

        beat(math.inf)  # what it reads with goes round for itself
        pages = Pages.open(self._settings, self._database, self._clock)
        try:
            archive = PageArchive(self._database, self._ingest, clock=self._clock)
            answers = FollowAnswers(self._database, self._searches, clock=self._clock)
            parts = (self._database, archive, self._assignments, pages)
            strange = self._settings.data_dir / STRANGE_PAGE
            self._reader = PageReader(*parts, clock=self._clock, grace=self._grace, least=self._least, strange=strange)
            requests = PageFollowRequests(*parts, answers, clock=self._clock, grace=self._grace)
            page_captures = PageCaptures(self._database, pages, Blobs(self._settings.media_path), clock=self._clock)
            loops = {
                "web pages": self._reader.run,
                "follow requests by web pages": requests.run,
                "captures": page_captures.run,
                "witness": PageWitness(self._database, archive, pages, clock=self._clock, wake=self._wake).run,
            }
            async with asyncio.TaskGroup() as group:
                for name, loop in loops.items():
                    group.create_task(guarded(name, loop, self._health), name=name)
        finally:
            await pages.close()

    async def _wake(self) -> None:
        """Have the reader accounts look for what they have missed."""
        for account in self._accounts:
            await account.request_sweep()
