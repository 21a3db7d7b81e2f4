"""Reads public channels through their web pages while no reader account can read them, and hands them back afterwards.

It moves no mark of a channel: once a reader account is back, its sweep reads everything anew, and finds nothing twice.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bot.models import Clock, Network
from bot.runtime import private_files
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.sources.assignment import Assignments
from bot.sources.pages import page_news
from bot.sources.pages.answers import AnswerKind, PageAnswer
from bot.sources.pages.fetcher import Pages
from bot.sources.pages.observation import SeenPage, see
from bot.sources.pages.page import EmbedRefusal
from bot.sources.pages.page_archive import PageArchive
from bot.sources.pages.rhythm import interval
from bot.sources.unreadable import notify_of_unreadable
from bot.store import channels, page_readings, page_versions
from bot.store.channels import Channel
from bot.store.database import Database, Subject, Transaction
from bot.store.page_readings import FLOOR, NO_PAGE, STRANGE, TAKEN_OVER, UNREACHABLE, PageReading

log = structlog.get_logger(__name__)

LOOK_EVERY = 10.0  # s
GRACE = timedelta(minutes=2)  # in which a reader account that is only away may come back
FIRST_PAGES = 3  # of a channel that was never read
GAP_PAGES = 5  # that are read at once to close a gap
EMBEDS = 2  # missing posts that are asked for at once
A_VISIT = 600.0  # s that a visit of a channel takes at most
_TROUBLES = {
    AnswerKind.NO_PAGE: NO_PAGE,
    AnswerKind.TAKEN_OVER: TAKEN_OVER,
    AnswerKind.NOT_UNDERSTOOD: STRANGE,
    AnswerKind.THROTTLED: UNREACHABLE,
    AnswerKind.UNREACHABLE: UNREACHABLE,
}


@dataclass(slots=True, kw_only=True)
class _Turn:
    """When a channel is to be read next."""

    due_at: datetime
    dates: list[datetime] = field(default_factory=list)  # of the posts on its page
    rendered_at: datetime | None = None  # the latest page that was seen
    failures: int = 0  # in a row
    there: dict[int, datetime] = field(default_factory=dict)  # posts that the page misses: when they were asked for


class PageReader:
    """Reads the pages of all channels that need it, the most overdue first."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        database: Database,
        archive: PageArchive,
        assignments: Assignments,
        pages: Pages,
        *,
        clock: Clock,
        grace: timedelta = GRACE,
        least: timedelta = FLOOR,
        strange: Path | None = None,
    ) -> None:
        self._database = database
        self._archive = archive
        self._assignments = assignments
        self._pages = pages
        self._clock = clock
        self._grace = grace
        self._least = least  # between two readings of a channel
        self._strange = strange  # the file for a page that is not understood
        self._unread_since: dict[int, datetime] = {}  # channel id → since when no reader account reads it
        self._turns: dict[int, _Turn] = {}
        self._readings: dict[int, PageReading] = {}
        self._unread: list[Channel] = []  # that have no page
        self._is_unannounced = False  # that pages are read

    @property
    def fault(self) -> str | None:
        """What of the followed channels nobody reads; None: all are read, by whomever."""
        now = self._clock()
        lost = [reading.trouble for reading in self._readings.values() if reading.is_lost(now)]
        if self._unread:
            return f"nobody reads {len(self._unread)} channels that have no web page"
        return f"the web pages of {len(lost)} channels cannot be read: {lost[0]}" if lost else None

    async def run(self, beat: Beat = no_beat) -> None:
        """Read what is due, and wait, for ever."""
        await self._database.changes.work_off(
            Subject.FOLLOWS,
            self.visit_next,
            beat,
            turn=A_VISIT + TURN,
            pause=min(LOOK_EVERY, self._least.total_seconds()),
        )

    async def visit_next(self) -> bool:
        """Read the page of the channel that is most overdue; False where none is due."""
        listed = await self.take_over()
        turns = [(self._turn(channel).due_at, channel) for channel in listed]
        now = self._clock()  # after the turns of new channels, which are due at once
        due = [channel for due_at, channel in turns if due_at <= now]
        if due:
            await self.visit(min(due, key=lambda channel: self._turn(channel).due_at), among=len(listed))
        return bool(due)

    async def take_over(self) -> list[Channel]:
        """Return the channels that are read through their pages now; write down which those are."""
        now = self._clock()
        followed = [each for each in await channels.followed(self._database) if each.network is Network.TELEGRAM]
        unread = {each.id: each for each in followed if not self._assignments.reads(each)}
        since = self._assignments.absent_since or now
        self._unread_since = {each: self._unread_since.get(each, since) for each in unread}
        readings = await page_readings.all_readings(self._database)
        grace = await self._assignments.patience(self._grace) if unread else timedelta()
        due = [each for each in unread.values() if each.id in readings or now - self._unread_since[each.id] >= grace]
        listed = [each for each in due if each.has_page]
        new = [each for each in listed if each.id not in readings]
        back = {each.id for each in followed if each.id in unread or not _is_read_since(each, readings.get(each.id))}
        over = readings.keys() - back
        self._unread = [each for each in due if not each.has_page]
        if new or over:
            self._is_unannounced = self._is_unannounced or not readings
            is_last = not new and readings.keys() == over and self._assignments.has_readers
            await self._write_changes(new, over, is_last=is_last)
            readings = await page_readings.all_readings(self._database)
        if self._is_unannounced:  # until somebody is paired
            self._is_unannounced = not await page_news.announce_begin(self._database, listed, self._unread, now=now)
        self._readings = readings
        self._turns = {number: turn for number, turn in self._turns.items() if number in readings}
        return listed

    async def _write_changes(self, new: list[Channel], over: set[int], *, is_last: bool) -> None:
        now = self._clock()

        async def job(tx: Transaction) -> None:
            await page_readings.begin(tx, [channel.id for channel in new], now=now)
            await page_readings.end(tx, over, now=now)
            if is_last:
                await page_news.announce_end(tx, now=now)

        log.info("channels are read through their web pages", new=len(new), handed_back=len(over))
        await self._database.write(job)

    def _turn(self, channel: Channel) -> _Turn:
        return self._turns.setdefault(channel.id, _Turn(due_at=self._clock()))

    async def visit(self, channel: Channel, *, among: int) -> None:
        """Read the page of one of so many channels that are read so."""
        turn, reading = self._turn(channel), self._readings[channel.id]
        answer = await self._pages.head(str(channel.username), channel_id=channel.id)
        if answer.is_read:
            turn.failures = 0
            await self._read(channel, reading, answer)
        else:
            turn.failures += answer.retry_at is None
            log.info("the web page of a channel cannot be read", channel=channel.id, why=answer.reason)
            trouble = _TROUBLES[answer.kind]
            if answer.kind is AnswerKind.NOT_UNDERSTOOD and answer.reply is not None:
                self._keep(channel, answer.reply.html)
            await page_news.write_trouble(self._database, channel, reading, trouble, now=self._clock())
        pause = interval(turn.dates, channels=among, is_fast=channel.fast, failures=turn.failures, least=self._least)
        has_gap = answer.is_read and self._readings[channel.id].gap_below is not None
        turn.due_at = max(self._clock() + (timedelta() if has_gap else pause), answer.retry_at or self._clock())

    def _keep(self, channel: Channel, html: str) -> None:
        """Keep the last page that was not understood, for whoever is to mend the reading of it."""
        log.error("a web page is built in a new way", channel=channel.id, kept=str(self._strange))
        if self._strange is not None:
            private_files.prepare(self._strange)
            self._strange.write_text(html, encoding="utf-8")

    async def _read(self, channel: Channel, reading: PageReading, answer: PageAnswer) -> None:
        """Store a page, close the gap before it as far as one visit may, and look for what is missing."""
        assert answer.page is not None  # noqa: S101 - it was read
        turn, page = self._turn(channel), answer.page
        if turn.rendered_at is not None and page.rendered_at is not None and page.rendered_at < turn.rendered_at:
            log.info("an older page came from a cache", channel=channel.id)
            return
        turn.rendered_at, turn.dates = page.rendered_at, [post.date for post in page.posts]
        await page_news.write_read(self._database, channel, reading, page, now=self._clock())
        head = see(answer, channel.id)
        await self._archive.store(channel, head, answer.asked_at)
        if reading.last_id:
            last_id, is_closed = await self._close_gap(channel, reading.last_id, head)
        else:
            last_id, is_closed = await self._begin(channel, head, page.older), True
        reading = replace(reading, last_id=last_id, gap_below=None if is_closed else head.low)
        now = self._clock()
        await self._database.write(
            lambda tx: page_readings.set_read(tx, channel.id, last_id=last_id, gap_below=reading.gap_below, now=now)
        )
        if head.hidden:
            await notify_of_unreadable(self._database, now, on_page=True)
        self._readings[channel.id] = replace(reading, read_at=now, trouble=None)
        await self._ask_for_missing(channel)

    async def _begin(self, channel: Channel, head: SeenPage, older: int | None) -> int:
        """Read some pages of a channel that was never read; return the id up to which it is read."""
        for _ in range(FIRST_PAGES - 1):
            if older is None:
                break
            answer = await self._pages.before(str(channel.username), older, channel_id=channel.id)
            if not answer.is_read or answer.page is None:
                break
            await self._archive.store(channel, see(answer, channel.id), answer.asked_at)
            older = answer.page.older
        return head.high

    async def _close_gap(self, channel: Channel, last_id: int, head: SeenPage) -> tuple[int, bool]:
        """Read the pages between what was read and the head page; return how far that came, and whether to the end."""
        pages = GAP_PAGES
        while head.low > last_id + 1:
            if not pages:
                return last_id, False
            pages -= 1
            answer = await self._pages.after(str(channel.username), last_id, channel_id=channel.id)
            if not answer.is_read:
                return last_id, False
            seen = see(answer, channel.id)
            if seen.high <= last_id:  # nothing is left in between
                break
            await self._archive.store(channel, seen, answer.asked_at)
            last_id = seen.high
        return max(last_id, head.high), True

    async def _ask_for_missing(self, channel: Channel) -> None:
        """Ask for posts that the page misses one by one: they are gone once that was said twice, hours apart."""
        now, turn = self._clock(), self._turn(channel)
        turn.there = {number: at for number, at in turn.there.items() if now - at < page_versions.APART}
        found = await page_versions.missing(self._database, channel.id)
        due = [each for each in found if each.is_due(now) and each.message_id not in turn.there]
        for missing in due[:EMBEDS]:
            answer = await self._pages.embed(str(channel.username), missing.message_id, channel_id=channel.id)
            if answer.embed is None or answer.kind is AnswerKind.TAKEN_OVER:
                return
            if answer.embed.refusal is EmbedRefusal.NO_POST:
                await self._archive.put_not_found(channel, missing, answer.asked_at)
                continue
            turn.there[missing.message_id] = now  # or withheld, which says nothing of it
            if answer.embed.refusal is None:
                await self._archive.put_back(channel, missing.message_id)


def _is_read_since(channel: Channel, reading: PageReading | None) -> bool:
    """Tell whether a reader account has read a channel again since its pages took over."""
    return reading is not None and channel.swept_at is not None and channel.swept_at >= reading.since
