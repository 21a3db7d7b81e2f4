"""What the message of a group shows: its alerts, how many there are, or how a storm stands."""

import sqlite3
from dataclasses import replace
from datetime import datetime

from bot.models.alerts import GroupKind
from bot.models.groups import GroupedAlert, GroupSummary, StormState
from bot.models.posts import StoredPost
from bot.store import alerts
from bot.store.database import Reader
from bot.store.rows import date_of, from_ms, read

LATEST = 3  # alerts that a storm shows


_ALERTS = f"""SELECT {alerts.COLUMNS}, p.*,
        (SELECT count(*) FROM alerts d WHERE d.duplicate_of = a.id) AS duplicates
    FROM alerts a JOIN post_versions p ON p.version_id = a.shown_version_id WHERE a.group_id = :group"""  # noqa: S608 - our own constant


async def get(db: Reader, group_id: int) -> GroupSummary:
    """Return all that a group holds."""
    rows = await db.fetch_all(f"{_ALERTS} ORDER BY a.id", {"group": group_id})
    return replace(await count(db, group_id), alerts=tuple(map(_to_grouped, rows)))


async def find(db: Reader, chat_id: int, random_id: int) -> GroupSummary | None:
    """Return all that a group of a chat holds, found by its message; None where there is none."""
    row = await db.fetch_one(
        """SELECT m.group_id FROM messages m WHERE m.chat_id = :chat AND m.kind = 'group' AND m.random_id = :random
            AND EXISTS (SELECT 1 FROM alerts WHERE group_id = m.group_id)""",
        {"chat": chat_id, "random": random_id},
    )
    return None if row is None else await get(db, row["group_id"])


async def count(db: Reader, group_id: int) -> GroupSummary:
    """Return what a group holds without its alerts."""
    (row,) = await db.fetch_all(
        """SELECT m.random_id, g.kind, g.opened_at, g.closes_at, g.topic FROM groups g
        JOIN messages m ON m.group_id = g.id WHERE g.id = :id""",
        {"id": group_id},
    )
    return GroupSummary(
        random_id=row["random_id"],
        kind=GroupKind(row["kind"]),
        opened_at=from_ms(row["opened_at"]),
        closes_at=from_ms(row["closes_at"]),
        topic=row["topic"],
        channels=tuple((channel["title"], channel["n"]) for channel in await _channels(db, group_id)),
        alerts=(),
    )


async def _channels(db: Reader, group_id: int) -> list[sqlite3.Row]:
    return await db.fetch_all(
        """SELECT c.title, count(*) AS n, min(a.version_id) AS first, max(a.version_id) AS last
        FROM alerts a JOIN channels c ON c.id = a.channel_id WHERE a.group_id = :group
        GROUP BY c.id ORDER BY n DESC, c.title""",
        {"group": group_id},
    )


async def storm(db: Reader, group_id: int, *, now: datetime) -> StormState:
    """Return how a storm stands."""
    summary, channels = await count(db, group_id), await _channels(db, group_id)
    latest = await db.fetch_all(f"{_ALERTS} ORDER BY a.id DESC LIMIT {LATEST}", {"group": group_id})
    return StormState(
        random_id=summary.random_id,
        topic=summary.topic or "",
        is_over=summary.closes_at <= now,
        channels=summary.channels,
        since=date_of(min(channel["first"] for channel in channels)),
        until=date_of(max(channel["last"] for channel in channels)),
        latest=tuple(map(_to_grouped, latest)),
    )


def _to_grouped(row: sqlite3.Row) -> GroupedAlert:
    return GroupedAlert(alert=alerts.to_alert(row), post=read(StoredPost, row), duplicates=row["duplicates"])
