"""Photos of posts with few words of their own, whose text a program is to read, and what it has read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.models import NewVersion, Post, RawFormat, StoredPost, VersionChange
from bot.parts import Part, PartKind, dump_parts, whole_text
from bot.store import media, posts
from bot.store.database import Reader, Transaction
from bot.store.rows import json_list, maybe_date, read, to_ms

LITTLE = 300  # characters of a caption, up to which the picture is thought to say more


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPicture:
    """A photo whose text is to be read, as far as its download has come."""

    version_id: int
    file_id: int
    file_reason: str | None  # why it was left
    sha256: bytes | None  # of a kept one
    known: str | None  # what was read in the same photo elsewhere …
    known_engine: str | None  # … and by what
    attempts: int  # that failed so far


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureCounts:
    """How many photos there are in each state."""

    channels: int  # in which pictures are to be read
    wanted: int
    read: int
    left: int


async def want(tx: Transaction, version_ids: Collection[int], *, now: datetime) -> None:
    """Have the photos of those of these versions read whose channels want that."""
    rows = await tx.fetch_all(
        """SELECT v.id FROM versions v JOIN channels c ON c.id = v.channel_id AND c.ocr
        WHERE v.id IN (SELECT value FROM json_each(:ids)) AND v.media_kind = 'photo' AND v.media_id IS NOT NULL""",
        {"ids": json_list(version_ids)},
    )
    wanted = [row["id"] for row in rows]
    if not wanted:
        return
    await tx.execute(
        """INSERT INTO pictures (version_id, file_id, wanted_at, due_at) SELECT v.id, v.media_id, :now, :now
        FROM versions v WHERE v.id IN (SELECT value FROM json_each(:ids)) ON CONFLICT DO NOTHING""",
        {"ids": json_list(wanted), "now": to_ms(now)},
    )
    await media.add(tx, wanted, now=now)


async def next_due(db: Reader, now: datetime) -> WantedPicture | None:
    """Return the photo that is to be read now: one that is on the disk, or of which nothing will come."""
    row = await db.fetch_one(
        """SELECT p.version_id, p.file_id, d.reason AS file_reason, d.sha256, p.attempts,
            o.text AS known, o.engine AS known_engine
        FROM pictures p INDEXED BY pictures_wanted
        CROSS JOIN media d ON d.version_id = p.version_id AND d.file_id = p.file_id AND d.state IN ('kept', 'left')
        LEFT JOIN pictures o INDEXED BY pictures_read ON o.file_id = p.file_id AND o.state = 'read'
        WHERE p.state = 'wanted' AND p.due_at <= :now ORDER BY p.due_at LIMIT 1""",
        {"now": to_ms(now)},
    )
    return None if row is None else read(WantedPicture, row)


async def put_off(tx: Transaction, picture: WantedPicture, *, until: datetime, reason: str | None = None) -> None:
    """Try a photo again later.

    Without a `reason` an attempt is counted that is about to begin: a photo that kills the program is not the next one.
    """
    await tx.execute(
        """UPDATE pictures SET due_at = :until, attempts = attempts + (:reason IS NULL),
            reason = coalesce(:reason, reason)
        WHERE version_id = :version AND file_id = :file AND state = 'wanted'""",
        {**_key(picture), "until": to_ms(until), "reason": reason},
    )


async def leave(tx: Transaction, picture: WantedPicture, reason: str) -> None:
    """Give a photo up."""
    sql = "UPDATE pictures SET state = 'left', reason = :reason WHERE version_id = :version AND file_id = :file"
    await tx.execute(sql, {**_key(picture), "reason": reason})


async def put_text(tx: Transaction, picture: WantedPicture, text: str, engine: str) -> NewVersion | None:
    """Write down what was read in a photo, as a part of its version; None where that changes nothing."""
    count = await tx.execute(
        """UPDATE pictures SET state = 'read', text = :text, engine = :engine, reason = NULL
        WHERE version_id = :version AND file_id = :file AND state = 'wanted'""",
        {**_key(picture), "text": text, "engine": engine},
    )
    if not count or not text.strip():
        return None
    (stored,) = await posts.of_versions(tx, [picture.version_id])
    part = Part(kind=PartKind.PICTURE, text=text)
    if part in stored.parts:
        return None
    parts = (*stored.parts, part)
    await tx.execute(
        "UPDATE versions SET parts = :parts WHERE id = :version",
        {"version": picture.version_id, "parts": dump_parts(parts)},
    )
    # A translation lacks these words: it is asked for anew where an alert shows them.
    await tx.execute("DELETE FROM translations WHERE version_id = :version", {"version": picture.version_id})
    row = await tx.fetch_one(
        """SELECT v.hash, c.followed_at FROM versions v JOIN channels c ON c.id = v.channel_id WHERE v.id = :version""",
        {"version": picture.version_id},
    )
    assert row is not None  # noqa: S101 - no version is ever deleted
    return NewVersion(
        post=_to_post(stored, parts),
        version_id=picture.version_id,
        hash=bytes(row["hash"]),
        change=VersionChange.PICTURE_READ,
        visible=stored.is_current and stored.gone_at is None,
        whole_before=whole_text(stored.text, stored.parts),
        followed_at=maybe_date(row["followed_at"]),
    )


def _to_post(stored: StoredPost, parts: tuple[Part, ...]) -> Post:
    return Post(
        channel_id=stored.channel_id,
        message_id=stored.message_id,
        date=stored.date,
        text=stored.text,
        entities=stored.entities,
        media=stored.media,
        grouped_id=stored.grouped_id,
        forward=stored.forward,
        edit_date=stored.edit_date,
        author=stored.author,
        parts=parts,
        raw=b"",  # the version has its evidence
        raw_format=RawFormat.TL,
    )


def _key(picture: WantedPicture) -> dict[str, object]:
    return {"version": picture.version_id, "file": picture.file_id}


async def are_wanted(db: Reader) -> bool:
    """Tell whether there is a channel whose pictures are to be read."""
    return await db.fetch_one("SELECT 1 FROM channels WHERE ocr AND followed_at IS NOT NULL LIMIT 1") is not None


async def statistics(db: Reader) -> PictureCounts:
    """Count the photos by what became of them, and the channels whose pictures are to be read."""
    (row,) = await db.fetch_all(
        """SELECT (SELECT count(*) FROM channels WHERE ocr AND followed_at IS NOT NULL) AS channels,
            count(*) FILTER (WHERE state = 'wanted') AS wanted, count(*) FILTER (WHERE state = 'read') AS read,
            count(*) FILTER (WHERE state = 'left') AS "left" FROM pictures"""
    )
    return read(PictureCounts, row)
