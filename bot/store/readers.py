"""Accounts that read channels: the number of each in the evidence, its channels, and what it asked of Telegram."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.models import Network
from bot.store import ledger
from bot.store.channels import Access, Channel, followed
from bot.store.database import Reader, Subject, Transaction
from bot.store.ledger import LineKind
from bot.store.rows import HOUR_MS, from_ms, to_ms

REQUESTS_KEPT = timedelta(days=7)  # counts of requests


async def register(tx: Transaction, account_id: int, now: datetime, session: str | None = None) -> int:
    """Return the number of a reader account, given at its first start; it replaces the last one of its session."""
    values = {"account": account_id, "now": to_ms(now), "session": session}
    back = await tx.fetch_all(
        "SELECT id FROM readers WHERE lost IS NOT NULL AND (session = :session OR account_id = :account)", values
    )
    await tx.execute("UPDATE readers SET lost = NULL WHERE session = :session", values)
    await tx.execute(
        """INSERT INTO readers (account_id, added_at, session) VALUES (:account, :now, :session)
        ON CONFLICT (account_id) DO UPDATE SET lost = NULL, session = excluded.session""",
        values,
    )
    number = int(await tx.fetch_value("SELECT id FROM readers WHERE account_id = :account", {"account": account_id}))
    if back:
        await ledger.add_account(tx, LineKind.ACCOUNT_BACK, number, now=now, detail=None)
    return number


async def of_session(db: Reader, session: str) -> int | None:
    """Return the number of the reader that has a session now; None where there was none yet."""
    sql = "SELECT max(id) FROM readers WHERE session = :session"
    number: int | None = await db.fetch_value(sql, {"session": session})
    return number


async def lose(tx: Transaction, reader_id: int, reason: str, *, now: datetime) -> bool:
    """Write down that a reader cannot read any more, and Telegram's error string as the reason; False: it is known."""
    sql = "UPDATE readers SET lost = :reason WHERE id = :id AND lost IS NOT :reason"
    if not await tx.execute(sql, {"id": reader_id, "reason": reason}):
        return False
    await ledger.add_account(tx, LineKind.ACCOUNT_LOST, reader_id, now=now, detail=reason)
    tx.announce(Subject.LOSSES)
    return True


async def lost(db: Reader) -> dict[int, str]:
    """Return the lost readers by number, each with Telegram's error string as the reason."""
    rows = await db.fetch_all("SELECT id, lost FROM readers WHERE lost IS NOT NULL ORDER BY id")
    return {row["id"]: row["lost"] for row in rows}


async def any_reads(db: Reader) -> bool:
    """Say whether there is a reader that is neither lost nor replaced."""
    row = await db.fetch_one(
        """SELECT 1 FROM readers r WHERE lost IS NULL
        AND NOT EXISTS (SELECT 1 FROM readers n WHERE n.session = r.session AND n.id > r.id)"""
    )
    return row is not None


async def has_accounts(db: Reader) -> bool:
    """Say whether any reader account was ever logged in."""
    return await db.fetch_value("SELECT 1 FROM readers LIMIT 1") is not None


async def replaced(db: Reader) -> set[int]:
    """Return the numbers of the readers whose session another account has taken; they do not come back."""
    rows = await db.fetch_all(
        """SELECT id FROM readers r WHERE session IS NULL
        OR EXISTS (SELECT 1 FROM readers n WHERE n.session = r.session AND n.id > r.id)"""
    )
    return {row["id"] for row in rows}


async def count_requests(tx: Transaction, reader_id: int, methods: Mapping[str, int], now: datetime) -> None:
    """Add requests by method to the present hour, and drop the hours older than `REQUESTS_KEPT`."""
    hour = to_ms(now) // HOUR_MS
    await tx.execute_many(
        """INSERT INTO requests (reader_id, hour, method, count) VALUES (:reader, :hour, :method, :count)
        ON CONFLICT DO UPDATE SET count = count + excluded.count""",
        [{"reader": reader_id, "hour": hour, "method": name, "count": n} for name, n in methods.items()],
    )
    await tx.execute("DELETE FROM requests WHERE hour < :hour", {"hour": hour - REQUESTS_KEPT // timedelta(hours=1)})


async def requests_last_hour(db: Reader, now: datetime) -> int:
    """Return the number of requests of all readers in the last full hour, or in this one where it is the first."""
    hour = to_ms(now) // HOUR_MS
    sql = "SELECT sum(count) FROM requests WHERE hour IN (:hour, :hour - 1) GROUP BY hour ORDER BY hour"
    return await db.fetch_value(sql, {"hour": hour}) or 0


async def put_flood_wait(tx: Transaction, reader_id: int, method: str, until: datetime) -> None:
    """Write down until when Telegram wants a reader to leave a method alone; it outlives a restart."""
    await tx.execute(
        """INSERT INTO flood_waits (reader_id, method, until) VALUES (:reader, :method, :until)
        ON CONFLICT DO UPDATE SET until = max(until, excluded.until)""",
        {"reader": reader_id, "method": method, "until": to_ms(until)},
    )


async def flood_waits(db: Reader, now: datetime, *, reader_id: int | None = None) -> dict[str, datetime]:
    """Return until when Telegram wants a reader to leave methods alone, by method; of all readers the longest wait."""
    rows = await db.fetch_all(
        """SELECT method, max(until) AS until FROM flood_waits
        WHERE until > :now AND reader_id = coalesce(:reader, reader_id) GROUP BY method ORDER BY method""",
        {"now": to_ms(now), "reader": reader_id},
    )
    return {row["method"]: from_ms(row["until"]) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A followed channel, the reader that reads it, and how each reader reaches it."""

    channel_id: int
    is_public: bool  # or has the comments on a public channel
    read_by: int | None
    accesses: Mapping[int, Access]  # by reader

    def is_open_to(self, reader_id: int) -> bool:
        """Tell whether a reader can read the channel, or may try to."""
        access = self.accesses.get(reader_id)
        return self.is_public if access is None else access is not Access.LOST


async def assigned_channels(db: Reader, reader_id: int) -> list[Channel]:
    """Return the followed channels that are assigned to a reader, and those that nobody has yet."""
    every = [channel for channel in await followed(db, reader_id) if channel.network is Network.TELEGRAM]
    return [channel for channel in every if channel.read_by in (None, reader_id)]


async def all_assignments(db: Reader) -> list[Assignment]:
    """Return the assignments of all followed channels, in the order in which they were followed."""
    rows = await db.fetch_all(
        """SELECT c.id, coalesce(c.username, o.username) IS NOT NULL AS is_public, c.read_by,
            json_group_object(m.reader_id, m.access) FILTER (WHERE m.reader_id IS NOT NULL) AS accesses
        FROM channels c LEFT JOIN memberships m ON m.channel_id = c.id LEFT JOIN channels o ON o.id = c.comments_of
        WHERE c.followed_at IS NOT NULL AND c.network = 'telegram' GROUP BY c.id ORDER BY c.followed_at, c.id"""
    )
    return [
        Assignment(
            channel_id=row["id"],
            is_public=bool(row["is_public"]),
            read_by=row["read_by"],
            accesses={int(reader): Access(access) for reader, access in json.loads(row["accesses"] or "{}").items()},
        )
        for row in rows
    ]


async def assign(tx: Transaction, given: Mapping[int, int]) -> None:
    """Assign channels to readers: reader ids by channel id."""
    rows = [{"channel": channel, "reader": reader} for channel, reader in given.items()]
    await tx.execute_many("UPDATE channels SET read_by = :reader WHERE id = :channel", rows)
    tx.announce(Subject.FOLLOWS)
