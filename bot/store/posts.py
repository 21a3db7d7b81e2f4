"""Stored posts: messages of channels as they are now, and as each of their versions had them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from bot.models import StoredPost
from bot.models.links import post_link
from bot.store.database import Reader
from bot.store.rows import end_id, first_id, json_list, maybe_date, read, read_all, to_ms

# Of a row p of the view `post_versions`, whatever it was joined to: what `read` calls its field `post`.
COLUMNS = ", ".join(f"p.{field.name} AS post_{field.name}" for field in fields(StoredPost))
NEWEST = 1000  # messages of a channel among which those with a preview are looked for …
MOST_WITH_PAGES = 100  # … and so many are asked for at once: Telegram's limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveStats:
    """What the archive holds."""

    messages: int  # in all
    recent: int  # of them, dated since the moment asked about
    gone: int  # of the recent ones, no longer visible
    last_seen_at: datetime | None  # when the newest one reached us


async def current(db: Reader, channel_id: int, ids: Iterable[int]) -> list[StoredPost]:
    """Return messages of a channel in their current versions, lowest id first; unknown ids are left out."""
    rows = await db.fetch_all(
        """SELECT * FROM post_versions
        WHERE channel_id = :channel AND message_id IN (SELECT value FROM json_each(:ids)) AND is_current
        ORDER BY message_id""",
        {"channel": channel_id, "ids": json_list(ids)},
    )
    return read_all(StoredPost, rows)


async def by_key(db: Reader, channel_id: int, post_key: str) -> list[StoredPost]:
    """Return the messages of a post in their current versions, lowest id first."""
    rows = await db.fetch_all(
        """SELECT * FROM post_versions WHERE channel_id = :channel AND post_key = :key AND is_current
        ORDER BY message_id""",
        {"channel": channel_id, "key": post_key},
    )
    return read_all(StoredPost, rows)


async def link_of(db: Reader, channel_id: int, message_id: int) -> str:
    """Return the link to a message, be it stored or not."""
    for post in await current(db, channel_id, [message_id]):
        return post.link
    username: str | None = await db.fetch_value("SELECT username FROM channels WHERE id = :id", {"id": channel_id})
    return post_link(channel_id, username, message_id)


async def at_link(db: Reader, link: str) -> list[tuple[int, int]]:
    """Return the channels and message ids of the posts that have this link for their own, the newest first."""
    sql = "SELECT channel_id, message_id FROM posts WHERE link = :link ORDER BY id DESC"
    return [(row["channel_id"], row["message_id"]) for row in await db.fetch_all(sql, {"link": link})]


async def versions(db: Reader, channel_id: int, message_id: int) -> list[StoredPost]:
    """Return all versions of a message in the order of Telegram's edit dates; of an edit on a page nobody knows it."""
    rows = await db.fetch_all(
        """SELECT * FROM post_versions WHERE channel_id = :channel AND message_id = :message
        ORDER BY coalesce(edit_date, iif(observed_by = 'page' AND number > 1, seen_at, NULL)), number""",
        {"channel": channel_id, "message": message_id},
    )
    return read_all(StoredPost, rows)


async def count_versions(db: Reader, found: Collection[StoredPost]) -> dict[tuple[int, int], int]:
    """Count the versions of messages; by channel and message."""
    rows = await db.fetch_all(
        """SELECT v.channel_id, v.message_id, count(*) AS versions FROM json_each(:asked) a
        JOIN versions v ON v.channel_id = a.value ->> 0 AND v.message_id = a.value ->> 1
        GROUP BY v.channel_id, v.message_id""",
        {"asked": json_list({(post.channel_id, post.message_id) for post in found})},
    )
    return {(row["channel_id"], row["message_id"]): row["versions"] for row in rows}


async def of_versions(db: Reader, version_ids: Iterable[int]) -> list[StoredPost]:
    """Return the messages of these versions, newest first."""
    rows = await db.fetch_all(
        """SELECT * FROM post_versions WHERE version_id IN (SELECT value FROM json_each(:ids))
        ORDER BY version_id DESC""",
        {"ids": json_list(version_ids)},
    )
    return read_all(StoredPost, rows)


async def latest(  # noqa: PLR0913 - each narrows the question in its own way
    db: Reader,
    *,
    limit: int,
    channel_ids: Collection[int] | None = None,
    before: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    hidden: Collection[int] = (),
    items: bool = False,
) -> list[StoredPost]:
    """Return the newest posts of some channels, or of all, without the `hidden` ones.

    `before` is the `id` of the last one of the page before. Of an album comes the message with the text, or else the
    first; or each of its `items`. Dates count in whole seconds, `until` excluded.
    """
    rows = await db.fetch_all(
        """SELECT * FROM post_versions p
        WHERE (:channels IS NULL OR channel_id IN (SELECT value FROM json_each(:channels)))
        AND channel_id NOT IN (SELECT value FROM json_each(:hidden))
        AND id < :end AND id >= :start AND is_current
        AND (:items OR grouped_id IS NULL OR NOT EXISTS (
            SELECT 1 FROM posts o JOIN versions w ON w.id = o.version_id
            WHERE o.channel_id = p.channel_id AND o.post_key = p.post_key
            AND (w.text != '', -o.message_id) > (p.text != '', -p.message_id)))
        ORDER BY id DESC LIMIT :limit""",
        {
            "channels": None if channel_ids is None else json_list(channel_ids),
            "hidden": json_list(hidden),
            "items": items,
            "end": end_id(before, until),
            "start": 0 if since is None else first_id(since),
            "limit": limit,
        },
    )
    return read_all(StoredPost, rows)


