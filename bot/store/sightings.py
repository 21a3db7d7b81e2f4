"""How far the outbox has come goes out: which messages of ours it knows by their numbers, and which it does not."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.models import PeerKind
from bot.store.database import Reader
from bot.store.rows import json_list, maybe_date, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A message of ours that was found in a chat."""

    chat_id: int
    message_id: int
    date: datetime  # of its last edit, where it was edited
    post: tuple[int, int] | None  # that it tells of: channel, message; None: it is no alert of a post


async def alive_at(db: Reader) -> datetime | None:
    """Return the last moment of which the database knows anything; None where it is new."""
    row = await db.fetch_one(
        """SELECT max(at) AS at FROM (SELECT max(at) AS at FROM heartbeats
        UNION ALL SELECT max(sent_at) FROM alerts UNION ALL SELECT max(created_at) FROM alerts
        UNION ALL SELECT max(coalesce(said_at, at)) FROM handled
        UNION ALL SELECT (max(id) >> 20) * 1000 FROM messages)"""  # a post is stored after its date
    )
    return None if row is None else maybe_date(row["at"])


async def newest_id(db: Reader, chat_id: int) -> int:
    """Return the highest number of an alert in a chat, 0 where there is none."""
    # The last condition is that of the index.
    sql = "SELECT max(message_id) AS id FROM alerts WHERE chat_id = :chat AND message_id IS NOT NULL"
    row = await db.fetch_one(sql, {"chat": chat_id})
    return (row and row["id"]) or 0


async def newest_id_of_account(db: Reader) -> int:
    """Return the highest number of an alert in the sequence that private chats and basic groups share."""
    row = await db.fetch_one(
        """SELECT max((SELECT max(message_id) FROM alerts WHERE chat_id = c.id AND message_id IS NOT NULL)) AS id
        FROM chats c WHERE c.kind != :channel""",
        {"channel": PeerKind.CHANNEL},
    )
    return (row and row["id"]) or 0


async def known(db: Reader, messages: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those of these messages, (chat, number), that a row of the outbox knows."""
    rows = await db.fetch_all(
        """SELECT a.chat_id, a.message_id FROM json_each(:asked) k
        CROSS JOIN alerts a ON a.chat_id = k.value ->> 0 AND a.message_id = k.value ->> 1""",
        {"asked": json_list(messages)},
    )
    return {(row["chat_id"], row["message_id"]) for row in rows}


async def unaccounted(db: Reader, chat_ids: Iterable[int], now: datetime) -> list[int]:
    """Return the notices and replies that are due or whose number is unknown, by row, the newest hundred."""
    rows = await db.fetch_all(
        """SELECT id FROM alerts WHERE chat_id IN (SELECT value FROM json_each(:chats)) AND message_id IS NULL
            AND kind IN ('notice', 'change') AND (state = 'due' AND due_at <= :now OR state = 'sent')
        ORDER BY id DESC LIMIT 100""",
        {"chats": json_list(chat_ids), "now": to_ms(now)},
    )
    return [row["id"] for row in rows]
