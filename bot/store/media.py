"""Files of posts: versions in which a topic was found come in as wanted files; what became of each goes out."""

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.store import attachments
from bot.store.blobs import Stored
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import from_ms, json_list, maybe_date, to_ms

# Why a file is not kept, in words of ours; `bot.commands.files` has the sentences.
TOO_LARGE, OFF, GONE, REPLACED, NO_ROOM = "too_large", "off", "gone", "replaced", "no_room"

KINDS = frozenset({"photo", "document"})  # of media that are files


class State(StrEnum):
    """What became of a file."""

    WANTED = "wanted"  # to be downloaded
    KEPT = "kept"  # on our disk
    LEFT = "left"  # it was not kept, and will not be


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file that a reader is to download."""

    id: int
    channel_id: int
    access_hash: int  # of the channel, for this reader
    message_id: int
    file_id: int  # Telegram's
    raw: bytes  # the message as it was seen, as TL bytes …
    layer: int  # … of this layer
    is_ours: bool  # this reader saw it: what the message says of the file is good for it
    attempts: int  # that failed so far
    wanted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a version; what it is called and weighs is known once it is kept."""

    version_id: int
    state: State
    kind: str  # photo or document
    sha256: bytes | None
    size: int | None  # bytes; also of one that is too large
    mime: str | None
    name: str | None  # as the channel called it: data, never a path
    kept_at: datetime | None
    reason: str | None  # why it was left or put off: Telegram's error string, or a word of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the channel says about a file."""

    mime: str
    name: str | None
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How many files there are in each state."""

    wanted: int
    kept: int
    left: int
    bytes: int  # of the kept ones, each content once


_FILES = """SELECT d.version_id, d.state, d.kind, d.sha256, d.size, d.mime, d.name, d.kept_at, d.reason FROM media d"""
_WANT = """INSERT INTO media (version_id, kind, file_id, wanted_at, due_at)
    SELECT v.id, v.media ->> 'kind', v.media ->> 'id', :now, :now FROM versions v
    WHERE v.media ->> 'kind' IN ('photo', 'document') AND v.media ->> 'id' IS NOT NULL"""


async def want(
    tx: Transaction,
    found: Collection[int],
    albums: Collection[tuple[int, int]] = (),
    *,
    edited: Collection[int] = (),
    now: datetime,
) -> None:
    """Want the files of these versions, and of whole albums, (channel id, grouped id), of which a file is wanted.

    Of those `edited`, the files where one of an earlier version is wanted: it may have been replaced.
    """
    added = 0
    if edited:
        added += await tx.execute(
            f"""{_WANT} AND v.id IN (SELECT value FROM json_each(:edited)) AND EXISTS (
                SELECT 1 FROM versions o JOIN media d ON d.version_id = o.id
                WHERE o.channel_id = v.channel_id AND o.message_id = v.message_id)
            ON CONFLICT (version_id) DO NOTHING""",  # noqa: S608 - our own constant
            {"edited": json_list(edited), "now": to_ms(now)},
        )
    if found:
        added += await tx.execute(
            f"{_WANT} AND v.id IN (SELECT value FROM json_each(:found)) ON CONFLICT (version_id) DO NOTHING",  # noqa: S608 - our own constant
            {"found": json_list(found), "now": to_ms(now)},
        )
    if albums:
        added += await tx.execute(
            f"""{_WANT} AND v.id IN (SELECT m.version_id FROM json_each(:albums) k
                JOIN posts m ON m.channel_id = k.value ->> 0 AND m.post_key = 'g' || (k.value ->> 1)
                WHERE m.gone_at IS NULL AND EXISTS (SELECT 1 FROM posts o JOIN media d ON d.version_id = o.version_id
                    WHERE o.channel_id = m.channel_id AND o.post_key = m.post_key))
            ON CONFLICT (version_id) DO NOTHING""",  # noqa: S608 - our own constant
            {"albums": json_list(albums), "now": to_ms(now)},
        )
    if added:
        tx.announce(Subject.MEDIA)


async def next_wanted(db: Reader, reader_id: int, now: datetime, *, besides: Iterable[int] = ()) -> Wanted | None:
    """Return the file that this reader is to download now, those never tried first; none of those `besides`."""
    row = await db.fetch_one(
        """SELECT d.id, v.channel_id, r.access_hash, v.message_id, d.file_id, v.raw, v.layer,
            v.reader_id = :reader AS is_ours, d.attempts, d.wanted_at
        FROM media d INDEXED BY media_wanted CROSS JOIN versions v ON v.id = d.version_id
        JOIN channels c ON c.id = v.channel_id
        JOIN memberships r ON r.channel_id = c.id AND r.reader_id = :reader AND r.access IN ('polled', 'joined')
        WHERE d.state = 'wanted' AND d.due_at <= :now AND coalesce(c.read_by, :reader) = :reader
            AND d.id NOT IN (SELECT value FROM json_each(:besides))
        ORDER BY d.attempts, d.id LIMIT 1""",
        {"reader": reader_id, "now": to_ms(now), "besides": json_list(besides)},
    )
    if row is None:
        return None
    return Wanted(**{**dict(row), "is_ours": bool(row["is_ours"]), "wanted_at": from_ms(row["wanted_at"])})


async def known(db: Reader, file_id: int) -> File | None:
    """Return a file that is kept and has this number on Telegram: it was forwarded, or its post was edited."""
    row = await db.fetch_one(f"{_FILES} WHERE d.file_id = :id AND d.state = 'kept' LIMIT 1", {"id": file_id})
    return _to_file(row) if row else None


async def put_off(tx: Transaction, media_id: int, *, until: datetime, reason: str | None = None) -> None:
    """Try a file again at a later moment; done before each attempt too, so that one that kills us is not next."""
    await tx.execute(
        """UPDATE media SET due_at = :until, attempts = attempts + (:reason IS NULL), reason = coalesce(:reason, reason)
        WHERE id = :id AND state = 'wanted'""",
        {"id": media_id, "until": to_ms(until), "reason": reason},
    )


async def keep(  # noqa: PLR0913 - the evidence has this many sides
    tx: Transaction, media_id: int, stored: Stored, about: About, *, reader_id: int, now: datetime
) -> None:
    """Write down that a file is on the disk, and through which reader it came."""
    await tx.execute(
        """UPDATE media SET state = 'kept', reason = NULL, sha256 = :sha256, size = :size, mime = :mime, name = :name,
            kept_at = :now, reader_id = :reader WHERE id = :id""",
        {
            "id": media_id,
            "sha256": stored.sha256,
            "size": stored.size,
            "mime": about.mime,
            "name": about.name,
            "reader": reader_id,
            "now": to_ms(now),
        },
    )
    await attachments.settled(tx, media_id, now=now)
    tx.announce(Subject.MEDIA)


async def leave(tx: Transaction, media_id: int, reason: str, about: About | None = None, *, now: datetime) -> None:
    """Give a file up, for a reason: Telegram's error string or a word of ours."""
    await tx.execute(
        """UPDATE media SET state = 'left', reason = :reason, size = :size, mime = :mime, name = :name
        WHERE id = :id""",
        {
            "id": media_id,
            "reason": reason,
            "size": about and about.size,
            "mime": about and about.mime,
            "name": about and about.name,
        },
    )
    await attachments.settled(tx, media_id, now=now)
    tx.announce(Subject.MEDIA)


