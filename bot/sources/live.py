"""Stores the updates that Telegram pushes to a reader, in order and in batches; the sweep finds the others.

The preview of a link often loads after its post; Telegram then says which page has loaded, and not in which messages.
So these posts are asked for again.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Collection, Sequence

import structlog
from telethon import TelegramClient, events
from telethon.tl import TLObject, types

from bot.errors import ReaderLostError, TelegramError
from bot.models import Clock, Count, Deletion, Event, Observation, ObservedBy
from bot.pipeline.ingest import Ingest
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.sources.account import LONGEST_VISIT, Account
from bot.sources.isolation import by_number
from bot.sources.long_posts import LongPosts
from bot.store import channels, posts
from bot.store.channels import Channel
from bot.telegram.client import tap
from bot.telegram.convert import Named, attached, named_in, to_post
from bot.telegram.rich import is_part
from bot.telegram.stories import to_story

BATCH = 100  # events in a transaction at most: beyond that nothing is gained
UPDATES = (
    types.UpdateNewChannelMessage,
    types.UpdateEditChannelMessage,
    types.UpdateDeleteChannelMessages,
    types.UpdateChannelMessageViews,
    types.UpdateChannelMessageForwards,
    types.UpdateStory,
)


def to_event(update: TLObject, named: Named) -> Event | None:
    """Return the event that an update stands for; None where it changes no post. `named` came along with the update."""
    if isinstance(update, types.UpdateDeleteChannelMessages):
        return Deletion(channel_id=update.channel_id, message_ids=tuple(update.messages))
    if isinstance(update, types.UpdateChannelMessageViews):
        return Count(channel_id=update.channel_id, message_id=update.id, views=update.views)
    if isinstance(update, types.UpdateChannelMessageForwards):
        return Count(channel_id=update.channel_id, message_id=update.id, forwards=update.forwards)
    if isinstance(update, types.UpdateStory):
        return to_story(update)
    if isinstance(update, UPDATES):
        return to_post(update.message, named=named)
    return None


def to_events(update: TLObject) -> list[Event]:
    """Return the event that a pushed update stands for, as a list; of a change to no post an empty one."""
    event = to_event(update, attached(update))
    return [] if event is None else [event]


class Live:
    """Stores pushed updates; to be made before the client connects, or the updates of its catching up are lost."""

    def __init__(self, client: TelegramClient, ingest: Ingest, clock: Clock) -> None:
        self.reader_id = 0  # known once the client is connected
        self._ingest = ingest
        self._clock = clock
        self.long_posts: LongPosts | None = None  # likewise
        self._waiting: asyncio.Queue[TLObject | Exception] = asyncio.Queue()
        self._batch: list[TLObject] = []  # taken out of the queue, and not stored yet
        # By channel: a push that is the beginning of a long post, and those that came after it, until they are stored.
        self._held: dict[int, list[TLObject]] = {}
        self._holders: set[asyncio.Task[None]] = set()
        tap(client, self._on_push)
        # What Telethon asks for after a gap; raw, since its own events cost an entity lookup each.
        client.add_event_handler(self._on_update, events.Raw(UPDATES))

    async def run(self, beat: Beat = no_beat) -> None:
        """Store pushed updates, for ever."""
        while True:
            await self.store_next(beat)

    async def store_next(self, beat: Beat = no_beat) -> int:
        """Wait for an update and store it with all that wait by then; return how many they were."""
        if not self._batch:
            beat(math.inf)
            self._take(await self._waiting.get())
        beat(TURN)
        while len(self._batch) < BATCH and not self._waiting.empty():
            self._take(self._waiting.get_nowait())
        try:
            await self._store([event for u in self._batch if not self._holds(u) for event in to_events(u)])
        except Exception:
            self._batch.clear()  # else it would fail for ever; the sweep finds what is in it
            raise
        count = len(self._batch)
        self._batch.clear()
        return count

    async def store_waiting(self) -> None:
        """Store the updates that wait, at the end: texts that were edited since would be lost otherwise."""
        while self._batch or not self._waiting.empty() or self._holders:
            if not self._batch and self._waiting.empty():
                await asyncio.wait(self._holders)
                continue
            try:
                await self.store_next()
            except ReaderLostError as error:  # what is held back cannot be completed; the sweep finds it one day
                log.info("the account was lost before long posts could be read", reason=error.reason)

    def _take(self, found: TLObject | Exception) -> None:
        if isinstance(found, Exception):
            raise found
        self._batch.append(found)

    def _holds(self, update: TLObject) -> bool:
        """Hold an update back that has to be completed first, or that comes after such a one in its channel.

        Those of other channels do not wait.
        """
        message = getattr(update, "message", None)
        channel_id = getattr(getattr(message, "peer_id", update), "channel_id", 0)
        if channel_id not in self._held:
            if self.long_posts is None or not is_part(message):
                return False
            self._held[channel_id] = []
            task = asyncio.create_task(self._release(channel_id, self.long_posts), name="sources.live.long_posts")
            self._holders.add(task)
            task.add_done_callback(self._released)
        self._held[channel_id].append(update)
        return True

    async def _release(self, channel_id: int, completer: LongPosts) -> None:
        """Complete and store what is held back of a channel, in its order."""
        try:
            while held := self._held[channel_id]:
                events = [event for update in held[:BATCH] for event in to_events(update)]
                del held[:BATCH]
                await self._store(await completer.complete_pushed(channel_id, events))
        finally:
            del self._held[channel_id]

    def _released(self, task: asyncio.Task[None]) -> None:
        self._holders.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._waiting.put_nowait(error)  # for the loop to meet

    async def _store(self, found: Sequence[Event]) -> None:
        if found:
            await self._ingest.store(
                Observation(
                    events=tuple(found),
                    observed_by=ObservedBy.LIVE,
                    reader_id=self.reader_id,
                    seen_at=self._clock(),
                )
            )

    def _on_push(self, update: TLObject) -> None:
        if isinstance(update, UPDATES):
            update.was_pushed = True  # for the moment at which Telethon hands the same object on
            self._waiting.put_nowait(update)

    async def _on_update(self, update: TLObject) -> None:
        if not hasattr(update, "was_pushed"):
            self._waiting.put_nowait(update)


log = structlog.get_logger(__name__)


class LinkPreviews:
    """Refreshes posts whose links have got their previews; a push before its post is repeated by the difference."""

    def __init__(self, account: Account, ingest: Ingest) -> None:
        self._account = account
        self._ingest = ingest
        self._waiting: asyncio.Queue[types.UpdateChannelWebPage] = asyncio.Queue()

    def put(self, update: TLObject) -> None:
        """Queue a pushed update where it says that the preview of a link has loaded; other updates are left alone."""
        if isinstance(update, types.UpdateChannelWebPage):
            self._waiting.put_nowait(update)

    async def run(self, beat: Beat = no_beat) -> None:
        """Refresh the posts of pushed link previews, for ever. Raises ReaderLostError."""
        while True:
            await self.refresh_next(beat)

    async def refresh_next(self, beat: Beat = no_beat) -> None:
        """Wait for a pushed link preview, and refresh the posts that carry it or another that waits by then."""
        beat(math.inf)
        loaded = [await self._waiting.get()]
        while not self._waiting.empty():
            loaded.append(self._waiting.get_nowait())
        pages: defaultdict[int, set[int]] = defaultdict(set)
        for update in loaded:
            pages[update.channel_id].add(update.webpage.id)
        for channel_id, ids in pages.items():
            beat(LONGEST_VISIT)
            channel = await channels.get(self._account.database, channel_id, self._account.reader_id)
            if channel is not None and channel.read_by in (None, self._account.reader_id):
                await self.refresh(channel, ids)

    async def refresh(self, channel: Channel, pages: Collection[int]) -> None:
        """Ask for the newest posts that carry these pages, and store them.

        A refusal is only logged: the verifier finds the posts later. Raises ReaderLostError.
        """
        if not (pages and channel.access_hash):
            return
        ids = await posts.ids_with_pages(self._account.database, channel.id, pages)
        if not ids:
            return
        address, asked_at = types.InputChannel(channel.id, channel.access_hash), self._account.now()
        try:
            read = await by_number(self._account, address, ids)
        except TelegramError as error:
            log.info(
                "posts whose link previews have loaded could not be fetched", channel=channel.id, error=error.error
            )
            return
        found = (
            to_post(message, channel_id=channel.id, named=named_in(answer))
            for answer in read.answers
            for message in answer.messages
        )
        await self._ingest.store(
            Observation(
                events=tuple(post for post in found if post is not None),
                observed_by=ObservedBy.SWEEP,
                reader_id=self._account.reader_id,
                seen_at=self._account.now(),
                asked_at=asked_at,
            )
        )
