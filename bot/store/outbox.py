"""Out of the outbox: rows come in, alerts go out with all that it takes to send them, of some chats the first due."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from bot.models import GENERAL_THREAD
from bot.models.notices import NOTICES, Notice
from bot.store import chats
from bot.store.alerts import Kind
from bot.store.chats import Chat
from bot.store.database import Reader
from bot.store.posts import StoredPost
from bot.store.rows import from_ms, json_list, maybe_date, read, to_ms

_Posts = dict[int, StoredPost]  # by version

# An edit shows what its alert shows: of a post the version that matched, until the post is changed.
_REPEATS = """SELECT json_group_array(json_array(y.id, y.title, y.username, x.message_id, x.date)) FROM alerts r
    JOIN versions x ON x.id = r.payload ->> 'version_id' JOIN channels y ON y.id = x.channel_id
    WHERE r.follows = s.id AND r.kind = 'repeat'"""
_SUPERSEDED = """SELECT 1 FROM alerts l
    WHERE l.follows = a.follows AND l.kind = 'edit' AND l.state = 'due' AND l.id > a.id"""
# The columns of the view `post_versions`, which no LEFT JOIN can have.
_POST = """m.id, m.channel_id, n.title AS channel_title, n.username AS channel_username, m.message_id, m.grouped_id,
    m.date, v.edit_date, v.text, v.parts, v.entities, v.media, m.forward, m.reply_to, m.reply_channel,
    m.author, m.gone_at, m.views, m.forwards, m.reactions,
    v.id AS version_id, v.id = m.version_id AS is_current, v.number, v.seen_at, v.observed_by"""
_ROWS = f"""SELECT a.id AS alert_id, a.kind AS alert_kind, a.subject, a.random_id, a.channel_id AS alert_channel_id,
        a.post_key, s.id AS source_id, s.payload, a.silent, a.attempts, a.due_at, a.created_at,
        o.message_id AS followed_id, o.created_at AS followed_at, o.thread_id AS followed_thread,
        a.thread_id AS alert_thread_id,
        EXISTS ({_SUPERSEDED}) AS superseded, ({_REPEATS}) AS repeats,
        {chats.COLUMNS}, {_POST}
    FROM alerts a JOIN chats c ON c.id = a.chat_id LEFT JOIN alerts o ON o.id = a.follows
    JOIN alerts s ON s.id = iif(a.kind = 'edit', a.follows, a.id)
    LEFT JOIN versions v ON a.kind != 'notice' AND v.id = coalesce(s.payload ->> 'shown', s.payload ->> 'version_id')
    LEFT JOIN posts m ON m.channel_id = v.channel_id AND m.message_id = v.message_id
    LEFT JOIN channels n ON n.id = v.channel_id"""  # noqa: S608 - our own constants
_NEXT_AT = "SELECT min(due_at) AS next_at FROM alerts INDEXED BY alerts_due WHERE state = 'due' AND due_at > :now"
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
    post: StoredPost | None  # the version to show; None for a notice
    repeats: tuple[Repeat, ...]  # of a post, in the order in which they came
    followed_id: int | None  # the id in the chat of the message that this edits or answers; None: unknown, or not sent
    followed_at: datetime | None  # when that alert came into the outbox
    followed_thread: int | None  # the forum thread in which it stands; None: the general one, or no forum
    superseded: bool  # a later edit of the same alert is due, and shows all that this one would

    @property
    def notice(self) -> Notice | None:
        """What is said about ourselves; None for what is about posts, also where it sums them up."""
        return NOTICES.validate_python(self.payload) if self.kind is Kind.NOTICE and "kind" in self.payload else None

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
class Reading:
    """What was found in the outbox."""

    alerts: list[Alert]  # by chat, in the order in which they came into the outbox
    last_id: int  # of all alerts, where some were found: what comes later is news
    next_at: datetime | None  # when the next alert falls due that is not due yet


async def first_due(  # noqa: PLR0913 - a question with this many sides
    db: Reader, now: datetime, *, exclude_chats: Iterable[int] = (), limit: int, each: int, after: int | None = None
) -> Reading:
    """Return the first `each` alerts of up to `limit` chats that something is due for.

    Half of the chats are those that wait longest, the others those for which the latest came; with `after` all are
    those for which something came after that row. Nothing is read of chats that are suspended, held, or to be left out.
    """
    chosen = _BOTH_ENDS if after is None else _NEWS
    rows = await db.fetch_all(
        f"""SELECT x.*, (SELECT max(id) FROM alerts) AS last_id, ({_NEXT_AT}) AS next_at
        FROM ({chosen}) w CROSS JOIN ({_ROWS}) x
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
    known: _Posts = {}  # one may go to thousands of chats
    if not rows:
        (upcoming,) = await db.fetch_all(_NEXT_AT, {"now": to_ms(now)})
        return Reading(alerts=[], last_id=0, next_at=maybe_date(upcoming["next_at"]))
    alerts = [_to_alert(row, known) for row in rows]
    return Reading(alerts=alerts, last_id=rows[0]["last_id"], next_at=maybe_date(rows[0]["next_at"]))


async def is_due(db: Reader, alert_id: int) -> bool:
    """Tell whether an alert still is to be sent."""
    return await db.fetch_one("SELECT 1 FROM alerts WHERE id = :id AND state = 'due'", {"id": alert_id}) is not None


async def get(db: Reader, alert_id: int) -> Alert:
    """Return an alert as it stands: what it follows may have been sent since, and may show something else."""
    (row,) = await db.fetch_all(f"{_ROWS} WHERE a.id = :id", {"id": alert_id})
    return _to_alert(row)


async def post_of(db: Reader, chat_id: int, message_id: int) -> StoredPost | None:
    """Return the post that a message of ours told a chat of, as it was then; None where it told of none."""
    row = await db.fetch_one(
        """SELECT p.* FROM alerts a JOIN post_versions p ON p.version_id = a.payload ->> 'version_id'
        WHERE a.chat_id = :chat AND a.message_id = :message AND a.kind IN ('post', 'change', 'files')
        ORDER BY a.id DESC LIMIT 1""",
        {"chat": chat_id, "message": message_id},
    )
    return None if row is None else read(StoredPost, row)


def _to_alert(row: sqlite3.Row, known: _Posts | None = None) -> Alert:
    """Read an alert from a row of `_ROWS`; its post is taken from, or added to, those of the same answer."""
    post = None if row["id"] is None else (known or {}).get(row["version_id"]) or read(StoredPost, row)
    if post is not None and known is not None:
        known[post.version_id] = post
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
