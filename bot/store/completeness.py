"""How far channels were read comes in: up to which message they are complete, and how far that was verified."""

from datetime import datetime

from bot.store.database import Transaction
from bot.store.rows import to_ms


async def mark(  # noqa: PLR0913 - the mark and the state it was read from belong together
    tx: Transaction,
    channel_id: int,
    *,
    confirmed_id: int,
    seen_pts: int,
    now: datetime,
    read_from: int | None = None,
) -> None:
    """Write down how far a channel is complete; `confirmed_id` never goes back. Only the sweep calls this.

    `read_from` is the `seen_pts` that the sweep started from: where `distrust` changed it in between, it stays.
    """
    await tx.execute(
        """UPDATE channels SET confirmed_id = max(confirmed_id, :confirmed), swept_at = :now,
            seen_pts = CASE WHEN :read_from IS NULL OR seen_pts = :read_from THEN :pts ELSE seen_pts END
        WHERE id = :id""",
        {"id": channel_id, "confirmed": confirmed_id, "pts": seen_pts, "now": to_ms(now), "read_from": read_from},
    )


async def verified(tx: Transaction, channel_id: int, *, below: int | None, now: datetime) -> None:
    """Write down how far the verifying round came; `below` is None once it is through a channel."""
    await tx.execute(
        """UPDATE channels SET verify_from = :below,
            verified_at = CASE WHEN :below IS NULL THEN :now ELSE verified_at END WHERE id = :id""",
        {"id": channel_id, "below": below, "now": to_ms(now)},
    )


async def doubt(tx: Transaction, channel_id: int) -> None:
    """Have the past of a channel verified at once: changes of it are not to be had otherwise."""
    sql = "UPDATE channels SET verified_at = NULL, verify_from = NULL WHERE id = :id"
    await tx.execute(sql, {"id": channel_id})


async def distrust(tx: Transaction, channel_id: int) -> None:
    """Make the sweep read this channel again down to its mark, and have its past verified at once."""
    await tx.execute("UPDATE channels SET seen_pts = 0 WHERE id = :id", {"id": channel_id})
    await doubt(tx, channel_id)
