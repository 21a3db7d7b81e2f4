"""What was said to each command and tap: written in the transaction of its effect, read where it comes again."""

from datetime import datetime, timedelta

from bot.store.database import Reader, Transaction, to_ms

KEPT = timedelta(days=30)  # a button under an older answer says that it is too old


async def record(tx: Transaction, key: str, answer: str, *, now: datetime) -> None:
    """Write down that an update is handled, and the answer to it as JSON."""
    await tx.execute(
        "INSERT INTO handled (key, at, answer) VALUES (:key, :at, :answer)",
        {"key": key, "at": to_ms(now), "answer": answer},
    )


async def answer_to(db: Reader, key: str) -> str | None:
    """Return the answer to an update that was handled before; None where it was not."""
    row = await db.fetch_one("SELECT answer FROM handled WHERE key = :key", {"key": key})
    return None if row is None else str(row["answer"])


async def mark_delivered(tx: Transaction, key: str, *, now: datetime) -> None:
    """Write down that the answer to an update has reached its chat, or never will."""
    await tx.execute("UPDATE handled SET said_at = :now WHERE key = :key", {"key": key, "now": to_ms(now)})


async def is_delivered(db: Reader, key: str) -> bool:
    """Tell whether nothing is left to do about an update."""
    sql = "SELECT 1 FROM handled WHERE key = :key AND said_at IS NOT NULL"
    return await db.fetch_one(sql, {"key": key}) is not None


async def forget_old(tx: Transaction, *, now: datetime) -> None:
    """Drop the answers that are older than `KEPT`."""
    await tx.execute("DELETE FROM handled WHERE at < :before", {"before": to_ms(now - KEPT)})
