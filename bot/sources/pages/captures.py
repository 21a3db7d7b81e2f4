"""Captures the public pages of messages one by one, behind all else that asks for pages: each becomes a blob."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.models import Clock
from bot.models.captures import NAMELESS, CaptureOutcome
from bot.runtime.pauses import doubled
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.sources.pages.answers import AnswerKind, PageAnswer
from bot.sources.pages.fetcher import Pages
from bot.sources.pages.reader import A_VISIT
from bot.store import captures, page_readings
from bot.store.blobs import Blob, Blobs
from bot.store.captures import CapturedPage, WantedCapture
from bot.store.database import Database, Subject
from bot.text.markup import one_line

log = structlog.get_logger(__name__)

LOOK_EVERY = 30.0  # s between two looks for what is to be asked again
BESIDE_READINGS = 30.0  # s that pass between two captures while channels are read through their pages
CLAIMED = timedelta(minutes=15)  # nobody else asks for what is being asked
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)  # after a failure; doubled each time
GIVE_UP_AFTER, LEAST = timedelta(hours=12), 3  # attempts: the service may have been off
_DETAIL = 200  # UTF-16 units
_FAILED = frozenset({AnswerKind.THROTTLED, AnswerKind.UNREACHABLE})


def next_try(wanted: WantedCapture, now: datetime, *, retry_at: datetime | None) -> datetime | None:
    """Return when to ask again after a failure; None: no more."""
    if wanted.attempts >= LEAST and now - wanted.wanted_at >= GIVE_UP_AFTER:
        return None
    pause = doubled(FIRST_PAUSE, wanted.attempts, LONGEST_PAUSE)
    return max(now + pause, retry_at or now)


def outcome_of(answer: PageAnswer) -> tuple[CaptureOutcome, str | None]:
    """Return what a page shows, and why it does not show the post."""
    embed = answer.embed
    if embed is None:
        return CaptureOutcome.STRANGE, answer.reason or answer.kind
    if embed.post is None:
        return CaptureOutcome.REFUSED, embed.refusal
    return (CaptureOutcome.SHOWN if answer.is_read else CaptureOutcome.OTHER), None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What asking for a page brought: it, or why it did not come."""

    page: CapturedPage | None
    reason: str = ""
    retry_at: datetime | None = None


class PageCaptures:
    """Asks for the pages that are wanted."""

    def __init__(self, database: Database, pages: Pages, blobs: Blobs, *, clock: Clock) -> None:
        self._database = database
        self._pages = pages
        self._blobs = blobs
        self._clock = clock

    async def run(self, beat: Beat = no_beat) -> None:
        """Ask for what is due, and wait, for ever."""
        changes, turn = self._database.changes, A_VISIT + BESIDE_READINGS + TURN
        await changes.work_off(Subject.CAPTURES, self._take_next, beat, turn=turn, pause=LOOK_EVERY)

    async def _take_next(self) -> bool:
        if not await self.take_next():
            return False
        if await page_readings.all_readings(self._database):
            await asyncio.sleep(BESIDE_READINGS)
        return True

    async def take_next(self) -> bool:
        """Ask for the page that has waited longest; False where none is due."""
        now = self._clock()
        wanted = await self._database.write(partial(captures.claim, until=now + CLAIMED, now=now))
        if wanted is None:
            return False
        try:
            attempt = await self.take(wanted)
        except Exception as error:  # of ours: it counts as a failure, so that it is given up at last
            await self._put_off(wanted, Attempt(page=None, reason=type(error).__name__))
            raise
        if attempt.page is None:
            await self._put_off(wanted, attempt)
        return True

    async def _put_off(self, wanted: WantedCapture, attempt: Attempt) -> None:
        until = next_try(wanted, self._clock(), retry_at=attempt.retry_at)
        await self._database.write(lambda tx: captures.put_off(tx, wanted, attempt.reason, until=until))
        log.info("a page was not captured", capture=wanted.id, why=attempt.reason, until=until)

    async def take(self, wanted: WantedCapture) -> Attempt:
        """Ask for a page, and keep what came."""
        if not wanted.username:
            return Attempt(page=None, reason=NAMELESS)
        answer = await self._pages.embed(wanted.username, wanted.message_id, channel_id=wanted.channel_id)
        reply = answer.reply
        if reply is None or answer.kind in _FAILED:
            return Attempt(page=None, reason=one_line(answer.reason, _DETAIL), retry_at=answer.retry_at)
        outcome, detail = outcome_of(answer)
        blob, is_new = await asyncio.to_thread(self._keep, reply.body)
        page = CapturedPage(
            outcome=outcome,
            detail=None if detail is None else one_line(detail, _DETAIL),
            at=answer.asked_at,
            url=reply.url,
            status=reply.status,
            headers=dict(reply.headers),
            sha256=blob.sha256,
            size=blob.size,
        )
        if not await self._database.write(lambda tx: captures.keep(tx, wanted, page)):
            await asyncio.to_thread(self._blobs.remove, [blob.sha256] if is_new else [])
            return Attempt(page=None, reason="it is not wanted any more")
        return Attempt(page=page)

    def _keep(self, body: bytes) -> tuple[Blob, bool]:
        """Return the blob of a page, and whether it was not there."""
        is_new = not self._blobs.has(hashlib.sha256(body).digest())
        return self._blobs.put(body), is_new
