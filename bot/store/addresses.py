"""Where chats are: a choice of a thread, or news of a move comes in; alerts go to the new place from then on.

The chat's row stays through all of it, with its key: what was sent once under a `random_id` is never sent again.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.models import Peer, PeerKind
from bot.models.notices import ChatSuspended, ThreadClosed
from bot.store import chats
from bot.store.chats import Chat
from bot.store.database import Reader, Subject, Transaction
from bot.store.notices import notify
from bot.store.rows import to_ms

# What belongs to a chat and moves with it, by `chat_id`; a test holds this against the schema.
OF_CHATS = ("backfills", "feedback", "follows", "mutes", "progress", "receipts", "restorations", "subscriptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A topic whose alerts go to a thread of their own."""

    topic: str  # its name
    thread_id: int


async def bindings(db: Reader, chat_id: int) -> list[Binding]:
    """Return the topics of a chat that have a thread of their own, by name."""
    rows = await db.fetch_all(
        """SELECT t.name, s.thread_id FROM subscriptions s JOIN topics t ON t.id = s.topic_id
        WHERE s.chat_id = :chat AND s.thread_id IS NOT NULL ORDER BY t.name""",
        {"chat": chat_id},
    )
    return [Binding(topic=row["name"], thread_id=row["thread_id"]) for row in rows]


async def bind_topic(tx: Transaction, chat_id: int, topic_id: int, thread_id: int | None) -> bool:
    """Send a topic's alerts to a thread, None to the chat's own; False where the chat does not subscribe to it."""
    values = {"chat": chat_id, "topic": topic_id, "thread": thread_id}
    sql = "UPDATE subscriptions SET thread_id = :thread WHERE chat_id = :chat AND topic_id = :topic"
    return await tx.execute(sql, values) > 0


async def bind_chat(tx: Transaction, chat_id: int, thread_id: int | None) -> None:
    """Send to a thread, None the general one, whatever has none of its own; also what waits for the old one."""
    values = {"chat": chat_id, "thread": thread_id}
    await tx.execute(
        """UPDATE alerts SET thread_id = :thread WHERE chat_id = :chat AND state = 'due' AND follows IS NULL
            AND thread_id IS (SELECT thread_id FROM chats WHERE id = :chat)""",
        values,
    )
    await tx.execute("UPDATE chats SET thread_id = :thread WHERE id = :chat", values)
    tx.announce(Subject.CHATS)


async def leave_thread(tx: Transaction, chat: Chat, thread_id: int, *, now: datetime) -> None:
    """Forget a thread that takes nothing more; what was bound to it goes to the chat's own place, and the chat is told.

    Where the thread was the chat's own, that place is the general thread.
    """
    values = {"chat": chat.id, "thread": thread_id}
    bound = [binding.topic for binding in await bindings(tx, chat.id) if binding.thread_id == thread_id]
    await tx.execute("UPDATE subscriptions SET thread_id = NULL WHERE chat_id = :chat AND thread_id = :thread", values)
    was_own = await tx.execute("UPDATE chats SET thread_id = NULL WHERE id = :chat AND thread_id = :thread", values) > 0
    await tx.execute(
        """UPDATE alerts SET thread_id = (SELECT thread_id FROM chats WHERE id = :chat)
        WHERE chat_id = :chat AND thread_id = :thread AND state = 'due'""",
        values,
    )
    tx.announce(Subject.CHATS)
    if bound or was_own:
        notice = ThreadClosed(event=f"{thread_id}:{to_ms(now)}", topics=() if was_own else tuple(bound))
        await notify(tx, chat, notice, now=now)


