"""Accounts that read channels, and the number that stands for each in the evidence."""

from datetime import datetime

from bot.store.database import Reader, Transaction
from bot.store.rows import to_ms

NO_ACCOUNT = 0  # registered like one, for the evidence of exports


async def register(tx: Transaction, account_id: int, now: datetime, session: str | None = None) -> int:
    """Return the number of a reader account, given at its first start; who had its session before is not missed."""
    values = {"account": account_id, "now": to_ms(now), "session": session}
    await tx.execute("UPDATE readers SET lost = NULL WHERE session = :session", values)
    await tx.execute(
        """INSERT INTO readers (account_id, added_at, session) VALUES (:account, :now, :session)
        ON CONFLICT (account_id) DO UPDATE SET lost = NULL, session = excluded.session""",
        values,
    )
    row = await tx.fetch_one("SELECT id FROM readers WHERE account_id = :account", {"account": account_id})
    return 0 if row is None else int(row["id"])


async def of_session(db: Reader, session: str) -> int | None:
    """Return the reader that has a session now; None where nobody was ever logged in there."""
    row = await db.fetch_one("SELECT max(id) AS id FROM readers WHERE session = :session", {"session": session})
    return row["id"] if row else None


async def lose(tx: Transaction, reader_id: int, reason: str) -> None:
    """Write down that a reader cannot read any more, for a reason: Telegram's error string."""
    await tx.execute("UPDATE readers SET lost = :reason WHERE id = :id", {"id": reader_id, "reason": reason})


async def lost(db: Reader) -> dict[int, str]:
    """Return why each of the readers that were lost cannot read, by their numbers."""
    rows = await db.fetch_all("SELECT id, lost FROM readers WHERE lost IS NOT NULL ORDER BY id")
    return {row["id"]: row["lost"] for row in rows}


async def any_reads(db: Reader) -> bool:
    """Say whether some account can read: not one that is lost, or whose place another has taken."""
    row = await db.fetch_one(
        """SELECT 1 FROM readers r WHERE lost IS NULL AND account_id != :none
        AND NOT EXISTS (SELECT 1 FROM readers n WHERE n.session = r.session AND n.id > r.id)""",
        {"none": NO_ACCOUNT},
    )
    return row is not None


async def replaced(db: Reader) -> set[int]:
    """Return the readers whose place another account has taken; they do not come back."""
    rows = await db.fetch_all(
        """SELECT id FROM readers r WHERE session IS NULL
        OR EXISTS (SELECT 1 FROM readers n WHERE n.session = r.session AND n.id > r.id)"""
    )
    return {row["id"] for row in rows}
