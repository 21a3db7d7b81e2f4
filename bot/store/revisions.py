"""Alerts follow their posts: what was posted, changed or lost comes in, and which alerts tell of it goes out."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.parts import Part, load_parts, whole_text
from bot.store.chats import Edits
from bot.store.database import Reader, Transaction
from bot.store.rows import json_list, maybe_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A version of a message, as far as an alert shows it."""

    version_id: int
    text: str
    parts: tuple[Part, ...]
    hash: bytes
    edit_date: int  # ms, 0 where it was not edited
    times: int  # that Telegram has shown this, with other words in between

    @property
    def whole(self) -> str:
        """All that a reader sees: the text and what stands beside it."""
        return whole_text(self.text, self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """An alert that shows something else than its post by now."""

    id: int  # of the row that tells of the post
    alert_id: int  # of the row that was sent: another one where the post joined an alert, or a notice sums it up
    gathered: bool  # a notice sums it up: it shows what has become of the post, and no reply tells of that
    payload: Mapping[str, Any]
    chat_id: int
    chat_key: bytes
    edits: Edits
    channel_id: int
    post_key: str
    message_id: int
    is_shown: bool  # by the alert; else it is another item of the album
    shown: Wording  # by the alert; of another item, what it said before
    current: Wording
    loaded: bool  # something else stands beside the text now
    gone_at: datetime | None  # no longer visible since then: what the alert shows of its post, or all of it
    part: tuple[int, int] | None  # of an album: how many of its items are gone, where others are left


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an alert is to show of its post from now on."""

    id: int
    payload: Mapping[str, object]
    words: str


_OUTDATED = """SELECT DISTINCT a.id, coalesce(o.follows, o.id, a.id) AS alert_id, a.post_key, a.payload, a.chat_id,
        c.key, c.edits, m.channel_id, m.message_id, m.gone_at,
        (SELECT json_array(count(*), count(gone_at), max(gone_at)) FROM posts
            WHERE channel_id = m.channel_id AND post_key = m.post_key) AS items,
        'gathered' IN (a.kind, coalesce(o.kind, '')) AS gathered, k.value ->> 2 IS 'loaded' AS loaded,
        s.message_id = m.message_id AS is_shown,
        v.id AS old_id, v.text AS old_text, v.hash AS old_hash, coalesce(v.edit_date, 0) AS old_date,
        w.id AS new_id, w.text AS new_text, w.hash AS new_hash, coalesce(w.edit_date, 0) AS new_date,
        v.parts AS old_parts, w.parts AS new_parts, 1 AS old_times,
        (SELECT count(*) FROM versions WHERE channel_id = w.channel_id AND message_id = w.message_id
            AND hash = w.hash AND edit_date IS w.edit_date AND number <= w.number) AS new_times
    FROM json_each(:messages) k
    JOIN posts t ON t.channel_id = k.value ->> 0 AND t.message_id = k.value ->> 1
    CROSS JOIN alerts a ON a.channel_id = t.channel_id AND a.state != 'dead'
        AND a.post_key = t.post_key
    LEFT JOIN alerts o ON o.id = a.follows
    JOIN chats c ON c.id = a.chat_id AND c.suspended IS NULL
    JOIN versions s ON s.id = coalesce(a.payload ->> 'shown', a.payload ->> 'version_id')
    JOIN posts m ON m.channel_id = t.channel_id
        AND m.message_id = iif(k.value ->> 2 IS NULL, s.message_id, t.message_id)
    JOIN versions v ON v.id = iif(s.message_id = m.message_id, s.id, (
        SELECT id FROM versions WHERE channel_id = m.channel_id AND message_id = m.message_id
        AND id != m.version_id ORDER BY edit_date DESC, number DESC LIMIT 1))
    JOIN versions w ON w.id = m.version_id
    WHERE k.value ->> 2 IS 'edited' AND (NOT is_shown OR v.id != w.id OR m.gone_at IS NOT NULL)
        OR is_shown AND k.value ->> 2 IS NOT 'edited'
    ORDER BY a.id"""


async def outdated(
    tx: Reader,
    messages: Iterable[tuple[int, int]],
    *,
    edited: Iterable[tuple[int, int]] = (),
    loaded: Iterable[tuple[int, int]] = (),
) -> list[Outdated]:
    """Return the alerts that show one of these messages, (channel id, message id), otherwise than it stands now.

    Of those that have vanished or come back, and of those `loaded`, beside whose text something else stands, every
    alert is one; of those `edited` also the alerts that show another item of their album.
    """
    asked = [*messages, *((*key, "edited") for key in edited), *((*key, "loaded") for key in loaded)]
    rows = await tx.fetch_all(_OUTDATED, {"messages": json_list(asked)})
    return [_to_outdated(row) for row in rows]


def _to_outdated(row: sqlite3.Row) -> Outdated:
    items, gone_items, last_gone_at = json.loads(row["items"])
    is_part = row["gone_at"] is not None and gone_items < items
    is_all = items and gone_items == items
    return Outdated(
        id=row["id"],
        alert_id=row["alert_id"],
        gathered=bool(row["gathered"]),
        payload=json.loads(row["payload"]),
        chat_id=row["chat_id"],
        chat_key=row["key"],
        edits=Edits(row["edits"]),
        channel_id=row["channel_id"],
        post_key=row["post_key"],
        message_id=row["message_id"],
        is_shown=bool(row["is_shown"]),
        shown=_to_wording(row, "old"),
        current=_to_wording(row, "new"),
        loaded=bool(row["loaded"]),
        gone_at=maybe_date(last_gone_at if is_all else row["gone_at"]),
        part=(gone_items, items) if is_part else None,
    )


def _to_wording(row: sqlite3.Row, which: str) -> Wording:
    return Wording(
        version_id=row[f"{which}_id"],
        text=row[f"{which}_text"],
        parts=load_parts(row[f"{which}_parts"]),
        hash=row[f"{which}_hash"],
        edit_date=row[f"{which}_date"],
        times=row[f"{which}_times"],
    )


async def show(tx: Transaction, shown: Collection[Shown]) -> None:
    """Write down what alerts are to show; an edit in the outbox makes them."""
    await tx.execute_many(
        "UPDATE alerts SET payload = :payload, words = :words WHERE id = :id",
        [{"id": s.id, "words": s.words, "payload": json.dumps(s.payload, ensure_ascii=False)} for s in shown],
    )
