"""What is due comes in from the outbox, the first alerts of some chats go out: as many as can be sent soon."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.store.alerts import ROWS, Alert, Posts, to_alert
from bot.store.database import Reader
from bot.store.rows import json_list, maybe_date, to_ms

# Chats that nothing is to be read of. Indexes answer for all of this, so that thousands of alerts that wait behind one
# another in a chat, or for tomorrow, cost little.
_LEFT_OUT = """chat_id NOT IN (SELECT value FROM json_each(:excluded))
    AND chat_id NOT IN (SELECT id FROM chats WHERE suspended IS NOT NULL)
    AND chat_id NOT IN (SELECT id FROM chats WHERE held_until > :now)"""
_BOTH_ENDS = f"""
    SELECT chat_id FROM (SELECT chat_id FROM alerts INDEXED BY alerts_due
        WHERE state = 'due' AND due_at <= :now AND {_LEFT_OUT} ORDER BY due_at, id LIMIT (:limit + 1) / 2)
    UNION SELECT chat_id FROM (SELECT chat_id FROM alerts INDEXED BY alerts_due
        WHERE state = 'due' AND due_at <= :now AND {_LEFT_OUT} ORDER BY due_at DESC, id DESC LIMIT (:limit + 1) / 2)
"""  # noqa: S608 - our own constant
_NEWS = f"""
    SELECT chat_id FROM (SELECT chat_id FROM alerts NOT INDEXED
        WHERE id > :after AND state = 'due' AND due_at <= :now AND {_LEFT_OUT} ORDER BY id DESC LIMIT :limit)
    GROUP BY chat_id
"""  # noqa: S608 - our own constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was found in the outbox."""

    alerts: list[Alert]  # by chat, in the order in which they came into the outbox
    last_id: int  # of all alerts, where some were found: what comes later is news


async def first_due(  # noqa: PLR0913 - a question with this many sides
    db: Reader, now: datetime, *, exclude_chats: Iterable[int] = (), limit: int, each: int, after: int | None = None
) -> Reading:
    """Return the first `each` alerts of up to `limit` chats that something is due for.

    Half of the chats are those that wait longest, the others those for which the latest came; with `after` all are
    those for which something came after that row. Nothing is read of chats that are suspended, held, or to be left out.
    """
    chosen = _BOTH_ENDS if after is None else _NEWS
    rows = await db.fetch_all(
        f"""SELECT x.*, (SELECT max(id) FROM alerts) AS last_id FROM ({chosen}) w CROSS JOIN ({ROWS}) x
        ON x.alert_id IN (SELECT d.id FROM alerts d INDEXED BY alerts_of_chat_due
            WHERE d.chat_id = w.chat_id AND d.state = 'due' AND d.due_at <= :now ORDER BY d.id LIMIT :each)
        ORDER BY x.alert_id""",  # noqa: S608 - our own constants
        {
            "now": to_ms(now),
            "excluded": json_list(exclude_chats),
            "limit": limit,
            "each": each,
            "after": after,
        },
    )
    posts: Posts = {}  # one may go to thousands of chats
    return Reading(alerts=[to_alert(row, posts) for row in rows], last_id=rows[0]["last_id"] if rows else 0)


async def next_at(db: Reader, now: datetime) -> datetime | None:
    """Return when the next alert falls due that is not due yet."""
    row = await db.fetch_one(
        "SELECT min(due_at) AS due_at FROM alerts INDEXED BY alerts_due WHERE state = 'due' AND due_at > :now",
        {"now": to_ms(now)},
    )
    return None if row is None else maybe_date(row["due_at"])
