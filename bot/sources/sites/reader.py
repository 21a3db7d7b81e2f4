"""Reads the feeds of the sites that are followed, and settles what people asked to follow by an address."""

import asyncio
import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.errors import FatalError
from bot.models import Clock, Observation, ObservedBy, Post, RawFormat
from bot.models.notices import ChannelLost, ChannelRegained, FollowAccess
from bot.pipeline.ingest import Ingest
from bot.runtime.pauses import doubled
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.runtime.web import PageReply
from bot.search.pool import BusyError, Searches
from bot.sources.follow_answers import FollowAnswers
from bot.sources.sites.feed import Entry, SiteFeed, find_feed
from bot.sources.sites.fetcher import AT_ONCE, BROKEN, NO_FEED, UNREACHABLE, SiteError, SiteFetcher, Stamp
from bot.store import channels, follows, marks, posts, sites
from bot.store.channels import Access, ResolvedChannel
from bot.store.database import Database, Subject, Transaction
from bot.store.follows import FollowRequest
from bot.store.notices import notify_followers
from bot.store.sites import Site, SiteEntry
from bot.text.plain import plain_hash

log = structlog.get_logger(__name__)

LOOK_AGAIN = 5.0  # s between looks at what is due by now, where nothing was announced
PARSE_WITHIN = 10.0  # s that reading a feed may take: real ones take a tenth of one
LONGEST_PAUSE = timedelta(hours=1)  # after failures
LOST_AFTER = timedelta(hours=3)  # of failures, followers hear that a site cannot be read
TRY_FOLLOWING_AGAIN = timedelta(minutes=10)  # what the settings name
LONGEST_EDIT_PAUSE = timedelta(days=1)  # between two edits of an entry
_EDITS_AT_ONCE = 3  # of an entry, before these pauses begin
_BATCH = 100  # posts that are stored at once
_JITTER = 0.1  # of an interval


