"""What can be counted: how complete, active or silent channels are, what topics bring, how long posts take."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store import channels, page_readings
from bot.store.channels import Access, Channel
from bot.store.database import Reader, Transaction
from bot.store.page_readings import PageReading
from bot.store.rows import COUNTER_BITS, first_id, from_ms, json_list, maybe_date, read_all, to_ms
from bot.store.unreadable import ON_PAGE

# After its date. What a sweep finds later was posted while the service was down, and could not be pushed.
SOON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStats:
    """A followed channel with what is counted of it."""

    channel: Channel
    last_post_at: datetime | None
    missing: int  # ids above the mark and below the newest stored one: of posts on their way, or of no posts
    posts: int  # since the moment asked about, while a reader was in the channel: else none is pushed
    unreadable: int  # messages that could not be read, since Telegram is newer than this program
    unpushed: int  # of them, those that a sweep found first, and soon
    silent_since: datetime | None  # its last post, where people know that it is unusually silent
    hidden: int = 0  # of the unreadable ones, those that only its web page does not show
    page: PageReading | None = None  # it is read through its web page now

    @property
    def is_read_again(self) -> bool:
        """Tell whether its history is read down to the mark again, since its changes could not be had."""
        return self.channel.access is Access.JOINED and self.channel.swept_at is not None and not self.channel.seen_pts

    @property
    def has_hole(self) -> bool:
        """Tell whether something above the mark is missing, and being looked for."""
        is_apart = self.page is not None and self.page.gap_below is not None
        return self.missing > 0 or self.is_read_again or is_apart


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
        (SELECT count(*) FROM unreadable WHERE channel_id = a.id) AS unreadable,
        (SELECT count(*) FROM unreadable WHERE channel_id = a.id AND layer = :page) AS hidden,
        s.since AS silent_since
    FROM asked a LEFT JOIN silences s ON s.channel_id = a.id
"""


