"""Files that our bot has uploaded come in as Telegram names them, and go out to be sent again without their bytes."""

from datetime import datetime

from bot.models import Enclosure, Remote
from bot.store.database import Reader, Transaction
from bot.store.rows import to_ms


async def find(db: Reader, bot_id: int, enclosure: Enclosure) -> Remote | None:
    """Return how this bot may name a file that it has uploaded under this name."""
    row = await db.fetch_one(
        """SELECT file_id, access_hash, reference FROM uploads
        WHERE bot_id = :bot AND sha256 = :sha256 AND kind = :kind AND name = :name""",
        _key(bot_id, enclosure),
    )
    if row is None:
        return None
    return Remote(
        kind=enclosure.kind, id=row["file_id"], access_hash=row["access_hash"], reference=bytes(row["reference"])
    )


async def put(tx: Transaction, bot_id: int, enclosure: Enclosure, remote: Remote, *, now: datetime) -> None:
    """Remember how a file is named, in place of what was known of it."""
    await tx.execute(
        """INSERT OR REPLACE INTO uploads
            (bot_id, sha256, kind, name, file_id, access_hash, reference, uploaded_at)
        VALUES (:bot, :sha256, :kind, :name, :file, :hash, :reference, :now)""",
        {
            **_key(bot_id, enclosure),
            "file": remote.id,
            "hash": remote.access_hash,
            "reference": remote.reference,
            "now": to_ms(now),
        },
    )


def _key(bot_id: int, enclosure: Enclosure) -> dict[str, object]:
    return {"bot": bot_id, "sha256": enclosure.sha256, "kind": enclosure.kind, "name": enclosure.name or ""}
