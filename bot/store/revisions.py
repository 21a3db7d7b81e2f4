"""Alerts that show something else than their posts say by now."""

import json
import sqlite3
from collections.abc import Iterable

from bot.models.alerts import StaleAlert, Wording
from bot.models.subscriptions import Edits
from bot.parts import load_parts
from bot.store import alerts
from bot.store.alerts import MESSAGE_ID
from bot.store.database import Reader
from bot.store.rows import json_list, maybe_date

_STALE = f"""SELECT DISTINCT {alerts.COLUMNS}, {MESSAGE_ID} AS shown_by, a.duplicate_of IS NOT NULL AS is_duplicate,
        f.group_id IS NOT NULL AS is_grouped, c.key, c.edits, m.message_id, m.gone_at,
        (SELECT json_array(count(*), count(gone_at), max(gone_at)) FROM posts
            WHERE channel_id = m.channel_id AND post_key = m.post_key) AS items,
        k.value ->> 2 IS 'loaded' AS is_loaded, s.message_id = m.message_id AS is_shown,
        v.id AS old_id, v.text AS old_text, v.hash AS old_hash, v.edit_date AS old_date,
        w.id AS new_id, w.text AS new_text, w.hash AS new_hash, w.edit_date AS new_date,
        v.parts AS old_parts, w.parts AS new_parts, 1 AS old_times,
        (SELECT count(*) FROM versions WHERE channel_id = w.channel_id AND message_id = w.message_id
            AND hash = w.hash AND edit_date IS w.edit_date AND number <= w.number) AS new_times
    FROM json_each(:messages) k
    JOIN posts t ON t.channel_id = k.value ->> 0 AND t.message_id = k.value ->> 1
    CROSS JOIN alerts a ON a.channel_id = t.channel_id AND a.post_key = t.post_key AND NOT a.is_counted
    JOIN alerts f ON f.id = coalesce(a.duplicate_of, a.id)
    JOIN messages q ON q.id = {MESSAGE_ID} AND (q.state != 'dead' OR f.group_id IS NOT NULL)
    JOIN chats c ON c.id = a.chat_id AND c.suspended IS NULL
    JOIN versions s ON s.id = a.shown_version_id
    JOIN posts m ON m.channel_id = t.channel_id
        AND m.message_id = iif(k.value ->> 2 IS NULL, s.message_id, t.message_id)
    JOIN versions v ON v.id = iif(s.message_id = m.message_id, s.id, (
        SELECT id FROM versions WHERE channel_id = m.channel_id AND message_id = m.message_id
        AND id != m.version_id ORDER BY edit_date DESC, number DESC LIMIT 1))
    JOIN versions w ON w.id = m.version_id
    WHERE k.value ->> 2 IS 'edited' AND (NOT is_shown OR v.id != w.id OR m.gone_at IS NOT NULL)
        OR is_shown AND k.value ->> 2 IS NOT 'edited'
    ORDER BY a.id"""  # noqa: S608 - our own constants


async def stale(
    tx: Reader,
    messages: Iterable[tuple[int, int]],
    *,
    edited: Iterable[tuple[int, int]] = (),
    loaded: Iterable[tuple[int, int]] = (),
) -> list[StaleAlert]:
    """Return the alerts that show one of these messages, (channel id, message id), otherwise than it stands now.

    Every alert of a message that has vanished, come back, or was `loaded` is one; of those `edited` also the alerts
    that show another item of their album.
    """
    asked = [*messages, *((*key, "edited") for key in edited), *((*key, "loaded") for key in loaded)]
    rows = await tx.fetch_all(_STALE, {"messages": json_list(asked)})
    return [_to_stale(row) for row in rows]


def _to_stale(row: sqlite3.Row) -> StaleAlert:
    items, gone_items, last_gone_at = json.loads(row["items"])
    is_part = row["gone_at"] is not None and gone_items < items
    is_all = items and gone_items == items
    return StaleAlert(
        alert=alerts.to_alert(row),
        shown_by=row["shown_by"],
        is_duplicate=bool(row["is_duplicate"]),
        is_grouped=bool(row["is_grouped"]),
        chat_key=row["key"],
        edits=Edits(row["edits"]),
        message_id=row["message_id"],
        is_shown=bool(row["is_shown"]),
        shown=_to_wording(row, "old"),
        current=_to_wording(row, "new"),
        is_loaded=bool(row["is_loaded"]),
        gone_at=maybe_date(last_gone_at if is_all else row["gone_at"]),
        gone_items=(gone_items, items) if is_part else None,
    )


def _to_wording(row: sqlite3.Row, which: str) -> Wording:
    return Wording(
        version_id=row[f"{which}_id"],
        text=row[f"{which}_text"],
        parts=load_parts(row[f"{which}_parts"]),
        hash=row[f"{which}_hash"],
        edit_date=maybe_date(row[f"{which}_date"]),
        times=row[f"{which}_times"],
    )
