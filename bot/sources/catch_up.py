"""A channel and its mark come in; what changed since goes to ingest, and the mark moves once that is committed."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from telethon import TelegramClient
from telethon.tl import types

from bot.errors import TelegramError
from bot.ingest import Ingest
from bot.models import Clock, Deletion, Observation, ObservedBy, Post
from bot.sources import difference, history
from bot.sources.ahead import read_ahead
from bot.sources.described import describe
from bot.sources.dialogs import Dialog
from bot.store import channels, posts
from bot.store.channels import Access, Channel
from bot.store.database import Database, Transaction

log = structlog.get_logger(__name__)

BACKFILL = timedelta(days=7)  # of a channel's past that is read when it is first followed …
INTERNAL = 500  # Telegram's codes from here on say that the server failed
BACKFILL_PAGES = 2  # … at most: 200 messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What catching up stored."""

    new: int = 0
    edited: int = 0
    gone: int = 0

    def __add__(self, other: "Found") -> "Found":
        return Found(new=self.new + other.new, edited=self.edited + other.edited, gone=self.gone + other.gone)


def is_swept(channel: Channel) -> bool:
    """Say whether a channel was read since it was (last) followed; else it begins with its recent past."""
    if channel.swept_at is None:
        return False
    return channel.followed_at is None or channel.swept_at >= channel.followed_at


class CatchUp:
    """Makes one channel complete; the only part that moves its mark."""

    def __init__(
        self, client: TelegramClient, database: Database, ingest: Ingest, *, reader_id: int, clock: Clock
    ) -> None:
        self._client = client
        self._database = database
        self._ingest = ingest
        self._reader_id = reader_id
        self._clock = clock

    async def complete(self, channel: Channel, dialog: Dialog | None) -> Found:
        """Store what the archive lacks of a channel; `dialog` is how it stood a moment ago, where the reader is in it.

        Raises TelegramError. The mark moves only as far as everything below it is stored.
        """
        if not is_swept(channel):
            return await self._backfill(channel, dialog)
        pts = 0
        if channel.access is Access.JOINED and channel.seen_pts:
            try:
                return await self._apply_changes(channel, dialog)
            except difference.GapError as gap:
                log.info(
                    "the changes of a channel are not to be had, its history is read", channel=channel.id, why=str(gap)
                )
            except TelegramError as error:
                if error.code < INTERNAL:
                    raise
                log.info("the server fails at the changes of a channel", channel=channel.id, error=error.error)
                pts = channel.seen_pts  # new posts do not wait; edits and deletions are asked for in the next round
        reach = history.Reach(message_id=channel.confirmed_id + 1)
        return await self._read_history(channel, dialog, reach, ObservedBy.SWEEP, pts=pts)

    async def _backfill(self, channel: Channel, dialog: Dialog | None) -> Found:
        reach = history.Reach(date=self._clock() - BACKFILL, pages=BACKFILL_PAGES)
        return await self._read_history(channel, dialog, reach, ObservedBy.BACKFILL)

    async def _apply_changes(self, channel: Channel, dialog: Dialog | None) -> Found:
        """Apply all changes since the mark: new posts, edits and deletions of any age."""
        found = Found()
        target = types.InputChannel(channel.id, channel.access_hash)
        source = difference.slices(self._client, target, pts=channel.seen_pts)
        async with aclosing(read_ahead(source)) as slices:
            async for changes in slices:
                found += await self._store(changes.events, ObservedBy.DIFFERENCE)
                # What the dialog named as newest is stored, once the changes reach as far as the dialog's pts.
                listed = dialog.top_message if dialog is not None and changes.pts >= dialog.pts else 0
                confirmed = max(channel.confirmed_id, changes.newest, listed)
                await self._mark(channel, confirmed_id=confirmed, pts=changes.pts)
                channel = replace(channel, confirmed_id=confirmed, seen_pts=changes.pts)
        return found

    async def _read_history(
        self, channel: Channel, dialog: Dialog | None, reach: history.Reach, observed_by: ObservedBy, *, pts: int = 0
    ) -> Found:
        """Read the history down to where it is known, and find by absence what is gone; `pts` is the mark to set."""
        found, newest = Found(), 0
        if dialog is not None:
            pts, newest = pts or dialog.pts, dialog.top_message
        snapshot = await posts.highest_id(self._database, channel.id)
        peer = types.InputPeerChannel(channel.id, channel.access_hash)
        source = history.pages(self._client, peer, newest_known=snapshot, reach=reach)
        async with aclosing(read_ahead(source)) as pages:
            async for page in pages:
                fresh = [post for post in page.posts if reach.date is None or post.date >= reach.date]
                found += await self._store([*fresh, *await self._absent(channel.id, page)], observed_by)
                # Changes made while we read are above the first page's pts: the next round asks for them.
                pts, newest = pts or page.pts, max(newest, *page.ids, 0)
                if page.chat is not None:
                    await describe(self._database, channel, page.chat)
        await self._mark(channel, confirmed_id=newest, pts=pts)
        return found

    async def _absent(self, channel_id: int, page: history.Page) -> list[Deletion]:
        gone = await posts.ids_between(self._database, channel_id, page.low, page.high) - page.ids
        return [Deletion(channel_id=channel_id, message_ids=tuple(sorted(gone)))] if gone else []

    async def _store(self, events: Sequence[Post | Deletion], observed_by: ObservedBy) -> Found:
        if not events:
            return Found()
        result = await self._ingest.store(
            Observation(events=tuple(events), observed_by=observed_by, reader_id=self._reader_id, seen_at=self._clock())
        )
        return Found(new=result.new, edited=result.edited, gone=result.gone)

    async def _mark(self, channel: Channel, *, confirmed_id: int, pts: int) -> None:
        now = self._clock()

        async def job(tx: Transaction) -> None:
            await channels.mark(
                tx, channel.id, confirmed_id=confirmed_id, seen_pts=pts, now=now, read_from=channel.seen_pts
            )

        await self._database.write(job)