async def first_date(db: Reader, channel_ids: Collection[int] | None = None) -> datetime | None:
    """Return the date of the oldest message of some channels, or of all; None where there is none."""
    (row,) = await db.fetch_all(
        """SELECT min((SELECT min(date) FROM posts WHERE channel_id = c.id)) AS date FROM channels c
        WHERE :channels IS NULL OR c.id IN (SELECT value FROM json_each(:channels))""",
        {"channels": None if channel_ids is None else json_list(channel_ids)},
    )
    return maybe_date(row["date"])


async def every_version(db: Reader, found: Collection[StoredPost]) -> list[StoredPost]:
    """Return all versions of messages, in the order of the messages, the first version of each first."""
    rows = await db.fetch_all(
        """SELECT v.* FROM json_each(:asked) a JOIN post_versions v
            ON v.channel_id = a.value ->> 0 AND v.message_id = a.value ->> 1 ORDER BY a.key, v.number""",
        {"asked": json_list([(post.channel_id, post.message_id) for post in found])},
    )
    return read_all(StoredPost, rows)


async def hashes_of(db: Reader, version_ids: Iterable[int]) -> dict[int, bytes]:
    """Return the SHA-256 of the bytes in which each of some versions came."""
    rows = await db.fetch_all(
        "SELECT id, raw_sha256 FROM versions WHERE id IN (SELECT value FROM json_each(:ids))",
        {"ids": json_list(version_ids)},
    )
    return {row["id"]: bytes(row["raw_sha256"]) for row in rows}


async def highest_id(db: Reader, channel_id: int) -> int:
    """Return the highest message id stored of a channel, stories apart, 0 where there is none."""
    sql = "SELECT max(message_id) FROM posts WHERE channel_id = :channel AND message_id > 0"
    return await db.fetch_value(sql, {"channel": channel_id}) or 0


async def lowest_id(db: Reader, channel_id: int) -> int:
    """Return the lowest message id stored of a channel, stories apart, 0 where there is none."""
    sql = "SELECT min(message_id) FROM posts WHERE channel_id = :channel AND message_id > 0"
    return await db.fetch_value(sql, {"channel": channel_id}) or 0


async def oldest_date(db: Reader, *, channel_ids: Collection[int] | None = None) -> datetime | None:
    """Return the date of the oldest post stored of some channels, or of all; None where there is none."""
    if channel_ids is None:
        return maybe_date(await db.fetch_value("SELECT date FROM posts ORDER BY id LIMIT 1"))
    sql = """SELECT min((SELECT min(date) FROM posts WHERE channel_id = value))
        FROM json_each(:channels)"""
    return maybe_date(await db.fetch_value(sql, {"channels": json_list(channel_ids)}))


async def ids_between(db: Reader, channel_id: int, low: int, high: int) -> set[int]:
    """Return the ids of visible messages from `low` to `high`, both included."""
    sql = """SELECT message_id FROM posts
        WHERE channel_id = :channel AND message_id BETWEEN :low AND :high AND gone_at IS NULL"""
    rows = await db.fetch_all(sql, {"channel": channel_id, "low": low, "high": high})
    return {row["message_id"] for row in rows}


async def ids_with_pages(db: Reader, channel_id: int, pages: Collection[int]) -> list[int]:
    """Return the ids of the visible ones among a channel's newest messages that preview one of these web pages."""
    sql = """SELECT p.message_id FROM (SELECT * FROM posts WHERE channel_id = :channel AND gone_at IS NULL
            ORDER BY message_id DESC LIMIT :newest) p JOIN versions v ON v.id = p.version_id
        WHERE v.media_kind = 'web_page' AND v.media_id IN (SELECT value FROM json_each(:pages))
        ORDER BY p.message_id DESC LIMIT :most"""
    values = {"channel": channel_id, "pages": json_list(pages), "newest": NEWEST, "most": MOST_WITH_PAGES}
    return [row["message_id"] for row in await db.fetch_all(sql, values)]


async def archive_stats(db: Reader, since: datetime) -> ArchiveStats:
    """Count the stored messages, and those dated since a moment."""
    (row,) = await db.fetch_all(
        """SELECT (SELECT count(*) FROM posts) AS messages, count(*) AS recent, count(gone_at) AS gone,
            (SELECT seen_at FROM posts ORDER BY id DESC LIMIT 1) AS last_seen_at
        FROM posts WHERE id >= :first AND date >= :since""",
        {"first": first_id(since), "since": to_ms(since)},
    )
    return read(ArchiveStats, row)
