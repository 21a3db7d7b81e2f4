"""Alerts that another post may join because it says the same, and the posts that are compared with it."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.models import GENERAL_THREAD, ComparedPost, PostKey
from bot.models.alerts import GroupKind, Loudness, PriorAlert
from bot.parts import load_parts, whole_text
from bot.store.database import Reader
from bot.store.rows import end_id, first_id, from_ms, json_list, to_ms

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
        SELECT a.id, a.duplicate_of, a.chat_id, NULL AS channel_id, NULL AS post_key, a.fingerprint
        FROM json_each(:words) q CROSS JOIN alerts a ON a.fingerprint = q.value ->> 1 AND a.chat_id = q.value ->> 0
            AND a.created_at > q.value ->> 2 AND a.duplicate_of IS NULL AND NOT a.is_counted
        UNION ALL
        SELECT a.id, a.duplicate_of, a.chat_id, a.channel_id, a.post_key, NULL
        FROM json_each(:posts) q CROSS JOIN alerts a ON a.channel_id = q.value ->> 1 AND a.post_key = q.value ->> 2
            AND a.chat_id = q.value ->> 0 AND NOT a.is_counted
            AND (a.duplicate_of IS NULL OR a.shown_version_id = a.version_id))
    SELECT q.chat_id, q.channel_id, q.post_key, q.fingerprint, f.id, f.channel_id AS first_channel_id,
        f.post_key AS first_post_key, v.date, f.loudness, g.kind AS group_kind, m.thread_id, m.sent_revision,
        m.state = 'due' AND m.sent_revision = 0 OR m.state != 'dead' AND m.telegram_id IS NOT NULL AS is_open
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
    }
    return [_to_found(row) for row in await tx.fetch_all(_PRIORS, asked)]


def _to_found(row: sqlite3.Row) -> FoundPrior:
    return FoundPrior(
        chat_id=row["chat_id"],
        post=None if row["post_key"] is None else (row["channel_id"], row["post_key"]),
        fingerprint=row["fingerprint"],
        alert=PriorAlert(
            id=row["id"],
            key=(row["first_channel_id"], row["first_post_key"]),
            date=from_ms(row["date"]),
            loudness=Loudness(row["loudness"]),
            group=None if row["group_kind"] is None else GroupKind(row["group_kind"]),
            thread_id=row["thread_id"] or GENERAL_THREAD,
            is_sent=row["sent_revision"] > 0,
            is_open=bool(row["is_open"]),
        ),
    )


async def messages_of(tx: Reader, alert_ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Return the messages that show these alerts, row and subject by alert."""
    rows = await tx.fetch_all(
        f"""SELECT f.id AS alert_id, m.id, m.subject FROM json_each(:ids) q JOIN alerts f ON f.id = q.value
        JOIN messages m ON m.id = {MESSAGE_ID}""",  # noqa: S608 - our own constant
        {"ids": json_list(alert_ids)},
    )
    return {row["alert_id"]: (row["id"], row["subject"]) for row in rows}


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

    They are read from a place on, which the answer before gave; with them comes the next one, None after the last.
    """
    asked = {"before": end_id(place, None), "first": first_id(since), "scanned": SCANNED * most, "most": most}
    rows = await db.fetch_all(_RECENT, asked)
    said = [_to_compared_post(row) for row in rows]
    if len(rows) == most:
        return said, rows[-1]["place"]
    sql = "SELECT id FROM posts WHERE id < :before AND id >= :first ORDER BY id DESC LIMIT 1 OFFSET :scanned - 1"
    last = await db.fetch_one(sql, asked)
    return said, None if last is None else last["id"]


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
