"""The outbox: what a chat is to be told comes in, once; what is due goes out, until Telegram has answered for it.

No row says who is sending it: one process owns the outbox and keeps its claims in memory. A row stays due until it was
sent, and after a crash it is sent again under the same `random_id`.
"""

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.store import chats, meta, posts
from bot.store.chats import Chat
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import from_ms, json_list, to_ms

GATHERING = timedelta(minutes=1)  # a notice that counts waits this long for more to count
SECRET = "outbox_secret"  # noqa: S105 - the name of the fact, not the secret


class Kind(StrEnum):
    """What an alert tells of."""

    POST = "post"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A row of the outbox, with all that it takes to render and send it."""

    id: int
    chat: Chat
    kind: Kind
    subject: str
    random_id: int  # signed 64 bits, never 0
    channel_id: int | None  # of a post
    post_key: str | None  # of a post: g<grouped_id> or m<message_id>
    payload: Mapping[str, Any]  # what to render
    silent: bool
    attempts: int  # that failed so far
    due_at: datetime
    created_at: datetime
    post: posts.StoredPost | None  # of a post: the version that matched


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How the outbox is doing."""

    due: int
    sent: int  # posts, since the moment asked about
    dead: int  # created since then
    latencies: tuple[float, ...]  # s from enqueued to sent, of the alerts sent since then, ascending


def random_id(secret: bytes, chat_key: bytes, kind: str, subject: str) -> int:
    """Return the number by which Telegram tells a repeat from a second message: signed 64 bits, never 0.

    It is a keyed hash of the alert's identity, so that a crash, a clock or a restored backup cannot change it.
    """
    identity = b"\0".join((chat_key.hex().encode(), kind.encode(), subject.encode()))
    number = int.from_bytes(hashlib.blake2b(identity, digest_size=8, key=secret).digest(), "big", signed=True)
    return number or 1


async def enqueue(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction,
    *,
    chat: Chat,
    kind: Kind,
    subject: str,
    payload: Mapping[str, object],
    now: datetime,
    channel_id: int | None = None,
    post_key: str | None = None,
    silent: bool = False,
    due_at: datetime | None = None,
) -> bool:
    """Put an alert into the outbox, due at once by default; False where the chat has one of this kind and subject."""
    draft = Draft(
        chat_id=chat.id,
        chat_key=chat.key,
        kind=kind,
        subject=subject,
        payload=payload,
        channel_id=channel_id,
        post_key=post_key,
        silent=silent,
    )
    return await enqueue_all(tx, [draft], now=now, due_at=due_at) > 0


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
            (chat_id, kind, subject, random_id, channel_id, post_key, payload, silent, due_at, created_at)
        SELECT :chat_id, :kind, :subject, :random_id, :channel_id, :post_key, :payload, :silent, :due_at, :now
        WHERE NOT EXISTS (SELECT 1 FROM alerts WHERE channel_id = :channel_id AND post_key = :post_key
            AND chat_id = :chat_id AND kind = :kind)
        ON CONFLICT (chat_id, kind, subject) DO NOTHING""",
        [{**_columns(draft, secret), **times} for draft in drafts],
    )
    if added:
        tx.announce(Subject.ALERTS)
    return added


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
    }


async def add_late(tx: Transaction, draft: Draft, *, count: int, now: datetime) -> None:
    """Add posts that are too old for an alarm to the notice that sums them up for a chat.

    `draft` names the channel; its subject gets the hour, and its payload the count. The notice gathers for a minute.
    What comes once it may be on its way goes into the notice of the next hour, so that each post is counted once.
    """
    gathering = await tx.execute(
        """UPDATE alerts SET payload = json_set(payload, '$.count', (payload ->> 'count') + :count)
        WHERE chat_id = :chat AND kind = 'notice' AND subject LIKE :subject || ':%'
            AND state = 'due' AND due_at > :untouched""",
        {"count": count, "chat": draft.chat_id, "subject": draft.subject, "untouched": to_ms(now + GATHERING / 6)},
    )
    hour = now.replace(minute=0, second=0, microsecond=0)
    while not gathering:
        subject = f"{draft.subject}:{hour:%Y-%m-%dT%H}"
        notice = replace(draft, subject=subject, payload={**draft.payload, "count": count})
        gathering = await enqueue_all(tx, [notice], now=now, due_at=max(now + GATHERING, hour))
        hour += timedelta(hours=1)


async def due(db: Reader, now: datetime, *, exclude_chats: Iterable[int] = (), limit: int) -> list[Alert]:
    """Return what is to be sent now, longest due first; nothing of suspended chats or of the chats to be left out."""
    rows = await db.fetch_all(
        f"""SELECT a.id AS alert_id, a.kind AS alert_kind, a.subject, a.random_id, a.channel_id AS alert_channel_id,
            a.post_key, a.payload, a.silent, a.attempts, a.due_at, a.created_at, {chats.COLUMNS}, {posts.COLUMNS}
        FROM alerts a JOIN chats c ON c.id = a.chat_id
        LEFT JOIN versions v ON a.kind = 'post' AND v.id = a.payload ->> 'version_id'
        LEFT JOIN messages m ON m.channel_id = v.channel_id AND m.message_id = v.message_id
        LEFT JOIN channels n ON n.id = v.channel_id
        WHERE a.state = 'due' AND a.due_at <= :now AND c.suspended IS NULL
            AND a.chat_id NOT IN (SELECT value FROM json_each(:excluded))
        ORDER BY a.due_at, a.id LIMIT :limit""",  # noqa: S608 - our own constants
        {"now": to_ms(now), "excluded": json_list(exclude_chats), "limit": limit},
    )
    return [_to_alert(row) for row in rows]


def _to_alert(row: sqlite3.Row) -> Alert:
    return Alert(
        id=row["alert_id"],
        chat=chats.to_chat(row),
        kind=Kind(row["alert_kind"]),
        subject=row["subject"],
        random_id=row["random_id"],
        channel_id=row["alert_channel_id"],
        post_key=row["post_key"],
        payload=json.loads(row["payload"]),
        silent=bool(row["silent"]),
        attempts=row["attempts"],
        due_at=from_ms(row["due_at"]),
        created_at=from_ms(row["created_at"]),
        post=None if row["row_id"] is None else posts.to_post(row),
    )


async def sent(tx: Transaction, alert_id: int, message_id: int | None, now: datetime) -> None:
    """Write down that Telegram took an alert; the message's id is None where a repeat was refused as one."""
    await tx.execute(
        "UPDATE alerts SET state = 'sent', sent_at = :now, message_id = :message, reason = NULL WHERE id = :id",
        {"id": alert_id, "message": message_id, "now": to_ms(now)},
    )


