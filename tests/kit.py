"""What tests ask of the outbox and write into it: no other file of the tests knows its tables."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.models import StoredPost
from bot.models.alerts import (
    Alert,
    Draft,
    Duplicate,
    GoneItems,
    GroupKind,
    GroupSummary,
    Loudness,
    MessageKind,
    StormState,
)
from bot.models.notices import NOTICES, JoinRequested
from bot.store import attachments, groups, media, outbox
from bot.store import messages as store_messages
from bot.store.blobs import Blob
from bot.store.chats import Chat
from bot.store.database import Database, Reader, Transaction
from bot.store.media import FileInfo
from bot.store.outbox import Delivery
from bot.store.rows import from_ms

_KINDS = {"alert": MessageKind.ALERT, "notice": MessageKind.NOTICE, "reply": MessageKind.CHANGE}
_KINDS |= {"files": MessageKind.FILES, "translation": MessageKind.TRANSLATION}
_NAMES = {kind: name for name, kind in _KINDS.items()}

# For tests that look at the file of another process, or at how a question is answered.
LATEST = "SELECT coalesce(max(id), 0) FROM messages"
SENT_AFTER = "SELECT count(*) FROM messages WHERE id > :after AND sent_revision > 0"
SOMETHING_DUE = "SELECT 1 FROM messages WHERE state = 'due'"
ALERTED_LATELY = """SELECT 1 FROM alerts b WHERE b.chat_id = :chat AND b.created_at > :since
    AND b.group_id IS NULL AND b.duplicate_of IS NULL"""
ALERTS_SENT = """SELECT c.kind, c.telegram_id, n.username, n.id, v.message_id, m.telegram_id
    FROM messages m JOIN alerts a ON a.id = m.alert_id JOIN chats c ON c.id = m.chat_id
    JOIN channels n ON n.id = a.channel_id JOIN versions v ON v.id = a.version_id
    WHERE m.kind = 'alert' ORDER BY m.id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that a chat does not show yet as it shall: it is to be sent, or edited."""

    id: int
    chat: Chat  # addressed in the thread that the message is for
    kind: str  # alert, notice, reply, files, or that of its group: digest, storm, late, restored
    is_edit: bool  # the chat has it already, and is to see something else
    due_at: datetime
    silent: bool
    attempts: int
    random_id: int
    telegram_id: int | None  # of an edit: the number of the message in its chat; None: unknown
    reply_to: int | None  # the number of the message that it answers
    name: str  # tells it from others of its kind in the chat
    notice: Any  # of a notice: what it says
    topic: str | None  # of a storm
    channel_id: int | None
    post_key: str | None
    post: StoredPost | None  # the version to show
    topics: list[str]
    spans: list[list[int]]
    parts: list[list[Any]]  # of the post in which something was found: kind, text, spans
    is_edited: bool  # it says that its post was edited …
    fits_since_edit: bool  # … and fits only since then
    gone_at: datetime | None  # as it says
    items_gone: GoneItems | None  # of an album of which some are left
    duplicates: tuple[Duplicate, ...]  # posts that say what it says, in the order in which they came
    change: str | None  # of a reply: edited, gone or confirmed …
    joined: list[str]  # … the topics that its post fits only now …
    before: int | None  # … and the version before
    revision: int  # that is wanted

    @property
    def label(self) -> str:
        """Say what is to be done: `edit`, or send a message of its kind."""
        return "edit" if self.is_edit else self.kind

    @property
    def thread_id(self) -> int | None:
        return self.chat.peer.thread_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerted:
    """A post that a chat is alerted to, in whatever message."""

    id: int
    chat_id: int
    channel_id: int
    post_key: str
    duplicate_of: int | None  # the alert that says the same
    group: Mapping[str, Any] | None  # the group that shows it: its kind as "notice", its topic
    telegram_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a message has come."""

    state: str  # as the schema names them
    reason: str | None = None
    attempts: int = 0
    telegram_id: int | None = None


async def messages(db: Reader, until: datetime) -> list[Message]:
    """Return what is to be sent or edited by then, the longest due first."""
    return [await _to_message(db, message) for message in await claimed(db, until)]


async def claimed(db: Reader, until: datetime) -> list[store_messages.Message]:
    """Return what a worker takes from the outbox by then, the longest due first."""
    found = await store_messages.first_due(db, until, limit=1000, each=1000)
    return sorted(found.messages, key=lambda message: (message.due_at, message.id))


