"""How topics do in a chat: counted from one index over its alerts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.store.database import Reader
from bot.store.rows import to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a topic brought to a chat."""

    alerts: int = 0  # posts that it was told of, in digests too
    echoes: int = 0  # posts that joined an alert, as they said the same
    wrong: int = 0  # of the alerts, those that somebody there found not relevant


async def of_chat(db: Reader, chat_id: int, since: datetime) -> Mapping[str, Figures]:
    """Count by the names of topics what a chat was told since a moment; a topic that brought nothing is missing."""
    rows = await db.fetch_all(
        """WITH told AS (
            SELECT topics, duplicate_of IS NOT NULL AS is_echo, count(*) AS n FROM alerts
            WHERE chat_id = :chat AND created_at >= :since AND NOT is_counted GROUP BY topics, is_echo),
        wrong AS (
            SELECT t.value AS topic, count(DISTINCT f.channel_id || '/' || f.post_key) AS n
            FROM feedback f CROSS JOIN alerts a ON a.channel_id = f.channel_id AND a.post_key = f.post_key
                AND +a.chat_id = f.chat_id AND +a.created_at >= :since AND a.duplicate_of IS NULL AND NOT a.is_counted
            JOIN json_each(f.topics) t WHERE f.chat_id = :chat GROUP BY t.value)
        SELECT t.value AS topic, total(told.n) FILTER (WHERE NOT is_echo) AS alerts,
            total(told.n) FILTER (WHERE is_echo) AS echoes, coalesce(max(wrong.n), 0) AS wrong
        FROM told JOIN json_each(told.topics) t LEFT JOIN wrong ON wrong.topic = t.value GROUP BY t.value""",
        {"chat": chat_id, "since": to_ms(since)},
    )
    return {
        row["topic"]: Figures(alerts=int(row["alerts"]), echoes=int(row["echoes"]), wrong=row["wrong"]) for row in rows
    }
