"""Alerts: one post in one chat, and what its message shows of it."""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from bot.models import PostKey
from bot.models.alerts import Alert
from bot.parts import PartMatch
from bot.store.database import Reader, Transaction
from bot.store.rows import json_list, maybe_ms, read_all, to_ms

# Of a row that carries an alert a, whatever it was joined to.
COLUMNS = """
    a.id AS alert_id, a.chat_id AS alert_chat_id, a.channel_id AS alert_channel_id, a.post_key AS alert_post_key,
    a.version_id AS alert_version_id, a.shown_version_id AS alert_shown_version_id, a.topics AS alert_topics,
    a.spans AS alert_spans, a.parts AS alert_parts, a.loudness AS alert_loudness, a.fingerprint AS alert_fingerprint,
    a.fits_since_edit AS alert_fits_since_edit, a.gone_at AS alert_gone_at, a.gone_items AS alert_gone_items,
    a.losses AS alert_losses
"""
_ADD = """INSERT INTO alerts (id, chat_id, channel_id, post_key, version_id, shown_version_id, topics, spans, parts,
    loudness, fingerprint, fits_since_edit, is_counted, duplicate_of, group_id, created_at)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """An alert, and where its chat finds it."""

    alert: Alert
    is_counted: bool = False  # by a group; the chat cannot tell what it says, and an edit of its post may be news
    duplicate_of: int | None = None  # the alert that says the same, whose message names it
    group_id: int | None = None  # the group that shows or counts it


async def next_id(tx: Reader) -> int:
    """Return the id that the next alert is to have."""
    (row,) = await tx.fetch_all("SELECT coalesce(max(id), 0) + 1 AS id FROM alerts")
    return int(row["id"])


async def add(tx: Transaction, found: Sequence[NewAlert], *, now: datetime) -> None:
    """Write alerts down that their chats do not have yet."""
    at = to_ms(now)
    await tx.insert_all(_ADD, [_values(each, at) for each in found])


def _values(new: NewAlert, at: int) -> tuple[object, ...]:
    alert = new.alert
    return (
        alert.id,
        alert.chat_id,
        alert.channel_id,
        alert.post_key,
        alert.version_id,
        alert.shown_version_id,
        _json(alert.topics),
        _json(alert.spans),
        _parts_json(alert.parts),
        alert.loudness,
        alert.fingerprint,
        alert.fits_since_edit,
        new.is_counted,
        new.duplicate_of,
        new.group_id,
        at,
    )


async def update(tx: Transaction, changed: Collection[Alert]) -> None:
    """Write down what alerts show from now on."""
    await tx.execute_many(
        """UPDATE alerts SET shown_version_id = :shown, topics = :topics, spans = :spans, parts = :parts,
            fingerprint = :fingerprint, gone_at = :gone_at, gone_items = :gone_items,
            losses = :losses WHERE id = :id""",
        [
            {
                "id": alert.id,
                "shown": alert.shown_version_id,
                "topics": _json(alert.topics),
                "spans": _json(alert.spans),
                "parts": _parts_json(alert.parts),
                "fingerprint": alert.fingerprint,
                "gone_at": maybe_ms(alert.gone_at),
                "gone_items": alert.gone_items and _json(alert.gone_items),
                "losses": alert.losses,
            }
            for alert in changed
        ],
    )


async def known(tx: Reader, found: Iterable[Alert]) -> tuple[set[tuple[int, PostKey]], set[tuple[int, PostKey]]]:
    """Return those of these posts, (chat, post), that their chats have an alert of, and those that are counted."""
    rows = await tx.fetch_all(
        """SELECT a.chat_id, a.channel_id, a.post_key, a.is_counted FROM json_each(:asked) q CROSS JOIN alerts a
            ON a.channel_id = q.value ->> 0 AND a.post_key = q.value ->> 1 AND a.chat_id = q.value ->> 2""",
        {"asked": json_list((alert.channel_id, alert.post_key, alert.chat_id) for alert in found)},
    )
    alerted = set[tuple[int, PostKey]]()
    counted = set[tuple[int, PostKey]]()
    for row in rows:
        (counted if row["is_counted"] else alerted).add((row["chat_id"], (row["channel_id"], row["post_key"])))
    return alerted, counted


async def count_recent(
    tx: Reader, chat_ids: Collection[int], *, since: datetime, enough: int
) -> Mapping[int, Counter[str]]:
    """Count by chat and topic the alerts since a moment that have a message of their own.

    Chats that have had fewer than `enough` are left out: of most chats only the index is read, and no more than that.
    """
    rows = await tx.fetch_all(
        """SELECT a.chat_id, t.value AS topic, count(*) AS n
        FROM json_each(:chats) q CROSS JOIN alerts a ON a.chat_id = q.value AND a.created_at > :since
            AND a.group_id IS NULL AND a.duplicate_of IS NULL
        CROSS JOIN json_each(a.topics) t
        WHERE EXISTS (SELECT 1 FROM alerts b WHERE b.chat_id = q.value AND b.created_at > :since
            AND b.group_id IS NULL AND b.duplicate_of IS NULL LIMIT 1 OFFSET :enough - 1)
        GROUP BY a.chat_id, t.value""",
        {"chats": json_list(chat_ids), "since": to_ms(since), "enough": enough},
    )
    counts: dict[int, Counter[str]] = {}
    for row in rows:
        counts.setdefault(row["chat_id"], Counter())[row["topic"]] = row["n"]
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class _AlertRow:
    alert: Alert | None


def to_alerts(rows: Sequence[sqlite3.Row]) -> list[Alert | None]:
    """Read alerts from the rows of one answer with the `COLUMNS`; None where a row has none."""
    return [each.alert for each in read_all(_AlertRow, rows)]


def to_alert(row: sqlite3.Row) -> Alert:
    """Read an alert from a row with the `COLUMNS`."""
    (alert,) = to_alerts([row])
    assert alert is not None  # noqa: S101 - it is asked for
    return alert


@lru_cache(64)  # a post goes to many chats
def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@lru_cache(64)
def _parts_json(parts: tuple[PartMatch, ...]) -> str:
    return _json(tuple(((match.part.kind, match.part.text), match.spans) for match in parts))
