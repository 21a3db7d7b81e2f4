"""Groups: alerts that share one message, which of them take more, and what the message shows."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.models.alerts import (
    Draft,
    Group,
    GroupedAlert,
    GroupKind,
    GroupSummary,
    MessageKind,
    OpenGroup,
    StormState,
    digest_group,
    group_key,
)
from bot.models.outgoing import GENERAL_THREAD
from bot.models.people import EVERYTHING, Viewer
from bot.parts import load_parts, whole_text
from bot.schedule import next_digest, quiet_until
from bot.store import alerts, outbox, posts
from bot.store.access import Restrictable, visible
from bot.store.chats import Chat
from bot.store.database import Reader, Subject, Transaction
from bot.store.outbox import APART
from bot.store.rows import date_of, from_ms, json_list, read, read_all, to_ms

LEAVING = timedelta(seconds=10)  # a message that is due so soon may be on its way: what it shows stays in it
LATEST, NEWS = 3, 5  # alerts that a storm shows, and new events
COMPARED = 30  # posts in a storm, and as many alerts before and beside it, with which another is compared …
BEFORE = timedelta(minutes=15)  # … since so long before it began
LATE_APART = timedelta(minutes=1)  # that a message which counts late posts is edited, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """An alert that a group takes."""

    chat_id: int
    chat_key: bytes
    group: Group


# Of a digest that is sent none is open; what grows later does so in a message that can be edited.
_OPEN = """SELECT g.id, g.chat_id, g.kind, g.topic_id, g.thread_id, g.closes_at, m.id AS message_id,
        m.thread_id AS message_thread_id, m.sent_revision
    FROM json_each(:chats) q CROSS JOIN groups g ON g.chat_id = q.value AND g.closes_at > :now
    JOIN messages m ON m.group_id = g.id
    WHERE m.state = 'due' AND m.sent_revision = 0
        OR g.kind != 'digest' AND m.state IN ('due', 'sent') AND m.telegram_id IS NOT NULL"""


async def open_for(tx: Reader, chat_ids: Iterable[int], *, now: datetime) -> list[OpenGroup]:
    """Return the groups of these chats that take more alerts."""
    rows = await tx.fetch_all(_OPEN, {"chats": json_list(set(chat_ids)), "now": to_ms(now)})
    return [
        OpenGroup(
            id=row["id"],
            message_id=row["message_id"],
            chat_id=row["chat_id"],
            key=group_key(
                GroupKind(row["kind"]),
                topic_id=row["topic_id"],
                closes_at=from_ms(row["closes_at"]),
                thread_id=row["thread_id"],
            ),
            thread_id=row["message_thread_id"] or GENERAL_THREAD,
            is_sent=row["sent_revision"] > 0,
        )
        for row in rows
    ]


async def place(
    tx: Transaction, members: Sequence[NewMember], open_groups: Iterable[OpenGroup], *, now: datetime
) -> list[int]:
    """Return the group of each alert, by row: one that is open, or else a new one. Their messages show the alerts."""
    if not members:
        return []
    groups = {(each.chat_id, each.key): (each.id, each.message_id) for each in open_groups}
    joined, late, audible = set[int](), set[int](), set[int]()  # messages, by row
    ids = []
    for member in members:
        group, key = member.group, (member.chat_id, member.group.key)
        if key in groups:
            group_id, message_id = groups[key]
            (late if group.kind is GroupKind.LATE else joined).add(message_id)
            if group.kind is GroupKind.DIGEST and not group.silent:
                audible.add(message_id)
        else:
            group_id, message_id = groups[key] = await _open(tx, member, now=now)
        if group.kind is GroupKind.STORM:
            values = {"id": group_id, "until": to_ms(group.closes_at)}
            await tx.execute("UPDATE groups SET closes_at = :until WHERE id = :id", values)
        ids.append(group_id)
    await tx.execute(
        "UPDATE messages SET silent = 0 WHERE id IN (SELECT value FROM json_each(:ids)) AND sent_revision = 0",
        {"ids": json_list(audible)},
    )
    await outbox.revise(tx, late, now=now, apart=LATE_APART)
    await outbox.revise(tx, joined, now=now, apart=APART)
    return ids


async def _open(tx: Transaction, member: NewMember, *, now: datetime) -> tuple[int, int]:
    """Open a group and put its message into the outbox; return the rows of both."""
    group, number = member.group, 1
    group_id = await tx.insert(
        """INSERT INTO groups (chat_id, kind, topic_id, topic, thread_id, opened_at, closes_at)
        VALUES (:chat, :kind, :topic_id, :topic, :thread, :now, :closes_at)""",
        {
            "chat": member.chat_id,
            "kind": group.kind,
            "topic_id": group.topic_id,
            "topic": group.topic,
            "thread": group.thread_id,
            "now": to_ms(group.opened_at or now),
            "closes_at": to_ms(group.closes_at),
        },
    )
    draft = Draft(
        chat_id=member.chat_id,
        chat_key=member.chat_key,
        kind=MessageKind.GROUP,
        subject=group.subject,
        group_id=group_id,
        thread_id=group.thread_id,
        silent=group.silent,
    )
    while not await outbox.enqueue(tx, [draft], now=now, due_at=group.due_at):  # one that takes no more has the name
        number += 1
        draft = replace(draft, subject=f"{group.subject}/{number}")
    row = await tx.fetch_one("SELECT id FROM messages WHERE group_id = :id", {"id": group_id})
    assert row is not None  # noqa: S101 - it was just put there
    return group_id, row["id"]


async def texts_of_storms(tx: Reader, group_ids: Collection[int]) -> dict[int, list[str]]:
    """Return what the latest posts in storms say, and the alerts of their chats just before and during them."""
    if not group_ids:
        return {}
    rows = await tx.fetch_all(
        """SELECT g.id, (SELECT json_group_array(version_id) FROM (SELECT a.shown_version_id AS version_id
                FROM alerts a WHERE a.group_id = g.id ORDER BY a.id DESC LIMIT :most)) AS inside,
            (SELECT json_group_array(version_id) FROM (SELECT a.shown_version_id AS version_id FROM alerts a
                WHERE a.chat_id = g.chat_id AND a.created_at > g.opened_at - :before AND a.group_id IS NULL
                    AND a.duplicate_of IS NULL ORDER BY a.created_at DESC LIMIT :most)) AS alone
        FROM json_each(:ids) q CROSS JOIN groups g ON g.id = q.value""",
        {"ids": json_list(group_ids), "most": COMPARED, "before": BEFORE // timedelta(milliseconds=1)},
    )
    shown = {row["id"]: [*json.loads(row["inside"]), *json.loads(row["alone"])] for row in rows}
    versions = await tx.fetch_all(
        "SELECT v.id, v.text, v.parts FROM json_each(:ids) q CROSS JOIN versions v ON v.id = q.value",
        {"ids": json_list({version_id for listed in shown.values() for version_id in listed})},
    )
    texts = {
        row["id"]: row["text"] if row["text"].strip() else whole_text("", load_parts(row["parts"])) for row in versions
    }
    return {group_id: [texts[version_id] for version_id in listed] for group_id, listed in shown.items()}


async def show_news(tx: Transaction, news: Iterable[tuple[int, Group]], *, now: datetime) -> None:
    """Have the storms of chats name alerts of new events, which have messages of their own; they keep a storm going."""
    latest = {(chat_id, storm.topic_id): storm for chat_id, storm in news}
    for (chat_id, topic_id), storm in latest.items():
        row = await tx.fetch_one(
            """SELECT g.id, m.id AS message_id FROM groups g JOIN messages m ON m.group_id = g.id
            WHERE g.chat_id = :chat AND g.kind = 'storm' AND g.topic_id = :topic AND g.closes_at > :now
            ORDER BY g.id DESC LIMIT 1""",
            {"chat": chat_id, "topic": topic_id, "now": to_ms(now)},
        )
        if row is not None:
            values = {"id": row["id"], "until": to_ms(storm.closes_at)}
            await tx.execute("UPDATE groups SET closes_at = :until WHERE id = :id", values)
            await outbox.revise(tx, [row["message_id"]], now=now, apart=APART)


async def redraw(tx: Transaction, alert_ids: Collection[int], *, now: datetime) -> None:
    """Have the messages of groups that show one of these alerts edited; a storm shows its latest three."""
    if not alert_ids:
        return
    shown = await tx.fetch_all(
        """SELECT DISTINCT m.id FROM json_each(:ids) q JOIN alerts a ON a.id = q.value
        JOIN groups g ON g.id = a.group_id JOIN messages m ON m.group_id = g.id
        WHERE g.kind = 'digest' OR g.kind = 'storm' AND NOT EXISTS (
            SELECT 1 FROM alerts l WHERE l.group_id = g.id AND l.id > a.id LIMIT 1 OFFSET :latest - 1)""",
        {"ids": json_list(alert_ids), "latest": LATEST},
    )
    await outbox.revise(tx, [row["id"] for row in shown], now=now, apart=APART)


async def reschedule(tx: Transaction, chat: Chat, *, now: datetime) -> int:
    """Let what waits come when a chat, as it is set now, wants it; return how many posts come at once."""
    end = quiet_until(chat.schedule, now)
    moved = await move(tx, chat, quiet=True, to=end or now, now=now)
    await move(tx, chat, quiet=False, to=next_digest(chat.schedule, now), now=now)
    return moved if end is None else 0


async def move(tx: Transaction, chat: Chat, *, quiet: bool, to: datetime, now: datetime) -> int:
    """Let what waits for the end of the quiet hours, or else for a digest, come at another moment; return how many.

    What may be on its way, or was perhaps sent, stays where it is.
    """
    waiting = await tx.fetch_all(
        """SELECT a.id, a.loudness, g.id AS group_id, g.thread_id
        FROM groups g JOIN messages m ON m.group_id = g.id JOIN alerts a ON a.group_id = g.id
        WHERE g.chat_id = :chat AND g.kind = 'digest' AND m.state = 'due' AND m.sent_revision = 0 AND m.attempts = 0
            AND m.due_at > :leaving AND m.due_at != :to AND (a.loudness > 0) = :quiet""",
        {"chat": chat.id, "leaving": to_ms(now + LEAVING), "to": to_ms(to), "quiet": quiet},
    )
    open_groups = await open_for(tx, [chat.id], now=now)
    for thread_id in {row["thread_id"] for row in waiting}:
        group = digest_group(to, thread_id=thread_id, silent=True)
        member = NewMember(chat_id=chat.id, chat_key=chat.key, group=group)
        (group_id,) = await place(tx, [member], open_groups, now=now)
        await tx.execute(
            "UPDATE alerts SET group_id = :group WHERE id IN (SELECT value FROM json_each(:ids))",
            {"group": group_id, "ids": json_list(row["id"] for row in waiting if row["thread_id"] == thread_id)},
        )
        # Without a sound, if all of them would have come without one, had they not waited.
        await tx.execute(
            """UPDATE messages SET silent = NOT EXISTS (SELECT 1 FROM alerts WHERE group_id = :id AND loudness != 1)
            WHERE group_id = :id AND sent_revision = 0""",
            {"id": group_id},
        )
    left = {"ids": json_list({row["group_id"] for row in waiting})}
    empty = "SELECT value FROM json_each(:ids) WHERE NOT EXISTS (SELECT 1 FROM alerts WHERE group_id = value)"
    await tx.execute(f"DELETE FROM messages WHERE group_id IN ({empty})", left)  # noqa: S608 - our own constant
    await tx.execute(f"DELETE FROM groups WHERE id IN ({empty})", left)  # noqa: S608 - likewise
    tx.announce(Subject.ALERTS)
    return len(waiting)


_SHOWN = f"""SELECT {alerts.COLUMNS}, {posts.COLUMNS},
        (SELECT count(*) FROM alerts d WHERE d.duplicate_of = a.id) AS duplicates,
        (SELECT o.name FROM channel_group_members i JOIN channel_groups o ON o.id = i.channel_group_id
            WHERE i.channel_id = a.channel_id ORDER BY o.folded LIMIT 1) AS channel_group
    FROM alerts a JOIN post_versions p ON p.version_id = a.shown_version_id"""  # noqa: S608 - our own constant
_SEEN = visible(Restrictable.CHANNEL, "a.channel_id")
_ALERTS = f"{_SHOWN} WHERE a.group_id = :group AND {_SEEN}"
_NEWS = f"""{_SHOWN} JOIN groups g ON g.id = :group
    WHERE a.chat_id = g.chat_id AND a.created_at >= g.opened_at AND a.created_at < g.closes_at
        AND a.group_id IS NULL AND a.duplicate_of IS NULL AND NOT a.is_counted
        AND a.id > (SELECT min(id) FROM alerts WHERE group_id = g.id)
        AND EXISTS (SELECT 1 FROM json_each(a.topics) WHERE value = g.topic)
    ORDER BY a.id DESC LIMIT :most"""  # noqa: S608 - our own constants


_SUMMARY = f"""SELECT m.random_id, g.kind, g.opened_at, g.closes_at, g.topic, '[]' AS alerts,
        (SELECT json_group_array(json_array(title, n)) FROM (
            SELECT c.title, count(*) AS n FROM alerts a JOIN channels c ON c.id = a.channel_id WHERE a.group_id = g.id
            AND {_SEEN} GROUP BY c.id ORDER BY n DESC, c.title)) AS channels
    FROM groups g JOIN messages m ON m.group_id = g.id WHERE g.id = :group"""  # noqa: S608 - our own constant


async def get(db: Reader, group_id: int, viewer: Viewer = EVERYTHING) -> GroupSummary:
    """Return all that a group holds and a viewer sees now."""
    rows = await db.fetch_all(f"{_ALERTS} ORDER BY a.id", {"group": group_id, "viewer": viewer.chat_id})
    return replace(await count(db, group_id, viewer), alerts=tuple(read_all(GroupedAlert, rows)))


async def find(db: Reader, chat_id: int, random_id: int, viewer: Viewer) -> GroupSummary | None:
    """Return what a viewer sees now of a group of a chat, found by its message; None where that is nothing."""
    group_id = await db.fetch_value(
        "SELECT group_id FROM messages WHERE chat_id = :chat AND kind = 'group' AND random_id = :random",
        {"chat": chat_id, "random": random_id},
    )
    found = None if group_id is None else await get(db, group_id, viewer)
    return found if found is not None and found.alerts else None


async def count(db: Reader, group_id: int, viewer: Viewer = EVERYTHING) -> GroupSummary:
    """Return what a group holds and a viewer sees now, without its alerts."""
    (row,) = await db.fetch_all(_SUMMARY, {"group": group_id, "viewer": viewer.chat_id})
    return read(GroupSummary, row)


async def storm(db: Reader, group_id: int, *, now: datetime) -> StormState:
    """Return the state of a storm: its channels, its dates, its latest alerts, and those of new events beside it."""
    summary = await count(db, group_id)
    sql = "SELECT min(version_id) AS first, max(version_id) AS last FROM alerts WHERE group_id = :group"
    (versions,) = await db.fetch_all(sql, {"group": group_id})
    values = {"group": group_id, "viewer": EVERYTHING.chat_id}
    latest = await db.fetch_all(f"{_ALERTS} ORDER BY a.id DESC LIMIT {LATEST}", values)
    return StormState(
        random_id=summary.random_id,
        topic=summary.topic or "",
        is_over=summary.closes_at <= now,
        channels=summary.channels,
        since=date_of(versions["first"]),
        until=date_of(versions["last"]),
        latest=tuple(read_all(GroupedAlert, latest)),
        news=tuple(read_all(GroupedAlert, await db.fetch_all(_NEWS, {"group": group_id, "most": NEWS}))),
    )
