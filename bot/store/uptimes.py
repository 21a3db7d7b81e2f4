"""When each reader account could hear Telegram: what was posted outside of these spans, nobody could push."""

from datetime import datetime

from bot.store.database import Transaction
from bot.store.rows import to_ms


async def extend(tx: Transaction, reader_id: int, *, began: datetime, now: datetime) -> None:
    """Write down that a reader has heard Telegram without a break until now."""
    await tx.execute(
        """INSERT INTO uptimes (reader_id, began, ended) VALUES (:reader, :began, :now)
        ON CONFLICT DO UPDATE SET ended = excluded.ended""",
        {"reader": reader_id, "began": to_ms(began), "now": to_ms(now)},
    )
