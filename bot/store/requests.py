"""What readers asked of Telegram comes in and is counted by the hour; the waits that Telegram asked for are kept."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.store.database import Reader, Transaction
from bot.store.rows import from_ms, to_ms

KEPT = timedelta(days=7)  # that the counts stay
_HOUR = 3_600_000  # ms


async def count(tx: Transaction, reader_id: int, methods: Mapping[str, int], now: datetime) -> None:
    """Add requests by method to the present hour, and forget the hours of long ago."""
    hour = to_ms(now) // _HOUR
    await tx.execute_many(
        """INSERT INTO requests (reader_id, hour, method, count) VALUES (:reader, :hour, :method, :count)
        ON CONFLICT DO UPDATE SET count = count + excluded.count""",
        [{"reader": reader_id, "hour": hour, "method": name, "count": n} for name, n in methods.items()],
    )
    await tx.execute("DELETE FROM requests WHERE hour < :hour", {"hour": hour - KEPT // timedelta(hours=1)})


async def last_hour(db: Reader, now: datetime) -> int:
    """Return how many requests all readers made in the last full hour, or in this one where there is none before."""
    hour = to_ms(now) // _HOUR
    sql = "SELECT hour, sum(count) AS n FROM requests WHERE hour IN (:hour, :hour - 1) GROUP BY hour ORDER BY hour"
    row = await db.fetch_one(sql, {"hour": hour})
    return int(row["n"]) if row else 0


async def wait(tx: Transaction, reader_id: int, method: str, until: datetime) -> None:
    """Keep a wait that Telegram asked for, so that a restart does not forget it."""
    await tx.execute(
        """INSERT INTO flood_waits (reader_id, method, until) VALUES (:reader, :method, :until)
        ON CONFLICT DO UPDATE SET until = max(until, excluded.until)""",
        {"reader": reader_id, "method": method, "until": to_ms(until)},
    )


async def all_waits(db: Reader, now: datetime) -> dict[str, datetime]:
    """Return the waits of any reader that are not over, by method, the longest of each."""
    sql = "SELECT method, max(until) AS until FROM flood_waits WHERE until > :now GROUP BY method ORDER BY method"
    return {row["method"]: from_ms(row["until"]) for row in await db.fetch_all(sql, {"now": to_ms(now)})}


async def waits(db: Reader, reader_id: int, now: datetime) -> dict[str, datetime]:
    """Return the waits of a reader that are not over, by method."""
    sql = "SELECT method, until FROM flood_waits WHERE reader_id = :reader AND until > :now"
    rows = await db.fetch_all(sql, {"reader": reader_id, "now": to_ms(now)})
    return {row["method"]: from_ms(row["until"]) for row in rows}
