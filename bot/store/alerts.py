"""Into the outbox: what a chat is to be told comes in, once; then what Telegram answered, until that settles it.

No row says who is sending it: one process owns the outbox and keeps its claims in memory. A row stays due until it was
sent, and after a crash it is sent again under the same `random_id`.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.models import PostKey, Said
from bot.store import meta
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import to_ms

SECRET = "outbox_secret"  # noqa: S105 - the name of the fact, not the secret


class Kind(StrEnum):
    """What an alert tells of."""

    POST = "post"
    NOTICE = "notice"
    REPEAT = "repeat"  # a post that says what an alert said, and joins it: nothing is sent
    EDIT = "edit"  # an alert is to show what has become of its post
    CHANGE = "change"  # a reply to an alert that tells what that is
    GATHERED = "gathered"  # a post that a notice sums up: nothing of its own is sent
    FILES = "files"  # a reply to an alert that brings files of its post which did not come along


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An alert about to enter the outbox."""

    chat_id: int
    chat_key: bytes
    kind: Kind
    subject: str
    payload: Mapping[str, object]
    channel_id: int | None = None
    post_key: str | None = None
    silent: bool = False
    follows: int | None = None  # the row of the alert that it joins, edits or answers
    words: str | None = None  # of a post: the fingerprint of its words
    said: Said | None = None  # of a post that may join an alert
    alike: tuple[PostKey, ...] = ()  # posts that say the same, the likest first
    thread_id: int | None = None  # the forum thread for it; None: the chat's own, or that of the alert it follows
    loudness: int = 2  # of a post: 2 comes with a sound, 1 without, 0 waits for a digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How the outbox is doing."""

    due: int
    sent: int  # posts, since the moment asked about
    dead: int  # created since then; an alert that its reader has deleted cannot be edited, and counts not


def random_id(secret: bytes, chat_key: bytes, kind: str, subject: str) -> int:
    """Return the number by which Telegram tells a repeat from a second message: signed 64 bits, never 0.

    It is a keyed hash of the alert's identity, so that a crash, a clock or a restored backup cannot change it.
    """
    identity = b"\0".join((chat_key.hex().encode(), kind.encode(), subject.encode()))
    number = int.from_bytes(hashlib.blake2b(identity, digest_size=8, key=secret).digest(), "big", signed=True)
    return number or 1


def edit(chat_id: int, chat_key: bytes, alert_id: int, *, subject: str) -> Draft:
    """Make the draft of an edit, after which a message shows what its row says; `subject` tells it from other edits."""
    return Draft(chat_id=chat_id, chat_key=chat_key, kind=Kind.EDIT, subject=subject, payload={}, follows=alert_id)


async def enqueue_all(
    tx: Transaction, drafts: Collection[Draft], *, now: datetime, due_at: datetime | None = None
) -> int:
    """Put alerts into the outbox; return how many were new. A post that a chat heard of already is not told again."""
    if not drafts:
        return 0
    secret = await meta.secret(tx, SECRET)
    times = {"due_at": to_ms(due_at or now), "now": to_ms(now)}
    added = await tx.execute_many(
        """INSERT INTO alerts
            (chat_id, kind, subject, random_id, channel_id, post_key, payload, silent, state, due_at, created_at,
            follows, words, thread_id)
        SELECT :chat_id, :kind, :subject, :random_id, :channel_id, :post_key, :payload, :silent,
            iif(:kind IN ('repeat', 'gathered'), 'sent', 'due'), :due_at, :now, :follows, :words,
            iif(:follows IS NULL, coalesce(:thread, (SELECT thread_id FROM chats WHERE id = :chat_id)),
                (SELECT thread_id FROM alerts WHERE id = :follows))
        WHERE NOT EXISTS (SELECT 1 FROM alerts WHERE channel_id = :channel_id AND post_key = :post_key
            AND chat_id = :chat_id)
        ON CONFLICT (chat_id, kind, subject) DO NOTHING""",
        [{**_columns(draft, secret), **times} for draft in drafts],
    )
    if added:
        tx.announce(Subject.ALERTS)
    return added


async def row_of(db: Reader, draft: Draft) -> int:
    """Return the row of an alert that is in the outbox."""
    sql = "SELECT id FROM alerts WHERE chat_id = :chat AND kind = :kind AND subject = :subject"
    (row,) = await db.fetch_all(sql, {"chat": draft.chat_id, "kind": draft.kind, "subject": draft.subject})
    return int(row["id"])


def _columns(draft: Draft, secret: bytes) -> dict[str, object]:
    return {
        "chat_id": draft.chat_id,
        "kind": draft.kind,
        "subject": draft.subject,
        "random_id": random_id(secret, draft.chat_key, draft.kind, draft.subject),
        "channel_id": draft.channel_id,
        "post_key": draft.post_key,
        "payload": json.dumps(draft.payload, ensure_ascii=False, separators=(",", ":")),
        "silent": draft.silent,
        "follows": draft.follows,
        "words": draft.words,
        "thread": draft.thread_id,
    }


async def sent(tx: Transaction, alert_id: int, message_id: int | None, now: datetime) -> None:
    """Write down that Telegram took an alert; the message's id is None where a repeat was refused as one."""
    await tx.execute(
        """UPDATE alerts SET state = 'sent', sent_at = :now, message_id = :message, reason = NULL
        WHERE id = :id AND (kind != 'edit' OR due_at <= :now)""",  # an edit may have been put off meanwhile
        {"id": alert_id, "message": message_id, "now": to_ms(now)},
    )


async def retry(tx: Transaction, alert_id: int, *, at: datetime, reason: str, holds_chat: bool = False) -> None:
    """Put an alert off after an attempt that failed, or its whole chat; `reason` is Telegram's error string."""
    values = {"id": alert_id, "at": to_ms(at), "reason": reason}
    await tx.execute(
        "UPDATE alerts SET due_at = :at, attempts = attempts + 1, reason = :reason WHERE id = :id AND state = 'due'",
        values,
    )
    if holds_chat:
        chat = "SELECT chat_id FROM alerts WHERE id = :id"
        await tx.execute(f"UPDATE chats SET held_until = :at WHERE id = ({chat})", values)  # noqa: S608 - our own
    tx.announce(Subject.ALERTS)


async def dead(tx: Transaction, alert_id: int, reason: str) -> None:
    """End an alert that can never be sent; `reason` is Telegram's error string."""
    sql = "UPDATE alerts SET state = 'dead', attempts = attempts + 1, reason = :reason WHERE id = :id"
    await tx.execute(sql, {"id": alert_id, "reason": reason})


async def statistics(db: Reader, since: datetime) -> Statistics:
    """Count alerts by what became of them; of those sent only posts: notices are no alerts."""
    counts = await db.fetch_all(
        """SELECT count(*) FILTER (WHERE state = 'due') AS due,
            count(*) FILTER (WHERE kind = 'post' AND state = 'sent' AND sent_at >= :since) AS sent,
            count(*) FILTER (WHERE state = 'dead' AND kind NOT IN ('edit', 'files') AND created_at >= :since) AS dead
        FROM alerts""",
        {"since": to_ms(since)},
    )
    return Statistics(due=counts[0]["due"], sent=counts[0]["sent"], dead=counts[0]["dead"])