async def of_version(db: Reader, version_id: int) -> File | None:
    """Return the file of a version; None where it has none, or none that was wanted."""
    return next(iter(await of_versions(db, [version_id])), None)


async def of_versions(db: Reader, version_ids: Iterable[int]) -> list[File]:
    """Return the files of these versions, in the order of the versions."""
    rows = await db.fetch_all(
        f"{_FILES} WHERE d.version_id IN (SELECT value FROM json_each(:ids)) ORDER BY d.version_id",  # noqa: S608 - our own constant
        {"ids": json_list(version_ids)},
    )
    return [_to_file(row) for row in rows]


async def statistics(db: Reader) -> Statistics:
    """Count the files by what became of them."""
    (row,) = await db.fetch_all(
        """SELECT count(*) FILTER (WHERE state = 'wanted') AS wanted, count(*) FILTER (WHERE state = 'kept') AS kept,
            count(*) FILTER (WHERE state = 'left') AS "left", (SELECT coalesce(sum(size), 0) FROM (
                SELECT DISTINCT sha256, size FROM media WHERE state = 'kept')) AS bytes FROM media"""
    )
    return Statistics(**dict(row))


async def kept(db: Reader) -> list[bytes]:
    """Return the SHA-256 of every content that is kept."""
    rows = await db.fetch_all("SELECT DISTINCT sha256 FROM media WHERE state = 'kept'")
    return [bytes(row["sha256"]) for row in rows]


def _to_file(row: sqlite3.Row) -> File:
    fields = dict(row)
    return File(**{**fields, "state": State(fields["state"]), "kept_at": maybe_date(fields["kept_at"])})
