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
    date: datetime
    has_media: bool
    post: tuple[int, int]  # that it tells of: channel, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """How far a database had come when this process began."""

    alive_at: datetime | None  # its last sign of life
    newest_row: int  # of the outbox


async def before(db: Reader) -> Before:
    """Return how far the database has come."""
    (row,) = await db.fetch_all(
        """SELECT max(at) AS at, (SELECT max(id) FROM alerts) AS id FROM (SELECT max(at) AS at FROM heartbeats
        UNION ALL SELECT max(sent_at) FROM alerts UNION ALL SELECT max(created_at) FROM alerts)"""
    )
    return Before(alive_at=maybe_date(row["at"]), newest_row=row["id"] or 0)


async def newest_id(db: Reader, chat_id: int) -> int:
    """Return the highest number of an alert in a chat, 0 where there is none."""
    row = await db.fetch_one("SELECT max(message_id) AS id FROM alerts WHERE chat_id = :chat", {"chat": chat_id})
    return (row and row["id"]) or 0


async def newest_id_of_account(db: Reader) -> int:
    """Return the highest number of an alert in the sequence that private chats and basic groups share."""
    row = await db.fetch_one(
        """SELECT max((SELECT max(message_id) FROM alerts WHERE chat_id = c.id)) AS id FROM chats c
        WHERE c.kind != :channel""",
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
