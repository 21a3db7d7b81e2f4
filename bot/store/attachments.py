"""Files that alerts did not bring along come in as they are kept; bundles go out, rows that bring them afterwards.

Items of an album come one by one, and so do their files: a bundle gathers for a moment. Once it is due it stays as it
is, since what was sent of it must not be sent again.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.store import alerts, meta
from bot.store.alerts import Draft, Kind
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import to_ms

MOST = 10  # files of a bundle, Telegram's limit for an album
QUIET = timedelta(seconds=1)  # after a file is kept, in which more of its album may come …
PATIENCE = timedelta(seconds=30)  # … or so long, where one of them is on its way
UNTOUCHED = timedelta(seconds=0.5)  # before it is due, in which a bundle may be on its way already
WITHIN = timedelta(days=3)  # of an alert, after which nothing follows it any more

_ITEMS = """SELECT m.message_id, m.version_id, v.media ->> 'id' AS file_id, d.state, m.gone_at IS NOT NULL AS is_gone
    FROM posts m JOIN versions v ON v.id = m.version_id LEFT JOIN media d ON d.version_id = m.version_id
    WHERE m.channel_id = :channel"""
# Alerts of a post that went to chats which want its files, however they went.
_ALERTS = """FROM alerts a JOIN chats c ON c.id = a.chat_id AND c.media AND c.suspended IS NULL
    JOIN versions s ON s.id = a.payload ->> 'version_id'
    WHERE a.channel_id = :channel AND a.post_key = :key AND a.kind = 'post' AND a.state != 'dead'
        AND a.media IS NOT NULL"""
_BROUGHT = """SELECT json_group_array(json_array(i.value ->> 'message', i.value ->> 'file'))
    FROM alerts f JOIN json_each(f.payload, '$.items') i WHERE f.follows = a.id AND f.kind = 'files'"""


_GATHERING = """SELECT json_object('id', f.id, 'payload', json(f.payload)) FROM alerts f
    WHERE f.follows = a.id AND f.kind = 'files' AND f.state = 'due' AND f.due_at > :untouched AND f.attempts = 0
        AND json_array_length(f.payload, '$.items') < :most ORDER BY f.id DESC LIMIT 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A message of a post, with the file that it shows now."""

    message_id: int
    version_id: int
    file_id: int | None  # Telegram's
    state: str | None  # of the file; None: nobody wants it
    is_gone: bool  # from the channel: what we have of it is shown nevertheless


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gathering:
    """A bundle that may still grow."""

    id: int
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Post:
    """What names the files of a post."""

    channel_id: int
    secret: bytes  # of the outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class _Telling:
    """An alert that its post's files may follow."""

    id: int
    chat_id: int
    chat_key: bytes
    version_id: int  # that it tells of …
    message_id: int  # … of this message
    carried: int | None  # the message whose file came along
    brought: frozenset[tuple[int, int]]  # message and file of what follows it already
    gathering: _Gathering | None  # what is about to follow it


async def decide(  # noqa: PLR0913 - the decision has this many sides
    tx: Transaction, alert_id: int, channel_id: int, post_key: str, *, with_media: bool, refused: bool, now: datetime
) -> None:
    """Write down, before it is sent, whether an alert goes with its file: what it may say later depends on that.

    What does not come along follows, unless it was refused.
    """
    await tx.execute("UPDATE alerts SET media = :media WHERE id = :id", {"id": alert_id, "media": with_media})
    await _follow(tx, channel_id, post_key, now=now, only=alert_id, refused=refused)


async def settled(tx: Transaction, media_id: int, *, now: datetime) -> None:
    """Let alerts follow what became of a file: it follows them, replaces the one they show, or is said to be left."""
    (row,) = await tx.fetch_all(
        """SELECT v.id, v.channel_id, v.message_id, d.state, v.id = m.version_id AS is_current, m.post_key
        FROM media d JOIN versions v ON v.id = d.version_id
        JOIN posts m ON m.channel_id = v.channel_id AND m.message_id = v.message_id WHERE d.id = :id""",
        {"id": media_id},
    )
    if row["is_current"]:
        await _correct(tx, row, now=now)
    await _follow(tx, row["channel_id"], row["post_key"], now=now)


