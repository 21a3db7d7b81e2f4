"""Puts what web pages show of a channel into the archive: posts, what a page does not show, what it misses."""

from datetime import datetime

from bot.models import Clock, Deletion, Event, Observation, ObservedBy
from bot.pipeline.ingest import Ingest, Result
from bot.sources.pages.observation import SeenPage
from bot.store import page_versions, posts, unreadable
from bot.store.channels import Channel
from bot.store.database import Database, Transaction
from bot.store.page_versions import MissingPost


class PageArchive:
    """The archive, as whoever reads web pages writes to it."""

    def __init__(self, database: Database, ingest: Ingest, *, clock: Clock) -> None:
        self._database = database
        self._ingest = ingest
        self._clock = clock

    async def store(self, channel: Channel, seen: SeenPage, asked_at: datetime) -> Result:
        """Store the posts of a page; name those that it does not show, and those that it misses between others."""
        result = await self._put(seen.posts, asked_at)
        now, stored = self._clock(), await posts.ids_between(self._database, channel.id, seen.low, seen.high)
        missing = seen.missing(stored)

        async def job(tx: Transaction) -> None:
            await unreadable.put_hidden(tx, channel.id, seen.hidden, now=now)
            await unreadable.settle(tx, channel.id, seen.ids - seen.hidden, now=now)
            await page_versions.set_missing(tx, channel.id, missing, shown=seen.ids, now=now)

        await self._database.write(job)
        return result

    async def put_back(self, channel: Channel, message_id: int) -> None:
        """Write down that a post is there, though the page of its channel misses it."""
        now = self._clock()
        await self._database.write(
            lambda tx: page_versions.set_missing(tx, channel.id, (), shown=[message_id], now=now)
        )

    async def put_not_found(self, channel: Channel, missing: MissingPost, asked_at: datetime) -> None:
        """Write down that a post's own page says that there is none; the second time it is gone."""
        if missing.not_found_at is not None:
            await self._put((Deletion(channel_id=channel.id, message_ids=(missing.message_id,)),), asked_at)
            return
        now = self._clock()
        await self._database.write(lambda tx: page_versions.set_not_found(tx, channel.id, missing.message_id, now=now))

    async def _put(self, events: tuple[Event, ...], asked_at: datetime) -> Result:
        return await self._ingest.store(
            Observation(
                events=events,
                observed_by=ObservedBy.PAGE,
                reader_id=None,
                seen_at=self._clock(),
                asked_at=asked_at,
            )
        )
