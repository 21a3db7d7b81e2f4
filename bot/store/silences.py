"""When channels spoke, and which of them are unusually silent, of which people were told."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.database import Reader, Transaction
from bot.store.rows import from_ms, maybe_date, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A channel that is read, and when it last spoke."""

    channel_id: int
    title: str
    last_post_at: datetime
    known_until: datetime  # it was found complete then, so nothing was said in between
    silent_since: datetime | None  # its last post, where people were told that it is unusually silent


async def speakers(db: Reader) -> list[Speaker]:
    """Return the followed channels that can be read and have posts."""
    rows = await db.fetch_all(
        """SELECT c.id, c.title, c.swept_at, s.since,
            (SELECT max(date) FROM posts WHERE channel_id = c.id) AS last
        FROM channels c LEFT JOIN silences s ON s.channel_id = c.id
        WHERE c.followed_at IS NOT NULL AND c.swept_at >= c.followed_at AND last IS NOT NULL AND EXISTS (
            SELECT 1 FROM memberships WHERE channel_id = c.id AND access IN ('joined', 'polled'))
        ORDER BY c.id"""
    )
    return [
        Speaker(
            channel_id=row["id"],
            title=row["title"],
            last_post_at=from_ms(row["last"]),
            known_until=from_ms(row["swept_at"]),
            silent_since=maybe_date(row["since"]),
        )
        for row in rows
    ]


async def slots(db: Reader, channel_id: int, *, since: datetime, size: timedelta) -> list[datetime]:
    """Return the begin of each stretch of this size in which a channel posted since a moment, ascending."""
    rows = await db.fetch_all(
        """SELECT DISTINCT date / :size * :size AS slot FROM posts
        WHERE channel_id = :channel AND date >= :since ORDER BY slot""",
        {"channel": channel_id, "since": to_ms(since), "size": size // timedelta(milliseconds=1)},
    )
    return [from_ms(row["slot"]) for row in rows]


async def begin(tx: Transaction, channel_id: int, since: datetime) -> None:
    """Write down that people are told of a channel's silence; `since` is the date of its last post."""
    await tx.execute(
        """INSERT INTO silences (channel_id, since) VALUES (:channel, :since)
        ON CONFLICT DO UPDATE SET since = excluded.since""",
        {"channel": channel_id, "since": to_ms(since)},
    )


async def end(tx: Transaction, channel_id: int) -> None:
    """Write down that a channel has spoken again."""
    await tx.execute("DELETE FROM silences WHERE channel_id = :channel", {"channel": channel_id})