async def part(tx: Transaction, alert_id: int) -> None:
    """Write down that the files of a bundle go one by one from now on."""
    sql = "UPDATE alerts SET payload = json_set(payload, '$.apart', json('true')) WHERE id = :id"
    await tx.execute(sql, {"id": alert_id})


async def left_out(db: Reader, channel_id: int, post_key: str) -> int:
    """Count the files of a post that no chat gets, because we do not keep them, and that are to be seen in it."""
    return sum(item.state == "left" and not item.is_gone for item in await _items(db, channel_id, post_key))


async def was_replaced(db: Reader, channel_id: int, message_id: int) -> bool:
    """Say whether a message has shown more than one file."""
    row = await db.fetch_one(
        """SELECT count(DISTINCT media ->> 'id') > 1 AS replaced FROM versions
        WHERE channel_id = :channel AND message_id = :message""",
        {"channel": channel_id, "message": message_id},
    )
    return row is not None and bool(row["replaced"])


async def _correct(tx: Transaction, version: sqlite3.Row, *, now: datetime) -> None:
    """Edit the alerts that show another file of this message, or do not say yet that this one is left out."""
    is_left = version["state"] == "left"
    if not is_left and not await was_replaced(tx, version["channel_id"], version["message_id"]):
        return
    rows = await tx.fetch_all(
        f"SELECT a.id, a.chat_id, c.key {_ALERTS} AND (:left OR a.media AND s.message_id = :message)",
        {
            "channel": version["channel_id"],
            "key": version["post_key"],
            "message": version["message_id"],
            "left": is_left,
        },
    )
    subject = f"{version['channel_id']}/{version['message_id']}/file of {version['id']}"
    edits = [alerts.edit(row["chat_id"], row["key"], row["id"], subject=subject) for row in rows]
    await alerts.enqueue_all(tx, edits, now=now)


async def _follow(  # noqa: PLR0913 - a post's address, and for whom
    tx: Transaction, channel_id: int, post_key: str, *, now: datetime, only: int | None = None, refused: bool = False
) -> None:
    items = await _items(tx, channel_id, post_key)
    kept = [item for item in items if item.state == "kept"]
    if not kept:
        return
    due_at = now + (PATIENCE if any(item.state == "wanted" for item in items) else QUIET)
    post = _Post(channel_id=channel_id, secret=await meta.secret(tx, alerts.SECRET))
    grown, drafts = [], []
    for telling in await _tellings(tx, channel_id, post_key, now=now, only=only):
        missing = [item for item in kept if _is_missing(item, telling)]
        if refused:
            missing = await _spare(tx, telling, post, missing, now=now)
        room = 0
        if telling.gathering is not None:
            room = MOST - len(telling.gathering.payload["items"])
            grown.append({"id": telling.gathering.id, "payload": _grown(telling, post, missing[:room])})
        drafts += [_bundle(telling, post, missing[first : first + MOST]) for first in range(room, len(missing), MOST)]
    sql = "UPDATE alerts SET payload = :payload, due_at = :due WHERE id = :id"
    await tx.execute_many(sql, [{**row, "due": to_ms(due_at)} for row in grown])
    await alerts.enqueue_all(tx, drafts, now=now, due_at=due_at)
    if grown:
        tx.announce(Subject.ALERTS)


def _is_missing(item: _Item, telling: _Telling) -> bool:
    return item.message_id != telling.carried and (item.message_id, item.file_id) not in telling.brought


