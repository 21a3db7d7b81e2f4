"""What tests ask of the outbox and write into it: no other file of the tests knows its tables."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.models.notices import NOTICES, JoinRequested
from bot.store import alerts, attachments, group_contents, media, outbox
from bot.store.alerts import Draft, Kind
from bot.store.blobs import Blob
from bot.store.chats import Chat
from bot.store.database import Database, Reader, Transaction
from bot.store.group_contents import Storm, Summary
from bot.store.media import FileInfo
from bot.store.outbox import Alert, Repeat
from bot.store.posts import StoredPost
from bot.store.rows import from_ms

_KINDS = {Kind.POST: "alert", Kind.NOTICE: "notice", Kind.CHANGE: "reply", Kind.FILES: "files"}
_SENT_KINDS = "kind IN ('post', 'notice', 'change', 'files')"

# For tests that look at the file of another process, or at how a question is answered.
LATEST = "SELECT coalesce(max(id), 0) FROM alerts"
SENT_AFTER = "SELECT count(*) FROM alerts WHERE id > :after AND state = 'sent'"
SOMETHING_DUE = "SELECT 1 FROM alerts WHERE state = 'due'"
ALERTED_LATELY = "SELECT 1 FROM alerts b WHERE b.chat_id = :chat AND b.created_at > :since AND b.kind = 'post'"
ALERTS_SENT = """SELECT c.kind, c.telegram_id, n.username, n.id, v.message_id, a.message_id
    FROM alerts a JOIN chats c ON c.id = a.chat_id JOIN channels n ON n.id = a.channel_id
    JOIN versions v ON v.id = a.payload ->> 'version_id' WHERE a.kind = 'post' ORDER BY a.id"""


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
    items_gone: tuple[int, int] | None  # of an album of which some are left: how many are gone, of how many
    duplicates: tuple[Repeat, ...]  # posts that say what it says, in the order in which they came
    change: str | None  # of a reply: edited, gone or confirmed …
    joined: list[str]  # … the topics that its post fits only now …
    before: int | None  # … and the version before
    rows: tuple[int, ...]  # that are done with once it was sent

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

    state: str  # due, sent or dead
    reason: str | None = None
    attempts: int = 0
    telegram_id: int | None = None


async def messages(db: Reader, until: datetime) -> list[Message]:
    """Return what is to be sent or edited by then, the longest due first; several edits of a message are one."""
    found: dict[int, list[Alert]] = {}
    for row in await claimed(db, until):
        found.setdefault(row.source_id, []).append(row)
    return sorted(map(_to_message, found.values()), key=lambda message: (message.due_at, message.rows))


async def claimed(db: Reader, until: datetime) -> list[Alert]:
    """Return what a worker takes from the outbox by then, the longest due first."""
    reading = await outbox.first_due(db, until, limit=1000, each=1000)
    return sorted(reading.alerts, key=lambda alert: (alert.due_at, alert.id))


def labels(found: Iterable[Message]) -> list[str]:
    return [message.label for message in found]


async def alerts_of(db: Reader, chat_id: int | None = None) -> list[Alerted]:
    """Return the posts that a chat, or any, was or will be alerted to, in the order in which they came."""
    rows = await db.fetch_all(
        """SELECT a.*, o.payload AS followed FROM alerts a LEFT JOIN alerts o ON o.id = a.follows
        WHERE a.channel_id IS NOT NULL AND a.chat_id = coalesce(:chat, a.chat_id) ORDER BY a.id""",
        {"chat": chat_id},
    )
    return [
        Alerted(
            id=row["id"],
            chat_id=row["chat_id"],
            channel_id=row["channel_id"],
            post_key=row["post_key"],
            duplicate_of=row["follows"] if row["kind"] == Kind.REPEAT else None,
            group=json.loads(row["followed"]) if row["kind"] == Kind.GATHERED else None,
            telegram_id=row["message_id"],
        )
        for row in rows
    ]


async def duplicates_of(db: Reader, alert_id: int) -> list[int]:
    """Return the channels whose posts have joined an alert, as it shows them."""
    return [repeat.channel_id for repeat in (await outbox.get(db, alert_id)).repeats]


async def state_of(db: Reader, message: Message | str) -> State:
    """Return how far a message has come; a notice is found by its name."""
    value = message if isinstance(message, str) else message.rows[0]
    found = await db.fetch_all(
        """SELECT state, reason, attempts, message_id AS telegram_id FROM alerts
        WHERE :value IN (id, substr(subject, instr(subject, ':') + 1))""",
        {"value": value},
    )
    return State(**dict(found[0]))


async def states(db: Reader, kind: str | None = None) -> list[State]:
    """Return how far all messages have come, or those of a kind, in the order in which they came into the outbox."""
    kinds = {name: kind for kind, name in _KINDS.items()}
    rows = await db.fetch_all(
        f"""SELECT state, reason, attempts, message_id AS telegram_id FROM alerts
        WHERE {_SENT_KINDS} AND kind = coalesce(:kind, kind) ORDER BY id""",  # noqa: S608 - our own
        {"kind": None if kind is None else kinds[kind]},
    )
    return [State(**dict(row)) for row in rows]


async def refused_edits(db: Reader) -> list[str]:
    """Return why edits were given up, while their messages stand as they are."""
    rows = await db.fetch_all("SELECT reason FROM alerts WHERE kind = 'edit' AND state = 'dead' ORDER BY id")
    return [row["reason"] for row in rows]


async def telegram_ids(db: Reader, chat_id: int) -> list[int | None]:
    """Return the numbers of the messages of a chat, in the order in which they came into the outbox."""
    rows = await db.fetch_all(
        f"SELECT message_id FROM alerts WHERE chat_id = :chat AND {_SENT_KINDS} ORDER BY id",  # noqa: S608 - our own
        {"chat": chat_id},
    )
    return [row["message_id"] for row in rows]


async def took(db: Reader) -> dict[int, timedelta]:
    """Return how long the fastest alert of each chat was on its way, by the chat's number at Telegram."""
    rows = await db.fetch_all(
        """SELECT c.telegram_id AS chat, min(a.sent_at - a.created_at) AS took
        FROM alerts a JOIN chats c ON c.id = a.chat_id WHERE a.kind = 'post' GROUP BY 1"""
    )
    return {row["chat"]: timedelta(milliseconds=row["took"]) for row in rows}


