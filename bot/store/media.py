"""Files of posts: which are to be downloaded, what became of each, and how Telegram calls those that we uploaded."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.models.files import FileReason
from bot.models.outgoing import Remote, Upload
from bot.store import attachments, ledger
from bot.store.blobs import Blob, Blobs
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import json_list, read, read_all, to_ms

_PRUNED_AT_ONCE = 100  # rows; a transaction of a few milliseconds

KINDS = frozenset({"photo", "document"})  # of media that are files


class FileState(StrEnum):
    """What became of a file."""

    WANTED = "wanted"  # to be downloaded
    KEPT = "kept"  # on our disk
    LEFT = "left"  # given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that a reader is to download."""

    id: int
    channel_id: int
    access_hash: int  # of the channel, for this reader
    message_id: int
    file_id: int  # Telegram's
    raw: bytes  # the message as it was seen, as TL bytes …
    layer: int | None  # … of this layer
    is_ours: bool  # the message was seen by this reader, who may use its reference to the file
    attempts: int  # that failed so far
    wanted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """A photo or document of a version; name, type and size are known once it was looked at."""

    version_id: int
    file_id: int  # Telegram's
    state: FileState
    kind: str  # photo or document
    sha256: bytes | None
    size: int | None  # bytes; also of one that is too large
    mime: str | None
    name: str | None  # given by the channel: data, never a path
    reason: str | None  # why it was given up or put off: Telegram's error string, or a `FileReason`


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """Type, name and size of a file, as its channel gave them."""

    mime: str
    name: str | None
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCounts:
    """How many files there are in each state."""

    wanted: int
    kept: int
    left: int
    pruned: int  # of those that are left
    bytes: int  # of the kept ones, each content once


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Blobs that are to be removed from the disk, and how far the files were looked through."""

    blobs: list[Blob]
    last_id: int | None  # None: to the end


_ADD = """INSERT INTO media (version_id, kind, file_id, wanted_at, due_at)
    SELECT v.id, f.value ->> 0, f.value ->> 1, :now, :now FROM versions v, json_each(
            iif(json_array_length(v.media, '$[3]'), v.media -> 3, json_array(json_array(v.media_kind, v.media_id)))) f
    WHERE v.media_kind IN ('photo', 'document') AND v.media_id IS NOT NULL"""


async def add(
    tx: Transaction,
    versions: Collection[int],
    *,
    edited: Collection[int] = (),
    albums: Collection[tuple[int, int]] = (),
    now: datetime,
) -> None:
    """Have the files of these versions downloaded; of those `edited`, where one of the message was or it is in a case.

    Of `albums`, (channel id, grouped id), all files are wanted where one is.
    """
    added = await tx.execute(
        f"""{_ADD} AND v.id IN (SELECT value FROM json_each(:versions)
            UNION SELECT e.value FROM json_each(:edited) e JOIN versions n ON n.id = e.value
                JOIN versions o ON o.channel_id = n.channel_id AND o.message_id = n.message_id
                JOIN media d ON d.version_id = o.id
            UNION SELECT n.id FROM json_each(:edited) e CROSS JOIN versions n ON n.id = e.value
                CROSS JOIN posts p ON p.channel_id = n.channel_id AND p.message_id = n.message_id
                CROSS JOIN posts i ON i.channel_id = p.channel_id AND i.post_key = p.post_key
                CROSS JOIN case_posts k ON k.channel_id = i.channel_id AND k.message_id = i.message_id)
        ON CONFLICT (version_id, file_id) DO NOTHING""",  # noqa: S608 - our own constant
        {"versions": json_list(versions), "edited": json_list(edited), "now": to_ms(now)},
    )
    if albums:
        added += await tx.execute(
            f"""{_ADD} AND v.id IN (SELECT m.version_id FROM json_each(:albums) k
                JOIN posts m ON m.channel_id = k.value ->> 0 AND m.post_key = 'g' || (k.value ->> 1)
                WHERE m.gone_at IS NULL AND EXISTS (SELECT 1 FROM posts o JOIN media d ON d.version_id = o.version_id
                    WHERE o.channel_id = m.channel_id AND o.post_key = m.post_key))
            ON CONFLICT (version_id, file_id) DO NOTHING""",  # noqa: S608 - our own constant
            {"albums": json_list(albums), "now": to_ms(now)},
        )
    if added:
        tx.announce(Subject.MEDIA)


async def next_download(db: Reader, reader_id: int, now: datetime, *, excluded: Iterable[int] = ()) -> Download | None:
    """Return the file that a reader is to download now, the least tried first; None of those in `excluded`."""
    row = await db.fetch_one(
        """SELECT d.id, v.channel_id, r.access_hash, v.message_id, d.file_id, v.raw, v.layer,
            v.reader_id IS :reader AS is_ours, d.attempts, d.wanted_at
        FROM media d INDEXED BY media_wanted CROSS JOIN versions v ON v.id = d.version_id
        JOIN channels c ON c.id = v.channel_id
        JOIN memberships r ON r.channel_id = c.id AND r.reader_id = :reader AND r.access IN ('polled', 'joined')
        WHERE d.state = 'wanted' AND d.due_at <= :now AND coalesce(c.read_by, :reader) = :reader
            AND d.id NOT IN (SELECT value FROM json_each(:excluded))
        ORDER BY d.attempts, d.id LIMIT 1""",
        {"reader": reader_id, "now": to_ms(now), "excluded": json_list(excluded)},
    )
    return None if row is None else read(Download, row)


async def kept_file(db: Reader, file_id: int) -> MediaFile | None:
    """Return a file on our disk by Telegram's id: the same file may be forwarded, or its post edited."""
    row = await db.fetch_one("SELECT * FROM media WHERE file_id = :id AND state = 'kept' LIMIT 1", {"id": file_id})
    return read(MediaFile, row) if row else None


