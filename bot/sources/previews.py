"""Asks for posts again whose link previews have loaded.

A preview often loads after its post; Telegram then says which page has loaded, and not in which messages.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Collection

import structlog
from telethon.tl import TLObject, types
from telethon.tl.functions.channels import GetMessagesRequest

from bot.errors import TelegramError
from bot.models import Observation, ObservedBy
from bot.pipeline.ingest import Ingest
from bot.runtime.supervisor import Beat, no_beat
from bot.sources.account import LONGEST_VISIT, Account
from bot.store import channels, posts
from bot.store.channels import Channel
from bot.telegram.convert import named_in, to_post

log = structlog.get_logger(__name__)


class Previews:
    """Refreshes posts whose previews have loaded; a push that comes before its post is repeated by the difference."""

    def __init__(self, account: Account, ingest: Ingest) -> None:
        self._account = account
        self._ingest = ingest
        self._waiting: asyncio.Queue[types.UpdateChannelWebPage] = asyncio.Queue()

    def put(self, update: TLObject) -> None:
        """Take in what Telegram pushes; all but loaded previews is left alone."""
        if isinstance(update, types.UpdateChannelWebPage):
            self._waiting.put_nowait(update)

    async def run(self, beat: Beat = no_beat) -> None:
        """Refresh the posts of pushed previews, for ever. Raises ReaderLostError."""
        while True:
            await self.refresh_next(beat)

    async def refresh_next(self, beat: Beat = no_beat) -> None:
        """Wait for a pushed preview, and refresh the posts that carry it or another that waits by then."""
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
        address, wanted = types.InputChannel(channel.id, channel.access_hash), [types.InputMessageID(i) for i in ids]
        asked_at = self._account.now()
        try:
            answer = await self._account.ask(GetMessagesRequest(address, wanted))
        except TelegramError as error:
            log.info("posts could not be asked for whose previews have loaded", channel=channel.id, error=error.error)
            return
        named = named_in(answer)
        found = (to_post(message, channel_id=channel.id, named=named) for message in answer.messages)
        await self._ingest.store(
            Observation(
                events=tuple(post for post in found if post is not None),
                observed_by=ObservedBy.SWEEP,
                reader_id=self._account.reader_id,
                seen_at=self._account.now(),
                asked_at=asked_at,
            )
        )
