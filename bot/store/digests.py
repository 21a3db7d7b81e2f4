"""Posts that wait come in; the notices that sum them up when quiet hours end, or a digest is due, go out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.schedule import Wait, next_digest, quiet_until
from bot.store import groups
from bot.store.alerts import Draft
from bot.store.chats import Chat
from bot.store.database import Subject, Transaction
from bot.store.groups import DIGEST, LEAVING, Notice, Told
from bot.store.rows import json_list, to_ms


async def gather(tx: Transaction, told: Sequence[Told], *, now: datetime) -> int:
    """Let posts wait, one notice for each chat and moment; return how many were new."""
    ids = await groups.add(tx, [_waiting(post.draft, post.wait) for post in told if post.wait is not None], now=now)
    if ids:
        await _choose_sound(tx, ids)
    return len(ids)


def _waiting(draft: Draft, wait: Wait) -> tuple[Draft, Notice]:
    quiet = {"quiet": True} if wait.quiet else {}
    notice = _notice(draft.chat_id, draft.chat_key, wait.until, thread_id=draft.thread_id)
    return replace(draft, payload={**draft.payload, **quiet}), notice


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
        """SELECT g.id, n.id AS notice_id, n.payload ->> 'thread' AS thread_id
        FROM alerts n JOIN alerts g ON g.follows = n.id AND g.kind = 'gathered'
        WHERE n.chat_id = :chat AND n.kind = 'notice' AND n.subject >= 'digest:' AND n.subject < 'digest;'
            AND n.state = 'due' AND n.due_at > :leaving AND n.due_at != :to AND n.attempts = 0
            AND coalesce(g.payload ->> 'quiet', 0) = :quiet""",
        {"chat": chat.id, "leaving": to_ms(now + LEAVING), "to": to_ms(to), "quiet": quiet},
    )
    for thread_id in {row["thread_id"] for row in waiting}:
        notice = _notice(chat.id, chat.key, to, thread_id=thread_id)
        (row_id,) = (await groups.begin(tx, [notice], now=now)).values()
        await tx.execute(
            "UPDATE alerts SET follows = :notice WHERE id IN (SELECT value FROM json_each(:ids))",
            {"notice": row_id, "ids": json_list(row["id"] for row in waiting if row["thread_id"] == thread_id)},
        )
        await _choose_sound(tx, [row_id])
    await _delete_empty(tx, {row["notice_id"] for row in waiting})
    tx.announce(Subject.ALERTS)
    return len(waiting)


async def _choose_sound(tx: Transaction, notice_ids: Iterable[int]) -> None:
    """Let notices come without a sound for which only posts waited that would have come without one."""
    await tx.execute(
        """UPDATE alerts SET silent = NOT EXISTS (SELECT 1 FROM alerts g WHERE g.follows = alerts.id
            AND g.kind = 'gathered' AND NOT (g.silent AND coalesce(g.payload ->> 'quiet', 0)))
        WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 'due'""",
        {"ids": json_list(notice_ids)},
    )


async def _delete_empty(tx: Transaction, notice_ids: Iterable[int]) -> None:
    await tx.execute(
        """DELETE FROM alerts WHERE id IN (SELECT value FROM json_each(:ids))
            AND NOT EXISTS (SELECT 1 FROM alerts g WHERE g.follows = alerts.id)""",
        {"ids": json_list(notice_ids)},
    )


def _notice(chat_id: int, chat_key: bytes, due_at: datetime, *, thread_id: int | None) -> Notice:
    due = to_ms(due_at)
    return Notice(
        chat_id=chat_id,
        chat_key=chat_key,
        subject=f"{DIGEST}:{due}" + (f":{thread_id}" if thread_id is not None else ""),
        payload={"notice": DIGEST, "due": due, "thread": thread_id},
        due_at=due_at,
        thread_id=thread_id,
    )