async def put_off(tx: Transaction, media_id: int, *, until: datetime, reason: str | None = None) -> None:
    """Try a file again at a later moment.

    Without a `reason` an attempt is counted that is about to begin: a file that kills the program is not the next one.
    """
    await tx.execute(
        """UPDATE media SET due_at = :until, attempts = attempts + (:reason IS NULL), reason = coalesce(:reason, reason)
        WHERE id = :id AND state = 'wanted'""",
        {"id": media_id, "until": to_ms(until), "reason": reason},
    )


async def keep(  # noqa: PLR0913 - the evidence has this many sides
    tx: Transaction,
    media_id: int,
    blob: Blob,
    info: FileInfo,
    *,
    reader_id: int,
    now: datetime,
    album_within: timedelta = attachments.ALBUM_WITHIN,
) -> None:
    """Write down that a file is on the disk and which reader downloaded it; alerts are followed by it."""
    await tx.execute(
        """UPDATE media SET state = 'kept', reason = NULL, sha256 = :sha256, size = :size, mime = :mime, name = :name,
            kept_at = :now, reader_id = :reader WHERE id = :id""",
        {
            "id": media_id,
            "sha256": blob.sha256,
            "size": blob.size,
            "mime": info.mime,
            "name": info.name,
            "reader": reader_id,
            "now": to_ms(now),
        },
    )
    await ledger.add_file(tx, media_id, now=now)
    await attachments.enqueue_for_file(tx, media_id, now=now, album_within=album_within)
    tx.announce(Subject.MEDIA)


async def give_up(tx: Transaction, media_id: int, reason: str, info: FileInfo | None = None, *, now: datetime) -> None:
    """Give a file up, for a reason: Telegram's error string or a `FileReason`. Alerts mention it."""
    await tx.execute(
        """UPDATE media SET state = 'left', reason = :reason, size = :size, mime = :mime, name = :name
        WHERE id = :id""",
        {
            "id": media_id,
            "reason": reason,
            "size": info and info.size,
            "mime": info and info.mime,
            "name": info and info.name,
        },
    )
    await attachments.enqueue_for_file(tx, media_id, now=now)
    tx.announce(Subject.MEDIA)


async def of_versions(db: Reader, version_ids: Iterable[int]) -> list[MediaFile]:
    """Return the files of these versions, in the order of the versions and in each as the post shows them."""
    rows = await db.fetch_all(
        "SELECT * FROM media WHERE version_id IN (SELECT value FROM json_each(:ids)) ORDER BY version_id, id",
        {"ids": json_list(version_ids)},
    )
    return read_all(MediaFile, rows)


async def statistics(db: Reader) -> FileCounts:
    """Count the files by what became of them."""
    (row,) = await db.fetch_all(
        """SELECT count(*) FILTER (WHERE state = 'wanted') AS wanted, count(*) FILTER (WHERE state = 'kept') AS kept,
            count(*) FILTER (WHERE state = 'left') AS "left", count(*) FILTER (WHERE reason = :pruned) AS pruned,
            :bytes AS bytes FROM media""",
        {"pruned": FileReason.PRUNED, "bytes": await total_size(db)},
    )
    return read(FileCounts, row)


async def total_size(db: Reader) -> int:
    """Return the bytes of all kept files, each content once, and of the pages that were captured."""
    sql = (
        "SELECT coalesce(sum(size), 0) FROM (SELECT max(size) AS size FROM media WHERE state = 'kept' GROUP BY sha256 "
        "UNION ALL SELECT size FROM captures WHERE state = 'kept')"
    )
    size: int = await db.fetch_value(sql)
    return size