class Sites:
    """Reads sites by their feeds, for ever; an entry that a feed lists no more is just old."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        database: Database,
        ingest: Ingest,
        fetcher: SiteFetcher,
        *,
        searches: Searches,
        interval: float,
        clock: Clock,
    ) -> None:
        self._database = database
        self._ingest = ingest
        self._fetcher = fetcher
        self._searches = searches
        self._answers = FollowAnswers(database, searches, clock=clock)
        self._interval = timedelta(seconds=interval)
        self._clock = clock

    async def run(self, beat: Beat = no_beat) -> None:
        """Do all that is due, then wait for news, for ever."""
        await self._database.changes.work_off(Subject.FOLLOWS, self.act, beat, turn=TURN, pause=LOOK_AGAIN)

    async def act(self) -> bool:
        """Do what is due, requests of people first; False where nothing is."""
        follow = await follows.oldest_due(self._database, self._clock(), sites=True)
        if follow is not None:
            await self._settle(follow)
            return True
        due = await sites.due(self._database, self._clock(), most=AT_ONCE)
        await asyncio.gather(*map(self.read, due))
        return bool(due)

    async def _settle(self, follow: FollowRequest) -> None:
        """Find the feed of an address, follow it as a channel, and store what it lists as its past."""
        known = await channels.find(self._database, follow.reference)
        address = (known and known.address) or follow.reference
        try:
            address, reply, feed = await self._find(address)
        except SiteError as error:
            log.info("a site cannot be followed", address=address, why=str(error))
            if follow.chat_id is None and error.reason == UNREACHABLE:  # nobody is there to try again
                await self._answers.postpone(follow, self._clock() + TRY_FOLLOWING_AGAIN, error.reason)
            else:
                await self._answers.refuse(follow, error.reason)
            return
        now = self._clock()
        title = feed.title or address.split("/")[2]

        async def job(tx: Transaction) -> ResolvedChannel:
            found = await sites.make(tx, address=address, title=title, now=now)
            await follows.settle(tx, follow.id, channel=found, now=now)
            return found

        channel = await self._database.write(job)
        site = await sites.get(self._database, channel.id)
        if site is None:  # nobody wants it any more
            return
        await self._store(site, feed, reply)
        if follow.chat_id is not None:
            notice = await self._answers.followed(follow, channel, FollowAccess.SITE)
            await self._answers.notify(follow, replace(notice, past_days=0))

    async def read(self, site: Site) -> None:
        """Read a site, and write down what came of it."""
        try:
            reply = await self._fetcher.fetch(site.address, Stamp(etag=site.etag, modified=site.modified))
            feed = None if reply is None else await self._parse(reply)
        except SiteError as error:
            await self._fail(site, error)
            return
        if isinstance(feed, str):
            await self._fail(site, SiteError(NO_FEED))
            return
        await self._store(site, feed, reply)

    async def _find(self, address: str) -> tuple[str, PageReply, SiteFeed]:
        """Fetch a feed, or the one that a page names. Raises SiteError."""
        for _ in range(2):
            reply = await self._fetcher.fetch(address, Stamp())
            feed = None if reply is None else await self._parse(reply)
            if reply is not None and isinstance(feed, SiteFeed):
                return address, reply, feed
            address = feed if isinstance(feed, str) else address
        raise SiteError(NO_FEED)

    async def _parse(self, reply: PageReply) -> SiteFeed | str:
        """Read an answer in another process. Raises SiteError where it is no feed and names none."""
        arguments = reply.body, reply.url, reply.headers.get("content-type", "")
        try:
            feed = await self._searches.run(find_feed, *arguments, who=self, within=PARSE_WITHIN)
        except FatalError:
            raise
        except BusyError:
            raise SiteError(UNREACHABLE, "other questions come first") from None
        except Exception as error:
            raise SiteError(BROKEN, repr(error)) from error
        if feed is None:
            raise SiteError(NO_FEED)
        return feed

    async def _store(self, site: Site, feed: SiteFeed | None, reply: PageReply | None) -> None:
        """Store what a site lists, None where nothing has changed, and when it is read next."""
        now, listed = self._clock(), () if feed is None else feed.entries
        stored, is_all = await self._put(site, listed, now)
        etag, modified = site.etag, site.modified
        if reply is not None:  # what was put off is asked for again
            names = ("etag", "last-modified") if is_all else ("", "")
            etag, modified = map(reply.headers.get, names)
        due_at = now + self._interval * random.uniform(1, 1 + _JITTER)  # noqa: S311 - no secret

        async def job(tx: Transaction) -> None:
            await sites.set_hashes(tx, site.channel_id, stored)
            if site.is_new and listed:
                await _begin(tx, site, [each.guid for each in listed])
            await sites.set_read(tx, site, etag=etag, modified=modified, due_at=due_at, now=now)
            if site.access is Access.LOST:
                notice = ChannelRegained(event=f"{site.channel_id}:{now.isoformat()}", channel=site.title)
                await notify_followers(tx, site.channel_id, notice, now=now)

        await self._database.write(job)

    async def _put(self, site: Site, listed: Sequence[Entry], now: datetime) -> tuple[dict[str, bytes], bool]:
        """Store the entries that are new or changed; return the hashes of their texts, and whether that is all of them.

        An entry has its number before it is stored, so that it is the same post after a crash in between.
        """
        number, hashes = site.channel_id, {each.guid: plain_hash(each.text) for each in listed}
        known = await sites.entries(self._database, number, hashes)
        changed = [each for each in listed if each.guid not in known or known[each.guid].hash != hashes[each.guid]]
        news = [each for each in changed if each.guid not in known or self._may_change(known[each.guid], now)]
        news.reverse()  # as they were written: most feeds list the newest first
        news.sort(key=lambda each: each.published or now)
        fresh = [each.guid for each in news if each.guid not in known]
        await self._database.write(lambda tx: sites.add_entries(tx, number, fresh))
        known = await sites.entries(self._database, number, [each.guid for each in news])
        for first in range(0, len(news), _BATCH):
            events = tuple(_post(site, each, known[each.guid], now) for each in news[first : first + _BATCH])
            seen = Observation(events=events, observed_by=ObservedBy.SITE, reader_id=None, seen_at=now)
            await self._ingest.store(seen)
        return {each.guid: hashes[each.guid] for each in news}, len(news) == len(changed)

    def _may_change(self, known: SiteEntry, now: datetime) -> bool:
        """Tell whether another text of an entry is stored now: a counter in it would be an edit at each look."""
        if known.edit_date is None or known.edits < _EDITS_AT_ONCE:
            return True
        pause = doubled(self._interval, known.edits - _EDITS_AT_ONCE + 1, LONGEST_EDIT_PAUSE)
        return known.edit_date + pause <= now

    async def _fail(self, site: Site, error: SiteError) -> None:
        """Try a site later and later; once it has failed for long, tell its followers."""
        now = self._clock()
        pause = doubled(self._interval, site.failures, LONGEST_PAUSE)
        is_lost = now - (site.failed_since or now) >= LOST_AFTER
        log.info("a site cannot be read", site=site.address, why=str(error), failures=site.failures + 1)

        async def job(tx: Transaction) -> None:
            lost = error.reason if is_lost else None
            await sites.set_failed(tx, site, lost=lost, due_at=now + pause, now=now)
            if is_lost and site.access is not Access.LOST:
                event = f"{site.channel_id}:{now.isoformat()}"
                notice = ChannelLost(event=event, channel=site.title, reason=error.reason)
                await notify_followers(tx, site.channel_id, notice, now=now)

        await self._database.write(job)


def _post(site: Site, entry: Entry, known: SiteEntry, now: datetime) -> Post:
    """Return the post that an entry is; what is on the site when it is followed is its past, whatever its dates say.

    It keeps its date: many sites date what they edit anew.
    """
    now = now.replace(microsecond=0)
    date = min(entry.published or now, now)
    if site.is_new:
        date = min(date, site.followed_at - timedelta(seconds=1))
    elif (site.last_post_at or now) <= date < site.followed_at:  # new, but dated by its day alone
        date = site.followed_at
    return Post(
        channel_id=site.channel_id,
        message_id=known.message_id,
        date=known.date or date,
        text=entry.text,
        entities=entry.entities,
        edit_date=None if known.hash is None else now,  # what sites say of that is not to be relied on
        author=entry.author,
        link=entry.link or site.address,
        raw=entry.raw,
        raw_format=RawFormat.JSON,
    )


async def _begin(tx: Transaction, site: Site, guids: Collection[str]) -> None:
    """Write down from when on a site is complete: from the oldest entry of the first feed."""
    low = min(each.message_id for each in (await sites.entries(tx, site.channel_id, guids)).values())
    for first in await posts.current(tx, site.channel_id, [low]):  # none, where nobody follows it any more
        await marks.begin_past(tx, site.channel_id, low=low, since=first.date)