async def channel_stats(db: Reader, since: datetime) -> list[ChannelStats]:
    """Return the followed channels by title with their figures; posts are counted since a moment."""
    followed = await channels.followed(db)
    keys = [(channel.id, to_ms(max(since, channel.joined_at or since))) for channel in followed]
    asked = {"keys": json_list(keys), "bits": COUNTER_BITS, "soon": SOON // timedelta(milliseconds=1)}
    rows = await db.fetch_all(_CHANNEL_STATS, {**asked, "page": ON_PAGE.layer})
    pages = await page_readings.all_readings(db)
    by_id: Mapping[int, Mapping[str, int | None]] = {row["id"]: dict(row) for row in rows}
    return [_to_channel_stats(channel, by_id[channel.id], pages.get(channel.id)) for channel in followed]


async def first_ids(db: Reader) -> dict[int, int]:
    """Return, by channel, the id from which on its messages are stored without a gap up to its mark.

    What was read of its past since it was (last) followed hangs together; else it begins with the first post since. A
    site is complete from the first entry that it listed on.
    """
    rows = await db.fetch_all(
        """SELECT c.id, coalesce(iif(c.network = 'telegram', NULL, c.complete_id),
            (SELECT message_id FROM versions WHERE channel_id = c.id AND number = 1 AND observed_by = 'backfill'
                AND seen_at >= c.followed_at ORDER BY message_id LIMIT 1),
            (SELECT min(message_id) FROM posts
                WHERE channel_id = c.id AND message_id > 0 AND date >= c.followed_at)) AS first
        FROM channels c WHERE c.followed_at IS NOT NULL"""
    )
    return {row["id"]: row["first"] for row in rows if row["first"] is not None}


def _to_channel_stats(channel: Channel, row: Mapping[str, int | None], page: PageReading | None) -> ChannelStats:
    is_pushed = channel.access is Access.JOINED
    return ChannelStats(
        channel=channel,
        last_post_at=maybe_date(row["last"]),
        missing=(row["missing"] or 0) if channel.confirmed_id and page is None else 0,
        unreadable=row["unreadable"] or 0,
        hidden=row["hidden"] or 0,
        page=page,
        posts=(row["posts"] or 0) if is_pushed else 0,
        unpushed=(row["unpushed"] or 0) if is_pushed else 0,
        silent_since=maybe_date(row["silent_since"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveChannel:
    """A channel that is read, and the date of its last post."""

    channel_id: int
    title: str
    last_post_at: datetime
    known_until: datetime  # it was found complete then, so nothing was posted in between
    silent_since: datetime | None  # its last post, where people know that it is unusually silent


async def active_channels(db: Reader) -> list[ActiveChannel]:
    """Return the followed channels that can be read and have posts; nobody waits for comments."""
    rows = await db.fetch_all(
        """SELECT c.id AS channel_id, c.title, coalesce(r.read_at, c.swept_at) AS known_until, s.since AS silent_since,
            (SELECT max(date) FROM posts WHERE channel_id = c.id) AS last_post_at
        FROM channels c LEFT JOIN silences s ON s.channel_id = c.id LEFT JOIN page_readings r ON r.channel_id = c.id
        WHERE c.followed_at IS NOT NULL AND known_until >= c.followed_at AND last_post_at IS NOT NULL
            AND c.comments_of IS NULL
            AND (r.read_at IS NOT NULL OR EXISTS (
                SELECT 1 FROM memberships WHERE channel_id = c.id AND access IN ('joined', 'polled')
                UNION ALL SELECT 1 FROM sites WHERE channel_id = c.id AND access = 'polled'))
        ORDER BY c.id"""
    )
    return read_all(ActiveChannel, rows)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicStats:
    """How many posts a topic has brought to a chat."""

    alerts: int = 0  # posts, in digests too
    duplicates: int = 0  # posts that say what an alert says, and joined it
    wrong: int = 0  # of the alerts, those that somebody there found not relevant


async def topic_stats(db: Reader, chat_id: int, since: datetime) -> Mapping[str, TopicStats]:
    """Return the counts since a moment by the name of the topic; topics without any are left out."""
    rows = await db.fetch_all(
        """WITH counted AS (
            SELECT topics, duplicate_of IS NOT NULL AS is_duplicate, count(*) AS n FROM alerts
            WHERE chat_id = :chat AND created_at >= :since AND NOT is_counted GROUP BY topics, is_duplicate),
        wrong AS (
            SELECT t.value AS topic, count(DISTINCT f.channel_id || '/' || f.post_key) AS n
            FROM feedback f CROSS JOIN alerts a ON a.channel_id = f.channel_id AND a.post_key = f.post_key
                AND +a.chat_id = f.chat_id AND +a.created_at >= :since AND a.duplicate_of IS NULL AND NOT a.is_counted
            JOIN json_each(f.topics) t WHERE f.chat_id = :chat GROUP BY t.value)
        SELECT t.value AS topic, total(counted.n) FILTER (WHERE NOT is_duplicate) AS alerts,
            total(counted.n) FILTER (WHERE is_duplicate) AS duplicates, coalesce(max(wrong.n), 0) AS wrong
        FROM counted JOIN json_each(counted.topics) t LEFT JOIN wrong ON wrong.topic = t.value GROUP BY t.value""",
        {"chat": chat_id, "since": to_ms(since)},
    )
    return {
        row["topic"]: TopicStats(alerts=int(row["alerts"]), duplicates=int(row["duplicates"]), wrong=row["wrong"])
        for row in rows
    }


async def count_alerts(db: Reader, chat_id: int, channel_id: int, since: datetime) -> int:
    """Count the alerts that a chat has had from a channel since a moment."""
    sql = """SELECT count(*) FROM alerts
        WHERE channel_id = :channel AND chat_id = :chat AND NOT is_counted AND created_at >= :since"""
    return int(await db.fetch_value(sql, {"chat": chat_id, "channel": channel_id, "since": to_ms(since)}))


async def seen_latencies(db: Reader, since: datetime) -> tuple[float, ...]:
    """Return the seconds from Telegram's date to our first sight of each post since a moment, ascending.

    Backfills and exports do not count. Telegram's dates are whole seconds.
    """
    rows = await db.fetch_all(
        """SELECT m.seen_at - m.date AS latency FROM posts m
        JOIN versions v ON v.id = m.id AND v.observed_by IN ('live', 'difference', 'sweep')
        WHERE m.id >= :first AND m.date >= :since ORDER BY latency""",
        {"first": first_id(since), "since": to_ms(since)},
    )
    return tuple(row["latency"] / 1000 for row in rows)


async def alert_latencies(db: Reader, since: datetime) -> tuple[float, ...]:
    """Return the seconds from our first sight of the post to the sending of each alert since a moment, ascending."""
    rows = await db.fetch_all(
        """SELECT m.sent_at - v.seen_at AS latency FROM messages m JOIN alerts a ON a.id = m.alert_id
        JOIN versions v ON v.id = a.version_id WHERE m.kind = 'alert' AND m.sent_at >= :since ORDER BY latency""",
        {"since": to_ms(since)},
    )
    return tuple(row["latency"] / 1000 for row in rows)
