"""Backups that were put back: nobody knows which alerts were sent after the backup, so none of them rings.

In a chat that was written to after the backup, what matches of posts from before the start is counted in one silent
notice, whose button lists the posts; none of them is an alert.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from bot.models.alerts import RestoreWindow, restored_group
from bot.models.outgoing import PeerKind
from bot.store import chats, groups, ledger, meta
from bot.store.database import Reader, Transaction
from bot.store.groups import NewMember
from bot.store.rows import from_ms, json_list, maybe_date, maybe_ms, read, to_ms

_ALIVE_AT, _STARTED_AT = "alive_at", "started_at"  # remembered until the chats were looked at; 0: they were


async def alive_at(tx: Transaction) -> datetime | None:
    """Return the last moment of which the database knew anything before this start; None where it is new.

    The moment is remembered until `settle`, since a start leaves signs of life of its own.
    """
    return maybe_date(await _remember(tx, _ALIVE_AT, await _last_sign(tx)))


async def started_at(tx: Transaction, now: datetime) -> datetime:
    """Return the present, or when the first of the starts was that ended before `settle`."""
    return from_ms(await _remember(tx, _STARTED_AT, to_ms(now)) or 0)


async def _remember(tx: Transaction, key: str, moment: int | None) -> int | None:
    known = await meta.get(tx, key)
    if isinstance(known, int) and known:
        return known
    if moment is not None:
        await meta.put(tx, key, moment)
    return moment


async def _last_sign(db: Reader) -> int | None:
    at: int | None = await db.fetch_value(
        """SELECT max(at) FROM (SELECT max(at) AS at FROM heartbeats
        UNION ALL SELECT max(sent_at) FROM messages UNION ALL SELECT max(created_at) FROM messages
        UNION ALL SELECT max(coalesce(answered_at, at)) FROM handled
        UNION ALL SELECT (max(id) >> 20) * 1000 FROM posts)"""  # a post is stored after its date
    )
    return at


async def settle(
    tx: Transaction, chat_ids: Collection[int], *, alive_at: datetime | None, until: datetime, now: datetime
) -> None:
    """Count from now on, for each of these chats, the posts from before `until` that match; none of them is an alert.

    What was due in them when the backup was made is counted as well, instead of being sent.
    """
    if chat_ids:
        await ledger.add_restored(tx, alive_at=alive_at, now=now)
    for chat_id in chat_ids:
        await tx.execute(
            """INSERT INTO restorations (chat_id, alive_at, until) VALUES (:chat, :alive, :until)
            ON CONFLICT DO UPDATE SET alive_at = excluded.alive_at, until = excluded.until""",
            {"chat": chat_id, "alive": to_ms(alive_at or until), "until": to_ms(until)},
        )
        await _count_due(tx, chat_id, now=now)
    for key in (_ALIVE_AT, _STARTED_AT):
        await meta.put(tx, key, 0)


async def _count_due(tx: Transaction, chat_id: int, *, now: datetime) -> None:
    """Move the alerts that were due into the group of those that the chat may have had."""
    values: dict[str, object] = {"chat": chat_id, "now": to_ms(now)}
    due = await tx.fetch_all(
        """SELECT m.id AS message_id, a.id FROM messages m LEFT JOIN groups g ON g.id = m.group_id
        JOIN alerts a ON a.group_id = m.group_id OR m.kind = 'alert' AND a.id = m.alert_id
        WHERE m.chat_id = :chat AND m.state = 'due' AND m.sent_revision = 0
            AND (m.kind = 'alert' OR g.kind IN ('digest', 'storm', 'late') AND m.due_at <= :now)""",
        values,
    )
    values["ids"] = json_list({row["message_id"] for row in due})
    await tx.execute(
        """UPDATE messages SET state = 'withdrawn' WHERE chat_id = :chat AND state = 'due' AND sent_revision = 0
            AND (kind IN ('change', 'files', 'translation') OR id IN (SELECT value FROM json_each(:ids)))""",
        values,
    )
    if not due:
        return
    chat = await chats.get(tx, chat_id)
    assert chat is not None  # noqa: S101 - it has messages
    group = restored_group((await windows(tx, [chat_id]))[chat_id], now)
    member = NewMember(chat_id=chat_id, chat_key=chat.key, group=group)
    (group_id,) = await groups.place(tx, [member], await groups.open_for(tx, [chat_id], now=now), now=now)
    await tx.execute(
        """UPDATE alerts SET group_id = :group, duplicate_of = NULL WHERE id IN (SELECT value FROM json_each(:ids))
            OR duplicate_of IN (SELECT value FROM json_each(:ids))""",
        {"group": group_id, "ids": json_list(row["id"] for row in due)},
    )


async def windows(db: Reader, chat_ids: Iterable[int]) -> dict[int, RestoreWindow]:
    """Return the windows of those of these chats that have one."""
    sql = "SELECT chat_id, alive_at, until FROM restorations WHERE chat_id IN (SELECT value FROM json_each(:chats))"
    rows = await db.fetch_all(sql, {"chats": json_list(chat_ids)})
    return {row["chat_id"]: read(RestoreWindow, row) for row in rows}


async def newest_message_id(db: Reader, chat_id: int, *, before: datetime | None = None) -> int:
    """Return the highest id that a message of ours is known to have in a chat, 0 where there is none.

    With `before`, of those that were sent before a moment.
    """
    # The second condition is that of the index.
    sql = """SELECT max(telegram_id) FROM messages WHERE chat_id = :chat AND telegram_id IS NOT NULL
        AND (:before IS NULL OR sent_at < :before)"""
    return await db.fetch_value(sql, {"chat": chat_id, "before": maybe_ms(before)}) or 0


async def newest_message_id_of_account(db: Reader) -> int:
    """Return the highest known id of our messages in the sequence that private chats and basic groups share."""
    sql = """SELECT max((SELECT max(telegram_id) FROM messages WHERE chat_id = c.id AND telegram_id IS NOT NULL))
        FROM chats c WHERE c.kind IN (:user, :group)"""
    return await db.fetch_value(sql, {"user": PeerKind.USER, "group": PeerKind.GROUP}) or 0


async def known(db: Reader, messages: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those of these messages, (chat, message id), that a row of the outbox knows by their id."""
    rows = await db.fetch_all(
        """SELECT m.chat_id, m.telegram_id FROM json_each(:asked) k
        CROSS JOIN messages m ON m.chat_id = k.value ->> 0 AND m.telegram_id = k.value ->> 1""",
        {"asked": json_list(messages)},
    )
    return {(row["chat_id"], row["telegram_id"]) for row in rows}
