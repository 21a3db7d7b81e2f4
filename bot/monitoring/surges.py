"""The monitor of surges: a chat gets one notice a day of a topic that has unusually many posts, with some of them."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from bot.models import Clock, StoredPost
from bot.models.notices import TopicSurge
from bot.monitoring.surge import FEWEST_CHANNELS, FEWEST_POSTS, REMEMBERED, SLOT, TopicPast, is_surge, usual_posts
from bot.runtime.supervisor import Beat, no_beat, repeat
from bot.store import chats, posts, surges
from bot.store.database import Database
from bot.store.notices import notify
from bot.store.surges import BusyTopic

LOOK_EVERY = 60.0  # s
HOUR = timedelta(hours=1)
_SHOWN = 5  # posts


class SurgeMonitor:
    """Looks for topics that have unusually many posts."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._today: date | None = None
        self._pasts: dict[tuple[int, str], TopicPast] = {}  # by chat and topic: the weeks before today

    async def run(self, beat: Beat = no_beat) -> None:
        """Look at the last hour now and then, for ever."""
        await repeat(self.look, beat, every=LOOK_EVERY)

    async def look(self) -> int:
        """Notify the chats in which a topic has a surge; return how many notices that are."""
        now, sent = self._clock(), 0
        busy = await surges.busy_topics(self._database, now - HOUR, posts=FEWEST_POSTS, channels=FEWEST_CHANNELS)
        for each in busy:
            if (notice := await self._judge(each, now)) is not None:
                chat = await chats.get(self._database, each.chat_id)
                assert chat is not None  # noqa: S101 - no chat is ever deleted
                sent += await self._database.write(partial(notify, chat=chat, notice=notice, now=now))
        return sent

    async def _judge(self, busy: BusyTopic, now: datetime) -> TopicSurge | None:
        past, slot = await self._past(busy, now), int(now.timestamp()) // SLOT
        if not is_surge(busy.posts, busy.channels, past, slot, topics=busy.topics):
            return None
        found = await posts.of_versions(self._database, busy.version_ids)
        newest = dict[int, StoredPost]()  # of each channel
        for post in found:
            newest.setdefault(post.channel_id, post)
        return TopicSurge(
            event=f"{busy.topic}:{now:%Y-%m-%d}",
            topic=busy.topic,
            posts=busy.posts,
            channels=busy.channels,
            usual=round(usual_posts(past, slot) or 0.0, 1),
            titles=tuple(post.channel_title for post in newest.values())[:_SHOWN],
            links=tuple(post.link for post in newest.values())[:_SHOWN],
        )

    async def _past(self, busy: BusyTopic, now: datetime) -> TopicPast:
        """Return the weeks before today, which are read once a day."""
        if now.date() != self._today:
            self._today, self._pasts = now.date(), {}
        key = (busy.chat_id, busy.topic)
        if key not in self._pasts:
            until = datetime.combine(now.date(), time(), UTC)
            since = until - timedelta(weeks=REMEMBERED)
            slots = await surges.posts_by_slot(self._database, busy, since=since, until=until, slot=SLOT)
            self._pasts[key] = TopicPast.of(slots)
        return self._pasts[key]