async def post_of(db: Reader, chat_id: int, message_id: int) -> posts.StoredPost | None:
    """Return the post that a message of ours told a chat of, as it was then; None where it told of none."""
    row = await db.fetch_one(
        f"""SELECT {posts.COLUMNS} FROM alerts a JOIN versions v ON v.id = a.payload ->> 'version_id'
        JOIN messages m ON m.channel_id = v.channel_id AND m.message_id = v.message_id
        JOIN channels n ON n.id = v.channel_id
        WHERE a.chat_id = :chat AND a.message_id = :message AND a.kind = 'post'
        ORDER BY a.id DESC LIMIT 1""",  # noqa: S608 - our own constant
        {"chat": chat_id, "message": message_id},
    )
    return None if row is None else posts.to_post(row)


async def retry(tx: Transaction, alert_id: int, *, at: datetime, reason: str) -> None:
    """Put an alert off after an attempt that failed; `reason` is Telegram's error string."""
    await tx.execute(
        "UPDATE alerts SET due_at = :at, attempts = attempts + 1, reason = :reason WHERE id = :id AND state = 'due'",
        {"id": alert_id, "at": to_ms(at), "reason": reason},
    )
    tx.announce(Subject.ALERTS)


async def dead(tx: Transaction, alert_id: int, reason: str) -> None:
    """End an alert that can never be sent; `reason` is Telegram's error string."""
    sql = "UPDATE alerts SET state = 'dead', attempts = attempts + 1, reason = :reason WHERE id = :id"
    await tx.execute(sql, {"id": alert_id, "reason": reason})


async def statistics(db: Reader, since: datetime) -> Statistics:
    """Count alerts by what became of them, with the latencies of posts sent since a moment: notices are no alerts."""
    counts = await db.fetch_all(
        """SELECT count(*) FILTER (WHERE state = 'due') AS due,
            count(*) FILTER (WHERE state = 'dead' AND created_at >= :since) AS dead FROM alerts""",
        {"since": to_ms(since)},
    )
    rows = await db.fetch_all(
        """SELECT sent_at - created_at AS latency FROM alerts
        WHERE kind = 'post' AND state = 'sent' AND sent_at >= :since ORDER BY latency""",
        {"since": to_ms(since)},
    )
    latencies = tuple(row["latency"] / 1000 for row in rows)
    return Statistics(due=counts[0]["due"], sent=len(rows), dead=counts[0]["dead"], latencies=latencies)
