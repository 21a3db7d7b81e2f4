"""Proofs of OpenTimestamps that a block of Bitcoin holds the hash of a head: pending ones, and complete ones."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.database import Reader, Transaction
from bot.store.rows import json_list, maybe_ms, read, read_all, to_ms

GIVE_UP_AFTER = timedelta(days=30)  # since a calendar took a head: from then on exports alone ask for the block


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadProof:
    """What calendars gave for a head, or why they gave nothing."""

    head_id: int
    file: bytes | None  # a detached proof, as others' tools read it; None: no calendar has taken the head
    submitted_at: datetime | None  # when a calendar took it
    tried_at: datetime
    promises: int  # of calendars to bring it into a block that are not kept yet
    block: int | None  # its height, as a calendar says; None: pending, which proves nothing
    reason: str | None  # why calendars gave nothing at the last try


async def put(tx: Transaction, proof: HeadProof) -> None:
    """Write down what calendars gave for a head; a file stays, unless this one is of it and holds more."""
    await tx.execute(
        """INSERT INTO proofs (head_id, file, submitted_at, tried_at, promises, block, reason)
        VALUES (:head, :file, :submitted, :tried, :promises, :block, :reason)
        ON CONFLICT DO UPDATE SET file = excluded.file, submitted_at = excluded.submitted_at,
            tried_at = excluded.tried_at, promises = excluded.promises, block = excluded.block, reason = excluded.reason
        WHERE file IS NULL OR (submitted_at = excluded.submitted_at AND promises >= excluded.promises)""",
        {
            "head": proof.head_id,
            "file": proof.file,
            "submitted": maybe_ms(proof.submitted_at),
            "tried": to_ms(proof.tried_at),
            "promises": proof.promises,
            "block": proof.block,
            "reason": proof.reason,
        },
    )


async def of_heads(db: Reader, head_ids: Collection[int]) -> dict[int, HeadProof]:
    """Return the proofs of these heads by their ids, without those that no calendar gave."""
    sql = "SELECT * FROM proofs WHERE head_id IN (SELECT value FROM json_each(:ids)) AND file IS NOT NULL"
    rows = await db.fetch_all(sql, {"ids": json_list(head_ids)})
    return {proof.head_id: proof for proof in read_all(HeadProof, rows)}


async def promised(db: Reader) -> list[HeadProof]:
    """Return the proofs with promises of calendars that are not kept yet, the oldest first."""
    return read_all(HeadProof, await db.fetch_all("SELECT * FROM proofs WHERE promises > 0 ORDER BY head_id"))


async def last(db: Reader) -> HeadProof | None:
    """Return the last try to submit a head."""
    return await _newest(db, "TRUE")


async def last_submitted(db: Reader) -> HeadProof | None:
    """Return the proof of the newest head that a calendar took."""
    return await _newest(db, "file IS NOT NULL")


async def last_complete(db: Reader) -> HeadProof | None:
    """Return the proof of the newest head for which a block is known."""
    return await _newest(db, "block IS NOT NULL")


async def _newest(db: Reader, condition: str) -> HeadProof | None:
    row = await db.fetch_one(f"SELECT * FROM proofs WHERE {condition} ORDER BY head_id DESC LIMIT 1")  # noqa: S608 - ours
    return None if row is None else read(HeadProof, row)
