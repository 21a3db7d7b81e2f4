"""Alerts: one post in one chat, what its message shows of the post, and which other posts may join it."""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from bot.models import ComparedPost, PostKey
from bot.models.alerts import Alert, PriorAlert, StaleAlert, alert_subject
from bot.models.outgoing import GENERAL_THREAD
from bot.parts import PartMatch, compact_json, load_parts, whole_text
from bot.store.access import Restrictable, visible
from bot.store.database import Reader, Transaction
from bot.store.rows import TOLD_PATHS, end_id, first_id, from_ms, json_list, maybe_ms, read_all, to_ms

# Of a row that carries an alert a, whatever it was joined to: what `read` calls its field `alert`.
COLUMNS = ", ".join(f"a.{field.name} AS alert_{field.name}" for field in fields(Alert))
_ADD = """INSERT INTO alerts (id, chat_id, channel_id, post_key, version_id, shown_version_id, topics, spans, parts,
    loudness, fingerprint, fits_since_edit, is_counted, duplicate_of, group_id, created_at)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """An alert, and where its chat finds it."""

    alert: Alert
    is_counted: bool = False  # by a group; the chat does not see its post, an edit of which may be news
    duplicate_of: int | None = None  # the alert that says the same, whose message names it
    group_id: int | None = None  # the group that shows or counts it


async def next_id(tx: Reader) -> int:
    """Return the id that the next alert is to have."""
    return int(await tx.fetch_value("SELECT coalesce(max(id), 0) + 1 FROM alerts"))


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


@lru_cache(64)  # a post goes to many chats
def _json(value: object) -> str:
    return compact_json(value)


@lru_cache(64)
def _parts_json(parts: tuple[PartMatch, ...]) -> str:
    return _json(tuple(((match.part.kind, match.part.text), match.spans) for match in parts))


SCANNED = 200  # messages that are looked at for each post that is asked for

# The message of an alert f: that of its group, or its own.
MESSAGE_ID = """coalesce((SELECT id FROM messages WHERE group_id = f.group_id),
    (SELECT id FROM messages WHERE alert_id = f.id AND kind = 'alert'))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPrior:
    """An alert that one of the posts asked about leads to."""

    chat_id: int
    post: PostKey | None  # that has it, or has joined it …
    fingerprint: str | None  # … or its words
    alert: PriorAlert


# A duplicate that says something else since an edit leads nowhere: what is like that is not in the alert it joined.
_PRIORS = f"""WITH found AS (
        SELECT a.id, a.duplicate_of, a.chat_id, NULL AS post, a.fingerprint
        FROM json_each(:words) q CROSS JOIN alerts a ON a.fingerprint = q.value ->> 1 AND a.chat_id = q.value ->> 0
            AND a.created_at > q.value ->> 2 AND a.duplicate_of IS NULL AND NOT a.is_counted
        UNION ALL
        SELECT a.id, a.duplicate_of, a.chat_id, json_array(a.channel_id, a.post_key), NULL
        FROM json_each(:posts) q CROSS JOIN alerts a ON a.channel_id = q.value ->> 1 AND a.post_key = q.value ->> 2
            AND a.chat_id = q.value ->> 0 AND NOT a.is_counted
            AND (a.duplicate_of IS NULL OR a.shown_version_id = a.version_id))
    SELECT q.chat_id, q.post, q.fingerprint, f.id AS alert_id, json_array(f.channel_id, f.post_key) AS alert_key,
        v.date AS alert_date, f.loudness AS alert_loudness, g.kind AS alert_group,
        coalesce(m.thread_id, :general) AS alert_thread_id, m.sent_revision > 0 AS alert_is_sent,
        m.state = 'due' AND m.sent_revision = 0 OR m.state IN ('due', 'sent', 'withdrawn') AND m.telegram_id IS NOT NULL
            AS alert_is_open
    FROM found q JOIN alerts f ON f.id = coalesce(q.duplicate_of, q.id)
    JOIN versions v ON v.id = f.version_id
    LEFT JOIN groups g ON g.id = f.group_id
    JOIN messages m ON m.id = {MESSAGE_ID}"""  # noqa: S608 - our own constant


