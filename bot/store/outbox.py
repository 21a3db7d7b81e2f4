"""The outbox: the messages that chats shall see, and the revision of each that they do see.

No row says who is sending it: one process owns the outbox and keeps its claims in memory. A message stays due until the
revision that is wanted was sent, and after a crash it is sent again under the same `random_id`.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.models import to_json
from bot.models.alerts import Draft, MessageKind
from bot.models.outgoing import Peer, PeerKind
from bot.store import meta, posts
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import from_ms, json_list, read, to_ms

SECRET = "outbox_secret"  # noqa: S105 - the name of the fact, not the secret
APART = timedelta(seconds=3)  # that a message of a group is edited, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A revision of a message that its chat sees."""

    revision: int
    telegram_id: int | None  # None: unknown, as where Telegram says that it was sent before
    written_at: datetime  # it shows what was known then
    is_storm: bool = False  # what it shows: another revision is wanted once that is over


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCounts:
    """How the outbox is doing."""

    due: int
    sent: int  # alerts, since the moment asked about
    dead: int  # created since then; of files and translations none


def random_id(secret: bytes, chat_key: bytes, kind: str, subject: str) -> int:
    """Return the number by which Telegram knows a message that is sent again: signed 64 bits, never 0.

    It is a keyed hash of the message's identity, so that a crash, a clock or a restored backup cannot change it.
    """
    identity = b"\0".join((chat_key.hex().encode(), kind.encode(), subject.encode()))
    number = int.from_bytes(hashlib.blake2b(identity, digest_size=8, key=secret).digest(), "big", signed=True)
    return number or 1


_ADD = """INSERT INTO messages (chat_id, kind, subject, random_id, alert_id, group_id, version_id, notice, body,
    reply_to, carries, thread_id, silent, due_at, created_at, wanted_at)"""
_UNLESS_KNOWN = "ON CONFLICT (chat_id, kind, subject) DO NOTHING"


async def enqueue(tx: Transaction, drafts: Sequence[Draft], *, now: datetime, due_at: datetime | None = None) -> int:
    """Put messages into the outbox; return how many were new."""
    if not drafts:
        return 0
    secret, threads = await meta.secret(tx, SECRET), await _threads(tx, drafts)
    moment, due = to_ms(now), to_ms(due_at or now)
    rows = [
        (
            draft.chat_id,
            draft.kind,
            draft.subject,
            random_id(secret, draft.chat_key, draft.kind, draft.subject),
            draft.alert_id,
            draft.group_id,
            draft.version_id,
            draft.notice,
            _body(draft),
            draft.reply_to,
            draft.carries,
            draft.thread_id or threads.get((draft.chat_id, draft.reply_to)),
            draft.silent,
            due,
            moment,
            moment,
        )
        for draft in drafts
    ]
    added = await tx.insert_all(_ADD, rows, _UNLESS_KNOWN)
    if added:
        tx.announce(Subject.ALERTS)
    return added


async def _threads(tx: Reader, drafts: Iterable[Draft]) -> dict[tuple[int, int | None], int | None]:
    """Return the threads of those drafts for which none was chosen, by chat and the message that is answered."""
    threadless = (draft for draft in drafts if draft.thread_id is None and draft.kind is not MessageKind.ALERT)
    asked = {(draft.chat_id, draft.reply_to) for draft in threadless}
    if not asked:
        return {}
    rows = await tx.fetch_all(
        """SELECT c.id AS chat_id, m.id AS reply_to, iif(m.id IS NULL, c.thread_id, m.thread_id) AS thread_id
        FROM json_each(:asked) q CROSS JOIN chats c ON c.id = q.value ->> 0
        LEFT JOIN messages m ON m.id = q.value ->> 1""",
        {"asked": json_list(asked)},
    )
    return {(row["chat_id"], row["reply_to"]): row["thread_id"] for row in rows}


def _body(draft: Draft) -> str | None:
    body = draft.body if draft.change is None else draft.change
    return None if body is None else to_json(body)