async def prune(tx: Transaction, *, size: int, after: int, shown_since: datetime) -> Pruning:
    """Give up files of so many bytes, the oldest first, of the next hundred after a row.

    A file stays that a post shows, in any of its versions, of which a chat got an alert since `shown_since`, or that
    is in a case.
    """
    rows = await tx.fetch_all(
        """SELECT d.id, d.sha256, d.size, EXISTS (
            SELECT 1 FROM media o CROSS JOIN versions v ON v.id = o.version_id
            CROSS JOIN posts p ON p.channel_id = v.channel_id AND p.message_id = v.message_id
            WHERE o.state = 'kept' AND o.sha256 = d.sha256 AND (EXISTS (SELECT 1 FROM alerts a
                WHERE a.channel_id = p.channel_id AND a.post_key = p.post_key AND a.created_at >= :since)
            OR EXISTS (SELECT 1 FROM posts i CROSS JOIN case_posts k
                ON k.channel_id = i.channel_id AND k.message_id = i.message_id
                WHERE i.channel_id = p.channel_id AND i.post_key = p.post_key)))
            OR EXISTS (SELECT 1 FROM captures WHERE state = 'kept' AND sha256 = d.sha256) AS is_shown
        FROM media d WHERE d.state = 'kept' AND d.id > :after ORDER BY d.id LIMIT :most""",
        {"most": _PRUNED_AT_ONCE, "after": after, "since": to_ms(shown_since)},
    )
    found: dict[bytes, Blob] = {}
    for row in rows:
        if not row["is_shown"] and sum(blob.size for blob in found.values()) < size:
            found[row["sha256"]] = Blob(sha256=bytes(row["sha256"]), size=row["size"])
    await tx.execute_many(
        "UPDATE media SET state = 'left', reason = ? WHERE state = 'kept' AND sha256 = ?",
        [(FileReason.PRUNED, sha256) for sha256 in found],
    )
    return Pruning(blobs=list(found.values()), last_id=rows[-1]["id"] if len(rows) == _PRUNED_AT_ONCE else None)


async def remove_strays(db: Reader, blobs: Blobs, *, before: datetime) -> None:
    """Remove blobs that no row has: they were given up, or a kill left them there before their row was written."""
    for first in range(256):
        found = await asyncio.to_thread(blobs.older, first, before.timestamp())
        rows = await db.fetch_all(
            """SELECT sha256 FROM media INDEXED BY media_blobs WHERE state = 'kept'
                AND sha256 >= :first AND sha256 < :next
            UNION ALL SELECT sha256 FROM captures INDEXED BY captures_blobs WHERE state = 'kept'
                AND sha256 >= :first AND sha256 < :next""",
            {"first": bytes([first]), "next": bytes([first]) + b"\xff" * 32},
        )
        await asyncio.to_thread(blobs.remove, set(found) - {bytes(row["sha256"]) for row in rows})


async def count_pruned(db: Reader) -> int:
    """Count the files that were removed to make room."""
    count: int = await db.fetch_value("SELECT count(*) FROM media WHERE reason = 'pruned'")
    return count


async def kept_blobs(db: Reader) -> list[bytes]:
    """Return the SHA-256 of every blob that should be on the disk."""
    rows = await db.fetch_all(
        "SELECT sha256 FROM media WHERE state = 'kept' UNION SELECT sha256 FROM captures WHERE state = 'kept'"
    )
    return [bytes(row["sha256"]) for row in rows]


async def find_upload(db: Reader, bot_id: int, upload: Upload) -> Remote | None:
    """Return how Telegram calls a file that this bot has uploaded; None where it has not, or under another name."""
    row = await db.fetch_one(
        """SELECT file_id, access_hash, reference FROM uploads
        WHERE bot_id = :bot AND sha256 = :sha256 AND kind = :kind AND name = :name""",
        _upload_key(bot_id, upload),
    )
    if row is None:
        return None
    return Remote(
        kind=upload.kind, id=row["file_id"], access_hash=row["access_hash"], reference=bytes(row["reference"])
    )


async def save_upload(tx: Transaction, bot_id: int, upload: Upload, remote: Remote, *, now: datetime) -> None:
    """Remember how Telegram calls a file; an earlier name of it has expired."""
    await tx.execute(
        """INSERT OR REPLACE INTO uploads
            (bot_id, sha256, kind, name, file_id, access_hash, reference, uploaded_at)
        VALUES (:bot, :sha256, :kind, :name, :file, :hash, :reference, :now)""",
        {
            **_upload_key(bot_id, upload),
            "file": remote.id,
            "hash": remote.access_hash,
            "reference": remote.reference,
            "now": to_ms(now),
        },
    )


def _upload_key(bot_id: int, upload: Upload) -> dict[str, object]:
    return {"bot": bot_id, "sha256": upload.sha256, "kind": upload.kind, "name": upload.name or ""}