async def suspend(tx: Transaction, chat: Chat, reason: str, *, now: datetime) -> None:
    """Send nothing to a chat any more, for a reason: Telegram's error string. Of a group the owners are told once."""
    current = await chats.get(tx, chat.id)
    if current is None or current.suspended is not None:
        return
    await chats.suspend(tx, chat.id, reason)
    if chat.peer.kind is PeerKind.USER:
        return
    notice = ChatSuspended(event=f"{chat.id}:{to_ms(now)}", chat=chat.title, reason=reason)
    for owner in await chats.of_owners(tx):
        if owner.suspended is None:
            await notify(tx, owner, notice, now=now)


async def upgrade(tx: Transaction, group_id: int, supergroup: Peer) -> bool:
    """Follow a basic group that became a supergroup; False where nobody paired it, or it was followed before.

    Its messages stay behind under numbers that mean others in the new place: what was sent cannot be edited any more.
    A supergroup that was paired meanwhile is joined to the older row, which keeps its settings: the subscriptions of
    both hold, and an alert that the newer row has had is not sent again.
    """
    chat = await chats.by_peer(tx, PeerKind.GROUP, group_id)
    if chat is None:
        return False
    old = {"id": chat.id}
    await tx.execute("UPDATE alerts SET message_id = NULL WHERE chat_id = :id AND message_id IS NOT NULL", old)
    await tx.execute("UPDATE progress SET message_id = NULL WHERE chat_id = :id", old)
    twin = await chats.by_peer(tx, PeerKind.CHANNEL, supergroup.id)
    if twin is not None:
        await _join(tx, twin.id, into=chat.id)
    await tx.execute(
        """UPDATE chats SET kind = 'channel', telegram_id = :telegram_id, access_hash = :hash, suspended = NULL
        WHERE id = :id""",
        {
            "id": chat.id,
            "telegram_id": supergroup.id,
            "hash": supergroup.access_hash or (twin.peer.access_hash if twin else 0),
        },
    )
    tx.announce(Subject.CHATS)
    tx.announce(Subject.ALERTS)
    return True


def _twin_of(column: str) -> str:
    """Write a query for the row in the chat that is kept which says what one in the other chat says."""
    return f"""(SELECT k.id FROM alerts g JOIN alerts k ON k.chat_id = :kept AND k.kind = g.kind
        AND k.subject = g.subject WHERE g.chat_id = :gone AND g.id = {column})"""  # noqa: S608 - our own names


async def _join(tx: Transaction, gone: int, *, into: int) -> None:
    """Move all that belongs to a chat to another one, and forget the chat."""
    values = {"gone": gone, "kept": into}
    await tx.execute(
        """UPDATE alerts SET state = t.state, sent_at = t.sent_at, message_id = t.message_id, thread_id = t.thread_id
        FROM alerts t WHERE alerts.chat_id = :kept AND t.chat_id = :gone AND t.state = 'sent'
            AND t.kind = alerts.kind AND t.subject = alerts.subject""",
        values,
    )
    await tx.execute("UPDATE OR IGNORE alerts SET chat_id = :kept WHERE chat_id = :gone", values)
    both_had = "SELECT id FROM alerts WHERE chat_id = :gone"
    await tx.execute(
        f"UPDATE alerts SET follows = {_twin_of('alerts.follows')} WHERE follows IN ({both_had})",  # noqa: S608 - likewise
        values,
    )
    await tx.execute(
        f"""UPDATE OR REPLACE attachments SET alert_id = coalesce({_twin_of("attachments.alert_id")}, alert_id),
            reply_id = coalesce({_twin_of("attachments.reply_id")}, reply_id)
        WHERE alert_id IN ({both_had}) OR reply_id IN ({both_had})""",  # noqa: S608 - likewise
        values,
    )
    for table in OF_CHATS:
        await tx.execute(f"UPDATE OR IGNORE {table} SET chat_id = :kept WHERE chat_id = :gone", values)  # noqa: S608 - likewise
    for table in ("alerts", *OF_CHATS):
        await tx.execute(f"DELETE FROM {table} WHERE chat_id = :gone", values)  # noqa: S608 - likewise
    await tx.execute("DELETE FROM chats WHERE id = :gone", values)
