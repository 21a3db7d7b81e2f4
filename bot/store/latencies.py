"""How long posts took: from Telegram's date to our seeing them, and from there to an alert that Telegram has taken.

Nothing is stored for it: the dates stand in messages, versions and alerts. Telegram's count in whole seconds.
"""

from datetime import datetime

from bot.store.database import Reader
from bot.store.rows import first_id, to_ms


async def seen(db: Reader, since: datetime) -> tuple[float, ...]:
    """Return the seconds from date to first sight of the posts dated since a moment, ascending.

    What was read of a channel's past, or from an export, does not count.
    """
    rows = await db.fetch_all(
        """SELECT m.seen_at - m.date AS latency FROM posts m
        JOIN versions v ON v.id = m.id AND v.observed_by IN ('live', 'difference', 'sweep')
        WHERE m.id >= :first AND m.date >= :since ORDER BY latency""",
        {"first": first_id(since), "since": to_ms(since)},
    )
    return tuple(row["latency"] / 1000 for row in rows)


async def alerted(db: Reader, since: datetime) -> tuple[float, ...]:
    """Return the seconds from first sight to its leaving of each alert sent since a moment, ascending."""
    rows = await db.fetch_all(
        """SELECT m.sent_at - v.seen_at AS latency FROM messages m JOIN alerts a ON a.id = m.alert_id
        JOIN versions v ON v.id = a.version_id WHERE m.kind = 'alert' AND m.sent_at >= :since ORDER BY latency""",
        {"since": to_ms(since)},
    )
    return tuple(row["latency"] / 1000 for row in rows)