def labels(found: Iterable[Message]) -> list[str]:
    return [message.label for message in found]


async def alerts_of(db: Reader, chat_id: int | None = None) -> list[Alerted]:
    """Return the posts that a chat, or any, was or will be alerted to, in the order in which they came."""
    rows = await db.fetch_all(
        """SELECT a.id, a.chat_id, a.channel_id, a.post_key, a.duplicate_of, g.kind, g.topic, m.telegram_id
        FROM alerts a LEFT JOIN groups g ON g.id = a.group_id
        LEFT JOIN messages m ON m.alert_id = a.id AND m.kind = 'alert'
        WHERE NOT a.is_counted AND a.chat_id = coalesce(:chat, a.chat_id) ORDER BY a.id""",
        {"chat": chat_id},
    )
    return [
        Alerted(
            id=row["id"],
            chat_id=row["chat_id"],
            channel_id=row["channel_id"],
            post_key=row["post_key"],
            duplicate_of=row["duplicate_of"],
            group=None if row["kind"] is None else {"kind": row["kind"], "topic": row["topic"]},
            telegram_id=row["telegram_id"],
        )
        for row in rows
    ]


async def duplicates_of(db: Reader, alert_id: int) -> list[int]:
    """Return the channels whose posts have joined an alert, as its message names them."""
    row = await db.fetch_one("SELECT id FROM messages WHERE alert_id = :id AND kind = 'alert'", {"id": alert_id})
    assert row is not None
    return [each.channel_id for each in (await store_messages.get(db, row["id"])).duplicates]


async def first_fingerprint(db: Reader) -> str:
    """Return the name of the words that the first alert shows."""
    row = await db.fetch_one("SELECT fingerprint FROM alerts ORDER BY id LIMIT 1")
    assert row is not None
    return str(row["fingerprint"])


_STATES = "SELECT state, reason, attempts, telegram_id FROM messages"


async def state_of(db: Reader, message: Message | str) -> State:
    """Return how far a message has come; a notice is found by its name."""
    value = message if isinstance(message, str) else message.id
    found = await db.fetch_all(
        f"{_STATES} WHERE :value IN (id, substr(subject, instr(subject, ':') + 1))",
        {"value": value},
    )
    return State(**dict(found[0]))


async def states(db: Reader, kind: str | None = None) -> list[State]:
    """Return how far all messages have come, or those of a kind, in the order in which they came into the outbox."""
    rows = await db.fetch_all(
        f"{_STATES} WHERE kind = coalesce(:kind, kind) ORDER BY id",
        {"kind": None if kind is None else _KINDS[kind]},
    )
    return [State(**dict(row)) for row in rows]


async def refused_edits(db: Reader) -> list[str]:
    """Return why edits were given up, while their messages stand as they are."""
    rows = await db.fetch_all("SELECT reason FROM messages WHERE state = 'frozen' ORDER BY id")
    return [row["reason"] for row in rows]


async def telegram_ids(db: Reader, chat_id: int) -> list[int | None]:
    """Return the numbers of the messages of a chat, in the order in which they came into the outbox."""
    rows = await db.fetch_all("SELECT telegram_id FROM messages WHERE chat_id = :chat ORDER BY id", {"chat": chat_id})
    return [row["telegram_id"] for row in rows]


async def took(db: Reader) -> dict[int, timedelta]:
    """Return how long the fastest alert of each chat was on its way, by the chat's number at Telegram."""
    rows = await db.fetch_all(
        """SELECT c.telegram_id AS chat, min(m.sent_at - m.created_at) AS took
        FROM messages m JOIN chats c ON c.id = m.chat_id WHERE m.kind = 'alert' GROUP BY 1"""
    )
    return {row["chat"]: timedelta(milliseconds=row["took"]) for row in rows}


async def is_idle(db: Reader) -> bool:
    """Tell whether nothing is due, now or later."""
    return not await db.fetch_all(SOMETHING_DUE)


# Groups


async def contents(db: Reader, message: Message) -> GroupSummary:
    """Return all that a group shows."""
    return await groups.get(db, await _group_of(db, message))


async def latest_storm(db: Reader, now: datetime) -> StormState:
    """Return how the storm stands that began last."""
    row = await db.fetch_one("SELECT max(id) AS id FROM groups WHERE kind = 'storm'")
    assert row is not None
    return await groups.storm(db, row["id"], now=now)


