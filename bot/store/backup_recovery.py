"""Backups that were put back: what an instance told chats after the backup, nobody knows, so nothing of that rings.

In a chat that was written to after the backup, what matches of posts from before the start is counted in one silent
notice, whose button lists the posts; none of them is an alert.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.models import PeerKind
from bot.store import groups, meta
from bot.store.alerts import Draft
from bot.store.database import Reader, Transaction
from bot.store.groups import RESTORED, Notice
from bot.store.rows import from_ms, json_list, maybe_date, to_ms

_ALIVE_AT, _STARTED_AT = "alive_at", "started_at"  # remembered until the chats were looked at; 0: they were


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The time before a start with a backup, in which chats may have been told what this database does not know."""

    until: Mapping[int, datetime]  # by chat: when the start was

    def covers(self, chat_id: int, moment: datetime | None) -> bool:
        """Say whether a chat may have been told of what was posted or edited at a moment."""
        return moment is not None and chat_id in self.until and moment < self.until[chat_id]


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
    row = await db.fetch_one(
        """SELECT max(at) AS at FROM (SELECT max(at) AS at FROM heartbeats
        UNION ALL SELECT max(sent_at) FROM alerts UNION ALL SELECT max(created_at) FROM alerts
        UNION ALL SELECT max(coalesce(said_at, at)) FROM handled
        UNION ALL SELECT (max(id) >> 20) * 1000 FROM posts)"""  # a post is stored after its date
    )
    return None if row is None else row["at"]


async def settle(
    tx: Transaction, chat_ids: Collection[int], *, alive_at: datetime | None, until: datetime, now: datetime
) -> None:
    """Count from now on, for each of these chats, the posts from before `until` that match; none of them is an alert.

    What was due in them when the backup was made is counted as well, instead of being sent.
    """
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
    due = await tx.fetch_all(
        """SELECT id FROM alerts WHERE chat_id = :chat AND state = 'due' AND (kind = 'post'
            OR kind = 'notice' AND payload ->> 'notice' IN ('digest', 'storm', 'late') AND due_at <= :now)""",
        {"chat": chat_id, "now": to_ms(now)},
    )
    values: dict[str, object] = {"chat": chat_id, "ids": json_list(row["id"] for row in due)}
    await tx.execute(
        """UPDATE alerts SET state = 'sent' WHERE chat_id = :chat AND state = 'due' AND (kind IN ('change', 'files')
            OR kind = 'edit' AND follows IN (SELECT value FROM json_each(:ids)))""",
        values,
    )
    if not due:
        return
    (values["notice"],) = (await groups.begin(tx, [await _notice(tx, chat_id, now=now)], now=now)).values()
    await tx.execute(
        """UPDATE alerts SET kind = iif(kind = 'notice', kind, 'gathered'), state = 'sent',
            follows = iif(kind = 'notice', follows, :notice)
        WHERE id IN (SELECT value FROM json_each(:ids))
            OR kind = 'repeat' AND follows IN (SELECT value FROM json_each(:ids))""",
        values,
    )
    await tx.execute("UPDATE alerts SET follows = :notice WHERE follows IN (SELECT value FROM json_each(:ids))", values)


async def windows(db: Reader, chat_ids: Iterable[int]) -> Windows:
    """Return the windows of those of these chats that have one."""
    sql = "SELECT chat_id, until FROM restorations WHERE chat_id IN (SELECT value FROM json_each(:chats))"
    rows = await db.fetch_all(sql, {"chats": json_list(chat_ids)})
    return Windows(until={row["chat_id"]: from_ms(row["until"]) for row in rows})


async def count(tx: Transaction, drafts: Iterable[Draft], *, now: datetime) -> None:
    """Count posts in the notice of each chat; a post that the chat has an alert of is not counted."""
    await groups.add(tx, [(draft, await _notice(tx, draft.chat_id, now=now)) for draft in drafts], now=now)


async def _notice(tx: Reader, chat_id: int, *, now: datetime) -> Notice:
    sql = "SELECT r.*, c.key FROM restorations r JOIN chats c ON c.id = r.chat_id WHERE r.chat_id = :chat"
    (row,) = await tx.fetch_all(sql, {"chat": chat_id})
    return Notice(
        chat_id=chat_id,
        chat_key=row["key"],
        subject=f"{RESTORED}:{row['until']}",
        payload={"notice": RESTORED, "at": row["alive_at"]},
        due_at=now + groups.APART,
        silent=True,
        grows=True,
    )


async def newest_message_id(db: Reader, chat_id: int) -> int:
    """Return the highest id that a message of ours is known to have in a chat, 0 where there is none."""
    # The last condition is that of the index.
    sql = "SELECT max(message_id) AS id FROM alerts WHERE chat_id = :chat AND message_id IS NOT NULL"
    row = await db.fetch_one(sql, {"chat": chat_id})
    return (row and row["id"]) or 0


async def newest_message_id_of_account(db: Reader) -> int:
    """Return the highest known id of our messages in the sequence that private chats and basic groups share."""
    row = await db.fetch_one(
        """SELECT max((SELECT max(message_id) FROM alerts WHERE chat_id = c.id AND message_id IS NOT NULL)) AS id
        FROM chats c WHERE c.kind != :channel""",
        {"channel": PeerKind.CHANNEL},
    )
    return (row and row["id"]) or 0


async def known(db: Reader, messages: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those of these messages, (chat, message id), that a row of the outbox knows by their id."""
    rows = await db.fetch_all(
        """SELECT a.chat_id, a.message_id FROM json_each(:asked) k
        CROSS JOIN alerts a ON a.chat_id = k.value ->> 0 AND a.message_id = k.value ->> 1""",
        {"asked": json_list(messages)},
    )
    return {(row["chat_id"], row["message_id"]) for row in rows}