async def revise(
    tx: Transaction, message_ids: Collection[int], *, now: datetime, apart: timedelta = timedelta()
) -> None:
    """Want another revision of these messages; one that was sent is edited, so long after it was edited last.

    An edit that failed is tried again when it was to be. What nobody can edit stays as it is.
    """
    if not message_ids:
        return
    await tx.execute(
        """UPDATE messages SET wanted_revision = wanted_revision + 1, state = 'due',
            attempts = iif(state = 'due', attempts, 0),
            wanted_at = iif(state = 'due' AND (sent_revision = 0 OR due_at <= :now), wanted_at, :now),
            due_at = CASE WHEN sent_revision = 0 OR attempts > 0 AND state = 'due' THEN due_at
                WHEN state = 'due' THEN min(due_at, max(:now, coalesce(edited_at, sent_at) + :apart))
                ELSE max(:now, coalesce(edited_at, sent_at) + :apart) END
        WHERE id IN (SELECT value FROM json_each(:ids))
            AND (state = 'due' OR state IN ('sent', 'withdrawn') AND telegram_id IS NOT NULL)""",
        {"ids": json_list(set(message_ids)), "now": to_ms(now), "apart": apart // timedelta(milliseconds=1)},
    )
    tx.announce(Subject.ALERTS)


async def sent(tx: Transaction, message_id: int, delivery: Delivery, *, now: datetime) -> None:
    """Write down that a chat sees a revision; another one that is wanted by now is due, of a group after a while."""
    values = {
        "id": message_id,
        "revision": delivery.revision,
        "telegram_id": delivery.telegram_id,
        "written_at": to_ms(delivery.written_at),
        "now": to_ms(now),
        "apart": APART // timedelta(milliseconds=1),
    }
    # While it was on its way, the wanted revision may have become a lower one: that of the row of a joined chat.
    await tx.execute(
        """UPDATE messages SET sent_revision = :revision, wanted_revision = max(wanted_revision, :revision),
            telegram_id = coalesce(:telegram_id, telegram_id),
            edited_at = iif(sent_revision = 0, NULL, :now), sent_at = iif(sent_revision = 0, :now, sent_at),
            state = iif(wanted_revision > :revision, 'due', 'sent'), reason = NULL,
            attempts = iif(wanted_revision > :revision, 0, attempts),
            due_at = iif(group_id IS NULL, due_at, max(due_at, :now + :apart))
        WHERE id = :id""",
        values,
    )
    if not delivery.is_storm:
        return
    await tx.execute(
        """UPDATE messages SET wanted_revision = wanted_revision + 1, state = 'due', wanted_at = :now, attempts = 0,
            due_at = (SELECT closes_at FROM groups WHERE id = group_id)
        WHERE id = :id AND state = 'sent' AND telegram_id IS NOT NULL
            AND group_id IN (SELECT id FROM groups WHERE closes_at > :written_at)""",
        values,
    )


async def put_off(tx: Transaction, message_id: int, *, at: datetime, reason: str, holds_chat: bool = False) -> None:
    """Try a message again later, or its whole chat; `reason` is Telegram's error string."""
    values = {"id": message_id, "at": to_ms(at), "reason": reason}
    await tx.execute(
        "UPDATE messages SET due_at = :at, attempts = attempts + 1, reason = :reason WHERE id = :id AND state = 'due'",
        values,
    )
    if holds_chat:
        chat = "SELECT chat_id FROM messages WHERE id = :id"
        await tx.execute(f"UPDATE chats SET held_until = :at WHERE id = ({chat})", values)  # noqa: S608 - our own
    tx.announce(Subject.ALERTS)


async def give_up(tx: Transaction, message_id: int, reason: str) -> None:
    """End a message that can never be sent, or leave it as it was sent; `reason` is Telegram's error string."""
    await tx.execute(
        """UPDATE messages SET state = iif(sent_revision = 0, 'dead', 'frozen'), attempts = attempts + 1,
            reason = :reason WHERE id = :id AND state = 'due'""",
        {"id": message_id, "reason": reason},
    )


async def end_all(tx: Transaction, chat_id: int, reason: str) -> None:
    """End all that is due to a chat that takes nothing; edits of what it shows wait for `take_up`.

    A group is over then: nobody would see what comes next.
    """
    await tx.execute(
        """UPDATE messages SET reason = :reason,
            state = CASE WHEN sent_revision = 0 THEN 'dead' WHEN group_id IS NULL THEN 'withdrawn' ELSE 'frozen' END
        WHERE chat_id = :chat AND state = 'due'""",
        {"chat": chat_id, "reason": reason},
    )


async def take_up(tx: Transaction, chat_id: int) -> None:
    """Let the edits be made that were ended by `end_all`: a post may be named by nothing else."""
    count = await tx.execute(
        """UPDATE messages SET state = 'due', attempts = 0
        WHERE chat_id = :chat AND state = 'withdrawn' AND telegram_id IS NOT NULL""",
        {"chat": chat_id},
    )
    if count:
        tx.announce(Subject.ALERTS)


async def statistics(db: Reader, since: datetime, *, chat_id: int | None = None) -> OutboxCounts:
    """Count the messages by what became of them, of one chat or of all."""
    (row,) = await db.fetch_all(
        """SELECT count(*) FILTER (WHERE state = 'due') AS due,
            count(*) FILTER (WHERE kind = 'alert' AND sent_at >= :since) AS sent,
            count(*) FILTER (WHERE state = 'dead' AND kind NOT IN ('files', 'translation', 'fallback')
                AND created_at >= :since) AS dead
        FROM messages WHERE chat_id BETWEEN coalesce(:chat, 0) AND coalesce(:chat, 1 << 62)""",
        {"since": to_ms(since), "chat": chat_id},
    )
    return read(OutboxCounts, row)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that ended before it was delivered."""

    id: int
    created_at: datetime
    chat: str  # its title
    about: str  # the link of a post, or the name of a notice or group
    reason: str  # Telegram's error string
    suspended: bool  # the chat takes nothing for now, whatever it is


# Files and translations of a post that its chat was alerted to are nothing that the chat has missed, nor what waits.
_DEAD = "q.state = 'dead' AND q.kind NOT IN ('files', 'translation', 'fallback')"


async def dead_letters(db: Reader) -> list[DeadLetter]:
    """Return all messages that could not be delivered, oldest first."""
    rows = await db.fetch_all(
        f"""SELECT q.id, q.created_at, q.reason, c.title, c.suspended, coalesce(g.kind, q.notice) AS name,
            coalesce(q.version_id, a.shown_version_id) AS version_id
        FROM messages q INDEXED BY messages_dead JOIN chats c ON c.id = q.chat_id
        LEFT JOIN groups g ON g.id = q.group_id LEFT JOIN alerts a ON a.id = q.alert_id
        WHERE {_DEAD} ORDER BY q.id"""  # noqa: S608 - our own constant
    )
    shown = await posts.of_versions(db, {row["version_id"] for row in rows} - {None})
    links = {post.version_id: post.link for post in shown}
    return [
        DeadLetter(
            id=row["id"],
            created_at=from_ms(row["created_at"]),
            chat=row["title"],
            about=row["name"] or links[row["version_id"]],
            reason=row["reason"] or "",
            suspended=row["suspended"] is not None,
        )
        for row in rows
    ]


async def try_again(tx: Transaction, ids: Collection[int], now: datetime) -> int:
    """Make dead messages due again, under the same `random_id`; return how many. Those of suspended chats stay dead."""
    count = await tx.execute(
        f"""UPDATE messages AS q SET state = 'due', due_at = :now, attempts = 0, reason = NULL
        WHERE q.id IN (SELECT value FROM json_each(:ids)) AND {_DEAD}
            AND q.chat_id NOT IN (SELECT id FROM chats WHERE suspended IS NOT NULL)""",  # noqa: S608 - our own constant
        {"ids": json_list(ids), "now": to_ms(now)},
    )
    tx.announce(Subject.ALERTS)
    return count


async def count_missed(db: Reader, chat_id: int) -> int:
    """Count the messages that a chat has missed since its last notice of that."""
    count = await db.fetch_value(
        f"""SELECT count(*) FROM messages q WHERE q.chat_id = :chat AND {_DEAD} AND q.id > coalesce(
            (SELECT max(id) FROM messages WHERE chat_id = :chat AND kind = 'notice' AND notice = 'missed'), 0)
        """,  # noqa: S608 - our own constant
        {"chat": chat_id},
    )
    return int(count)


async def count_alerts(db: Reader, chat_id: int, since: datetime) -> int:
    """Count the alerts that a chat has had since a moment."""
    sql = "SELECT count(*) FROM messages WHERE chat_id = :chat AND kind = 'alert' AND sent_at >= :since"
    return int(await db.fetch_value(sql, {"chat": chat_id, "since": to_ms(since)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A message of ours, or an edit of one."""

    peer: Peer
    at: datetime  # when Telegram had taken it


_LATELY = """SELECT c.kind, c.telegram_id, q.sent_at AS at FROM messages q JOIN chats c ON c.id = q.chat_id
        LEFT JOIN attachments t ON t.reply_id = q.id -- an album is as many messages
        WHERE q.sent_at BETWEEN :since AND :now AND c.kind != 'target'
    UNION ALL SELECT c.kind, c.telegram_id, q.edited_at FROM messages q JOIN chats c ON c.id = q.chat_id
        WHERE q.edited_at BETWEEN :since AND :now AND c.kind != 'target'
    UNION ALL SELECT chat_kind, chat_telegram_id, answered_at FROM handled
        WHERE answered_at BETWEEN :since AND :now AND chat_kind IS NOT NULL AND NOT tapped
    ORDER BY at"""


async def sent_lately(db: Reader, *, since: datetime, now: datetime) -> list[Sending]:
    """Return what was sent since a moment, oldest first; answers to taps, mostly no message, are left out."""
    rows = await db.fetch_all(_LATELY, {"since": to_ms(since), "now": to_ms(now)})
    return [
        Sending(peer=Peer(kind=PeerKind(row["kind"]), id=row["telegram_id"]), at=from_ms(row["at"])) for row in rows
    ]