async def priors(
    tx: Reader, posts: Iterable[tuple[int, PostKey]], words: Iterable[tuple[int, str, datetime]]
) -> list[FoundPrior]:
    """Return the alerts of these posts, (chat, post), or those that they have joined, and those of the same words.

    Of words, (chat, fingerprint, since), only alerts since a moment count.
    """
    asked = {
        "posts": json_list((chat_id, *key) for chat_id, key in posts),
        "words": json_list((chat_id, fingerprint, to_ms(since)) for chat_id, fingerprint, since in words),
        "general": GENERAL_THREAD,
    }
    return read_all(FoundPrior, await tx.fetch_all(_PRIORS, asked))


async def messages_of(tx: Reader, alert_ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Return by alert the row of the message that shows it, and the subject that a message of its own has."""
    rows = await tx.fetch_all(
        f"""SELECT f.id AS alert_id, m.id, f.channel_id, f.post_key, v.hash FROM json_each(:ids) q
        JOIN alerts f ON f.id = q.value JOIN versions v ON v.id = f.version_id
        JOIN messages m ON m.id = {MESSAGE_ID}""",  # noqa: S608 - our own constant
        {"ids": json_list(alert_ids)},
    )
    return {
        row["alert_id"]: (row["id"], alert_subject((row["channel_id"], row["post_key"]), row["hash"])) for row in rows
    }


_RECENT = """SELECT p.id AS place, a.channel_id, a.post_key, v.text, v.parts, v.date, v.message_id, m.forward,
        a.parts != '[]' AS has_parts
    FROM (SELECT id, channel_id, post_key FROM posts
        WHERE id < :before AND id >= :first ORDER BY id DESC LIMIT :scanned) p
    CROSS JOIN alerts a ON a.id = (SELECT id FROM alerts WHERE channel_id = p.channel_id AND post_key = p.post_key
        AND NOT is_counted LIMIT 1)
    JOIN versions v ON v.id = a.shown_version_id
    JOIN posts m ON m.channel_id = v.channel_id AND m.message_id = v.message_id
    ORDER BY p.id DESC LIMIT :most"""


async def recent_posts(
    db: Reader, place: int | None, *, since: datetime, most: int
) -> tuple[list[ComparedPost], int | None]:
    """Return the latest posts since a moment, `most` of them, that any chat was alerted to, as their alerts show them.

    `place` is where the answer before ended, None at first; the second value is where this one ends, None at the end.
    """
    asked = {"before": end_id(place, None), "first": first_id(since), "scanned": SCANNED * most, "most": most}
    rows = await db.fetch_all(_RECENT, asked)
    found = [_to_compared_post(row) for row in rows]
    if len(rows) == most:
        return found, rows[-1]["place"]
    sql = "SELECT id FROM posts WHERE id < :before AND id >= :first ORDER BY id DESC LIMIT 1 OFFSET :scanned - 1"
    return found, await db.fetch_value(sql, asked)


def _to_compared_post(row: sqlite3.Row) -> ComparedPost:
    forward: dict[str, Any] = json.loads(row["forward"] or "{}")
    channel_id, message_id = forward.get("channel_id"), forward.get("message_id")
    return ComparedPost(
        channel_id=row["channel_id"],
        post_key=row["post_key"],
        text=whole_text(row["text"], load_parts(row["parts"])) if row["has_parts"] else row["text"],
        date=from_ms(row["date"]),
        origin=(channel_id, message_id) if channel_id and message_id else (row["channel_id"], row["message_id"]),
    )


_STALE = f"""WITH asked AS (
        SELECT value ->> 0 AS channel_id, value ->> 1 AS message_id, value ->> 2 AS event FROM json_each(:asked))
    SELECT DISTINCT {COLUMNS}, {MESSAGE_ID} AS shown_by, a.duplicate_of IS NOT NULL AS is_duplicate,
        f.group_id IS NOT NULL AS is_grouped, c.key AS chat_key, c.edits, m.message_id,
        (SELECT iif(count(*) = count(gone_at), max(gone_at), m.gone_at) FROM posts
            WHERE channel_id = m.channel_id AND post_key = m.post_key) AS gone_at,
        (SELECT iif(m.gone_at IS NOT NULL AND count(gone_at) < count(*), json_array(
                count(*) FILTER (WHERE gone_by IN {TOLD_PATHS}), count(*) FILTER (WHERE gone_by NOT IN {TOLD_PATHS}),
                count(*)), NULL)
            FROM posts WHERE channel_id = m.channel_id AND post_key = m.post_key) AS gone_items,
        (SELECT max(created_at) FROM messages WHERE alert_id = a.id AND kind IN ('alert', 'change') AND NOT silent)
            AS rang_at, k.event = 'loaded' AS is_loaded, s.message_id = m.message_id AS is_shown,
        v.id AS shown_version_id, v.text AS shown_text, v.parts AS shown_parts, v.hash AS shown_hash,
        v.edit_date AS shown_edit_date, 1 AS shown_times,
        w.id AS current_version_id, w.text AS current_text, w.parts AS current_parts, w.hash AS current_hash,
        w.edit_date AS current_edit_date,
        (SELECT count(*) FROM versions WHERE channel_id = w.channel_id AND message_id = w.message_id
            AND hash = w.hash AND edit_date IS w.edit_date AND number <= w.number) AS current_times
    FROM asked k JOIN posts t ON t.channel_id = k.channel_id AND t.message_id = k.message_id
    CROSS JOIN alerts a ON a.channel_id = t.channel_id AND a.post_key = t.post_key AND NOT a.is_counted
    JOIN alerts f ON f.id = coalesce(a.duplicate_of, a.id)
    JOIN messages q ON q.id = {MESSAGE_ID} AND (q.state != 'dead' OR f.group_id IS NOT NULL)
    JOIN chats c ON c.id = a.chat_id AND c.suspended IS NULL
        AND {visible(Restrictable.CHANNEL, "a.channel_id", "a.chat_id")}
    JOIN versions s ON s.id = a.shown_version_id
    -- of an album of which an item has vanished, the item that the message shows
    JOIN posts m ON m.channel_id = t.channel_id
        AND m.message_id = iif(k.event = 'vanished', s.message_id, t.message_id)
    JOIN versions v ON v.id = iif(s.message_id = m.message_id, s.id, (
        SELECT id FROM versions WHERE channel_id = m.channel_id AND message_id = m.message_id
        AND id != m.version_id ORDER BY edit_date DESC, number DESC LIMIT 1))
    JOIN versions w ON w.id = m.version_id
    WHERE iif(k.event = 'edited', NOT is_shown OR v.id != w.id OR m.gone_at IS NOT NULL, is_shown)
    ORDER BY a.id"""  # noqa: S608 - our own constants


async def stale(
    tx: Reader,
    vanished: Iterable[tuple[int, int]],
    *,
    edited: Iterable[tuple[int, int]] = (),
    loaded: Iterable[tuple[int, int]] = (),
) -> list[StaleAlert]:
    """Return the alerts that show one of these messages, (channel id, message id), in an earlier state.

    Every alert of a message that has `vanished`, or come back, or was `loaded` is one; of those `edited` also the
    alerts that show another item of their album.
    """
    events = {"vanished": vanished, "edited": edited, "loaded": loaded}
    asked = [(*key, event) for event, keys in events.items() for key in keys]
    rows = await tx.fetch_all(_STALE, {"asked": json_list(asked)})
    return read_all(StaleAlert, rows)
