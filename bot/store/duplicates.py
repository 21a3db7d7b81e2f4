"""Posts that say what a chat has heard come in, and join the alert that told it; the others come back.

A repeat is a row of its own that follows the row of the first post, so that echoes can be counted.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.models import GENERAL_THREAD, PostKey, Said
from bot.parts import load_parts, whole_text
from bot.store import alerts, groups
from bot.store.alerts import Draft, Kind
from bot.store.database import Reader, Transaction
from bot.store.rows import end_id, first_id, from_ms, json_list, to_ms

WITHIN = timedelta(hours=48)  # of each other were two posts posted of which one joins the other's alert
WORDS_WITHIN = timedelta(hours=1)  # the same, where all that is alike is few words
AGAIN_WITHIN = timedelta(minutes=10)  # the same, of one channel: what it says again later has happened again
SCANNED = 200  # messages that are looked at for each of these
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _First:
    """The row that told a chat of an event first."""

    id: int
    subject: str
    channel_id: int
    gathered: bool
    wants_confirmation: bool  # the chat wants to hear of the second channel


async def join(tx: Transaction, drafts: Collection[Draft], *, now: datetime) -> tuple[list[Draft], list[Draft]]:
    """Let posts join the alerts that say the same; return those that stand apart, and those that may join these.

    A post joins only what was told at least as loudly as it would be told itself, in the forum thread it would go to,
    and in a message that can be edited.
    """
    firsts = await _firsts(tx, drafts)
    apart: list[Draft] = []
    joining: list[tuple[Draft, _First]] = []
    for draft in drafts:
        first = firsts.get((draft.chat_id, draft.subject))
        if first is None:
            apart.append(draft)
        else:
            joining.append((draft, first))
    if joining:
        await _follow(tx, joining, now=now)
    return _parted(apart)


def _parted(drafts: Iterable[Draft]) -> tuple[list[Draft], list[Draft]]:
    """Part the posts that a chat is told of first from those that say the same."""
    first: list[Draft] = []
    again: list[Draft] = []
    keys: set[tuple[int, PostKey]] = set()
    words: set[tuple[int, str | None]] = set()
    for draft in drafts:
        is_known = (draft.chat_id, draft.words) in words or any((draft.chat_id, key) in keys for key in draft.alike)
        if draft.said is not None:
            (again if is_known else first).append(draft)
            keys.add((draft.chat_id, draft.said.key))
        else:
            first.append(draft)
        words.add((draft.chat_id, draft.words))
    return first, again


async def _follow(tx: Transaction, joining: Collection[tuple[Draft, _First]], *, now: datetime) -> None:
    """Put repeats down, and let the messages name them."""
    rows = [replace(draft, kind=Kind.REPEAT, follows=first.id) for draft, first in joining]
    await alerts.enqueue_all(tx, rows, now=now)
    edits = [
        alerts.edit(draft.chat_id, draft.chat_key, first.id, subject=f"repeat/{draft.subject}")
        for draft, first in joining
        if not first.gathered
    ]
    await alerts.enqueue_all(tx, edits, now=now)
    gathered = {first.id for _, first in joining if first.gathered}
    if gathered:
        await groups.redraw(tx, await groups.shown(tx, gathered), now=now)
    await alerts.enqueue_all(tx, [_confirmed(*pair) for pair in joining if _is_heard(*pair)], now=now)


def _is_heard(repeat: Draft, first: _First) -> bool:
    return first.wants_confirmation and not first.gathered and repeat.channel_id != first.channel_id


def _confirmed(repeat: Draft, first: _First) -> Draft:
    """Make the reply that tells of the second channel: named after the first post, so that there is only one."""
    return Draft(
        chat_id=repeat.chat_id,
        chat_key=repeat.chat_key,
        kind=Kind.CHANGE,
        subject=f"confirmed/{first.subject}",
        payload={"change": "confirmed", "version_id": repeat.payload["version_id"]},
        follows=first.id,
        silent=repeat.silent or repeat.loudness == 0,
    )


# What was gathered was told as loudly as its chat wants by a storm, and by a digest that came after quiet hours.
_TOLD = """CASE WHEN f.kind = 'post' OR n.payload ->> 'notice' = 'storm' OR f.payload ->> 'quiet' AND n.state = 'sent'
    THEN 2 - f.silent ELSE 0 END"""
# A repeat that says something else since an edit leads nowhere: what is like that is not in the alert that it joined.
_FIRSTS = f"""WITH asked AS (SELECT value ->> 0 AS chat_id, value ->> 1 AS subject, value ->> 2 AS channel_id,
        value ->> 3 AS post_key, value ->> 4 AS words, value ->> 5 AS said_at, value ->> 6 AS loudness,
        value ->> 7 AS thread_id, value ->> 8 AS alike FROM json_each(:asked)),
    found AS (
        SELECT q.*, a.id AS row_id, -1 AS place,
            iif(a.channel_id = q.channel_id, :again_within, :words_within) AS within FROM asked q
        CROSS JOIN alerts a ON a.words = q.words AND a.chat_id = q.chat_id AND a.kind IN ('post', 'gathered')
            AND a.created_at > q.said_at - 2 * :words_within
        UNION ALL
        SELECT q.*, a.id, k.key, :within FROM asked q CROSS JOIN json_each(q.alike) k
        CROSS JOIN alerts a ON a.channel_id = k.value ->> 0 AND a.post_key = k.value ->> 1 AND a.chat_id = q.chat_id
            AND (a.kind IN ('post', 'gathered') OR a.kind = 'repeat' AND a.payload ->> 'shown' IS NULL))
    SELECT q.chat_id, q.subject, f.id, f.subject AS first_subject, f.channel_id, f.kind, c.confirmations
    FROM found q JOIN alerts a ON a.id = q.row_id JOIN alerts f ON f.id = iif(a.kind = 'repeat', a.follows, a.id)
    JOIN versions v ON v.id = f.payload ->> 'version_id' AND abs(v.date - q.said_at) <= q.within
    LEFT JOIN alerts n ON f.kind = 'gathered' AND n.id = f.follows
    JOIN chats c ON c.id = q.chat_id
    WHERE (coalesce(n.state, f.state) = 'due'
        OR coalesce(n.state, f.state) = 'sent' AND iif(n.id IS NULL, f.message_id, n.message_id) IS NOT NULL)
        AND {_TOLD} >= q.loudness
        AND coalesce(f.thread_id, :general) = coalesce(q.thread_id, c.thread_id, :general)
        AND NOT EXISTS (SELECT 1 FROM alerts b WHERE b.channel_id = q.channel_id AND b.post_key = q.post_key
            AND b.chat_id = q.chat_id)
    ORDER BY q.place DESC, f.id DESC"""  # noqa: S608 - our own constant


async def _firsts(tx: Reader, drafts: Iterable[Draft]) -> Mapping[tuple[int, str], _First]:
    """Return the rows that drafts may join, by chat and subject: of the likest post, and of those the earliest."""
    asked = [
        (d.chat_id, d.subject, d.channel_id, d.post_key, d.words, to_ms(d.said.date), d.loudness, d.thread_id, d.alike)
        for d in drafts
        if d.said is not None
    ]
    if not asked:
        return {}
    rows = await tx.fetch_all(
        _FIRSTS,
        {
            "asked": json_list(asked),
            "within": WITHIN // _MS,
            "words_within": WORDS_WITHIN // _MS,
            "again_within": AGAIN_WITHIN // _MS,
            "general": GENERAL_THREAD,
        },
    )
    return {(row["chat_id"], row["subject"]): _to_first(row) for row in rows}


def _to_first(row: sqlite3.Row) -> _First:
    return _First(
        id=row["id"],
        subject=row["first_subject"],
        channel_id=row["channel_id"],
        gathered=row["kind"] == Kind.GATHERED,
        wants_confirmation=bool(row["confirmations"]),
    )


_TOLD_BEFORE = """SELECT p.id AS place, a.channel_id, a.post_key, v.text, v.parts, v.date, v.message_id, m.forward,
        a.payload ->> 'beside' IS NOT NULL AS is_beside
    FROM (SELECT id, channel_id, post_key FROM posts
        WHERE id < :before AND id >= :first ORDER BY id DESC LIMIT :scanned) p
    CROSS JOIN alerts a ON a.id = (SELECT id FROM alerts WHERE channel_id = p.channel_id AND post_key = p.post_key
        AND kind IN ('post', 'gathered', 'repeat') LIMIT 1)
    JOIN versions v ON v.id = coalesce(a.payload ->> 'shown', a.payload ->> 'version_id')
    JOIN posts m ON m.channel_id = v.channel_id AND m.message_id = v.message_id
    ORDER BY p.id DESC LIMIT :most"""


async def told_before(db: Reader, place: int | None, *, since: datetime, most: int) -> tuple[list[Said], int | None]:
    """Return the latest posts since a moment, `most` of them, that any chat was told of, as their alerts show them.

    They are read from a place on, which the answer before gave; with them comes the next one, None after the last.
    """
    asked = {"before": end_id(place, None), "first": first_id(since), "scanned": SCANNED * most, "most": most}
    rows = await db.fetch_all(_TOLD_BEFORE, asked)
    said = [_to_said(row) for row in rows]
    if len(rows) == most:
        return said, rows[-1]["place"]
    sql = "SELECT id FROM posts WHERE id < :before AND id >= :first ORDER BY id DESC LIMIT 1 OFFSET :scanned - 1"
    last = await db.fetch_one(sql, asked)
    return said, None if last is None else last["id"]


def _to_said(row: sqlite3.Row) -> Said:
    forward: dict[str, Any] = json.loads(row["forward"] or "{}")
    channel_id, message_id = forward.get("channel_id"), forward.get("message_id")
    return Said(
        channel_id=row["channel_id"],
        post_key=row["post_key"],
        text=whole_text(row["text"], load_parts(row["parts"])) if row["is_beside"] else row["text"],
        date=from_ms(row["date"]),
        origin=(channel_id, message_id) if channel_id and message_id else (row["channel_id"], row["message_id"]),
    )
