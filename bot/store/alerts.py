"""The outbox: what a chat is to be told comes in, once; what is due goes out, until Telegram has answered for it.

No row says who is sending it: one process owns the outbox and keeps its claims in memory. A row stays due until it was
sent, and after a crash it is sent again under the same `random_id`.
"""

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from bot.models import GENERAL_THREAD, PostKey, Said
from bot.store import chats, meta, posts
from bot.store.chats import Chat
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import from_ms, json_list, maybe_date, to_ms

Posts = dict[int, posts.StoredPost]  # by version
SECRET = "outbox_secret"  # noqa: S105 - the name of the fact, not the secret


class Kind(StrEnum):
    """What an alert tells of."""

    POST = "post"
    NOTICE = "notice"
    REPEAT = "repeat"  # a post that says what an alert said, and joins it: nothing is sent
    EDIT = "edit"  # an alert is to show what has become of its post
    CHANGE = "change"  # a reply to an alert that tells what that is
    GATHERED = "gathered"  # a post that a notice sums up: nothing of its own is sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A post that says what an alert says, and joined it."""

    channel_id: int
    title: str  # of the channel
    username: str | None
    message_id: int
    date: datetime


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
    source_id: int  # the row that says what to show: of an edit it is that of the alert
    payload: Mapping[str, Any]  # of that row: what to render
    silent: bool
    attempts: int  # that failed so far
    due_at: datetime
    created_at: datetime
    post: posts.StoredPost | None  # the version to show; None for a notice
    repeats: tuple[Repeat, ...]  # of a post, in the order in which they came
    followed_id: int | None  # the id in the chat of the message that this edits or answers; None: unknown, or not sent
    followed_at: datetime | None  # when that alert came into the outbox
    followed_thread: int | None  # the forum thread in which it stands; None: the general one, or no forum
    media: bool | None  # of a post with files: whether it goes with media; None: not decided, or it has none
    followed_media: bool  # the message that this edits has media, so that it takes a shorter text
    superseded: bool  # a later edit of the same alert is due, and shows all that this one would

    @property
    def gone_at(self) -> datetime | None:
        """Since when the post is no longer visible to our reader, as the message is to say."""
        return maybe_date(self.payload.get("gone"))

    @property
    def reply_to(self) -> int | None:
        """The message to answer: the one that this follows, where that is known and stands in the same thread."""
        threads = {thread or GENERAL_THREAD for thread in (self.chat.peer.thread_id, self.followed_thread)}
        return self.followed_id if len(threads) == 1 else None

    @property
    def part(self) -> tuple[int, int] | None:
        """How many items of the album are gone, and of how many, where others are left."""
        found = self.payload.get("part")
        return None if found is None else (found[0], found[1])


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


# An edit shows what its alert shows: of a post the version that matched, until the post is changed.
_REPEATS = """SELECT json_group_array(json_array(y.id, y.title, y.username, x.message_id, x.date)) FROM alerts r
    JOIN versions x ON x.id = r.payload ->> 'version_id' JOIN channels y ON y.id = x.channel_id
    WHERE r.follows = s.id AND r.kind = 'repeat'"""
_SUPERSEDED = """SELECT 1 FROM alerts l
    WHERE l.follows = a.follows AND l.kind = 'edit' AND l.state = 'due' AND l.id > a.id"""
ROWS = f"""SELECT a.id AS alert_id, a.kind AS alert_kind, a.subject, a.random_id, a.channel_id AS alert_channel_id,
        a.post_key, s.id AS source_id, s.payload, a.silent, a.attempts, a.due_at, a.created_at,
        o.message_id AS followed_id, o.created_at AS followed_at, a.media AS alert_media, o.media AS followed_media,
        a.thread_id AS alert_thread_id, o.thread_id AS followed_thread,
        EXISTS ({_SUPERSEDED}) AS superseded, ({_REPEATS}) AS repeats,
        {chats.COLUMNS}, {posts.COLUMNS}
    FROM alerts a JOIN chats c ON c.id = a.chat_id LEFT JOIN alerts o ON o.id = a.follows
    JOIN alerts s ON s.id = iif(a.kind = 'edit', a.follows, a.id)
    LEFT JOIN versions v ON a.kind != 'notice' AND v.id = coalesce(s.payload ->> 'shown', s.payload ->> 'version_id')
    LEFT JOIN messages m ON m.channel_id = v.channel_id AND m.message_id = v.message_id
    LEFT JOIN channels n ON n.id = v.channel_id"""  # noqa: S608 - our own constants


