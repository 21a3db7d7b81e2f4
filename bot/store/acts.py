"""The log of what people did that concerns others; an act is recorded in the transaction of its effect, and undone."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.models import to_json
from bot.models.acts import ACTS, UNDO_WITHIN, Act, Row, RowChange, TopicChanged, inverse
from bot.models.notices import Acted
from bot.models.people import Viewer
from bot.store import chats, outbox
from bot.store.database import Reader, Subject, Transaction
from bot.store.notices import notify
from bot.store.rows import from_ms, json_list, maybe_ms, to_ms

KEPT = timedelta(days=366)
# Tables whose rows an act may change, each with its primary key and who waits for news of it.
_KEYS = {
    "topics": ("id",),
    "subscriptions": ("chat_id", "topic_id"),
    "topic_versions": ("topic_id", "number"),
    "exclusions": ("chat_id", "topic_id", "word"),
    "mutes": ("id",),
    "topic_access": ("topic_id", "chat_id"),
    "channel_groups": ("id",),
    "channel_group_members": ("channel_group_id", "channel_id"),
    "channels": ("id",),
    "channel_access": ("channel_id", "chat_id"),
    "follows": ("id",),
    "people": ("id",),
    "chats": ("id",),
    "cases": ("id",),
    "case_posts": ("case_id", "channel_id", "message_id"),
    "case_access": ("case_id", "chat_id"),
    "meta": ("key",),
}
# Columns that go on changing by themselves, or are no act's.
_COLUMNS = {
    "channels": (
        "id",
        "followed_at",
        "unfollowed_at",
        "fast",
        "may_join",
        "ocr",
        "witness",
        "restricted",
        "comments_of",
    ),
    "people": ("id", "given", "by_settings", "name", "username", "added_at", "invited_by"),
    "chats": ("id", "suspended"),
}
_NEWS = (Subject.TOPICS, Subject.FOLLOWS, Subject.CHATS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, and where."""

    person_id: int | None  # None: somebody on the server
    name: str
    chat_id: int | None = None  # None: on the server


SERVER = Actor(person_id=None, name="")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAct:
    """An act of the log."""

    id: int
    at: datetime
    person_id: int | None
    name: str  # of the person, as it was then; empty: somebody on the server
    chat_id: int | None
    act: Act
    concerned: tuple[int, ...]  # ids of the chats that had a notice of it
    changes: tuple[RowChange, ...]
    undone_at: datetime | None
    undone_by: str | None

    def can_be_undone(self, now: datetime) -> bool:
        """Tell whether there is something to undo, and still time."""
        return bool(self.changes) and self.undone_at is None and now - self.at < UNDO_WITHIN


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that an act may change."""

    table: str
    column: str
    value: int | str


@dataclass(slots=True)
class Recording:
    """An act that is being recorded; its number is known afterwards."""

    id: int = field(default=0)


async def record(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction,
    act: Act,
    by: Actor,
    *,
    now: datetime,
    restricted: bool = False,
    concerned: Iterable[int] = (),
    changes: Sequence[RowChange] = (),
) -> int:
    """Write an act down, with a notice to the chats that it concerns; return its number."""
    to = sorted(set(concerned) - {by.chat_id})
    number = await tx.insert(
        """INSERT INTO acts (at, person_id, name, chat_id, kind, body, restricted, concerned, changes)
        VALUES (:at, :person, :name, :chat, :kind, :body, :restricted, :concerned, :changes)""",
        {
            "at": to_ms(now),
            "person": by.person_id,
            "name": by.name,
            "chat": by.chat_id,
            "kind": act.kind,
            "body": ACTS.dump_json(act).decode(),
            "restricted": restricted,
            "concerned": to_json(to),
            "changes": to_json([[each.table, each.before, each.after] for each in changes]),
        },
    )
    shown = act.difference if isinstance(act, TopicChanged) else act
    await _notify(tx, to, Acted(event=str(number), name=by.name, act=shown), now=now)
    return number


async def _notify(tx: Transaction, to: Iterable[int], notice: Acted, *, now: datetime) -> None:
    """Put a notice into the outbox for chats; owners have that of the team's own channels, which are named there."""
    found = [chat for chat in await chats.by_ids(tx, to) if chat.suspended is None]
    broadcasts = tuple((chat.id, chat.title) for chat in found if chat.broadcast)
    concerned = {chat.id: chat for chat in found if not chat.broadcast}
    owners = {chat.id: chat for chat in await chats.of_owners(tx) if chat.suspended is None} if broadcasts else {}
    for chat in {**concerned, **owners}.values():
        of_owner = broadcasts if chat.id in owners else ()
        await notify(tx, chat, replace(notice, is_concerned=chat.id in concerned, broadcasts=of_owner), now=now)


@asynccontextmanager
async def recorded(  # noqa: PLR0913 - likewise
    tx: Transaction,
    act: Act,
    by: Actor,
    *rows: Rows,
    now: datetime,
    restricted: bool = False,
    concerned: Iterable[int] = (),
) -> AsyncIterator[Recording]:
    """Record an act whose effect is the body of this block, with what it changed in some rows."""
    recording = Recording()
    before = [await _read(tx, each) for each in rows]
    yield recording
    after = [await _read(tx, each) for each in rows]
    compared = zip(rows, before, after, strict=True)
    changes = [change for each, old, new in compared for change in _compare(each.table, old, new)]
    recording.id = await record(tx, act, by, now=now, restricted=restricted, concerned=concerned, changes=changes)


