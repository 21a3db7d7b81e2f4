"""What is stored of messages with the bytes that prove it, for whoever shows it to others."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.store.database import Reader
from bot.store.rows import json_list, read_all

MessageKeys = Collection[tuple[int, int]]  # channel and message
_BEFORE_ALL = (-(1 << 63), 0)  # a channel that there is not


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionEvidence:
    """A version with its bytes, as its row has it."""

    channel_id: int
    channel_title: str
    channel_username: str | None
    message_id: int
    number: int
    grouped_id: int | None
    text: str
    entities: str  # JSON, as are …
    parts: str
    media: str | None
    forward: str | None  # … these
    author: str | None
    reply_to: int | None
    reply_channel: int | None
    withheld: str | None  # JSON, as the network says it now
    link: str | None
    date: datetime
    edit_date: datetime | None
    seen_at: datetime
    observed_by: str
    reader_id: int | None
    program: str
    raw: bytes
    raw_format: str
    layer: int | None
    raw_sha256: bytes
    redacted_at: datetime | None  # since then its words are not here; None: they are
    redaction: str | None  # why


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelGap:
    """A message of a channel that could not be read."""

    message_id: int
    since: datetime
    is_on_page: bool  # a web page was read, which does not show it


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedText:
    """The text of a version."""

    channel_id: int
    channel_title: str
    message_id: int
    text: str


async def with_text(db: Reader, words: str, *, after: int, until: int) -> list[PostedText]:
    """Return the versions with words in their text whose lines of the ledger lie behind one, up to another."""
    rows = await db.fetch_all(
        """SELECT v.channel_id, c.title AS channel_title, v.message_id, v.text FROM ledger l
        CROSS JOIN versions v ON v.channel_id = l.channel_id AND v.message_id = l.message_id AND v.number = l.number
        JOIN channels c ON c.id = v.channel_id
        WHERE l.sequence > :after AND l.sequence <= :until AND l.kind = 'version' AND instr(v.text, :words)
        ORDER BY l.sequence""",
        {"after": after, "until": until, "words": words},
    )
    return read_all(PostedText, rows)


async def versions_of(db: Reader, keys: MessageKeys) -> list[VersionEvidence]:
    """Return all versions of messages with their bytes, the first of each first."""
    rows = await db.fetch_all(
        """SELECT v.*, p.grouped_id, p.forward, p.author, p.reply_to, p.reply_channel, p.withheld, p.link,
            c.title AS channel_title, c.username AS channel_username, r.at AS redacted_at, r.reason AS redaction
        FROM json_each(:keys) k CROSS JOIN posts p ON p.channel_id = k.value ->> 0 AND p.message_id = k.value ->> 1
        CROSS JOIN versions v ON v.channel_id = p.channel_id AND v.message_id = p.message_id
        JOIN channels c ON c.id = v.channel_id LEFT JOIN redactions r
            ON r.channel_id = v.channel_id AND r.message_id = v.message_id AND r.number = v.number
        ORDER BY k.key, v.number""",
        {"keys": json_list(keys)},
    )
    return read_all(VersionEvidence, rows)


async def additions_of(db: Reader, keys: MessageKeys) -> dict[tuple[int, int, int], dict[bytes, bytes]]:
    """Return the bytes that came to versions of messages later, by version and SHA-256; none of redacted ones."""
    rows = await db.fetch_all(
        """SELECT v.channel_id, v.message_id, v.number, e.raw_sha256, e.raw FROM json_each(:keys) k
        CROSS JOIN versions v ON v.channel_id = k.value ->> 0 AND v.message_id = k.value ->> 1
        CROSS JOIN part_messages e ON e.version_id = v.id
        WHERE NOT EXISTS (SELECT 1 FROM redactions r
            WHERE r.channel_id = v.channel_id AND r.message_id = v.message_id AND r.number = v.number)
        ORDER BY e.id""",
        {"keys": json_list(keys)},
    )
    found: dict[tuple[int, int, int], dict[bytes, bytes]] = {}
    for channel_id, message_id, number, sha256, raw in rows:
        found.setdefault((channel_id, message_id, number), {})[sha256] = raw
    return found


async def files_of(db: Reader, keys: MessageKeys) -> list[dict[str, Any]]:
    """Return the files of versions of messages: kept ones by SHA-256, others with why they are not here."""
    rows = await db.fetch_all(
        """SELECT v.channel_id AS channel, v.message_id AS message, v.number, m.kind, lower(hex(m.sha256)) AS sha256,
            m.size, m.mime, m.name, m.state, m.reason
        FROM json_each(:keys) k
        CROSS JOIN versions v ON v.channel_id = k.value ->> 0 AND v.message_id = k.value ->> 1
        CROSS JOIN media m ON m.version_id = v.id ORDER BY k.key, v.number, m.id""",
        {"keys": json_list(keys)},
    )
    return [dict(row) for row in rows]


async def with_albums(db: Reader, keys: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return messages together with the other items of their albums."""
    rows = await db.fetch_all(
        """SELECT DISTINCT o.channel_id, o.message_id FROM json_each(:keys) k
        CROSS JOIN posts p ON p.channel_id = k.value ->> 0 AND p.message_id = k.value ->> 1
        CROSS JOIN posts o ON o.channel_id = p.channel_id AND o.post_key = p.post_key
        ORDER BY o.channel_id, o.message_id""",
        {"keys": json_list(keys)},
    )
    return [(row["channel_id"], row["message_id"]) for row in rows]


