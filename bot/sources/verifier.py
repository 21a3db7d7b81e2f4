"""Compares the last days of every channel with the archive, a page at a time, slowly and for ever.

Pushes, differences and the newest page of a history do not bring everything: edits of old posts in channels that the
reader is no member of, or from before it was.
"""

import asyncio
import random
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog

from bot.errors import TelegramError
from bot.runtime.supervisor import Beat, no_beat
from bot.sources.account import LONGEST_VISIT, Account
from bot.sources.sync import ChannelSync, SyncResult
from bot.store import channels
from bot.store.channels import Access, Channel

log = structlog.get_logger(__name__)

PAGE_EVERY = 20.0  # s: 4,320 pages a day, 432,000 posts …
DOUBTED_EVERY = 1.0  # … and where changes are known to be missed
AGAIN_AFTER = timedelta(days=1)  # that a channel is left alone once it is through
REST = 10.0  # s that one is left alone at least after an error
READABLE = {Access.JOINED, Access.POLLED}


class Verifier:
    """Verifies the last `days` of each channel, the one verified longest ago first."""

    def __init__(
        self,
        account: Account,
        sync: ChannelSync,
        *,
        days: int,
    ) -> None:
        self._account = account
        self._sync = sync
        self._span = timedelta(days=days)
        self._rests: dict[int, datetime] = {}  # channel id → until when it is left alone

    async def run(self, beat: Beat = no_beat) -> None:
        """Verify a page now and then, for ever. Raises ReaderLostError."""
        while self._span:
            beat(PAGE_EVERY + LONGEST_VISIT)
            for _ in range(round(PAGE_EVERY / DOUBTED_EVERY)):
                await asyncio.sleep(DOUBTED_EVERY * random.uniform(0.8, 1.2))  # noqa: S311 - no secret depends on it
                if any(channel.verified_at is None for channel in await self._due()):
                    break
            await self.verify_next(beat)

    async def verify_next(self, beat: Beat = no_beat) -> SyncResult | None:
        """Verify one page of the channel whose turn it is; None where all are verified."""
        due = await self._due()
        if not due:
            return None
        channel = min(due, key=_turn)
        try:
            verified = await self._sync.verify(channel, since=self._account.now() - self._span, beat=beat)
        except TelegramError as error:
            log.info("a channel could not be verified now", channel=channel.id, error=error.error)
            self._rests[channel.id] = self._account.now() + timedelta(seconds=max(error.retry_after, REST))
            return SyncResult()
        now = self._account.now()
        await self._account.database.write(
            lambda tx: channels.set_verified(tx, channel.id, below=verified.below, now=now)
        )
        if verified.found != SyncResult():
            log.info("verifying found what was missed", channel=channel.id, **asdict(verified.found))
        return verified.found

    async def _due(self) -> list[Channel]:
        return [c for c in await self._account.channels() if self._is_due(c)]

    def _is_due(self, channel: Channel) -> bool:
        if channel.access not in READABLE or not channel.is_swept:
            return False
        now = self._account.now()
        if self._rests.get(channel.id, now) > now:
            return False
        return (
            channel.verify_from is not None or channel.verified_at is None or now - channel.verified_at >= AGAIN_AFTER
        )


def _turn(channel: Channel) -> tuple[bool, bool, float]:
    """Sort channels: first those in doubt, then those that were begun, then the one that waits the longest."""
    waiting_since = channel.verified_at.timestamp() if channel.verified_at else 0.0
    return channel.verified_at is not None, channel.verify_from is None, waiting_since
