"""When each loop last went round."""

from datetime import datetime

from bot.store.database import Reader, Transaction
from bot.store.rows import from_ms, to_ms


async def beat(tx: Transaction, loop: str, now: datetime) -> None:
    """Write down that a loop went round."""
    await tx.execute(
        "INSERT INTO heartbeats (loop, at) VALUES (:loop, :now) ON CONFLICT DO UPDATE SET at = excluded.at",
        {"loop": loop, "now": to_ms(now)},
    )


async def last(db: Reader) -> dict[str, datetime]:
    """Return when each loop last went round."""
    return {row["loop"]: from_ms(row["at"]) for row in await db.fetch_all("SELECT loop, at FROM heartbeats")}
