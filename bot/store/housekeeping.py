"""Rows that nobody will ask for again; the first lines of the schema say why the other tables may grow."""

from datetime import datetime, timedelta

from bot.store import acts, enquiries, handled, invitations, page_versions, subscriptions
from bot.store.database import Transaction
from bot.store.rows import to_ms

STRANGERS_KEPT = 10_000  # who wrote before is told once more that the bot is private
UPLOADS_KEPT = timedelta(days=90)  # a file that is sent after that is uploaded anew


async def clear(tx: Transaction, *, now: datetime) -> None:
    """Delete what is over: old answers, mutes, strangers, uploads, links, acts."""
    await handled.forget_old(tx, now=now)
    await subscriptions.forget_ended(tx, now=now)
    await tx.execute(
        """DELETE FROM strangers WHERE id IN (
            SELECT id FROM strangers ORDER BY refused_at DESC, id LIMIT -1 OFFSET :kept)""",
        {"kept": STRANGERS_KEPT},
    )
    await tx.execute("DELETE FROM uploads WHERE uploaded_at < :before", {"before": to_ms(now - UPLOADS_KEPT)})
    await invitations.forget_expired(tx, now=now)
    await acts.forget_old(tx, now=now)
    await enquiries.forget_old(tx, now=now)
    await page_versions.forget_old(tx)
