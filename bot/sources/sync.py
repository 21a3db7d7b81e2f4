"""Brings one channel up to date: stores the changes since its mark, and moves the mark once they are committed."""

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from telethon.tl import types
from telethon.tl.alltlobjects import LAYER

from bot import __version__
from bot.errors import TelegramError, Verdict
from bot.models import Deletion, Event, Observation, ObservedBy, Post
from bot.pipeline.ingest import Ingest
from bot.runtime.supervisor import Beat, no_beat
from bot.sources import history
from bot.sources.account import LONG_AGO, LONGEST_VISIT, Account
from bot.sources.channel_events import describe
from bot.sources.commented_posts import CommentedPosts
from bot.sources.history import prefetched
from bot.sources.isolation import Unreadable, by_number
from bot.sources.live import LinkPreviews
from bot.sources.long_posts import LongPosts
from bot.sources.resolver import Dialog
from bot.store import backfills, marks, posts, unreadable
from bot.store.channels import Access, Channel
from bot.store.database import Transaction
from bot.store.unreadable import Edition
from bot.telegram.convert import named_in, to_post
from bot.telegram.errors import FLOOD

log = structlog.get_logger(__name__)

FIRST_PAGES = 20  # that `FIRST_POSTS` are looked for in: an album counts as one, and service messages do not count
INTERNAL = 500  # Telegram's codes from here on say that the server failed
EDITION = Edition(program=__version__, layer=LAYER)
MOST_FAILURES = 3  # times in a row that a server may fail at the changes of a channel


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """How many posts a sync stored."""

    new: int = 0
    edited: int = 0
    gone: int = 0

    def __add__(self, other: "SyncResult") -> "SyncResult":
        return SyncResult(new=self.new + other.new, edited=self.edited + other.edited, gone=self.gone + other.gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPage:
    """A page of a channel's past that was read again."""

    found: SyncResult
    posts: int  # on the page, albums counted as one
    below: int | None  # the id below which to go on; None: that was all
    reached: datetime  # the date of its oldest message


class ChannelSync:
    """Makes one channel complete; the only part that moves its mark."""

    def __init__(self, account: Account, ingest: Ingest) -> None:
        self._account = account
        self._ingest = ingest
        self.link_previews = LinkPreviews(account, ingest)
        self.long_posts = LongPosts(account, ingest)
        self.comments = CommentedPosts(account)
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)  # nobody reads a channel twice at once
        self._failures: Counter[int] = Counter()  # channel id → times in a row that the server failed at its changes
        self.timeouts: dict[int, int] = {}  # s after which the server wants to be asked for a channel's changes again

    async def complete(self, channel: Channel, dialog: Dialog | None, beat: Beat = no_beat) -> SyncResult:
        """Store the posts and changes of a channel that the archive lacks, and move the mark.

        `dialog` is its state a moment ago, where the reader is in it. The mark moves only as far as everything
        below it is stored. Raises TelegramError.
        """
        async with self._alone_with(channel, beat):
            return await self._complete(channel, dialog, beat)

    async def verify(self, channel: Channel, *, since: datetime, beat: Beat = no_beat) -> PastPage:
        """Compare one page of a channel's past with the archive, from where the last page ended.

        It finds what no difference brought: edits and deletions while the reader was no member, or was cut off
        for long. Raises TelegramError.
        """
        async with self._alone_with(channel, beat):
            lowest = await posts.lowest_id(self._account.database, channel.id)  # what is older was never ours to keep
            return await self._read_past(channel, channel.verify_from, ObservedBy.SWEEP, lowest=lowest, since=since)

    async def backfill_page(
        self, channel: Channel, *, below: int | None, since: datetime = LONG_AGO, beat: Beat = no_beat
    ) -> PastPage:
        """Store one page of a channel's past, under the id `below` or from the newest on, down to a date.

        Raises TelegramError.
        """
        async with self._alone_with(channel, beat):
            return await self._read_past(channel, below, ObservedBy.BACKFILL, lowest=1, since=since)

    async def read_by_number(self, channel: Channel, ids: Sequence[int], beat: Beat = no_beat) -> SyncResult:
        """Read messages again that could not be read, 100 at most. Raises TelegramError."""
        async with self._alone_with(channel, beat):
            asked_at = self._account.now()
            read = await by_number(self._account, types.InputChannel(channel.id, channel.access_hash), ids)
            messages = [(named_in(answer), message) for answer in read.answers for message in answer.messages]
            found = [to_post(message, channel_id=channel.id, named=named) for named, message in messages]
            gone = tuple(message.id for _, message in messages if isinstance(message, types.MessageEmpty))
            events: list[Event] = [post for post in found if post is not None]
            if gone:
                events.append(Deletion(channel_id=channel.id, message_ids=gone))
            stored = await self._store(channel, events, ObservedBy.SWEEP, asked_at)
            await self._set_unreadable(channel, read.unreadable, settled=set(ids) - read.unreadable.keys())
            return stored

    @asynccontextmanager
    async def _alone_with(self, channel: Channel, beat: Beat) -> AsyncIterator[None]:
        beat(math.inf)  # whoever reads it now may be long, and says so
        async with self._locks[channel.id]:
            beat(LONGEST_VISIT)
            yield

    async def _complete(self, channel: Channel, dialog: Dialog | None, beat: Beat) -> SyncResult:
        if not channel.is_swept:
            reach = history.Reach(posts=backfills.FIRST_POSTS, pages=FIRST_PAGES)
            return await self._read_history(channel, dialog, reach, ObservedBy.BACKFILL)
        pts = 0
        if channel.access is Access.JOINED and channel.seen_pts:
            try:
                return await self._apply_changes(channel, dialog, beat)
            except history.GapError as gap:
                log.info("the changes of a channel are not available", channel=channel.id, why=str(gap))
            except TelegramError as error:
                pts = await self._put_off(channel, error)
            is_doubted = not pts
        else:  # whoever is no member any more cannot ask for what the server kept back
            is_doubted = channel.unchecked_since is not None and channel.doubted_at is None
        reach = history.Reach(message_id=channel.confirmed_id + 1)
        return await self._read_history(
            channel, dialog, reach, ObservedBy.SWEEP, pts=pts, is_doubted=is_doubted, beat=beat
        )

    async def _put_off(self, channel: Channel, error: TelegramError) -> int:
        """Put the changes of a channel off to the next round, where the server fails at them; return their pts.

        New posts do not wait for them. After some failures in a row the changes are left to the verifier, and 0 is
        returned. Raises what the history cannot help against: a flood wait, a refusal, at first a lost connection.
        """
        if error.verdict is not Verdict.RETRY or error.code == FLOOD:
            raise error
        self._failures[channel.id] += 1
        log.info("Telegram fails to return the changes of a channel", channel=channel.id, error=error.error)
        if self._failures[channel.id] >= MOST_FAILURES:
            return 0
        now = self._account.now()
        await self._account.database.write(lambda tx: marks.leave_unchecked(tx, channel.id, now=now))
        if error.code < INTERNAL:
            raise error
        return channel.seen_pts

    async def _apply_changes(self, channel: Channel, dialog: Dialog | None, beat: Beat) -> SyncResult:
        """Apply all changes since the mark: new posts, edits and deletions of any age."""
        found, mark, is_whole = SyncResult(), channel.confirmed_id, True
        target = types.InputChannel(channel.id, channel.access_hash)
        source = history.change_slices(self._account, target, pts=channel.seen_pts)
        async with aclosing(prefetched(source)) as slices:
            async for changes in slices:
                beat(LONGEST_VISIT)  # of what a busy channel has to say after weeks, there is much more than that
                found += await self._store(channel, changes.events, ObservedBy.DIFFERENCE, changes.asked_at)
                await self._settle(channel, changes.events)
                await self._set_unreadable(channel, changes.unreadable, settled=())
                await self.link_previews.refresh(channel, changes.pages)
                self.timeouts[channel.id] = changes.timeout
                # What the dialog named as newest is stored, once the changes reach as far as the dialog's pts.
                listed = dialog.top_message if dialog is not None and changes.pts >= dialog.pts else 0
                confirmed = max(channel.confirmed_id, changes.newest, listed)
                await self._mark(channel, confirmed_id=confirmed, pts=changes.pts, is_doubted=changes.is_skipped)
                is_whole = is_whole and not changes.is_skipped
                channel = replace(channel, confirmed_id=confirmed, seen_pts=changes.pts)
        del self._failures[channel.id]
        if not is_whole:  # the history names what it is; of an edit further back, the verifier does
            reach = history.Reach(message_id=mark + 1)
            found += await self._read_history(channel, dialog, reach, ObservedBy.SWEEP, pts=channel.seen_pts, beat=beat)
        elif channel.unchecked_since is not None:
            now = self._account.now()
            await self._account.database.write(lambda tx: marks.set_checked(tx, channel.id, now=now))
        return found

    async def _read_history(  # noqa: PLR0913 - where to read, how far, and what to set and say on the way
        self,
        channel: Channel,
        dialog: Dialog | None,
        reach: history.Reach,
        observed_by: ObservedBy,
        *,
        pts: int = 0,
        is_doubted: bool = False,
        beat: Beat = no_beat,
    ) -> SyncResult:
        """Read the history down to its known part; posts of the archive that are absent from it are gone.

        `pts` is the mark to set; 0: that of the dialog or of the first page. Where it is doubted, edits and deletions
        further down are left to the verifier.
        """
        found, newest = SyncResult(), 0
        low, since = 0, self._account.now()
        if dialog is not None:
            pts, newest = pts or dialog.pts, dialog.top_message
        source = await self._history(channel, reach, unreadable=await self._tried(channel))
        async with aclosing(prefetched(source)) as pages:
            async for page in pages:
                beat(LONGEST_VISIT)
                found += await self._store_page(channel, page, observed_by)
                # Changes made while we read are above the first page's pts: the next round asks for them.
                pts, newest = pts or page.pts, max(newest, *page.ids, 0)
                low, since = page.low, page.since
                if page.chat is not None:
                    await describe(self._account, channel, page.chat)
        if not channel.is_swept:
            await self._begin_past(channel, low, since)
        await self._mark(channel, confirmed_id=newest, pts=pts, is_doubted=is_doubted)
        return found

    async def _begin_past(self, channel: Channel, low: int, since: datetime) -> None:
        """Note from where on a channel is complete that is newly followed, and have the weeks before read."""
        now = self._account.now()

        async def job(tx: Transaction) -> None:
            await marks.begin_past(tx, channel.id, low=low, since=since)
            if channel.comments_of is None:  # of comments, there may be thousands a day
                await backfills.request_usual(tx, channel.id, now - backfills.USUAL_PAST, asked_at=now)

        await self._account.database.write(job)

    async def _read_past(
        self, channel: Channel, below: int | None, observed_by: ObservedBy, *, lowest: int, since: datetime
    ) -> PastPage:
        """Store one page under an id; the past ends at the id `lowest`, or where a post is older than `since`."""
        tried = {} if observed_by is ObservedBy.SWEEP else await self._tried(channel)  # the verifier tries anew
        one, start = history.Reach(pages=1), below or 0
        async with aclosing(await self._history(channel, one, below=start, unreadable=tried)) as pages:
            page = await anext(pages)
        page = page.above(lowest)
        found = await self._store_page(channel, page, observed_by)
        is_through = page.low <= max(lowest, 1) or page.low == below or any(post.date < since for post in page.posts)
        if observed_by is ObservedBy.BACKFILL:
            await self._account.database.write(
                lambda tx: marks.extend_past(tx, channel.id, below=below, low=page.low, since=page.since)
            )
        count = len({post.key for post in page.posts})
        return PastPage(found=found, posts=count, below=None if is_through else page.low, reached=page.since)

    async def _history(
        self, channel: Channel, reach: history.Reach, *, below: int = 0, unreadable: Unreadable
    ) -> AsyncGenerator[history.HistoryPage, None]:
        snapshot = await posts.highest_id(self._account.database, channel.id)
        peer = types.InputPeerChannel(channel.id, channel.access_hash)
        return history.pages(
            self._account, peer, newest_known=snapshot, reach=reach, below=below, unreadable=unreadable
        )

    async def _tried(self, channel: Channel) -> Unreadable:
        """Return what reader accounts have failed to read; what only a web page does not show, is not among it."""
        return await unreadable.of_channel(self._account.database.at_once, channel.id, on_page=False)

    async def _unreadable(self, channel: Channel) -> Unreadable:
        return await unreadable.of_channel(self._account.database.at_once, channel.id)

    async def _name(self, channel: Channel, page: history.HistoryPage) -> None:
        """Write down which messages of a page cannot be read, and forget those of it that can, or that are gone."""
        known = await self._unreadable(channel)
        tried = await self._tried(channel) if page.unreadable else {}
        new = {number: constructor for number, constructor in page.unreadable.items() if number not in tried}
        if new:
            log.warning("posts of a channel cannot be read by this version", channel=channel.id, ids=sorted(new)[:10])
        settled = {number for number in known if page.covers(number) and number not in page.unreadable}
        await self._set_unreadable(channel, new, settled=settled)

    async def _settle(self, channel: Channel, events: Sequence[Event]) -> None:
        """Forget which messages could not be read that changes now have brought, or say are gone."""
        known = await self._unreadable(channel)
        seen = {event.message_id for event in events if isinstance(event, Post)}
        seen.update(number for event in events if isinstance(event, Deletion) for number in event.message_ids)
        await self._set_unreadable(channel, {}, settled=seen & known.keys())

    async def _set_unreadable(self, channel: Channel, found: Unreadable, *, settled: Collection[int]) -> None:
        if not found and not settled:
            return
        now = self._account.now()

        async def job(tx: Transaction) -> None:
            await unreadable.put(tx, channel.id, found, EDITION, now=now)
            await unreadable.settle(tx, channel.id, settled, now=now)

        await self._account.database.write(job)

    async def _store_page(self, channel: Channel, page: history.HistoryPage, observed_by: ObservedBy) -> SyncResult:
        """Store posts of a page; posts of the archive that the page lacks are written down as gone."""
        gone = await posts.ids_between(self._account.database, channel.id, page.low, page.high) - page.ids
        deletions = [Deletion(channel_id=channel.id, message_ids=tuple(sorted(gone)))] if gone else []
        found = await self._store(channel, [*page.posts, *deletions], observed_by, page.asked_at)
        await self._name(channel, page)
        return found

    async def _store(
        self, channel: Channel, events: Sequence[Event], observed_by: ObservedBy, asked_at: datetime
    ) -> SyncResult:
        if not events:
            return SyncResult()
        events = await self.long_posts.complete(channel, events)
        events = [*await self.comments.find_copies(channel, events), *events]
        result = await self._ingest.store(
            Observation(
                events=tuple(events),
                observed_by=observed_by,
                reader_id=self._account.reader_id,
                seen_at=self._account.now(),
                asked_at=asked_at,
            )
        )
        return SyncResult(new=result.new, edited=result.edited, gone=result.gone)

    async def _mark(self, channel: Channel, *, confirmed_id: int, pts: int, is_doubted: bool = False) -> None:
        now, mark = self._account.now(), {"confirmed_id": confirmed_id, "seen_pts": pts}

        async def job(tx: Transaction) -> None:
            if is_doubted:  # first: it has been unchecked since it was last swept
                await marks.doubt(tx, channel.id, now=now)
            await marks.set_mark(tx, channel.id, **mark, now=now, read_from=channel.seen_pts)

        await self._account.database.write(job)
