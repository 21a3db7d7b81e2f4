"""Addresses of chats: threads that people choose, chats that are suspended, groups that become supergroups.

A chat keeps its row and its key through all of it, so that nothing is sent again under another `random_id`.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.models.notices import AlertsMissed, BroadcastResumed, ChatSuspended, ThreadClosed
from bot.models.outgoing import Peer, PeerKind
from bot.store import chats, outbox, people
from bot.store.chats import Chat
from bot.store.database import Reader, Subject, Transaction
from bot.store.notices import notify, notify_owners
from bot.store.rows import read_all, to_ms

# What belongs to a chat and moves with it, by `chat_id`; a test holds this against the schema.
OF_CHATS = (
    "acts",
    "backfills",
    "case_access",
    "case_posts",
    "channel_access",
    "enquiries",
    "exclusions",
    "feedback",
    "follows",
    "mutes",
    "progress",
    "questions",
    "restorations",
    "saved_searches",
    "subscriptions",
    "threads",
    "topic_access",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A topic whose alerts go to a thread of their own."""

    topic: str  # its name
    thread_id: int


async def bindings(db: Reader, chat_id: int) -> list[Binding]:
    """Return the topics of a chat that have a thread of their own, by name."""
    rows = await db.fetch_all(
        """SELECT t.name AS topic, s.thread_id FROM subscriptions s JOIN topics t ON t.id = s.topic_id
        WHERE s.chat_id = :chat AND s.thread_id IS NOT NULL ORDER BY t.name""",
        {"chat": chat_id},
    )
    return read_all(Binding, rows)


async def bind_topic(tx: Transaction, chat_id: int, topic_id: int, thread_id: int | None) -> bool:
    """Send a topic's alerts to a thread, None: to the chat's own; False where it is not subscribed to."""
    values = {"chat": chat_id, "topic": topic_id, "thread": thread_id}
    sql = "UPDATE subscriptions SET thread_id = :thread WHERE chat_id = :chat AND topic_id = :topic"
    return await tx.execute(sql, values) > 0


async def bind_chat(tx: Transaction, chat_id: int, thread_id: int | None) -> None:
    """Make a thread the chat's own, None: the general one; messages that wait for the old one move along."""
    values = {"chat": chat_id, "thread": thread_id}
    await tx.execute(
        """UPDATE messages SET thread_id = :thread WHERE chat_id = :chat AND state = 'due' AND sent_revision = 0
            AND reply_to IS NULL AND thread_id IS (SELECT thread_id FROM chats WHERE id = :chat)""",
        values,
    )
    await tx.execute("UPDATE chats SET thread_id = :thread WHERE id = :chat", values)
    tx.announce(Subject.CHATS)


async def leave_thread(tx: Transaction, chat: Chat, thread_id: int, *, now: datetime) -> None:
    """Move what was bound to a thread that takes no more messages to the chat's own, and notify the chat.

    Where the thread was the chat's own, the general one takes its place.
    """
    values = {"chat": chat.id, "thread": thread_id}
    bound = [binding.topic for binding in await bindings(tx, chat.id) if binding.thread_id == thread_id]
    await tx.execute("UPDATE subscriptions SET thread_id = NULL WHERE chat_id = :chat AND thread_id = :thread", values)
    was_own = await tx.execute("UPDATE chats SET thread_id = NULL WHERE id = :chat AND thread_id = :thread", values) > 0
    await tx.execute(
        """UPDATE messages SET thread_id = (SELECT thread_id FROM chats WHERE id = :chat)
        WHERE chat_id = :chat AND thread_id = :thread AND state = 'due' AND sent_revision = 0""",
        values,
    )
    tx.announce(Subject.CHATS)
    if bound or was_own:
        notice = ThreadClosed(event=f"{thread_id}:{to_ms(now)}", topics=() if was_own else tuple(bound))
        await notify(tx, chat, notice, now=now)


async def suspend(tx: Transaction, chat: Chat, reason: str, *, now: datetime) -> None:
    """Suspend a chat, with Telegram's error string as the reason; of a group the owners get a notice."""
    current = await chats.get(tx, chat.id)
    if current is None or current.suspended is not None:
        return
    await chats.suspend(tx, chat.id, reason)
    if chat.peer.kind is PeerKind.USER:
        return
    notice = ChatSuspended(
        event=f"{chat.id}:{to_ms(now)}",
        chat=chat.title,
        reason=reason,
        is_broadcast=chat.broadcast and not chat.is_target,
        is_target=chat.is_target,
    )
    await notify_owners(tx, notice, now=now)


async def resume(tx: Transaction, chat_id: int, *, now: datetime) -> None:
    """Resume a suspended chat, with a notice of how many alerts it has missed; these stay unsent, being old by now.

    That of somebody who was removed stays suspended, unless they are in the team again; and so does a broadcast that
    nobody has set up.
    """
    chat = await chats.get(tx, chat_id)
    if chat is None or chat.suspended in {None, chats.OFFERED}:
        return
    if chat.suspended == chats.REMOVED and await people.role_of(tx, chat.peer.id) is None:
        return
    await chats.resume(tx, chat_id)
    if chat.broadcast:
        await notify(tx, chat, BroadcastResumed(event=f"{chat_id}:{to_ms(now)}", chat=chat.title), now=now)
        return
    await notify(tx, chat, AlertsMissed(event=str(to_ms(now)), alerts=await outbox.count_missed(tx, chat_id)), now=now)