async def is_idle(db: Reader) -> bool:
    """Tell whether nothing is due, now or later."""
    return not await db.fetch_all(SOMETHING_DUE)


# Groups


async def contents(db: Reader, message: Message) -> Summary:
    """Return all that a group shows."""
    return await group_contents.get(db, message.id)


async def latest_storm(db: Reader, now: datetime) -> Storm:
    """Return how the storm stands that began last."""
    row = await db.fetch_one("SELECT max(id) AS id FROM alerts WHERE payload ->> 'notice' = 'storm'")
    assert row is not None
    return await group_contents.storm(db, row["id"], now=now)


async def closes_at(db: Reader, storm: Message) -> datetime:
    """Return when a storm is over unless more comes."""
    row = await db.fetch_one("SELECT due_at FROM alerts WHERE follows = :id AND subject LIKE '%/end'", {"id": storm.id})
    assert row is not None
    return from_ms(row["due_at"])


# What becomes of a message


async def sent(db: Database, message: Message, telegram_id: int | None, at: datetime) -> None:
    """Let Telegram take a message, or an edit of it."""

    async def job(tx: Transaction) -> None:
        for row in message.rows:
            is_new = row == message.id and not message.is_edit
            await alerts.sent(tx, row, telegram_id if is_new else None, at)

    await db.write(job)


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
    for row in message.rows:
        await db.write(lambda tx, row=row: alerts.retry(tx, row, at=at, reason=reason, holds_chat=holds_chat))


async def kill(db: Database, message: Message, reason: str) -> None:
    """Let a try fail for good."""
    for row in message.rows:
        await db.write(lambda tx, row=row: alerts.dead(tx, row, reason))


async def send_again(db: Database) -> None:
    """Forget of all messages that they were sent, as where a crash came before that was written down."""
    await db.write(lambda tx: tx.execute("UPDATE alerts SET state = 'due', sent_at = NULL, message_id = NULL"))


async def all_sent(db: Database) -> None:
    """Write down of all messages that they were sent."""
    await db.write(lambda tx: tx.execute("UPDATE alerts SET state = 'sent', message_id = id"))


