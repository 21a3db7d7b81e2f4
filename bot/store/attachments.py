"""Attachments: the files of a post that follow its alert, in a silent reply.

A reply is due a moment after a file was downloaded, since the items of an album come one by one. Which files it brings
is written down before it is sent for the first time; a file that comes later gets another reply.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.models.alerts import Alert, Draft, MessageKind
from bot.store import meta, outbox
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import json_list, read_all, to_ms

ALBUM_WITHIN = timedelta(seconds=1)  # after a file is downloaded, in which more of its album may come …
PATIENCE = timedelta(seconds=30)  # … or so long, while one of them is being downloaded
FOLLOWS_WITHIN = timedelta(days=3)  # of an alert, after which no file follows it any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that a reply brings."""

    version_id: int  # which shows the file
    file_id: int  # Telegram's
    random_id: int  # of the message that brings it, alone or in an album
    alone: bool  # not in an album: Telegram refused the one that it was in
    replaces: bool  # a file that the same message has shown, which the chat has had


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A message of a post, with the file that it shows now."""

    message_id: int
    version_id: int
    file_id: int  # Telegram's
    state: str  # of the download
    is_gone: bool  # from the channel: a file that we have follows nevertheless


_ITEMS = """SELECT m.message_id, d.version_id, d.file_id, d.state, m.gone_at IS NOT NULL AS is_gone
    FROM posts m INDEXED BY posts_key JOIN media d ON d.version_id = m.version_id
    WHERE m.channel_id = :channel AND m.post_key = :key ORDER BY m.message_id, d.id"""
_TO_FOLLOW = """SELECT a.id, a.chat_id, a.version_id, c.key, q.id AS answered_id,
        (SELECT count(*) FROM messages f WHERE f.alert_id = a.id AND f.kind = 'files') AS replies,
        (SELECT f.id FROM messages f WHERE f.alert_id = a.id AND f.kind = 'files' AND f.state = 'due'
            AND NOT EXISTS (SELECT 1 FROM attachments WHERE reply_id = f.id)) AS open_reply
    FROM alerts a JOIN chats c ON c.id = a.chat_id AND c.media AND c.suspended IS NULL
    JOIN messages q ON q.alert_id = a.id AND q.kind = 'alert' AND q.sent_revision > 0
    JOIN versions s ON s.id = a.version_id
    WHERE a.channel_id = :channel AND a.post_key = :key AND a.created_at > :since AND a.id = coalesce(:only, a.id)
        AND EXISTS (SELECT 1 FROM json_each(:kept) k WHERE NOT EXISTS (SELECT 1 FROM attachments t
            WHERE t.alert_id = a.id AND t.message_id = k.value ->> 0 AND t.file_id = k.value ->> 1))
        -- what a lost instance may have sent, it may have followed up too
        AND NOT EXISTS (SELECT 1 FROM restorations r WHERE r.chat_id = a.chat_id
            AND coalesce(s.edit_date, s.date) < r.until)
    ORDER BY a.id"""


async def enqueue_for_alert(
    tx: Transaction, alert: Alert, *, now: datetime, album_within: timedelta = ALBUM_WITHIN
) -> None:
    """Let an alert that was just sent be followed by those files of its post that are on our disk already."""
    await _follow(tx, alert.channel_id, alert.post_key, now=now, album_within=album_within, only=alert.id)


async def enqueue_for_file(
    tx: Transaction, media_id: int, *, now: datetime, album_within: timedelta = ALBUM_WITHIN
) -> None:
    """Let the alerts of a post be followed by a file; a file that was given up, they are to mention instead."""
    (row,) = await tx.fetch_all(
        """SELECT v.id, v.channel_id, v.message_id, m.post_key, d.state = 'left' AND v.id = m.version_id AS is_missing
        FROM media d JOIN versions v ON v.id = d.version_id
        JOIN posts m ON m.channel_id = v.channel_id AND m.message_id = v.message_id WHERE d.id = :id""",
        {"id": media_id},
    )
    if row["is_missing"]:
        await _mention(tx, row, now=now)
    await _follow(tx, row["channel_id"], row["post_key"], now=now, album_within=album_within)


async def claim(tx: Transaction, reply_id: int) -> list[Attachment]:
    """Return the files that a reply brings, in the order of the post.

    The first time all are chosen that the alert lacks; from then on they stay the same.
    """
    listed = await _listed(tx, reply_id)
    if listed:
        return listed
    (alert,) = await tx.fetch_all(
        """SELECT a.id, a.channel_id, a.post_key, c.key FROM messages f JOIN alerts a ON a.id = f.alert_id
        JOIN chats c ON c.id = a.chat_id WHERE f.id = :id""",
        {"id": reply_id},
    )
    secret = await meta.secret(tx, outbox.SECRET)
    channel_id, post_key = alert["channel_id"], alert["post_key"]
    await tx.execute_many(
        """INSERT INTO attachments (alert_id, message_id, file_id, version_id, reply_id, random_id)
        VALUES (:alert, :message, :file, :version, :reply, :random) ON CONFLICT DO NOTHING""",
        [
            {
                "alert": alert["id"],
                "message": item.message_id,
                "file": item.file_id,
                "version": item.version_id,
                "reply": reply_id,
                "random": outbox.random_id(
                    secret, alert["key"], MessageKind.FILES, f"{channel_id}/{item.message_id}/file {item.file_id}"
                ),
            }
            for item in await _items(tx, channel_id, post_key)
            if item.state == "kept"
        ],
    )
    return await _listed(tx, reply_id)


async def split(tx: Transaction, reply_id: int, files: Sequence[Attachment]) -> None:
    """Write down that these files of a reply go one by one from now on."""
    await tx.execute(
        """UPDATE attachments SET alone = 1
        WHERE reply_id = :reply AND file_id IN (SELECT value FROM json_each(:files))""",
        {"reply": reply_id, "files": json_list(file.file_id for file in files)},
    )


async def count_missing(db: Reader, channel_id: int, post_key: str) -> int:
    """Count the files of a post that follow no alert, since they were given up, and that are to be seen in it."""
    return sum(item.state == "left" and not item.is_gone for item in await _items(db, channel_id, post_key))


async def _mention(tx: Transaction, version: sqlite3.Row, *, now: datetime) -> None:
    """Have the alerts of a post edited, which then count one more file that does not follow."""
    rows = await tx.fetch_all(
        """SELECT q.id FROM alerts a JOIN messages q ON q.alert_id = a.id AND q.kind = 'alert'
        JOIN chats c ON c.id = a.chat_id AND c.media AND c.suspended IS NULL
        WHERE a.channel_id = :channel AND a.post_key = :key""",
        {"channel": version["channel_id"], "key": version["post_key"]},
    )
    await outbox.revise(tx, [row["id"] for row in rows], now=now)


async def _follow(  # noqa: PLR0913 - of one post, or of one alert of it
    tx: Transaction,
    channel_id: int,
    post_key: str,
    *,
    now: datetime,
    album_within: timedelta,
    only: int | None = None,
) -> None:
    """See that a reply is due to each alert that lacks a file: the one that has brought nothing yet, or another."""
    items = await _items(tx, channel_id, post_key)
    kept = [(item.message_id, item.file_id) for item in items if item.state == "kept"]
    if not kept:
        return
    due_at = now + (PATIENCE if any(item.state == "wanted" for item in items) else album_within)
    rows = await tx.fetch_all(
        _TO_FOLLOW,
        {
            "channel": channel_id,
            "key": post_key,
            "since": to_ms(now - FOLLOWS_WITHIN),
            "only": only,
            "kept": json_list(kept),
        },
    )
    await tx.execute_many(
        "UPDATE messages SET due_at = :due WHERE id = :id",
        [{"id": row["open_reply"], "due": to_ms(due_at)} for row in rows if row["open_reply"]],
    )
    drafts = [_reply(row, f"{channel_id}/{post_key}") for row in rows if not row["open_reply"]]
    await outbox.enqueue(tx, drafts, now=now, due_at=due_at)
    if rows:
        tx.announce(Subject.ALERTS)


def _reply(row: sqlite3.Row, post: str) -> Draft:
    """Return another reply to an alert of `_TO_FOLLOW`."""
    return Draft(
        chat_id=row["chat_id"],
        chat_key=row["key"],
        kind=MessageKind.FILES,
        subject=f"{post}/files {row['replies'] + 1}",
        alert_id=row["id"],
        version_id=row["version_id"],
        reply_to=row["answered_id"],
        silent=True,
    )


async def _items(db: Reader, channel_id: int, post_key: str) -> list[_Item]:
    """Return the messages of a post that have a file, in order."""
    rows = await db.fetch_all(_ITEMS, {"channel": channel_id, "key": post_key})
    return read_all(_Item, rows)


async def _listed(db: Reader, reply_id: int) -> list[Attachment]:
    rows = await db.fetch_all(
        """SELECT t.version_id, t.file_id, t.random_id, t.alone, EXISTS (SELECT 1 FROM attachments o
            WHERE o.alert_id = t.alert_id AND o.message_id = t.message_id AND o.reply_id < t.reply_id
            AND NOT EXISTS (SELECT 1 FROM media WHERE version_id = t.version_id AND file_id = o.file_id)) AS replaces
        FROM attachments t JOIN media d ON d.version_id = t.version_id AND d.file_id = t.file_id
        WHERE t.reply_id = :reply ORDER BY t.message_id, d.id""",
        {"reply": reply_id},
    )
    return read_all(Attachment, rows)
