"""Channels and their past come in; whoever follows one that is unusually silent is told, once until it speaks again.

A channel that falls silent may be blocked, taken over or moved, and looks just like one that has nothing to say.
"""

import asyncio
from datetime import datetime, timedelta

from bot.models import Clock
from bot.models.notices import ChannelSilent
from bot.monitoring.activity import REMEMBERED, SLOT, Rhythm, rhythm_of
from bot.runtime.supervisor import TURN, Beat, unheard
from bot.store import silences
from bot.store.database import Database, Transaction
from bot.store.notices import notify_followers
from bot.store.silences import Speaker

LOOK_EVERY = 60.0  # s
SHORT = timedelta(hours=1)  # silences that are not looked at
LEARN_AGAIN = timedelta(days=1)  # after which a rhythm is worked out anew
LESSONS = 20  # rhythms worked out in one look at most: the largest takes 20 ms, for which everything else waits


class Silence:
    """Listens for what is not said."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._rhythms: dict[int, tuple[datetime, Rhythm | None]] = {}  # by channel: when it was learnt, and what

    async def run(self, beat: Beat = unheard) -> None:
        """Look at all channels now and then, for ever."""
        while True:
            beat(LOOK_EVERY + TURN)
            await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> int:
        """Tell of the channels that have fallen silent since the last look; return how many."""
        told, lessons = 0, LESSONS
        for speaker in await silences.speakers(self._database):
            if speaker.silent_since is not None:
                await self._listen(speaker)
            elif speaker.known_until - speaker.last_post_at > SHORT and (lessons or self._knows(speaker)):
                lessons -= 0 if self._knows(speaker) else 1
                told += await self._judge(speaker)
        return told

    def _knows(self, speaker: Speaker) -> bool:
        learnt = self._rhythms.get(speaker.channel_id)
        return learnt is not None and self._clock() - learnt[0] < LEARN_AGAIN

    async def _listen(self, speaker: Speaker) -> None:
        """Hear whether a channel that was silent speaks again."""
        if speaker.silent_since is not None and speaker.last_post_at > speaker.silent_since:
            self._rhythms.pop(speaker.channel_id, None)  # its longest silence has become longer
            await self._database.write(lambda tx: silences.end(tx, speaker.channel_id))

    async def _judge(self, speaker: Speaker) -> bool:
        rhythm = await self._rhythm(speaker)
        if rhythm is None or not rhythm.is_broken(speaker.last_post_at, speaker.known_until):
            return False
        last, now = speaker.last_post_at, self._clock()
        notice = ChannelSilent(
            event=f"{speaker.channel_id}:{last.isoformat()}",
            channel=speaker.title,
            since=last,
            expected=round(rhythm.expected(last, speaker.known_until)),
        )

        async def job(tx: Transaction) -> None:
            await silences.begin(tx, speaker.channel_id, last)
            await notify_followers(tx, speaker.channel_id, notice, now=now)

        await self._database.write(job)
        return True

    async def _rhythm(self, speaker: Speaker) -> Rhythm | None:
        if not self._knows(speaker):
            now, channel_id = self._clock(), speaker.channel_id
            slots = await silences.slots(self._database, channel_id, since=now - REMEMBERED, size=SLOT)
            self._rhythms[channel_id] = (now, rhythm_of(slots))
        return self._rhythms[speaker.channel_id][1]