async def unreadable_of(db: Reader, channel_id: int) -> list[ChannelGap]:
    """Return the messages of a channel that could not be read."""
    rows = await db.fetch_all(
        """SELECT message_id, since, layer = 0 AS is_on_page FROM unreadable WHERE channel_id = :id
        ORDER BY message_id""",
        {"id": channel_id},
    )
    return read_all(ChannelGap, rows)


class MessageSet:
    """Messages that somebody collects, in a temporary table of a connection: a million of them take no memory."""

    def __init__(self, db: Reader) -> None:
        self._db = db
        self.count = 0

    async def add(self, keys: MessageKeys) -> None:
        """Add messages and the other items of their albums."""
        await self._db.fetch_all(
            """CREATE TEMP TABLE IF NOT EXISTS collected (channel_id INTEGER, message_id INTEGER,
                PRIMARY KEY (channel_id, message_id)) WITHOUT ROWID"""
        )
        items = json_list(await with_albums(self._db, keys))
        await self._db.fetch_all(
            "INSERT OR IGNORE INTO collected SELECT value ->> 0, value ->> 1 FROM json_each(:items)", {"items": items}
        )
        self.count += await self._db.fetch_value("SELECT changes()")

    async def after(self, last: tuple[int, int] | None, *, most: int) -> list[tuple[int, int]]:
        """Return the messages that follow one, by channel and number; None: the first ones."""
        channel_id, message_id = last or _BEFORE_ALL
        rows = await self._db.fetch_all(
            """SELECT channel_id, message_id FROM collected
            WHERE (channel_id, message_id) > (:channel, :message)
            ORDER BY channel_id, message_id LIMIT :most""",
            {"channel": channel_id, "message": message_id, "most": most},
        )
        return [(row["channel_id"], row["message_id"]) for row in rows]

    async def channels(self) -> set[int]:
        """Return the channels of all."""
        return {row["id"] for row in await self._db.fetch_all("SELECT DISTINCT channel_id AS id FROM collected")}

    async def first_line(self, last: int) -> int:
        """Return the first line of the ledger about any of them, up to one; where there is none, the first of all."""
        sql = """SELECT l.sequence FROM ledger l CROSS JOIN collected m
                ON m.channel_id = l.channel_id AND m.message_id = l.message_id
            WHERE l.sequence <= :last ORDER BY l.sequence LIMIT 1"""
        return await self._db.fetch_value(sql, {"last": last}) or 1

    async def lines(self, first: int, last: int) -> set[int]:
        """Return the lines of the ledger about these messages, from one to another, both included."""
        rows = await self._db.fetch_all(
            """SELECT l.sequence FROM ledger l CROSS JOIN collected m
                ON m.channel_id = l.channel_id AND m.message_id = l.message_id
            WHERE l.sequence BETWEEN :first AND :last""",
            {"first": first, "last": last},
        )
        return {row["sequence"] for row in rows}
