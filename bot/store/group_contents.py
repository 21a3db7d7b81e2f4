"""A notice that gathers posts comes in; what it sums up goes out: its posts or their number, or how a storm stands."""

import json
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime

from bot.parts import PartMatch, Spans, read_part_matches, read_spans
from bot.store.database import Reader
from bot.store.posts import StoredPost
from bot.store.rows import date_of, maybe_date, read, to_ms

LATEST = 3  # posts that a storm shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A post that a notice sums up."""

    post: StoredPost  # the version to show
    topics: tuple[str, ...]  # names
    spans: Spans  # in the text
    part_matches: tuple[PartMatch, ...]  # what was found beside it; where nothing was and there is no text, all of it
    echoes: int  # posts that said the same and joined it
    edited: bool
    quiet: bool  # it waited for the end of quiet hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a notice sums up."""

    random_id: int  # of the notice: its buttons name it by that, which no restored backup changes
    notice: str  # what it is called
    at: datetime | None  # when a digest was to be sent; or when the backup was made that was put back
    topic: str | None  # of a storm: its name
    channels: tuple[tuple[str, int], ...]  # titles, and how many posts each has brought, most first
    posts: tuple[Gathered, ...]  # in the order in which they came; none where they are only counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """How a storm stands."""

    random_id: int  # of the notice
    topic: str  # its name
    over: bool
    channels: tuple[tuple[str, int], ...]  # titles, and how many posts each has brought, most first
    since: datetime  # when the first of its posts was posted …
    until: datetime  # … and the last one
    latest: tuple[Gathered, ...]  # newest first


_ECHOES = "SELECT count(*) FROM alerts r WHERE r.follows = g.id AND r.kind = 'repeat'"
_GATHERED = f"""SELECT g.payload, ({_ECHOES}) AS echoes, p.*
    FROM alerts g JOIN post_versions p ON p.version_id = coalesce(g.payload ->> 'shown', g.payload ->> 'version_id')
    WHERE g.follows = :notice AND g.kind = 'gathered'"""  # noqa: S608 - our own constant


async def get(db: Reader, notice_id: int) -> Summary:
    """Return all that a notice sums up."""
    rows = await db.fetch_all(f"{_GATHERED} ORDER BY g.id", {"notice": notice_id})
    return replace(await count(db, notice_id), posts=tuple(map(_to_gathered, rows)))


async def find(db: Reader, chat_id: int, *, random_id: int | None = None, subject: str | None = None) -> Summary | None:
    """Return all that a notice of a chat sums up, found by either; None where it is not there, or holds no post."""
    row = await db.fetch_one(
        """SELECT id FROM alerts n WHERE chat_id = :chat AND kind = 'notice' AND :given IN (random_id, subject)
            AND EXISTS (SELECT 1 FROM alerts g WHERE g.follows = n.id AND g.kind = 'gathered')""",
        {"chat": chat_id, "given": random_id if subject is None else subject},
    )
    return None if row is None else await get(db, row["id"])


async def count(db: Reader, notice_id: int) -> Summary:
    """Return what a notice sums up without its posts."""
    (row,) = await db.fetch_all("SELECT random_id, payload FROM alerts WHERE id = :id", {"id": notice_id})
    payload, channels = json.loads(row["payload"]), await _channels(db, notice_id)
    counts = [(channel["title"], channel["n"]) for channel in channels]
    before = [(title, n) for _, title, n in payload.get("channels", ())]  # what versions counted that kept no rows
    return Summary(
        random_id=row["random_id"],
        notice=payload["notice"],
        at=maybe_date(payload.get("due", payload.get("at"))),
        topic=payload.get("topic"),
        channels=tuple(counts or before),
        posts=(),
    )


async def _channels(db: Reader, notice_id: int) -> list[sqlite3.Row]:
    return await db.fetch_all(
        """SELECT c.title, count(*) AS n,
            min(g.payload ->> 'version_id') AS first, max(g.payload ->> 'version_id') AS last
        FROM alerts g JOIN channels c ON c.id = g.channel_id WHERE g.follows = :notice AND g.kind = 'gathered'
        GROUP BY c.id ORDER BY n DESC, c.title""",
        {"notice": notice_id},
    )


async def storm(db: Reader, notice_id: int, *, now: datetime) -> Storm:
    """Return how a storm stands; it is over once the edit that closes it is due."""
    values = {"notice": notice_id, "now": to_ms(now)}
    (row,) = await db.fetch_all(
        """SELECT n.random_id, n.payload ->> 'topic' AS topic, NOT EXISTS (
            SELECT 1 FROM alerts e INDEXED BY alerts_edits WHERE e.chat_id = n.chat_id AND e.kind = 'edit'
            AND e.state = 'due' AND e.due_at > :now AND e.subject = n.subject || '/end') AS over
        FROM alerts n WHERE n.id = :notice""",
        values,
    )
    channels = await _channels(db, notice_id)
    latest = await db.fetch_all(f"{_GATHERED} ORDER BY g.id DESC LIMIT {LATEST}", values)
    return Storm(
        random_id=row["random_id"],
        topic=row["topic"],
        over=bool(row["over"]),
        channels=tuple((channel["title"], channel["n"]) for channel in channels),
        since=date_of(min(channel["first"] for channel in channels)),
        until=date_of(max(channel["last"] for channel in channels)),
        latest=tuple(map(_to_gathered, latest)),
    )


def _to_gathered(row: sqlite3.Row) -> Gathered:
    payload = json.loads(row["payload"])
    return Gathered(
        post=read(StoredPost, row),
        topics=tuple(payload["topics"]),
        spans=read_spans(payload["spans"]),
        part_matches=read_part_matches(payload.get("beside", ())),
        echoes=row["echoes"],
        edited=payload.get("edited", False),
        quiet=payload.get("quiet", False),
    )
