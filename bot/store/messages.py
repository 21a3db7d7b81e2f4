"""Messages that are due, with all that it takes to write them and bring them to their chats."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.models import StoredPost
from bot.models.alerts import Alert, AlertChange, Duplicate, GroupKind, MessageKind
from bot.models.notices import NOTICES, Notice
from bot.models.outgoing import GENERAL_THREAD
from bot.store import alerts, chats
from bot.store.chats import Chat
from bot.store.database import Reader
from bot.store.rows import json_list, maybe_date, read, read_all, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that is due, with all that it takes to write it and bring it to its chat."""

    id: int
    chat: Chat  # addressed in the thread that the message is for
    kind: MessageKind
    random_id: int  # signed 64 bits, never 0
    silent: bool
    revision: int  # that is wanted
    sent_revision: int  # that the chat sees, 0 for none
    telegram_id: int | None  # in the chat; None: unknown, or not sent
    attempts: int  # that failed so far
    due_at: datetime
    created_at: datetime
    alert: Alert | None  # that it shows or answers
    post: StoredPost | None  # the version to show
    duplicates: tuple[Duplicate, ...]  # posts that joined the alert, in the order in which they came
    group_id: int | None
    group: GroupKind | None
    change: AlertChange | None
    body: Mapping[str, Any] | None  # the notice
    language: str | None  # of a translation
    carries: int | None  # of a fallback: the message of another chat that it brings, by row
    answered_id: int | None  # the message that it answers, in the chat; None: unknown, or it answers none …
    answered_thread: int | None  # … in this forum thread; None: the general one, or no forum

    @property
    def is_sent(self) -> bool:
        """Whether the chat sees an earlier revision, so that this one is an edit."""
        return self.sent_revision > 0

    @property
    def notice(self) -> Notice:
        """What a notice says."""
        return NOTICES.validate_python(self.body)

    @property
    def reply_to(self) -> int | None:
        """The message to answer, by its id in the chat: where that is known and in the same thread."""
        threads = {thread or GENERAL_THREAD for thread in (self.chat.peer.thread_id, self.answered_thread)}
        return self.answered_id if len(threads) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueMessages:
    """What was found in the outbox."""

    messages: list[Message]  # by chat, in the order in which their revisions came to be wanted
    last_id: int  # of all messages, where some were found: what comes later is news
    next_at: datetime | None  # when the next message falls due that is not due yet


def _commented(post: str, channel: str) -> str:
    """Return the SQL of the `commented` of a row of posts, as the view has it."""
    return f"""CASE WHEN {channel}.comments_of IS NOT NULL THEN (SELECT json_array(o.id, o.title, o.username, k.post_id)
        FROM channels o LEFT JOIN post_copies k ON k.channel_id = {post}.channel_id AND k.message_id = {post}.root_id
        WHERE o.id = {channel}.comments_of) END"""  # noqa: S608 - our own names


# What `posts.COLUMNS` reads from the view `post_versions`, which no LEFT JOIN can have.
_POST = f"""m.id AS post_id, m.channel_id AS post_channel_id, n.title AS post_channel_title,
    n.username AS post_channel_username, m.message_id AS post_message_id, m.grouped_id AS post_grouped_id,
    m.date AS post_date, v.edit_date AS post_edit_date, v.text AS post_text, v.parts AS post_parts,
    v.entities AS post_entities, v.media AS post_media, m.forward AS post_forward, m.reply_to AS post_reply_to,
    {_commented("m", "n")} AS post_commented,
    m.reply_channel AS post_reply_channel, m.author AS post_author, m.link AS post_own_link,
    m.gone_at AS post_gone_at,
    m.gone_by AS post_gone_by, m.views AS post_views, m.forwards AS post_forwards, m.reactions AS post_reactions,
    v.id AS post_version_id, v.id = m.version_id AS post_is_current, v.number AS post_number, v.seen_at AS post_seen_at,
    v.observed_by AS post_observed_by, EXISTS (SELECT 1 FROM long_posts l WHERE l.channel_id = v.channel_id
        AND l.message_id = v.message_id AND l.head = v.hash AND l.state != 'whole') AS post_is_part"""  # noqa: S608 - our own names
_DUPLICATES = f"""SELECT json_group_array(json_array(y.id, y.title, y.username, x.message_id, z.link,
        json({_commented("z", "y")}), x.date))
    FROM alerts d JOIN versions x ON x.id = d.version_id JOIN channels y ON y.id = x.channel_id
    JOIN posts z ON z.channel_id = x.channel_id AND z.message_id = x.message_id
    WHERE q.kind = 'alert' AND d.duplicate_of = q.alert_id"""  # noqa: S608 - likewise
# The chat is addressed in the thread that was chosen as the message came into the outbox.
_CHAT = chats.COLUMNS.replace("c.thread_id", "q.thread_id")
_MESSAGES = f"""SELECT q.id, {_CHAT}, q.kind, q.random_id, q.silent, q.wanted_revision AS revision, q.sent_revision,
        q.telegram_id, q.attempts, q.due_at, q.created_at, q.wanted_at, q.group_id, g.kind AS "group", q.carries,
        iif(q.kind = 'change', q.body, NULL) AS change, iif(q.kind = 'notice', q.body, NULL) AS body,
        iif(q.kind = 'translation', q.body ->> 'language', NULL) AS language,
        r.telegram_id AS answered_id, r.thread_id AS answered_thread,
        ({_DUPLICATES}) AS duplicates, {_POST}, {alerts.COLUMNS}
    FROM messages q JOIN chats c ON c.id = q.chat_id LEFT JOIN alerts a ON a.id = q.alert_id
    LEFT JOIN groups g ON g.id = q.group_id LEFT JOIN messages r ON r.id = q.reply_to
    LEFT JOIN versions v ON v.id = coalesce(q.version_id, a.shown_version_id)
    LEFT JOIN posts m ON m.channel_id = v.channel_id AND m.message_id = v.message_id
    LEFT JOIN channels n ON n.id = v.channel_id"""  # noqa: S608 - our own constants
