"""Reads the past of channels a page at a time: as far back as somebody asked for, and the last days again and again.

New posts never wait for old ones. Pushes, differences and the newest page of a history do not bring everything: edits
of old posts in channels that the reader is no member of, or from before it was.
"""

import asyncio
import random
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog

from bot.errors import TelegramError, Verdict
from bot.runtime.supervisor import Beat, no_beat
from bot.sources.account import LONG_AGO, LONGEST_VISIT, Account, retry_pause
from bot.sources.sync import ChannelSync, SyncResult
from bot.store import backfills, channels, marks
from bot.store.backfills import DONE, Backfill
from bot.store.channels import Channel
from bot.store.database import Subject

log = structlog.get_logger(__name__)

VERIFY_EVERY = 20.0  # s: 4,320 pages a day, 432,000 posts …
DOUBTED_EVERY = 1.0  # … and where changes are known to be missed
COMMENTS_SPAN = timedelta(days=2)  # of comments, which may be thousands a day; other posts do not wait for them
AGAIN_AFTER = timedelta(days=1)  # that a channel is left alone once it is through
REST = 10.0  # s that one is left alone at least after an error
BACKFILL_EVERY = 1.0  # s: a third of what the budget of an account allows …
UNASKED_EVERY = 3.0  # … and where nobody waits for it
LOOK_AGAIN = 30.0  # s, where nothing was announced and no backfill is open


class Verifier:
    """Verifies the last `days` of each channel, of comments fewer, the one verified longest ago first."""

    def __init__(self, account: Account, sync: ChannelSync, *, days: int) -> None:
        self._account = account
        self._sync = sync
        self._span = timedelta(days=days)
        self._rests: dict[int, datetime] = {}  # channel id → until when it is left alone
        self._began: dict[int, datetime] = {}  # channel id → when the round through it began

    async def run(self, beat: Beat = no_beat) -> None:
        """Verify a page now and then, for ever. Raises ReaderLostError."""
        while self._span:
            beat(VERIFY_EVERY + LONGEST_VISIT)
            for _ in range(round(VERIFY_EVERY / DOUBTED_EVERY)):
                await asyncio.sleep(DOUBTED_EVERY * random.uniform(0.8, 1.2))  # noqa: S311 - no secret depends on it
                if any(_is_in_doubt(channel) for channel in await self._due()):
                    break
            await self.verify_next(beat)

    async def verify_next(self, beat: Beat = no_beat) -> SyncResult | None:
        """Verify one page of the channel whose turn it is; None where all are verified."""
        due = await self._due()
        if not due:
            return None
        channel, asked_at = min(due, key=_turn), self._account.now()
        if channel.verify_from is None:
            self._began[channel.id] = asked_at
        span = self._span if channel.comments_of is None else min(self._span, COMMENTS_SPAN)
        try:
            verified = await self._sync.verify(channel, since=self._account.now() - span, beat=beat)
        except TelegramError as error:
            log.info("a channel could not be verified now", channel=channel.id, error=error.error)
            self._rests[channel.id] = self._account.now() + timedelta(seconds=max(error.retry_after, REST))
            return SyncResult()
        now = self._account.now()
        await self._account.database.write(
            lambda tx: marks.set_verified(tx, channel.id, below=verified.below, now=now, asked_at=asked_at)
        )
        if verified.below is None:
            await self._rest_in_doubt(channel.id, now)
        if verified.found != SyncResult():
            log.info("verifying found what was missed", channel=channel.id, **asdict(verified.found))
        return verified.found

    async def _rest_in_doubt(self, channel_id: int, now: datetime) -> None:
        """Leave a channel that is in doubt again after a round alone for as long as that took: others have a turn."""
        began = self._began.pop(channel_id, now)
        channel = await channels.get(self._account.database, channel_id, self._account.reader_id)
        if channel is not None and channel.doubted_at is not None:
            self._rests[channel_id] = now + (now - began)

    async def _due(self) -> list[Channel]:
        now = self._account.now()

        def is_due(channel: Channel) -> bool:
            if not (channel.is_readable and channel.is_swept) or self._rests.get(channel.id, now) > now:
                return False
            is_begun = channel.verify_from is not None or _is_in_doubt(channel)
            return is_begun or channel.verified_at is None or now - channel.verified_at >= AGAIN_AFTER

        return [channel for channel in await self._account.channels() if is_due(channel)]


def _turn(channel: Channel) -> tuple[bool, bool, float]:
    """Sort channels: first those in doubt, then those that were begun, then the one that waits the longest."""
    waiting_since = channel.verified_at.timestamp() if channel.verified_at else 0.0
    return not _is_in_doubt(channel), channel.verify_from is None, waiting_since


def _is_in_doubt(channel: Channel) -> bool:
    return channel.verified_at is None or channel.doubted_at is not None


class Backfiller:
    """Carries backfills out, across restarts too, a page at a time."""

    def __init__(self, account: Account, sync: ChannelSync) -> None:
        self._account = account
        self._sync = sync

    async def run(self, beat: Beat = no_beat) -> None:
        """Read and wait, for ever. Raises ReaderLostError."""
        changes = self._account.database.changes
        while True:
            revision = changes.revision(Subject.FOLLOWS)
            beat(LONGEST_VISIT)
            rest = await self.read_next(beat)
            beat((rest or LOOK_AGAIN) + LONGEST_VISIT)
            if rest is None:
                await changes.wait(Subject.FOLLOWS, revision, LOOK_AGAIN)
            else:
                await asyncio.sleep(rest)

    async def read_next(self, beat: Beat = no_beat) -> float | None:
        """Read one page; return the seconds to rest before the next, None where no backfill is open."""
        for backfill in await backfills.unfinished(self._account.database, self._account.reader_id):
            channel = await channels.get(self._account.database, backfill.channel_id, self._account.reader_id)
            if channel is None or channel.access is None:  # this reader is about to meet it
                continue
            if not channel.is_readable:
                await self._end(backfill, channel.reason or channel.access)
                continue
            return await self._read(backfill, channel, beat)
        return None

    async def _read(self, backfill: Backfill, channel: Channel, beat: Beat) -> float:
        since, below = backfill.since or LONG_AGO, backfill.below
        if backfill.since is not None and channel.complete_id is not None:
            if channel.complete_from is not None and channel.complete_from <= since:
                await self._end(backfill, DONE)
                return 0.0
            below = below or channel.complete_id
        try:
            page = await self._sync.backfill_page(channel, below=below, since=since, beat=beat)
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                return retry_pause(error).total_seconds()
            log.info("the backfill of a channel could not be read", channel=channel.id, error=error.error)
            await self._end(backfill, error.error)
            return BACKFILL_EVERY
        read = backfill.read + page.posts
        is_enough = backfill.wanted is not None and read >= backfill.wanted
        ended = DONE if page.below is None or is_enough else None
        await self._account.database.write(
            lambda tx: backfills.advance(
                tx, backfill.id, read=read, below=page.below, reached=page.reached, ended=ended
            )
        )
        return UNASKED_EVERY if backfill.chat_id is None else BACKFILL_EVERY

    async def _end(self, backfill: Backfill, reason: str) -> None:
        await self._account.database.write(
            lambda tx: backfills.advance(tx, backfill.id, read=backfill.read, below=backfill.below, ended=reason)
        )
