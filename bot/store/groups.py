"""Posts that one notice is to sum up come in; rows that follow it go out, and the edits that let it show them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import compress

from bot.schedule import Storms, Wait
from bot.store import alerts
from bot.store.alerts import Draft, Kind
from bot.store.database import Reader, Transaction
from bot.store.rows import from_ms, json_list, to_ms

APART = timedelta(seconds=3)  # that a notice is edited, at most
# A notice that is due so soon may be on its way before what joins it now is committed: an edit goes after it.
LEAVING = timedelta(seconds=10)
# What such a notice is called; its subject begins so too.
DIGEST, STORM = "digest", "storm"  # these show posts …
LATE, RESTORED = "late", "restored"  # … these count them: they came too late for an alarm, or were perhaps told before


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A post that a chat is told of, by an alert of its own or gathered."""

    draft: Draft  # of the alert of its own
    topics: Mapping[str, int]  # ids by name, of those that the chat wants
    wait: Wait | None  # None: it is told at once
    storms: Storms | None  # of the chat


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice that is to gather posts."""

    chat_id: int
    chat_key: bytes
    subject: str  # tells it from all others of the chat
    payload: Mapping[str, object]
    due_at: datetime
    silent: bool = False
    thread_id: int | None = None  # the forum thread for it; None: the chat's own
    grows: bool = False  # what comes once it was sent is added to it


async def untold(tx: Reader, drafts: Collection[Draft]) -> list[bool]:
    """Say of each post whether its chat has not heard of it in any way, and no notice there counts it."""
    rows = await tx.fetch_all(
        """SELECT NOT EXISTS (SELECT 1 FROM alerts WHERE channel_id = q.value ->> 1 AND post_key = q.value ->> 2
                AND chat_id = q.value ->> 0)
            AND NOT EXISTS (SELECT 1 FROM alerts WHERE chat_id = q.value ->> 0 AND kind = 'gathered'
                AND subject = q.value ->> 3) AS is_new
        FROM json_each(:asked) q ORDER BY q.key""",
        {"asked": json_list((each.chat_id, each.channel_id, each.post_key, each.subject) for each in drafts)},
    )
    return [bool(row["is_new"]) for row in rows]


async def add(
    tx: Transaction,
    found: Sequence[tuple[Draft, Notice]],
    *,
    now: datetime,
    apart: timedelta = APART,
    heard: bool = True,
) -> list[int]:
    """Let notices sum up what their chats have not heard of; return the row of the notice for each of these posts.

    Where the chats have not `heard` of the posts by that, the rows name no post and no words: edits may be news.
    """
    fresh = list(compress(found, await untold(tx, [draft for draft, _ in found]))) if found else []
    if not fresh:
        return []
    rows = await begin(tx, [notice for _, notice in fresh], now=now)
    ids = [rows[_key(notice)] for _, notice in fresh]
    await gather(tx, zip((draft for draft, _ in fresh), ids, strict=True), now=now, heard=heard)
    await redraw(tx, ids, now=now, apart=apart)
    return ids


async def begin(tx: Transaction, notices: Iterable[Notice], *, now: datetime) -> dict[tuple[int, str], int]:
    """Put notices into the outbox that are not there yet; return their rows by chat and subject.

    What is gathered for one that was sent and does not grow, or never can be, goes into another one, `<subject>/2`.
    """
    found: dict[tuple[int, str], int] = {}
    left = {(notice.chat_id, notice.subject): notice for notice in notices}
    number = 1
    while left:
        for due_at in {notice.due_at for notice in left.values()}:
            drafts = [_draft(notice) for notice in left.values() if notice.due_at == due_at]
            await alerts.enqueue_all(tx, drafts, now=now, due_at=due_at)
        taking = await _open(tx, left.values())
        found |= {key: taking[_key(notice)] for key, notice in left.items() if _key(notice) in taking}
        number += 1
        left = {key: replace(n, subject=f"{key[1]}/{number}") for key, n in left.items() if key not in found}
    return found


def _key(notice: Notice) -> tuple[int, str]:
    return notice.chat_id, notice.subject


async def _open(tx: Reader, notices: Iterable[Notice]) -> dict[tuple[int, str], int]:
    """Return the rows of those that take more: they are not sent yet, or grow in a message that can be edited."""
    rows = await tx.fetch_all(
        """SELECT a.chat_id, a.subject, a.id FROM json_each(:asked) q CROSS JOIN alerts a
            ON a.chat_id = q.value ->> 0 AND a.kind = 'notice' AND a.subject = q.value ->> 1
        WHERE a.state = 'due' OR a.state = 'sent' AND q.value ->> 2 AND a.message_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM alerts e WHERE e.chat_id = a.chat_id AND e.kind = 'edit' AND e.state = 'dead'
            AND e.subject BETWEEN a.subject || '/edit ' AND a.subject || '/edit~')""",
        {"asked": json_list((*_key(notice), notice.grows) for notice in notices)},
    )
    return {(row["chat_id"], row["subject"]): row["id"] for row in rows}


def _draft(notice: Notice) -> Draft:
    return Draft(
        chat_id=notice.chat_id,
        chat_key=notice.chat_key,
        kind=Kind.NOTICE,
        subject=notice.subject,
        payload=notice.payload,
        silent=notice.silent,
        thread_id=notice.thread_id,
    )


async def gather(tx: Transaction, placed: Iterable[tuple[Draft, int]], *, now: datetime, heard: bool = True) -> int:
    """Let posts follow the rows of the notices that sum them up; return how many were new."""
    rows = [
        replace(
            draft,
            kind=Kind.GATHERED,
            follows=notice_id,
            post_key=draft.post_key if heard else None,
            words=draft.words if heard else None,
        )
        for draft, notice_id in placed
    ]
    return await alerts.enqueue_all(tx, rows, now=now)


async def redraw(tx: Transaction, notice_ids: Collection[int], *, now: datetime, apart: timedelta = APART) -> None:
    """Let notices show what they hold by now: by one edit each, so long after the last one; not before it is sent.

    The one at its end, by which a storm closes, does not count.
    """
    rows = await tx.fetch_all(
        """SELECT n.id, n.chat_id, c.key, n.subject, max(coalesce(n.sent_at, n.due_at), coalesce((
                SELECT e.sent_at FROM alerts e WHERE e.follows = n.id AND e.kind = 'edit' AND e.state = 'sent'
                ORDER BY e.id DESC LIMIT 1), 0)) AS last,
            (SELECT count(*) FROM alerts e WHERE e.follows = n.id) AS number
        FROM json_each(:ids) q JOIN alerts n ON n.id = q.value JOIN chats c ON c.id = n.chat_id
        WHERE (n.state = 'sent' OR n.state = 'due' AND n.due_at <= :soon AND (n.created_at < :now OR n.due_at <= :now))
        AND NOT EXISTS (
            SELECT 1 FROM alerts e INDEXED BY alerts_edits WHERE e.chat_id = n.chat_id AND e.kind = 'edit'
            AND e.state = 'due' AND e.follows = n.id AND e.subject != n.subject || '/end')""",
        {"ids": json_list(set(notice_ids)), "now": to_ms(now), "soon": to_ms(now + LEAVING)},
    )
    for row in rows:
        subject = f"{row['subject']}/edit {row['number']}"  # whatever follows stays: the next one has another name
        edit = alerts.edit(row["chat_id"], row["key"], row["id"], subject=subject)
        await alerts.enqueue_all(tx, [edit], now=now, due_at=max(now, from_ms(row["last"]) + apart))


async def shown(tx: Reader, rows: Collection[int]) -> set[int]:
    """Return the notices that show one of these posts, by its row: a storm shows its latest three."""
    found = await tx.fetch_all(
        """SELECT DISTINCT g.follows FROM json_each(:rows) q
        JOIN alerts g ON g.id = q.value AND g.kind = 'gathered' JOIN alerts n ON n.id = g.follows
        WHERE n.payload ->> 'notice' = 'digest' OR n.payload ->> 'notice' = 'storm' AND NOT EXISTS (
            SELECT 1 FROM alerts l WHERE l.follows = n.id AND l.id > g.id AND l.kind = 'gathered' LIMIT 1 OFFSET 2)""",
        {"rows": json_list(rows)},
    )
    return {row["follows"] for row in found}
