"""Alerts that show something else than their posts say by now."""

from collections.abc import Iterable

from bot.models.alerts import StaleAlert
from bot.store.alerts import COLUMNS, MESSAGE_ID
from bot.store.database import Reader
from bot.store.rows import json_list, read_all

_STALE = f"""SELECT DISTINCT {COLUMNS}, {MESSAGE_ID} AS shown_by, a.duplicate_of IS NOT NULL AS is_duplicate,
        f.group_id IS NOT NULL AS is_grouped, c.key AS chat_key, c.edits, m.message_id,
        (SELECT iif(count(*) = count(gone_at), max(gone_at), m.gone_at) FROM posts
            WHERE channel_id = m.channel_id AND post_key = m.post_key) AS gone_at,
        (SELECT iif(m.gone_at IS NOT NULL AND count(gone_at) < count(*), json_array(count(gone_at), count(*)), NULL)
            FROM posts WHERE channel_id = m.channel_id AND post_key = m.post_key) AS gone_items,
        k.value ->> 2 IS 'loaded' AS is_loaded, s.message_id = m.message_id AS is_shown,
        v.id AS shown_version_id, v.text AS shown_text, v.parts AS shown_parts, v.hash AS shown_hash,
        v.edit_date AS shown_edit_date, 1 AS shown_times,
        w.id AS current_version_id, w.text AS current_text, w.parts AS current_parts, w.hash AS current_hash,
        w.edit_date AS current_edit_date,
        (SELECT count(*) FROM versions WHERE channel_id = w.channel_id AND message_id = w.message_id
            AND hash = w.hash AND edit_date IS w.edit_date AND number <= w.number) AS current_times
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
    return read_all(StaleAlert, rows)