async def _read(tx: Transaction, rows: Rows) -> list[Row]:
    columns = ", ".join(_COLUMNS.get(rows.table, ()))
    if not columns:
        columns = ", ".join(row["name"] for row in await tx.fetch_all(f"PRAGMA table_info({rows.table})"))
    sql = f"SELECT {columns} FROM {rows.table} WHERE {rows.column} = :value"  # noqa: S608 - our own names
    return [dict(row) for row in await tx.fetch_all(sql, {"value": rows.value})]


def _compare(table: str, before: Sequence[Row], after: Sequence[Row]) -> list[RowChange]:
    """Return what differs between the rows of a table, by their keys."""
    old, new = ({tuple(row[key] for key in _KEYS[table]): row for row in rows} for rows in (before, after))
    return [
        RowChange(table=table, before=old.get(key), after=new.get(key))
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


async def undo(tx: Transaction, logged: LoggedAct, by: str, *, now: datetime) -> bool:
    """Undo an act; False where something has been changed since, so that nothing is undone."""
    await tx.execute("SAVEPOINT undo")
    try:
        done = all([await _apply(tx, change) for change in inverse(logged.changes)])
    except sqlite3.IntegrityError:  # a name is taken, or a chat is gone
        done = False
    if not done:
        await tx.execute("ROLLBACK TO undo")
    await tx.execute("RELEASE undo")
    if done:
        values = {"id": logged.id, "now": to_ms(now), "by": by}
        await tx.execute("UPDATE acts SET undone_at = :now, undone_by = :by WHERE id = :id", values)
        for subject in _NEWS:
            tx.announce(subject)
        event = f"{logged.id}:undone"
        act = logged.act.difference if isinstance(logged.act, TopicChanged) else logged.act
        await _notify(tx, logged.concerned, Acted(event=event, name=logged.name, act=act, undone=True), now=now)
    return done


async def _apply(tx: Transaction, change: RowChange) -> bool:
    """Change a row, if it is as it is to be before."""
    table, before, after = change.table, change.before, change.after
    if before is None:
        assert after is not None  # noqa: S101 - a change that changes nothing
        names = ", ".join(after)
        places = ", ".join(f":{name}" for name in after)
        return await tx.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", after) > 0  # noqa: S608 - our own names
    known = " AND ".join(f"{name} IS :old_{name}" for name in before)
    values = {f"old_{name}": value for name, value in before.items()}
    if after is None:
        return await tx.execute(f"DELETE FROM {table} WHERE {known}", values) > 0  # noqa: S608 - our own names
    if table == "chats" and after["suspended"] is None:
        await outbox.take_up(tx, int(after["id"] or 0))
    assigned = ", ".join(f"{name} = :{name}" for name in after)
    return await tx.execute(f"UPDATE {table} SET {assigned} WHERE {known}", {**values, **after}) > 0  # noqa: S608 - likewise


async def get(db: Reader, act_id: int) -> LoggedAct | None:
    """Return an act of the log."""
    row = await db.fetch_one("SELECT * FROM acts WHERE id = :id", {"id": act_id})
    return None if row is None else _to_act(row)


async def latest(  # noqa: PLR0913 - each narrows the question in its own way
    db: Reader,
    viewer: Viewer,
    *,
    limit: int,
    before: int | None = None,
    person_id: int | None = None,
    chat_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[LoggedAct]:
    """Return the newest acts that a viewer may see; `before` is the number of the last one of the page before."""
    rows = await db.fetch_all(
        """SELECT * FROM acts WHERE (:viewer IS NULL OR NOT restricted OR chat_id = :viewer)
            AND (:before IS NULL OR id < :before) AND (:person IS NULL OR person_id = :person)
            AND (:chat IS NULL OR chat_id = :chat)
            AND (:since IS NULL OR at >= :since) AND (:until IS NULL OR at < :until)
        ORDER BY id DESC LIMIT :limit""",
        {
            "viewer": viewer.chat_id,
            "before": before,
            "person": person_id,
            "chat": chat_id,
            "since": maybe_ms(since),
            "until": maybe_ms(until),
            "limit": limit,
        },
    )
    return list(map(_to_act, rows))


async def hide(tx: Transaction, names: Iterable[str]) -> None:
    """Let only owners, and the chats in which they were done, see the earlier acts on what goes by these names."""
    await tx.execute(
        """UPDATE acts SET restricted = 1 WHERE body ->> '$.topic' IN (SELECT value FROM json_each(:names))
            OR body ->> '$.case' IN (SELECT value FROM json_each(:names))
            OR EXISTS (SELECT 1 FROM json_each(body, '$.names') n, json_each(:names) h WHERE n.value = h.value)""",
        {"names": json_list(names)},
    )


async def forget_old(tx: Transaction, *, now: datetime) -> None:
    """Delete the acts that are older than `KEPT`; of those that can no longer be undone, how they were to be."""
    await tx.execute("DELETE FROM acts WHERE at < :before", {"before": to_ms(now - KEPT)})
    sql = "UPDATE acts SET changes = '[]' WHERE at < :before AND changes != '[]'"
    await tx.execute(sql, {"before": to_ms(now - UNDO_WITHIN)})


def _to_act(row: sqlite3.Row) -> LoggedAct:
    return LoggedAct(
        id=row["id"],
        at=from_ms(row["at"]),
        person_id=row["person_id"],
        name=row["name"],
        chat_id=row["chat_id"],
        act=ACTS.validate_json(row["body"]),
        concerned=tuple(json.loads(row["concerned"])),
        changes=tuple(RowChange(table=t, before=b, after=a) for t, b, a in json.loads(row["changes"])),
        undone_at=None if row["undone_at"] is None else from_ms(row["undone_at"]),
        undone_by=row["undone_by"],
    )
