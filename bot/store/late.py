"""Posts that came too late for an alarm: they come in as they are found; one notice a chat sums them up, as a list."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.asides import Spans, to_spans
from bot.store import alerts, posts
from bot.store.alerts import Draft, Kind
from bot.store.database import Reader, Transaction
from bot.store.posts import StoredPost
from bot.store.rows import to_ms

GATHERING = timedelta(minutes=1)  # the notice waits this long for more to count
_LAST_ID = 2**63 - 1  # SQLite's
_SUBJECT = "late:"  # begins that of a notice; the hour follows


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A post that a chat would have been alerted to."""

    chat_id: int
    chat_key: bytes
    channel_id: int
    channel_title: str
    version_id: int
    spans: Spans  # in the whole


async def add(tx: Transaction, found: Collection[Late], *, now: datetime) -> None:
    """Add posts to the notices that sum them up, one a chat.

    A notice gathers for a minute. What comes once it may be on its way goes into the one of the next hour, so that each
    post is counted once.
    """
    for chat_id in sorted({late.chat_id for late in found}):
        of_chat = [late for late in found if late.chat_id == chat_id]
        alert_id = await _gathering(tx, chat_id, now) or await _begin(tx, of_chat[0], now)
        await _count(tx, alert_id, of_chat)
        rows = [(alert_id, late.version_id, json.dumps(late.spans)) for late in of_chat]
        await tx.insert_all("INSERT INTO late (alert_id, version_id, spans)", rows)


async def listed(
    db: Reader, chat_id: int, hour: str, *, limit: int, before: int | None = None
) -> list[tuple[StoredPost, Spans]]:
    """Return the posts that a chat's notice of an hour sums up, as they were found, newest first.

    `before` is the `version_id` of the last one of the page before.
    """
    rows = await db.fetch_all(
        """SELECT l.version_id, l.spans FROM alerts a JOIN late l ON l.alert_id = a.id
        WHERE a.chat_id = :chat AND a.kind = 'notice' AND a.subject = :subject AND l.version_id < :before
        ORDER BY l.version_id DESC LIMIT :limit""",
        {"chat": chat_id, "subject": _SUBJECT + hour, "before": before or _LAST_ID, "limit": limit},
    )
    spans = {version_id: to_spans(json.loads(written)) for version_id, written in rows}
    return [(post, spans[post.version_id]) for post in await posts.of_versions(db, spans)]


async def _gathering(tx: Transaction, chat_id: int, now: datetime) -> int | None:
    """Return the notice that is not yet on its way, if there is one."""
    row = await tx.fetch_one(
        """SELECT id FROM alerts INDEXED BY alerts_of_chat_due WHERE chat_id = :chat AND kind = 'notice'
            AND subject LIKE 'late:____-__-__T__' AND state = 'due' AND due_at > :untouched""",
        {"chat": chat_id, "untouched": to_ms(now + GATHERING / 6)},
    )
    return None if row is None else int(row["id"])


async def _begin(tx: Transaction, late: Late, now: datetime) -> int:
    """Make the notice of this hour, or of the next one that has none yet."""
    at = now.replace(minute=0, second=0, microsecond=0)
    while True:
        hour = f"{at:%Y-%m-%dT%H}"
        notice = Draft(
            chat_id=late.chat_id,
            chat_key=late.chat_key,
            kind=Kind.NOTICE,
            subject=_SUBJECT + hour,
            payload={"notice": "late", "hour": hour, "channels": []},
            silent=True,
        )
        if await alerts.enqueue_all(tx, [notice], now=now, due_at=max(now + GATHERING, at)):
            return await alerts.row_of(tx, notice)
        at += timedelta(hours=1)


async def _count(tx: Transaction, alert_id: int, found: Iterable[Late]) -> None:
    """Count posts by their channel, [id, title, count] each."""
    (row,) = await tx.fetch_all("SELECT payload FROM alerts WHERE id = :id", {"id": alert_id})
    payload = json.loads(row["payload"])
    counts = {channel_id: (title, count) for channel_id, title, count in payload["channels"]}
    for late in found:
        _, count = counts.get(late.channel_id, ("", 0))
        counts[late.channel_id] = (late.channel_title, count + 1)
    payload["channels"] = [(channel_id, *counted) for channel_id, counted in counts.items()]
    written = json.dumps(payload, ensure_ascii=False)
    await tx.execute("UPDATE alerts SET payload = :payload WHERE id = :id", {"id": alert_id, "payload": written})