async def closes_at(db: Reader, storm: Message) -> datetime:
    """Return when a storm is over unless more comes."""
    row = await db.fetch_one("SELECT closes_at FROM groups WHERE id = :id", {"id": await _group_of(db, storm)})
    assert row is not None
    return from_ms(row["closes_at"])


async def _group_of(db: Reader, message: Message) -> int:
    return (await store_messages.get(db, message.id)).group_id or 0


# What becomes of a message


async def sent(db: Database, message: Message, telegram_id: int | None, at: datetime) -> None:
    """Let Telegram take a message, or an edit of it, as it was when it was read."""
    number = None if message.is_edit else telegram_id
    is_storm = message.kind == GroupKind.STORM
    delivery = Delivery(revision=message.revision, telegram_id=number, written_at=at, is_storm=is_storm)
    await db.write(lambda tx: outbox.sent(tx, message.id, delivery, now=at))


async def send_all(db: Database, until: datetime, at: datetime) -> None:
    """Let Telegram take all that is due by then; a message has the number of its row and 100 in its chat."""
    for message in await messages(db, until):
        await sent(db, message, message.id + 100, at)


async def send_files(db: Database, reader_id: int, at: datetime) -> None:
    """Let all files be downloaded that are wanted, and Telegram take the replies that bring them."""
    blob, info = Blob(sha256=b"x", size=1), FileInfo(mime="image/jpeg", name=None, size=1)

    async def download(tx: Transaction) -> None:
        while (file := await media.next_download(tx, reader_id, at)) is not None:
            await media.keep(tx, file.id, blob, info, reader_id=reader_id, now=at)

    await db.write(download)
    for message in await messages(db, at + timedelta(minutes=1)):
        if message.kind == "files":
            await db.write(lambda tx, reply=message.id: attachments.claim(tx, reply))  # type: ignore[misc]
            await sent(db, message, message.id + 100, at)


async def put_off(db: Database, message: Message, *, at: datetime, reason: str, holds_chat: bool = False) -> None:
    """Let a try fail that can be repeated."""
    await db.write(lambda tx: outbox.put_off(tx, message.id, at=at, reason=reason, holds_chat=holds_chat))


async def kill(db: Database, message: Message, reason: str) -> None:
    """Let a try fail for good."""
    await db.write(lambda tx: outbox.give_up(tx, message.id, reason))


async def send_again(db: Database) -> None:
    """Forget of all messages that they were sent, as where a crash came before that was written down."""
    sql = """UPDATE messages SET state = 'due', sent_revision = 0, sent_at = NULL, edited_at = NULL, telegram_id = NULL,
        due_at = created_at"""
    await db.write(lambda tx: tx.execute(sql))


async def send_once_more(db: Database, message: Message | store_messages.Message) -> None:
    """Forget of a message that its last revision was sent, as where a crash came before that was written down."""
    sql = "UPDATE messages SET state = 'due', sent_revision = max(0, wanted_revision - 1) WHERE id = :id"
    await db.write(lambda tx: tx.execute(sql, {"id": message.id}))


async def all_sent(db: Database) -> None:
    """Write down of all messages that they were sent."""
    sql = "UPDATE messages SET state = 'sent', sent_revision = wanted_revision, sent_at = due_at, telegram_id = id"
    await db.write(lambda tx: tx.execute(sql))


async def lose_numbers(db: Database) -> None:
    """Forget which numbers the messages have in their chats."""
    await db.write(lambda tx: tx.execute("UPDATE messages SET telegram_id = NULL"))


async def age(db: Database, by: timedelta) -> None:
    """Let all alerts have come so much earlier."""
    by_ms = by // timedelta(milliseconds=1)
    for table in ("alerts", "messages"):
        sql = f"UPDATE {table} SET created_at = created_at - :by"  # noqa: S608 - our own
        await db.write(lambda tx, sql=sql: tx.execute(sql, {"by": by_ms}))


async def forget(db: Database, *, chat_id: int | None = None, since: Message | None = None) -> None:
    """Forget what a chat, or any, was told, or what came with or after a message: as an older database would."""
    values = {"chat": chat_id, "since": since and since.id}

    async def job(tx: Transaction) -> None:
        await tx.execute(
            "DELETE FROM messages WHERE chat_id = coalesce(:chat, chat_id) AND id >= coalesce(:since, 0)", values
        )
        await tx.execute("DELETE FROM alerts WHERE chat_id = coalesce(:chat, chat_id)", values)
        await tx.execute("DELETE FROM groups WHERE id NOT IN (SELECT group_id FROM messages WHERE group_id > 0)")

    await db.write(job)