# A chat may be held for longer than the message that it is held for waits.
_NEXT_AT = """SELECT min(at) AS next_at FROM (
    SELECT min(due_at) AS at FROM messages INDEXED BY messages_due WHERE state = 'due' AND due_at > :now
    UNION ALL SELECT min(held_until) FROM chats WHERE held_until > :now)"""
# Chats that nothing is to be read of. Indexes answer for all of this, so that thousands of messages that wait behind
# one another in a chat, or for tomorrow, cost little.
_LEFT_OUT = """chat_id NOT IN (SELECT value FROM json_each(:excluded))
    AND chat_id NOT IN (SELECT id FROM chats WHERE suspended IS NOT NULL)
    AND chat_id NOT IN (SELECT id FROM chats WHERE held_until > :now)
    AND chat_id NOT IN (SELECT id FROM chats WHERE kind = 'target')"""
_TARGETS = """
    SELECT id AS chat_id FROM chats WHERE kind = 'target' AND suspended IS NULL
        AND (held_until IS NULL OR held_until <= :now) AND id NOT IN (SELECT value FROM json_each(:excluded))
"""
_BOTH_ENDS = f"""
    SELECT chat_id FROM (SELECT chat_id FROM messages INDEXED BY messages_due
        WHERE state = 'due' AND due_at <= :now AND {_LEFT_OUT} ORDER BY due_at, id LIMIT (:limit + 1) / 2)
    UNION SELECT chat_id FROM (SELECT chat_id FROM messages INDEXED BY messages_due
        WHERE state = 'due' AND due_at <= :now AND {_LEFT_OUT} ORDER BY due_at DESC, id DESC LIMIT (:limit + 1) / 2)
"""  # noqa: S608 - our own constant
_NEWS = f"""
    SELECT chat_id FROM (SELECT chat_id FROM messages NOT INDEXED
        WHERE id > :after AND state = 'due' AND due_at <= :now AND {_LEFT_OUT} ORDER BY id DESC LIMIT :limit)
    GROUP BY chat_id
"""  # noqa: S608 - our own constant


async def first_due(  # noqa: PLR0913 - a question with this many sides
    db: Reader,
    now: datetime,
    *,
    exclude_chats: Iterable[int] = (),
    limit: int,
    each: int,
    after: int | None = None,
    targets: bool = False,
) -> DueMessages:
    """Return the first `each` messages of up to `limit` chats of Telegram's, or of all targets, that any is due for.

    Half of the chats are those that wait longest, the others those for which the latest came; with `after` all are
    those for which something came after that row. Nothing is read of chats that are suspended, held, or to be left out.
    """
    chosen = _TARGETS if targets else _BOTH_ENDS if after is None else _NEWS
    rows = await db.fetch_all(
        f"""SELECT x.*, (SELECT max(id) FROM messages) AS last_id, ({_NEXT_AT}) AS next_at
        FROM ({chosen}) w CROSS JOIN ({_MESSAGES}) x
        ON x.id IN (SELECT d.id FROM messages d INDEXED BY messages_of_chat_due
            WHERE d.chat_id = w.chat_id AND d.state = 'due' AND d.due_at <= :now
            ORDER BY d.wanted_at, d.id LIMIT :each)
        ORDER BY x.wanted_at, x.id""",  # noqa: S608 - our own constants
        {
            "now": to_ms(now),
            "excluded": json_list(exclude_chats),
            "limit": limit,
            "each": each,
            "after": after,
        },
    )
    if not rows:
        (upcoming,) = await db.fetch_all(_NEXT_AT, {"now": to_ms(now)})
        return DueMessages(messages=[], last_id=0, next_at=maybe_date(upcoming["next_at"]))
    found = read_all(Message, rows)
    return DueMessages(messages=found, last_id=rows[0]["last_id"], next_at=maybe_date(rows[0]["next_at"]))


async def is_due(db: Reader, message_id: int) -> bool:
    """Return whether a message still is to be sent or edited."""
    return await db.fetch_one("SELECT 1 FROM messages WHERE id = :id AND state = 'due'", {"id": message_id}) is not None


async def get(db: Reader, message_id: int) -> Message:
    """Return a message as it is now: the one that it answers may have been sent since, its post may be another."""
    (row,) = await db.fetch_all(f"{_MESSAGES} WHERE q.id = :id", {"id": message_id})
    return read(Message, row)


async def post_of(db: Reader, chat_id: int, telegram_id: int) -> StoredPost | None:
    """Return the post that a message of ours is about, as it was then; None where it is about none."""
    row = await db.fetch_one(
        """SELECT p.* FROM messages q JOIN alerts a ON a.id = q.alert_id
        JOIN post_versions p ON p.version_id = coalesce(q.version_id, a.version_id)
        WHERE q.chat_id = :chat AND q.telegram_id = :message ORDER BY q.id DESC LIMIT 1""",
        {"chat": chat_id, "message": telegram_id},
    )
    return None if row is None else read(StoredPost, row)