async def _spare(
    tx: Transaction, telling: _Telling, post: _Post, missing: Sequence[_Item], *, now: datetime
) -> list[_Item]:
    """Count the file that an alert should have carried as brought, since it was refused; return the others."""
    own = [item for item in missing if item.message_id == telling.message_id]
    if own:
        draft = _bundle(telling, post, own)
        await alerts.enqueue_all(tx, [draft], now=now)
        row = await alerts.row_of(tx, draft)
        await tx.execute("UPDATE alerts SET state = 'sent' WHERE id = :id", {"id": row})
    return [item for item in missing if item not in own]


def _grown(telling: _Telling, post: _Post, added: Sequence[_Item]) -> str:
    """Write the payload of the bundle that still gathers, with these files in it."""
    payload = telling.gathering.payload if telling.gathering is not None else {}
    items = [*payload["items"], *(_listed(telling, post, item) for item in added)]
    return json.dumps({**payload, "items": items, "replaces": payload["replaces"] or _replaces(telling, added)})


def _bundle(telling: _Telling, post: _Post, items: Sequence[_Item]) -> Draft:
    """Make the draft of a bundle, which has the name of its first file."""
    listed = [_listed(telling, post, item) for item in items]
    return Draft(
        chat_id=telling.chat_id,
        chat_key=telling.chat_key,
        kind=Kind.FILES,
        subject=_named(post, items[0]),
        payload={"version_id": telling.version_id, "items": listed, "replaces": _replaces(telling, items)},
        follows=telling.id,
        silent=True,
    )


def _listed(telling: _Telling, post: _Post, item: _Item) -> dict[str, int | None]:
    """Write what is to be known of a file; it has a `random_id` of its own, whatever it comes with."""
    return {
        "message": item.message_id,
        "version": item.version_id,
        "file": item.file_id,
        "random_id": alerts.random_id(post.secret, telling.chat_key, Kind.FILES, _named(post, item)),
    }


def _named(post: _Post, item: _Item) -> str:
    return f"{post.channel_id}/{item.message_id}/file {item.file_id}"


def _replaces(telling: _Telling, items: Sequence[_Item]) -> bool:
    """Tell whether one of these messages showed another file before, which the chat has."""
    return not {message_id for message_id, _ in telling.brought}.isdisjoint(item.message_id for item in items)


async def _items(db: Reader, channel_id: int, post_key: str) -> list[_Item]:
    """Return the messages of a post, in order."""
    sql = f"{_ITEMS} AND m.post_key = :key ORDER BY m.message_id"
    rows = await db.fetch_all(sql, {"channel": channel_id, "key": post_key})
    return [_Item(**dict(row)) for row in rows]


async def _tellings(tx: Reader, channel_id: int, post_key: str, *, now: datetime, only: int | None) -> list[_Telling]:
    """Return the alerts of a post; what a lost instance may have told and brought is left alone."""
    rows = await tx.fetch_all(
        f"""SELECT a.id, a.chat_id, c.key, s.id AS version_id, s.message_id, a.media,
            ({_BROUGHT}) AS brought, ({_GATHERING}) AS gathering {_ALERTS}
            AND a.created_at > :since AND a.id = coalesce(:only, a.id)
            AND NOT EXISTS (SELECT 1 FROM restorations r WHERE r.chat_id = a.chat_id
                AND coalesce(s.edit_date, s.date) < r.until)
        ORDER BY a.id""",  # noqa: S608 - our own constants
        {
            "channel": channel_id,
            "key": post_key,
            "since": to_ms(now - WITHIN),
            "only": only,
            "untouched": to_ms(now + UNTOUCHED),
            "most": MOST,
        },
    )
    return [
        _Telling(
            id=row["id"],
            chat_id=row["chat_id"],
            chat_key=row["key"],
            version_id=row["version_id"],
            message_id=row["message_id"],
            carried=row["message_id"] if row["media"] else None,
            brought=frozenset((message_id, file_id) for message_id, file_id in json.loads(row["brought"])),
            gathering=_Gathering(**json.loads(row["gathering"])) if row["gathering"] else None,
        )
        for row in rows
    ]
