"""Asks for the rest of long posts, of which lists and updates give the beginning only.

https://core.telegram.org/constructor/richMessage: `part` says that there is more. A rest that is not to be had at once
holds nothing up: the beginning is stored and matched, and the rest is asked for again. While the server fails at rests,
no list waits for each of them: only the loop asks, until one comes.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from telethon.tl import types
from telethon.tl.functions.messages import GetRichMessageRequest

from bot.errors import TelegramError, UnreadableError, Verdict
from bot.models import Event, Observation, ObservedBy, Post
from bot.pipeline.ingest import Ingest
from bot.runtime.pauses import doubled
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.sources.account import LONG_AGO, Account
from bot.store import channels, long_posts
from bot.store.channels import Channel
from bot.store.long_posts import DueRest, Head, LongPost, RestState
from bot.store.rows import maybe_ms, to_ms
from bot.telegram.convert import named_in, to_post
from bot.telegram.errors import FLOOD

log = structlog.get_logger(__name__)

WITHIN = 3.0  # s that an answer may take before the beginning of a pushed post goes on alone …
PATIENT = 20.0  # … or of one that was asked for; a method that was flooded has to wait for its turn
LOOK_EVERY = 5.0  # s between two looks for what is to be asked for again
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)  # after a failure; doubled each time
LEFT_TO_LOOP = timedelta(minutes=5)  # after a failure of the server, unless a rest has come since
_SILENT, _NOT_WHOLE = "no answer in time", "the answer was no whole post"


class LongPosts:
    """Makes long posts whole, through one reader account."""

    def __init__(self, account: Account, ingest: Ingest, *, within: float = WITHIN) -> None:
        self._account = account
        self._ingest = ingest
        self._within = within
        self._fails_until = LONG_AGO  # until then lists do not ask

    async def complete(self, channel: Channel, events: Sequence[Event], *, within: float = PATIENT) -> list[Event]:
        """Return events of a channel with its long posts whole, but for those that we have or cannot have now.

        Each may take so many seconds. Raises ReaderLostError.
        """
        parts = {event.message_id: event for event in events if isinstance(event, Post) and event.is_part}
        if not parts or not channel.access_hash:
            return list(events)
        known = await long_posts.known(self._account.database, {(channel.id, number) for number in parts})
        found, now = {}, to_ms(self._account.now())
        for number, part in parts.items():
            long, head = known.get((channel.id, number)), Head(part.content_hash(), maybe_ms(part.edit_date) or 0)
            if long != LongPost(head=head, state=RestState.WHOLE) or not head.is_certain(now):
                found[number] = await self._find(channel, number, head.hash, within=within)
        return [self._replace(event, found) for event in events]

    async def complete_pushed(self, channel_id: int, events: Sequence[Event]) -> list[Event]:
        """Do so with what was pushed of a channel; nothing where it is another reader's, or nobody's."""
        channel = await channels.get(self._account.database, channel_id, self._account.reader_id)
        if channel is None or channel.read_by not in (None, self._account.reader_id):
            return list(events)
        return await self.complete(channel, events, within=self._within)

    def _replace(self, event: Event, found: dict[int, Post | None]) -> Event:
        return (isinstance(event, Post) and event.is_part and found.get(event.message_id)) or event

    async def _find(self, channel: Channel, message_id: int, head: bytes, *, within: float) -> Post | None:
        if self._account.now() < self._fails_until:
            return None
        try:
            return await self._ask(channel.id, channel.access_hash or 0, message_id, head, within=within)
        except TelegramError as error:
            log.info("the rest of a long post is not available now", channel=channel.id, error=error.error)
            return None

    async def _ask(
        self, channel_id: int, access_hash: int, message_id: int, head: bytes, *, within: float = PATIENT
    ) -> Post:
        """Return a post with all its blocks. Raises TelegramError, ReaderLostError."""
        peer = types.InputPeerChannel(channel_id, access_hash)
        try:
            async with asyncio.timeout(within):
                answer = await self._account.ask(GetRichMessageRequest(peer, message_id))
        except TimeoutError:
            self._fails_until = self._account.now() + LEFT_TO_LOOP
            raise TelegramError(_SILENT, code=0, verdict=Verdict.RETRY) from None
        except TelegramError as error:
            if _is_failure(error):
                self._fails_until = self._account.now() + LEFT_TO_LOOP
            raise
        self._fails_until = LONG_AGO
        named = named_in(answer)
        post = next((to_post(message, channel_id=channel_id, named=named) for message in answer.messages), None)
        if post is None or post.message_id != message_id or post.is_part:
            raise TelegramError(_NOT_WHOLE, code=0, verdict=Verdict.RETRY)
        return replace(post, head=head)

    async def run(self, beat: Beat = no_beat) -> None:
        """Ask for what was not to be had, for ever. Raises ReaderLostError."""
        while True:
            beat(LOOK_EVERY + TURN)
            if not await self.retry_next():
                await asyncio.sleep(LOOK_EVERY)

    async def retry_next(self) -> bool:
        """Ask for one rest again; return False where none is due."""
        asked_at = self._account.now()
        due = await long_posts.next_due(self._account.database, self._account.reader_id, asked_at)
        if due is None:
            return False
        try:
            post = await self._ask(due.channel_id, due.access_hash, due.message_id, due.head)
        except TelegramError as error:
            await self._put_off(due, error)
            return True
        await self._ingest.store(
            Observation(
                events=(post,),
                observed_by=ObservedBy.SWEEP,
                reader_id=self._account.reader_id,
                seen_at=self._account.now(),
                asked_at=asked_at,
            )
        )
        await self._put_off(due, TelegramError(_NOT_WHOLE, code=0, verdict=Verdict.RETRY))
        return True

    async def _put_off(self, due: DueRest, error: TelegramError) -> None:
        """Ask again later for what is due yet, or not at all where Telegram refuses it: the post may be gone."""
        pause = doubled(FIRST_PAUSE, due.attempts, LONGEST_PAUSE)
        now = self._account.now()
        again = now + max(pause, timedelta(seconds=error.retry_after))
        until = None if error.verdict is Verdict.DROP else again
        await self._account.database.write(
            lambda tx: long_posts.put_off(tx, due, until=until, reason=error.error, now=now)
        )


def _is_failure(error: TelegramError) -> bool:
    """Tell whether the server failed, and so may for any post; while it wants us to wait, nothing is asked anyway."""
    return error.verdict is Verdict.RETRY and error.code != FLOOD and not isinstance(error, UnreadableError)
