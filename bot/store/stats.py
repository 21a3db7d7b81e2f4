"""What the archive counts: how complete and how active channels are, and which are unusually silent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store import channels
from bot.store.channels import Access, Channel
from bot.store.database import Reader, Transaction
from bot.store.rows import COUNTER_BITS, from_ms, json_list, maybe_date, to_ms

# After its date. What a sweep finds later was posted while the service was down, and could not be pushed.
SOON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStats:
    """One channel."""

    channel: Channel
    last_post_at: datetime | None
    missing: int  # ids above the mark and below the newest stored one: of posts on their way, or of no posts
    posts: int  # since the moment asked about, while a reader was in the channel: else none is pushed
    unpushed: int  # of them, those that a sweep found first, and soon
    silent_since: datetime | None  # its last post, where people were told that it is unusually silent

    @property
    def is_read_again(self) -> bool:
        """Tell whether its history is read down to the mark again, since its changes could not be had."""
        return self.channel.access is Access.JOINED and self.channel.swept_at is not None and not self.channel.seen_pts

    @property
    def has_hole(self) -> bool:
        """Tell whether something above the mark is missing, and being looked for."""
        return self.missing > 0 or self.is_read_again


_CHANNEL_STATS = """
    WITH asked AS (
        SELECT c.id, c.confirmed_id, k.value ->> 1 AS since
        FROM json_each(:keys) k JOIN channels c ON c.id = k.value ->> 0
    )
    SELECT a.id, (SELECT max(date) FROM posts WHERE channel_id = a.id) AS last,
        (SELECT max(message_id) - a.confirmed_id - count(*) FROM posts
            WHERE channel_id = a.id AND message_id > a.confirmed_id) AS missing,
        (SELECT count(*) FROM posts WHERE channel_id = a.id AND date >= a.since) AS posts,
        (SELECT count(*) FROM versions WHERE channel_id = a.id AND number = 1
            AND observed_by IN ('difference', 'sweep') AND id >= a.since / 1000 << :bits
            AND seen_at - date <= :soon) AS unpushed,
        s.since AS silent_since
    FROM asked a LEFT JOIN silences s ON s.channel_id = a.id
"""


async def channel_stats(db: Reader, since: datetime) -> list[ChannelStats]:
    """Return the followed channels by title with their figures; posts are counted since a moment."""
    followed = await channels.followed(db)
    keys = [(channel.id, to_ms(max(since, channel.joined_at or since))) for channel in followed]
    rows = await db.fetch_all(
        _CHANNEL_STATS, {"keys": json_list(keys), "bits": COUNTER_BITS, "soon": SOON // timedelta(milliseconds=1)}
    )
    by_id: Mapping[int, Mapping[str, int | None]] = {row["id"]: dict(row) for row in rows}
    return [_to_channel_stats(channel, by_id[channel.id]) for channel in followed]


async def first_ids(db: Reader) -> dict[int, int]:
    """Return, by channel, the id from which on its messages are stored without a gap, as far as the mark tells.

    What was read of its past since it was (last) followed hangs together; else it begins with the first post since.
    """
    rows = await db.fetch_all(
        """SELECT c.id, coalesce(
            (SELECT message_id FROM versions WHERE channel_id = c.id AND number = 1 AND observed_by = 'backfill'
                AND seen_at >= c.followed_at ORDER BY message_id LIMIT 1),
            (SELECT min(message_id) FROM posts WHERE channel_id = c.id AND date >= c.followed_at)) AS first
        FROM channels c WHERE c.followed_at IS NOT NULL"""
    )
    return {row["id"]: row["first"] for row in rows if row["first"] is not None}


def _to_channel_stats(channel: Channel, row: Mapping[str, int | None]) -> ChannelStats:
    is_pushed = channel.access is Access.JOINED
    return ChannelStats(
        channel=channel,
        last_post_at=maybe_date(row["last"]),
        missing=(row["missing"] or 0) if channel.confirmed_id else 0,
        posts=(row["posts"] or 0) if is_pushed else 0,
        unpushed=(row["unpushed"] or 0) if is_pushed else 0,
        silent_since=maybe_date(row["silent_since"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A channel that is read, and the date of its last post."""

    channel_id: int
    title: str
    last_post_at: datetime
    known_until: datetime  # it was found complete then, so nothing was said in between
    silent_since: datetime | None  # its last post, where people were told that it is unusually silent


async def speaking_channels(db: Reader) -> list[Speaker]:
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


async def slots_with_posts(db: Reader, channel_id: int, *, since: datetime, size: timedelta) -> list[datetime]:
    """Return the starts of the time slots of this size in which a channel has posted since a moment, ascending."""
    rows = await db.fetch_all(
        """SELECT DISTINCT date / :size * :size AS slot FROM posts
        WHERE channel_id = :channel AND date >= :since ORDER BY slot""",
        {"channel": channel_id, "since": to_ms(since), "size": size // timedelta(milliseconds=1)},
    )
    return [from_ms(row["slot"]) for row in rows]


async def begin_silence(tx: Transaction, channel_id: int, since: datetime) -> None:
    """Note that a channel is unusually silent; `since` is the date of its last post."""
    await tx.execute(
        """INSERT INTO silences (channel_id, since) VALUES (:channel, :since)
        ON CONFLICT DO UPDATE SET since = excluded.since""",
        {"channel": channel_id, "since": to_ms(since)},
    )


async def end_silence(tx: Transaction, channel_id: int) -> None:
    """Note that a channel has posted again."""
    await tx.execute("DELETE FROM silences WHERE channel_id = :channel", {"channel": channel_id})
