"""The monitor of silences: followers of an unusually silent channel get one notice, until it posts again.

A channel that falls silent may be blocked, taken over or moved, and looks just like one that has nothing to say.
"""

from datetime import datetime, timedelta

from bot.models import Clock
from bot.models.notices import ChannelSilent
from bot.monitoring.activity import REMEMBERED, SLOT, Baseline, learn_baseline
from bot.runtime.supervisor import Beat, no_beat, repeat
from bot.store import stats
from bot.store.database import Database, Transaction
from bot.store.notices import notify_followers
from bot.store.stats import ActiveChannel

LOOK_EVERY = 60.0  # s
SHORT = timedelta(hours=1)  # silences that are not judged
LEARN_AGAIN = timedelta(days=1)  # after which a baseline is worked out anew
LEARN_AT_ONCE = 20  # baselines worked out in one look at most: the largest takes 20 ms, for which all else waits


class SilenceMonitor:
    """Looks for channels that are unusually silent, and for those that post again."""

    def __init__(self, database: Database, *, clock: Clock, learn_at_once: int = LEARN_AT_ONCE) -> None:
        self._learn_at_once = learn_at_once
        self._database = database
        self._clock = clock
        self._baselines: dict[int, tuple[datetime, Baseline | None]] = {}  # by channel: when it was learnt, and what

    async def run(self, beat: Beat = no_beat) -> None:
        """Look at all channels now and then, for ever."""
        await repeat(self.look, beat, every=LOOK_EVERY)

    async def look(self) -> int:
        """Notify followers of the channels that have fallen silent since the last look; return how many those are."""
        count, to_learn = 0, self._learn_at_once
        for speaker in await stats.active_channels(self._database):
            if speaker.silent_since is not None:
                await self._end(speaker, speaker.silent_since)
            elif speaker.known_until - speaker.last_post_at > SHORT and (to_learn or self._is_learnt(speaker)):
                to_learn -= 0 if self._is_learnt(speaker) else 1
                count += await self._judge(speaker)
        return count

    def _is_learnt(self, speaker: ActiveChannel) -> bool:
        learnt = self._baselines.get(speaker.channel_id)
        return learnt is not None and self._clock() - learnt[0] < LEARN_AGAIN

    async def _end(self, speaker: ActiveChannel, silent_since: datetime) -> None:
        """End a silence where the channel has posted again."""
        if speaker.last_post_at > silent_since:
            self._baselines.pop(speaker.channel_id, None)  # its longest silence has become longer
            await self._database.write(lambda tx: stats.end_silence(tx, speaker.channel_id))

    async def _judge(self, speaker: ActiveChannel) -> bool:
        baseline = await self._baseline(speaker)
        if baseline is None or not baseline.is_unusual(speaker.last_post_at, speaker.known_until):
            return False
        last, now = speaker.last_post_at, self._clock()
        notice = ChannelSilent(
            event=f"{speaker.channel_id}:{last.isoformat()}",
            channel=speaker.title,
            since=last,
            expected=round(baseline.expected(last, speaker.known_until)),
        )

        async def job(tx: Transaction) -> None:
            await stats.begin_silence(tx, speaker.channel_id, last)
            await notify_followers(tx, speaker.channel_id, notice, now=now)

        await self._database.write(job)
        return True

    async def _baseline(self, speaker: ActiveChannel) -> Baseline | None:
        if not self._is_learnt(speaker):
            now, channel_id = self._clock(), speaker.channel_id
            slots = await stats.slots_with_posts(self._database, channel_id, since=now - REMEMBERED, size=SLOT)
            self._baselines[channel_id] = (now, learn_baseline(slots))
        return self._baselines[speaker.channel_id][1]
