"""Stores the updates that Telegram pushes to a reader, in order and in batches; the sweep finds the others."""

import asyncio
import math
from collections.abc import Sequence

from telethon import TelegramClient, events
from telethon.tl import TLObject, types

from bot.models import Clock, Count, Deletion, Event, Observation, ObservedBy
from bot.pipeline.ingest import Ingest
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.telegram.client import tap
from bot.telegram.convert import Named, attached, to_post

BATCH = 100  # events in a transaction at most: beyond that nothing is gained
UPDATES = (
    types.UpdateNewChannelMessage,
    types.UpdateEditChannelMessage,
    types.UpdateDeleteChannelMessages,
    types.UpdateChannelMessageViews,
    types.UpdateChannelMessageForwards,
)


def to_event(update: TLObject, named: Named) -> Event | None:
    """Return the event that an update stands for; None where it changes no post. `named` came along with the update."""
    if isinstance(update, types.UpdateDeleteChannelMessages):
        return Deletion(channel_id=update.channel_id, message_ids=tuple(update.messages))
    if isinstance(update, types.UpdateChannelMessageViews):
        return Count(channel_id=update.channel_id, message_id=update.id, views=update.views)
    if isinstance(update, types.UpdateChannelMessageForwards):
        return Count(channel_id=update.channel_id, message_id=update.id, forwards=update.forwards)
    if isinstance(update, UPDATES):
        return to_post(update.message, named=named)
    return None


class Live:
    """Stores pushed updates; make it before the client connects, or what the client catches up is lost."""

    def __init__(self, client: TelegramClient, ingest: Ingest, clock: Clock) -> None:
        self.reader_id = 0  # known once the client is connected
        self._ingest = ingest
        self._clock = clock
        self._waiting: asyncio.Queue[TLObject] = asyncio.Queue()
        self._batch: list[TLObject] = []  # taken out of the queue, and not stored yet
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
            self._batch.append(await self._waiting.get())
        beat(TURN)
        while len(self._batch) < BATCH and not self._waiting.empty():
            self._batch.append(self._waiting.get_nowait())
        try:
            await self._store(self._batch)
        except Exception:
            self._batch.clear()  # else it would fail for ever; the sweep finds what is in it
            raise
        count = len(self._batch)
        self._batch.clear()
        return count

    async def store_waiting(self) -> None:
        """Store the updates that wait, at the end: texts that were edited since would be lost otherwise."""
        while self._batch or not self._waiting.empty():
            await self.store_next()

    async def _store(self, updates: Sequence[TLObject]) -> None:
        found = [event for u in updates if (event := to_event(u, attached(u))) is not None]
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