async def due(db: Reader, now: datetime, *, exclude_chats: Iterable[int] = (), limit: int) -> list[Alert]:
    """Return what is to be sent now, longest due first; nothing of suspended chats or of the chats to be left out."""
    rows = await db.fetch_all(
        f"""{ROWS} WHERE a.state = 'due' AND a.due_at <= :now AND c.suspended IS NULL
            AND a.chat_id NOT IN (SELECT value FROM json_each(:excluded))
        ORDER BY a.due_at, a.id LIMIT :limit""",  # noqa: S608 - our own constant
        {"now": to_ms(now), "excluded": json_list(exclude_chats), "limit": limit},
    )
    return [to_alert(row) for row in rows]


async def is_due(db: Reader, alert_id: int) -> bool:
    """Tell whether an alert still is to be sent."""
    return await db.fetch_one("SELECT 1 FROM alerts WHERE id = :id AND state = 'due'", {"id": alert_id}) is not None


async def get(db: Reader, alert_id: int) -> Alert:
    """Return an alert as it stands: what it follows may have been sent since, and may show something else."""
    (row,) = await db.fetch_all(f"{ROWS} WHERE a.id = :id", {"id": alert_id})
    return to_alert(row)


def to_alert(row: sqlite3.Row, read: Posts | None = None) -> Alert:
    """Read an alert from a row of `ROWS`; its post is taken from, or added to, those of the same answer."""
    post = None if row["row_id"] is None else (read or {}).get(row["version_id"]) or posts.to_post(row)
    if post is not None and read is not None:
        read[post.version_id] = post
    return Alert(
        id=row["alert_id"],
        chat=_in_thread(chats.to_chat(row), row["alert_thread_id"]),
        kind=Kind(row["alert_kind"]),
        subject=row["subject"],
        random_id=row["random_id"],
        channel_id=row["alert_channel_id"],
        post_key=row["post_key"],
        source_id=row["source_id"],
        payload=_read(row["payload"]),
        silent=bool(row["silent"]),
        attempts=row["attempts"],
        due_at=from_ms(row["due_at"]),
        created_at=from_ms(row["created_at"]),
        post=post,
        repeats=tuple(
            Repeat(channel_id=channel_id, title=title, username=username, message_id=message_id, date=from_ms(date))
            for channel_id, title, username, message_id, date in _read(row["repeats"])
        ),
        followed_id=row["followed_id"],
        followed_at=maybe_date(row["followed_at"]),
        followed_thread=row["followed_thread"],
        media=None if row["alert_media"] is None else bool(row["alert_media"]),
        followed_media=bool(row["followed_media"]),
        superseded=bool(row["superseded"]),
    )


@lru_cache(64)
def _read(text: str) -> Any:  # noqa: ANN401 - JSON; nobody changes it
    """Read JSON, once where thousands of rows say the same."""
    return json.loads(text)


def _in_thread(chat: Chat, thread_id: int | None) -> Chat:
    """Address the thread that was chosen as the alert came into the outbox."""
    if chat.peer.thread_id == thread_id:
        return chat
    return replace(chat, peer=replace(chat.peer, thread_id=thread_id))


async def sent(tx: Transaction, alert_id: int, message_id: int | None, now: datetime) -> None:
    """Write down that Telegram took an alert; the message's id is None where a repeat was refused as one."""
    await tx.execute(
        """UPDATE alerts SET state = 'sent', sent_at = :now, message_id = :message, reason = NULL
        WHERE id = :id AND (kind != 'edit' OR due_at <= :now)""",  # an edit may have been put off meanwhile
        {"id": alert_id, "message": message_id, "now": to_ms(now)},
    )


async def post_of(db: Reader, chat_id: int, message_id: int) -> posts.StoredPost | None:
    """Return the post that a message of ours told a chat of, as it was then; None where it told of none."""
    row = await db.fetch_one(
        f"""SELECT {posts.COLUMNS} FROM alerts a JOIN versions v ON v.id = a.payload ->> 'version_id'
        JOIN messages m ON m.channel_id = v.channel_id AND m.message_id = v.message_id
        JOIN channels n ON n.id = v.channel_id
        WHERE a.chat_id = :chat AND a.message_id = :message AND a.kind IN ('post', 'change')
        ORDER BY a.id DESC LIMIT 1""",  # noqa: S608 - our own constant
        {"chat": chat_id, "message": message_id},
    )
    return None if row is None else posts.to_post(row)


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
            count(*) FILTER (WHERE state = 'dead' AND kind != 'edit' AND created_at >= :since) AS dead FROM alerts""",
        {"since": to_ms(since)},
    )
    return Statistics(due=counts[0]["due"], sent=counts[0]["sent"], dead=counts[0]["dead"])