async def lose_numbers(db: Database) -> None:
    """Forget which numbers the messages have in their chats."""
    await db.write(lambda tx: tx.execute("UPDATE alerts SET message_id = NULL"))


async def age(db: Database, by: timedelta) -> None:
    """Let all alerts have come so much earlier."""
    by_ms = by // timedelta(milliseconds=1)
    await db.write(lambda tx: tx.execute("UPDATE alerts SET created_at = created_at - :by", {"by": by_ms}))


async def forget(db: Database, *, chat_id: int | None = None, since: Message | None = None) -> None:
    """Forget what a chat, or any, was told, or what came with or after a message: as an older database would."""
    await db.write(
        lambda tx: tx.execute(
            "DELETE FROM alerts WHERE chat_id = coalesce(:chat, chat_id) AND id >= coalesce(:since, 0)",
            {"chat": chat_id, "since": since and since.id},
        )
    )


async def forget_changes(db: Database) -> None:
    """Forget what became of posts that were alerted, and that it was told: as an older database would."""

    async def job(tx: Transaction) -> None:
        await tx.execute("DELETE FROM alerts WHERE follows IS NOT NULL")
        await tx.execute("UPDATE alerts SET payload = json_remove(payload, '$.gone', '$.losses')")
        await tx.execute("UPDATE posts SET gone_at = NULL")

    await db.write(job)


# What is put into the outbox


def notice(chat: Chat, name: str, *, thread_id: int | None = None, follows: int | None = None) -> Draft:
    """Make a notice that speaks of a channel of this name: «name»."""
    said = JoinRequested(event=name, channel=name)
    return Draft(
        chat_id=chat.id,
        chat_key=chat.key,
        kind=Kind.NOTICE,
        subject=said.subject,
        payload=NOTICES.dump_python(said, mode="json"),
        thread_id=thread_id,
        follows=follows,
    )


def riddle(chat: Chat, name: str) -> Draft:
    """Make a notice that nobody can write."""
    return Draft(chat_id=chat.id, chat_key=chat.key, kind=Kind.NOTICE, subject=name, payload={"notice": "unheard_of"})


def alert(chat: Chat, name: str) -> Draft:
    """Make an alert of a post that is not there."""
    return Draft(chat_id=chat.id, chat_key=chat.key, kind=Kind.POST, subject=name, payload={})


def grouped(chat: Chat, name: str) -> Draft:
    """Make an alert that a group shows."""
    return Draft(chat_id=chat.id, chat_key=chat.key, kind=Kind.GATHERED, subject=name, payload={})


async def put(db: Database, drafts: Collection[Draft], now: datetime, *, due_at: datetime | None = None) -> list[int]:
    """Put messages into the outbox; return their rows."""

    async def job(tx: Transaction) -> list[int]:
        await alerts.enqueue_all(tx, drafts, now=now, due_at=due_at)
        return [await alerts.row_of(tx, draft) for draft in drafts]

    return await db.write(job)


def _to_message(rows: list[Alert]) -> Message:
    """Make one message of what is due of it: to be sent, where that is among it, else to be edited."""
    first = next((row for row in rows if row.id == row.source_id), rows[0])
    payload, is_edit, said = first.payload, first.kind is Kind.EDIT, first.notice
    group = payload.get("notice")
    return Message(
        id=first.source_id,
        chat=first.chat,
        kind=group or ("alert" if is_edit else _KINDS[first.kind]),
        is_edit=is_edit,
        due_at=first.due_at,
        silent=first.silent,
        attempts=first.attempts,
        random_id=first.random_id,
        telegram_id=first.followed_id if is_edit else None,
        reply_to=None if is_edit else first.reply_to,
        name=first.subject if said is None else said.event,
        notice=said,
        topic=payload.get("topic"),
        channel_id=first.channel_id,
        post_key=first.post_key,
        post=first.post,
        topics=list(payload.get("topics", ())) if said is None else [],
        spans=payload.get("spans", []),
        parts=payload.get("beside", []),
        is_edited=bool(payload.get("edited")),
        fits_since_edit=bool(payload.get("turned")),
        gone_at=first.gone_at,
        items_gone=first.part,
        duplicates=first.repeats,
        change=payload.get("change"),
        joined=list(payload.get("joined", ())),
        before=payload.get("before"),
        rows=(first.id, *(row.id for row in rows if row is not first)),
    )