async def forget_changes(db: Database) -> None:
    """Forget what became of posts that were alerted, and that it was told: as an older database would."""

    async def job(tx: Transaction) -> None:
        await tx.execute("DELETE FROM messages WHERE kind = 'change'")
        await tx.execute("UPDATE messages SET state = 'sent', wanted_revision = sent_revision")
        await tx.execute("UPDATE alerts SET gone_at = NULL, gone_items = NULL, losses = 0")
        await tx.execute("UPDATE posts SET gone_at = NULL")

    await db.write(job)


# What is put into the outbox


def notice(chat: Chat, name: str, *, thread_id: int | None = None, reply_to: int | None = None) -> Draft:
    """Make a notice that speaks of a channel of this name: «name»."""
    said = JoinRequested(event=name, channel=name)
    return Draft(
        chat_id=chat.id,
        chat_key=chat.key,
        kind=MessageKind.NOTICE,
        subject=said.subject,
        notice=said.kind,
        body=NOTICES.dump_python(said, mode="json"),
        thread_id=thread_id,
        reply_to=reply_to,
    )


def riddle(chat: Chat, name: str) -> Draft:
    """Make a notice that nobody can write."""
    body = {"kind": "unheard_of"}
    return Draft(chat_id=chat.id, chat_key=chat.key, kind=MessageKind.NOTICE, subject=name, notice=name, body=body)


def alert(chat: Chat, name: str) -> Draft:
    """Make an alert of a post that is not there."""
    return Draft(chat_id=chat.id, chat_key=chat.key, kind=MessageKind.ALERT, subject=name)


def alert_of(post: StoredPost, **fields: Any) -> Alert:  # noqa: ANN401 - the fields of an Alert
    """Make an alert that shows a post."""
    fields = {"topics": ("outages",), "spans": (), "parts": (), "loudness": Loudness.LOUD, **fields}
    fields = {"version_id": post.version_id, "fits_since_edit": False, "fingerprint": "", **fields}
    shown_version_id = post.version_id
    return Alert(chat_id=1, channel_id=post.channel_id, post_key=post.key, shown_version_id=shown_version_id, **fields)


async def put(db: Database, drafts: Collection[Draft], now: datetime, *, due_at: datetime | None = None) -> list[int]:
    """Put messages into the outbox; return their rows."""

    async def job(tx: Transaction) -> list[int]:
        await outbox.enqueue(tx, list(drafts), now=now, due_at=due_at)
        sql = "SELECT id FROM messages WHERE chat_id = ? AND kind = ? AND subject = ?"
        return [(await tx.fetch_all(sql, (each.chat_id, each.kind, each.subject)))[0]["id"] for each in drafts]

    return await db.write(job)


async def _to_message(db: Reader, found: store_messages.Message) -> Message:
    row = await db.fetch_one(
        "SELECT m.subject, g.topic FROM messages m LEFT JOIN groups g ON g.id = m.group_id WHERE m.id = :id",
        {"id": found.id},
    )
    assert row is not None
    is_notice, alert, change = found.kind is MessageKind.NOTICE, found.alert, found.change
    said = NOTICES.validate_python(found.body) if is_notice and (found.body or {}).get("kind") != "unheard_of" else None
    return Message(
        id=found.id,
        chat=found.chat,
        kind=found.group or _NAMES[found.kind],
        is_edit=found.is_sent,
        due_at=found.due_at,
        silent=found.silent,
        attempts=found.attempts,
        random_id=found.random_id,
        telegram_id=found.telegram_id,
        reply_to=found.reply_to,
        name=row["subject"] if said is None else said.event,
        notice=said,
        topic=row["topic"],
        channel_id=alert and alert.channel_id,
        post_key=alert and alert.post_key,
        post=found.post,
        topics=list(alert.topics) if alert else [],
        spans=[list(span) for span in alert.spans] if alert else [],
        parts=[[each.part.kind, each.part.text, [*map(list, each.spans)]] for each in alert.parts] if alert else [],
        is_edited=alert is not None and alert.is_edited,
        fits_since_edit=alert is not None and alert.fits_since_edit,
        gone_at=change.gone_at if change else alert and alert.gone_at,
        items_gone=change.gone_items if change else alert and alert.gone_items,
        duplicates=found.duplicates,
        change=change and change.kind,
        joined=list(change.joined) if change else [],
        before=change and change.before,
        revision=found.revision,
    )
