"""How many posts of a topic a chat has had: in the last hour, and by the hour in the weeks before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.store.access import Restrictable, visible
from bot.store.database import Reader
from bot.store.rows import read_all, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyTopic:
    """A topic with many posts of several channels of late, in one chat."""

    chat_id: int
    topic: str
    posts: int
    channels: int
    version_ids: tuple[int, ...]  # of these posts
    topics: int  # that the chat has in all


async def busy_topics(db: Reader, since: datetime, *, posts: int, channels: int) -> list[BusyTopic]:
    """Return the topics that brought so many posts, of so many channels, to a chat that wants to know, since a moment.

    Duplicates count: that many say the same is what a chat wants to know.
    """
    rows = await db.fetch_all(
        f"""SELECT c.id AS chat_id, t.value AS topic, count(*) AS posts, count(DISTINCT a.channel_id) AS channels,
            json_group_array(a.version_id) AS version_ids,
            (SELECT count(*) FROM subscriptions WHERE chat_id = c.id) AS topics
        FROM chats c CROSS JOIN alerts a ON a.chat_id = c.id AND a.created_at >= :since AND NOT a.is_counted
        JOIN json_each(a.topics) t
        WHERE c.surges AND c.suspended IS NULL AND {visible(Restrictable.CHANNEL, "a.channel_id", "c.id")}
        GROUP BY c.id, t.value HAVING count(*) >= :posts AND count(DISTINCT a.channel_id) >= :channels
        ORDER BY c.id, t.value""",  # noqa: S608 - our own words
        {"since": to_ms(since), "posts": posts, "channels": channels},
    )
    return read_all(BusyTopic, rows)


async def posts_by_slot(
    db: Reader, busy: BusyTopic, *, since: datetime, until: datetime, slot: int
) -> Mapping[int, int]:
    """Count the posts that a topic brought to a chat by slots of some seconds from 1970; empty ones are left out."""
    rows = await db.fetch_all(
        """SELECT a.created_at / :slot AS slot, count(*) AS n FROM alerts a JOIN json_each(a.topics) t
        WHERE a.chat_id = :chat AND a.created_at >= :since AND a.created_at < :until AND NOT a.is_counted
            AND t.value = :topic GROUP BY 1""",
        {"slot": slot * 1000, "chat": busy.chat_id, "topic": busy.topic, "since": to_ms(since), "until": to_ms(until)},
    )
    return {row["slot"]: row["n"] for row in rows}