async def upgrade(tx: Transaction, group_id: int, supergroup: Peer) -> bool:
    """Move a basic group to the supergroup that it became; False where it is not paired, or was moved before.

    Its messages stay behind under ids that mean others in the new place: sent ones cannot be edited any more.
    A supergroup that was paired meanwhile is joined to the older row, which keeps its settings: the subscriptions of
    both hold, and an alert that the newer row has had is not sent again.
    """
    chat = await chats.by_peer(tx, PeerKind.GROUP, group_id)
    if chat is None:
        return False
    old = {"id": chat.id}
    await tx.execute("UPDATE messages SET telegram_id = NULL WHERE chat_id = :id AND telegram_id IS NOT NULL", old)
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


# Of what a chat that is to go has, and the chat that stays has too: the row there. `g` is the one here.
_SAME_MESSAGE = """SELECT k.id FROM messages g JOIN messages k
    ON k.chat_id = :kept AND k.kind = g.kind AND k.subject = g.subject WHERE g.chat_id = :gone"""
_SAME_ALERT = """SELECT k.id FROM alerts g JOIN alerts k ON k.chat_id = :kept AND k.channel_id = g.channel_id
    AND k.post_key = g.post_key AND k.is_counted = g.is_counted WHERE g.chat_id = :gone"""
_SAME_GROUP = """SELECT k.group_id FROM messages g JOIN messages k
    ON k.chat_id = :kept AND k.kind = g.kind AND k.subject = g.subject WHERE g.chat_id = :gone"""
_JOIN = (  # run in this order
    # A group that waits here may hold more than the newer row was sent: an edit says so.
    """UPDATE messages SET state = 'due', wanted_revision = messages.wanted_revision + 1 FROM messages k
    WHERE messages.chat_id = :gone AND k.chat_id = :kept AND k.kind = messages.kind AND k.subject = messages.subject
        AND k.state = 'due' AND k.kind = 'group' AND messages.state IN ('due', 'sent')
        AND messages.sent_revision > 0 AND messages.telegram_id IS NOT NULL""",
    """UPDATE messages SET state = t.state, wanted_revision = t.wanted_revision, sent_revision = t.sent_revision,
        sent_at = t.sent_at, edited_at = t.edited_at, telegram_id = t.telegram_id, thread_id = t.thread_id
    FROM messages t WHERE messages.chat_id = :kept AND t.chat_id = :gone AND t.sent_revision > 0
        AND t.kind = messages.kind AND t.subject = messages.subject""",
    f"""UPDATE alerts SET group_id = coalesce(({_SAME_GROUP} AND g.group_id = alerts.group_id), group_id)
    WHERE chat_id = :gone AND group_id IS NOT NULL""",  # noqa: S608 - our own constants
    f"""UPDATE alerts SET duplicate_of = coalesce(({_SAME_ALERT} AND g.id = alerts.duplicate_of), duplicate_of)
    WHERE chat_id = :gone AND duplicate_of IS NOT NULL""",  # noqa: S608 - likewise
    f"""UPDATE messages SET reply_to = coalesce(({_SAME_MESSAGE} AND g.id = messages.reply_to), reply_to),
        alert_id = coalesce(({_SAME_ALERT} AND g.id = messages.alert_id), alert_id) WHERE chat_id = :gone""",  # noqa: S608 - likewise
    f"""UPDATE messages SET carries = ({_SAME_MESSAGE} AND g.id = messages.carries)
    WHERE carries IN (SELECT g.id FROM messages g JOIN messages k ON k.chat_id = :kept AND k.kind = g.kind
        AND k.subject = g.subject WHERE g.chat_id = :gone)""",  # noqa: S608 - likewise
    f"""UPDATE OR REPLACE attachments
    SET alert_id = coalesce(({_SAME_ALERT} AND g.id = attachments.alert_id), alert_id),
        reply_id = coalesce(({_SAME_MESSAGE} AND g.id = attachments.reply_id), reply_id)
    WHERE alert_id IN (SELECT id FROM alerts WHERE chat_id = :gone)""",  # noqa: S608 - likewise
    "UPDATE OR IGNORE messages SET chat_id = :kept WHERE chat_id = :gone",
    "UPDATE OR IGNORE alerts SET chat_id = :kept WHERE chat_id = :gone",
    """UPDATE groups SET chat_id = :kept WHERE chat_id = :gone
        AND id IN (SELECT group_id FROM messages WHERE chat_id = :kept)""",
    "DELETE FROM messages WHERE chat_id = :gone",
    "DELETE FROM alerts WHERE chat_id = :gone",
    "DELETE FROM groups WHERE chat_id = :gone",
)


async def _join(tx: Transaction, gone: int, *, into: int) -> None:
    """Move all that belongs to a chat to another one, and delete the chat."""
    values = {"gone": gone, "kept": into}
    for statement in _JOIN:
        await tx.execute(statement, values)
    for table in OF_CHATS:
        await tx.execute(f"UPDATE OR IGNORE {table} SET chat_id = :kept WHERE chat_id = :gone", values)  # noqa: S608 - our own names
        await tx.execute(f"DELETE FROM {table} WHERE chat_id = :gone", values)  # noqa: S608 - likewise
    await tx.execute("DELETE FROM chats WHERE id = :gone", values)
