"""Accounts that read channels, and the number that stands for each in the evidence."""

from datetime import datetime

from bot.store.database import Transaction
from bot.store.rows import to_ms


async def register(tx: Transaction, account_id: int, now: datetime) -> int:
    """Return the number of a reader account, given at its first start."""
    await tx.execute(
        "INSERT OR IGNORE INTO readers (account_id, added_at) VALUES (:account, :now)",
        {"account": account_id, "now": to_ms(now)},
    )
    row = await tx.fetch_one("SELECT id FROM readers WHERE account_id = :account", {"account": account_id})
    return 0 if row is None else int(row["id"])
