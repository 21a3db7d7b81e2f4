"""Chats that want a receipt each day: at which minute of their day, and since when they have had none."""

from dataclasses import dataclass
from datetime import datetime

from bot.store import chats
from bot.store.chats import Chat
from bot.store.database import Reader, Transaction
from bot.store.rows import from_ms, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A chat that wants receipts."""

    chat: Chat
    minute: int  # of the chat's own day
    since: datetime  # the last receipt, or when they were switched on


async def ask(tx: Transaction, chat_id: int, *, minute: int, now: datetime) -> None:
    """Send a chat a receipt each day at this minute, from the next time on that it comes."""
    await tx.execute(
        """INSERT INTO receipts (chat_id, minute, since) VALUES (:chat, :minute, :now)
        ON CONFLICT DO UPDATE SET minute = excluded.minute, since = excluded.since""",
        {"chat": chat_id, "minute": minute, "now": to_ms(now)},
    )


async def stop(tx: Transaction, chat_id: int) -> None:
    """Send a chat no receipts any more."""
    await tx.execute("DELETE FROM receipts WHERE chat_id = :chat", {"chat": chat_id})


async def sent(tx: Transaction, chat_id: int, now: datetime) -> None:
    """Write down that a chat has had its receipt."""
    await tx.execute("UPDATE receipts SET since = :now WHERE chat_id = :chat", {"chat": chat_id, "now": to_ms(now)})


async def minute_of(db: Reader, chat_id: int) -> int | None:
    """Return at which minute of its day a chat gets its receipt; None where it wants none."""
    row = await db.fetch_one("SELECT minute FROM receipts WHERE chat_id = :chat", {"chat": chat_id})
    return None if row is None else int(row["minute"])


async def wishes(db: Reader) -> list[Wish]:
    """Return the chats that want receipts and can be written to."""
    rows = await db.fetch_all(
        f"""SELECT {chats.COLUMNS}, r.minute, r.since FROM receipts r JOIN chats c ON c.id = r.chat_id
        WHERE c.suspended IS NULL ORDER BY c.id"""  # noqa: S608 - our own constant
    )
    return [Wish(chat=chats.to_chat(row), minute=row["minute"], since=from_ms(row["since"])) for row in rows]


async def alerts_of(db: Reader, wish: Wish) -> int:
    """Count the posts that a chat was alerted to since its last receipt."""
    sql = "SELECT count(*) AS n FROM messages WHERE chat_id = :chat AND kind = 'alert' AND sent_at >= :since"
    row = await db.fetch_one(sql, {"chat": wish.chat.id, "since": to_ms(wish.since)})
    return int(row["n"]) if row else 0
