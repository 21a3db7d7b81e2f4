"""Captures: the public pages of messages that are wanted, and what came; the pages themselves are blobs."""

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.models import ObservedBy
from bot.models.captures import Capture, CaptureCause, CaptureOutcome
from bot.models.people import Viewer
from bot.store import ledger
from bot.store.access import Restrictable, visible
from bot.store.blobs import Blob
from bot.store.database import Reader, Subject, Transaction
from bot.store.ledger import LedgerEntry, LineKind
from bot.store.rows import json_list, maybe_ms, read, read_all, to_ms

_PRUNED_AT_ONCE = 100  # rows; a transaction of a few milliseconds
MOST_WAITING = 100  # captures for alerts; a page takes some seconds

_CAPTURES = """SELECT k.id, v.channel_id, v.message_id, v.number, k.cause, k.state, k.outcome, k.detail, k.at, k.url,
    k.status, k.headers, k.sha256"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCapture:
    """A page that is to be asked for now."""

    id: int
    channel_id: int
    message_id: int
    username: str  # of the channel
    attempts: int  # that failed so far
    wanted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedPage:
    """What came of a page."""

    outcome: CaptureOutcome
    detail: str | None
    at: datetime
    url: str
    status: int
    headers: dict[str, str]
    sha256: bytes
    size: int  # bytes


async def want(
    tx: Transaction,
    version_ids: Collection[int],
    cause: CaptureCause,
    *,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """Have the pages of versions captured that have no capture, nor one on its way; what has no page says so.

    An export has them captured anew, and what waits for an alert goes first once it is in a case. What is wanted for
    alerts is bounded: what comes while too much waits is left.
    """
    if cause is CaptureCause.CASE:
        sql = """UPDATE captures SET cause = 'case' WHERE state = 'wanted' AND cause = 'alert'
            AND version_id IN (SELECT value FROM json_each(:ids))"""
        await tx.execute(sql, {"ids": json_list(version_ids)})
    added = await tx.execute(
        """INSERT INTO captures (version_id, cause, wanted_at, due_at, outcome, state)
        SELECT id, :cause, :now, :due, outcome, iif(outcome IS NULL, 'wanted', 'left') FROM (
            SELECT v.id, CASE WHEN c.network != 'telegram' THEN 'website' WHEN v.message_id < 0 THEN 'story'
                WHEN c.username IS NULL THEN 'private'
                WHEN EXISTS (SELECT 1 FROM redactions r
                    JOIN posts p ON p.channel_id = r.channel_id AND p.message_id = r.message_id
                    JOIN posts o ON o.channel_id = p.channel_id AND o.post_key = p.post_key
                    WHERE r.channel_id = v.channel_id AND o.message_id = v.message_id) THEN 'redacted'
                WHEN :cause = 'alert' AND :most <= k.key + (SELECT count(*) FROM captures INDEXED BY captures_wanted
                    WHERE state = 'wanted' AND cause = 'alert') THEN 'too_many' END AS outcome
            FROM json_each(:ids) k JOIN versions v ON v.id = k.value JOIN channels c ON c.id = v.channel_id
            WHERE NOT EXISTS (SELECT 1 FROM captures o WHERE o.version_id = v.id AND :cause != 'export'
                AND (o.state != 'left' OR :cause = 'alert')))""",
        {
            "ids": json_list(version_ids),
            "cause": cause,
            "most": MOST_WAITING,
            "now": to_ms(now),
            "due": to_ms(due_at or now),
        },
    )
    if added:
        tx.announce(Subject.CAPTURES)


async def follow(tx: Transaction, alert_ids: Collection[int], *, now: datetime) -> None:
    """Have the pages captured that alerts show, where a chat of theirs wants that; one a version, whoever has it."""
    if not alert_ids:
        return
    rows = await tx.fetch_all(
        """SELECT DISTINCT a.shown_version_id FROM json_each(:alerts) k JOIN alerts a ON a.id = k.value
        JOIN chats c ON c.id = a.chat_id AND c.pages
        WHERE NOT a.is_counted AND a.duplicate_of IS NULL AND a.gone_at IS NULL""",
        {"alerts": json_list(alert_ids)},
    )
    await want(tx, [row["shown_version_id"] for row in rows], CaptureCause.ALERT, now=now)


async def is_wanted(db: Reader) -> bool:
    """Return whether a page is to be asked for, now or later."""
    sql = "SELECT 1 FROM captures INDEXED BY captures_wanted WHERE state = 'wanted' LIMIT 1"
    return await db.fetch_one(sql) is not None


async def claim(
    tx: Transaction, *, until: datetime, now: datetime, capture_id: int | None = None
) -> WantedCapture | None:
    """Return the page that is to be asked for now, those for cases first, or a certain one, and put it off meanwhile.

    A page that kills the program is not the next one.
    """
    row = await tx.fetch_one(
        """SELECT k.id, v.channel_id, v.message_id, coalesce(c.username, '') AS username, k.attempts, k.wanted_at
        FROM captures k INDEXED BY captures_wanted JOIN versions v ON v.id = k.version_id
        JOIN channels c ON c.id = v.channel_id
        WHERE k.state = 'wanted' AND iif(:id IS NULL, k.due_at <= :now, k.id = :id)
        ORDER BY k.cause = 'alert', k.due_at, k.id LIMIT 1""",
        {"now": to_ms(now), "id": capture_id},
    )
    if row is None:
        return None
    sql = "UPDATE captures SET due_at = :until, attempts = attempts + 1 WHERE id = :id"
    await tx.execute(sql, {"id": row["id"], "until": to_ms(until)})
    return read(WantedCapture, row)


async def keep(tx: Transaction, wanted: WantedCapture, page: CapturedPage) -> bool:
    """Write down what came, with its line in the ledger; False where it is not wanted any more, as after a redaction.

    The blob is on the disk.
    """
    count = await tx.execute(
        """UPDATE captures SET state = 'kept', outcome = :outcome, detail = :detail, at = :at, url = :url,
            status = :status, headers = :headers, sha256 = :sha256, size = :size
        WHERE id = :id AND state = 'wanted'""",
        {
            "id": wanted.id,
            "outcome": page.outcome,
            "detail": page.detail,
            "at": to_ms(page.at),
            "url": page.url,
            "status": page.status,
            "headers": json.dumps(page.headers, ensure_ascii=False),
            "sha256": page.sha256,
            "size": page.size,
        },
    )
    if not count:
        return False
    line = LedgerEntry(
        LineKind.CAPTURE,
        to_ms(page.at),
        channel_id=wanted.channel_id,
        message_id=wanted.message_id,
        sha256=page.sha256,
        source=ObservedBy.PAGE,
        detail=page.url,
    )
    await ledger.add(tx, [line])
    return True


async def put_off(tx: Transaction, wanted: WantedCapture, detail: str, *, until: datetime | None) -> None:
    """Ask for a page later, or give it up where `until` is None."""
    await tx.execute(
        """UPDATE captures SET state = iif(:until IS NULL, 'left', state), due_at = coalesce(:until, due_at),
            outcome = iif(:until IS NULL, 'silent', outcome), detail = :detail WHERE id = :id AND state = 'wanted'""",
        {"id": wanted.id, "until": maybe_ms(until), "detail": detail},
    )


async def give_up(tx: Transaction, detail: str) -> None:
    """Give up whatever is wanted, for a reason that lasts."""
    sql = "UPDATE captures SET state = 'left', outcome = 'silent', detail = :detail WHERE state = 'wanted'"
    await tx.execute(sql, {"detail": detail})


async def prune(tx: Transaction, *, size: int, before: datetime) -> list[Blob]:
    """Give up pages of so many bytes, of some that alerts wanted before a moment; those of posts in cases stay."""
    rows = await tx.fetch_all(
        """SELECT k.id, k.sha256, k.size, EXISTS (SELECT 1 FROM media WHERE state = 'kept' AND sha256 = k.sha256)
            OR EXISTS (SELECT 1 FROM captures WHERE state = 'kept' AND sha256 = k.sha256 AND id != k.id) AS is_shared
        FROM captures k JOIN versions v ON v.id = k.version_id
        JOIN posts p ON p.channel_id = v.channel_id AND p.message_id = v.message_id
        WHERE k.state = 'kept' AND k.cause = 'alert' AND k.at < :before
            AND NOT EXISTS (SELECT 1 FROM posts i CROSS JOIN case_posts s
                ON s.channel_id = i.channel_id AND s.message_id = i.message_id
                WHERE i.channel_id = p.channel_id AND i.post_key = p.post_key)
        ORDER BY k.id LIMIT :most""",
        {"before": to_ms(before), "most": _PRUNED_AT_ONCE},
    )
    found = list[sqlite3.Row]()
    for row in rows:
        if sum(each["size"] for each in found) < size:
            found.append(row)
    await tx.execute_many(
        "UPDATE captures SET state = 'left', outcome = 'pruned' WHERE id = ?", [(row["id"],) for row in found]
    )
    return [Blob(sha256=bytes(row["sha256"]), size=row["size"]) for row in found if not row["is_shared"]]


async def count_kept(db: Reader, case_id: int, viewer: Viewer) -> int:
    """Count the posts of a case that a viewer sees whose public page is kept and shows them."""
    count: int = await db.fetch_value(
        f"""SELECT count(*) FROM case_posts s WHERE s.case_id = :case
            AND {visible(Restrictable.CHANNEL, "s.channel_id")} AND EXISTS (
                SELECT 1 FROM posts p CROSS JOIN posts i ON i.channel_id = p.channel_id AND i.post_key = p.post_key
                CROSS JOIN versions v ON v.channel_id = i.channel_id AND v.message_id = i.message_id
                CROSS JOIN captures k ON k.version_id = v.id AND k.state = 'kept' AND k.outcome = 'shown'
                WHERE p.channel_id = s.channel_id AND p.message_id = s.message_id)""",  # noqa: S608 - our own words
        {"case": case_id, "viewer": viewer.chat_id},
    )
    return count


async def of_messages(db: Reader, keys: Collection[tuple[int, int]]) -> list[Capture]:
    """Return the captures of messages, the oldest of each message first."""
    rows = await db.fetch_all(
        f"""{_CAPTURES} FROM json_each(:keys) m
        CROSS JOIN versions v ON v.channel_id = m.value ->> 0 AND v.message_id = m.value ->> 1
        CROSS JOIN captures k ON k.version_id = v.id ORDER BY m.key, k.id""",
        {"keys": json_list(keys)},
    )
    return read_all(Capture, rows)


async def of_post(db: Reader, channel_id: int, message_id: int) -> Capture | None:
    """Return the last capture of the post that a message is of, of whichever of its messages; None: none was wanted."""
    row = await db.fetch_one(
        f"""{_CAPTURES} FROM posts m CROSS JOIN posts p ON p.channel_id = m.channel_id AND p.post_key = m.post_key
        CROSS JOIN versions v ON v.channel_id = p.channel_id AND v.message_id = p.message_id
        CROSS JOIN captures k ON k.version_id = v.id
        WHERE m.channel_id = :channel AND m.message_id = :message ORDER BY k.id DESC LIMIT 1""",
        {"channel": channel_id, "message": message_id},
    )
    return None if row is None else read(Capture, row)
