"""Looks now and then whether channels show a new story, and stores its text; looking marks nothing as seen.

A story that is no longer shown has expired, and is not gone: only a push says that one was deleted.
"""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

import structlog
from telethon.tl import types
from telethon.tl.functions.stories import GetPeerMaxIDsRequest, GetPeerStoriesRequest

from bot.errors import TelegramError, Verdict
from bot.models import Observation, ObservedBy
from bot.pipeline.ingest import Ingest
from bot.runtime.supervisor import Beat, no_beat
from bot.sources.account import LONGEST_VISIT, Account
from bot.store.channels import Channel
from bot.telegram.stories import read_story

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=15)  # a story is there for 6 hours at least
JITTER = 0.2  # of that: a clockwork looks like a robot
AT_ONCE = 100  # channels that are asked for the number of their newest story in one request


class Stories:
    """Reads the stories of the channels of one reader."""

    def __init__(self, account: Account, ingest: Ingest) -> None:
        self._account = account
        self._ingest = ingest
        self._read: dict[int, int] = {}  # channel id → its newest story that was read since the start

    async def run(self, beat: Beat = no_beat) -> None:
        """Look at once and then every quarter of an hour, for ever. Raises ReaderLostError."""
        while True:
            await self.look(beat)
            pause = EVERY.total_seconds() * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret depends on it
            beat(pause + LONGEST_VISIT)
            await asyncio.sleep(pause)

    async def look(self, beat: Beat = no_beat) -> int:
        """Read the stories of the channels that have new ones; return how many channels were read."""
        followed = [each for each in await self._account.channels() if each.is_readable and each.access_hash]
        count = 0
        for start in range(0, len(followed), AT_ONCE):
            beat(LONGEST_VISIT)
            try:
                count += await self._look_at(followed[start : start + AT_ONCE], beat)
            except TelegramError as error:
                log.info("stories could not be asked for now", error=error.error)
                break
        return count

    async def _look_at(self, some: Sequence[Channel], beat: Beat) -> int:
        """Read the new stories of some channels. Raises TelegramError where the rest has to wait, too."""
        peers = [types.InputPeerChannel(channel.id, channel.access_hash) for channel in some]
        try:
            newest = await self._account.ask(GetPeerMaxIDsRequest(peers))
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                raise
            if len(some) == 1:
                log.info("the stories of a channel could not be asked for", channel=some[0].id, error=error.error)
                return 0
            middle = len(some) // 2  # one of them may be closed to us by now
            return await self._look_at(some[:middle], beat) + await self._look_at(some[middle:], beat)
        count = 0
        for channel, recent in zip(some, newest, strict=False):
            if (recent.max_id or 0) > self._read.get(channel.id, 0):
                beat(LONGEST_VISIT)
                await self._read_of(channel)
                self._read[channel.id] = recent.max_id
                count += 1
        return count

    async def _read_of(self, channel: Channel) -> None:
        asked_at = self._account.now()
        request = GetPeerStoriesRequest(types.InputPeerChannel(channel.id, channel.access_hash))
        try:
            answer = await self._account.ask(request)
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                raise
            log.info("the stories of a channel could not be read", channel=channel.id, error=error.error)
            return
        found = (read_story(story, channel.id) for story in answer.stories.stories)
        posts = tuple(post for post in found if post is not None)
        if posts:
            await self._ingest.store(
                Observation(
                    events=posts,
                    observed_by=ObservedBy.STORY,
                    reader_id=self._account.reader_id,
                    seen_at=self._account.now(),
                    asked_at=asked_at,
                )
            )
