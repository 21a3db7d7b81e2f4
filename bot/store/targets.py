"""Targets: chats that are reached by an Apprise URL or a signed webhook, how they are doing, and their addresses.

The address is a secret: `url_of` alone reads it, for whoever sends.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.models.acts import UNDO_WITHIN
from bot.models.notices import TargetFailing
from bot.models.outgoing import Peer, PeerKind
from bot.store import chats
from bot.store.chats import COLUMNS, Chat
from bot.store.database import Reader, Subject, Transaction
from bot.store.notices import notify_owners
from bot.store.rows import from_ms, read, read_all, to_ms

NOTIFY_AFTER = timedelta(minutes=15)  # that a target takes nothing, the owners have a notice of it
PAUSED = "PAUSED"  # why a target is suspended that somebody has paused


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target, and how it is doing."""

    chat: Chat
    kind: str  # apprise or webhook
    service: str  # for people: ntfy, E-Mail, webhook, …
    taken_at: datetime | None  # when it last took a message
    failing_since: datetime | None  # it has taken none since then; None: the last one was taken
    waiting: int  # messages that are due to it by now
    dead: int  # messages that it never took


_TARGETS = f"""SELECT {COLUMNS}, t.kind, t.service, t.taken_at, t.failing_since,
        (SELECT count(*) FROM messages WHERE chat_id = c.id AND state = 'due' AND due_at <= :now) AS waiting,
        (SELECT count(*) FROM messages WHERE chat_id = c.id AND state = 'dead' AND kind != 'fallback') AS dead
    FROM targets t JOIN chats c ON c.id = t.id WHERE c.suspended IS NOT :removed"""  # noqa: S608 - our own constant


async def everyone(db: Reader, now: datetime) -> list[Target]:
    """Return the targets by title, without those that were removed."""
    sql = f"{_TARGETS} ORDER BY c.title, c.id"
    return read_all(Target, await db.fetch_all(sql, {"now": to_ms(now), "removed": chats.REMOVED}))


async def get(db: Reader, target_id: int, now: datetime) -> Target | None:
    """Return a target by its row; None where there is none, or it was removed."""
    values = {"now": to_ms(now), "removed": chats.REMOVED, "id": target_id}
    row = await db.fetch_one(f"{_TARGETS} AND t.id = :id", values)
    return None if row is None else read(Target, row)


async def add(  # noqa: PLR0913 - what a target is made of
    tx: Transaction, *, name: str, kind: str, service: str, url: str, like: Chat | None, now: datetime
) -> Chat:
    """Add a target, which speaks the language of a chat and has its time zone; it gets alerts on no topic yet."""
    number = await tx.fetch_value("SELECT coalesce(max(telegram_id), 0) + 1 FROM chats WHERE kind = 'target'")
    peer = Peer(kind=PeerKind.TARGET, id=number)
    chat = await chats.pair(tx, peer, title=name, language="en" if like is None else like.language, now=now)
    await tx.execute("UPDATE chats SET broadcast = 1 WHERE id = :id", {"id": chat.id})
    if like is not None:
        local = replace(chat, time_zone=like.time_zone, zone_chosen=like.zone_chosen)
        await chats.save(tx, replace(local, language_chosen=True))
    values = {"id": chat.id, "kind": kind, "service": service, "url": url}
    await tx.execute("INSERT INTO targets (id, kind, service) VALUES (:id, :kind, :service)", values)
    await tx.execute("INSERT INTO target_urls (id, url) VALUES (:id, :url)", values)
    tx.announce(Subject.CHATS)
    return await chats.get(tx, chat.id) or chat


async def url_of(db: Reader, target_id: int) -> tuple[str, str] | None:
    """Return the kind of a target and its address, which is a secret; None where it was removed for good."""
    row = await db.fetch_one(
        "SELECT t.kind, u.url FROM targets t JOIN target_urls u ON u.id = t.id WHERE t.id = :id", {"id": target_id}
    )
    return None if row is None else (row["kind"], row["url"])


async def remove(tx: Transaction, target_id: int, *, now: datetime) -> None:
    """Suspend a target for good; its address goes with `forget_removed`, once nobody can undo that."""
    await chats.suspend(tx, target_id, chats.REMOVED)
    await tx.execute("UPDATE targets SET removed_at = :now WHERE id = :id", {"id": target_id, "now": to_ms(now)})
    tx.announce(Subject.TOPICS)


async def forget_removed(tx: Transaction, *, now: datetime) -> None:
    """Delete the addresses of targets that were removed so long ago that nobody can undo it."""
    await tx.execute(
        """DELETE FROM target_urls WHERE id IN (SELECT t.id FROM targets t JOIN chats c ON c.id = t.id
            WHERE c.suspended = :removed AND t.removed_at < :before)""",
        {"removed": chats.REMOVED, "before": to_ms(now - UNDO_WITHIN)},
    )


async def resume(tx: Transaction, target_id: int) -> None:
    """Switch a target on again; what it has missed stays unsent."""
    await tx.execute("UPDATE targets SET failing_since = NULL WHERE id = :id", {"id": target_id})
    await chats.resume(tx, target_id)


async def set_fallback(tx: Transaction, chat_id: int, target_id: int | None) -> None:
    """Choose where the alerts of a chat go while Telegram is out; None: nowhere, they wait."""
    sql = "UPDATE chats SET fallback_id = :target WHERE id = :id"
    await tx.execute(sql, {"id": chat_id, "target": target_id})
    tx.announce(Subject.CHATS)


async def fallback_of(db: Reader, chat_id: int) -> Chat | None:
    """Return the target that alerts of a chat go to while Telegram is out; None where there is none any more."""
    target_id = await db.fetch_value("SELECT fallback_id FROM chats WHERE id = :id", {"id": chat_id})
    target = None if target_id is None else await chats.get(db, target_id)
    return None if target is None or target.suspended == chats.REMOVED else target


async def taken(tx: Transaction, target_id: int, *, now: datetime) -> None:
    """Write down that a target has taken a message."""
    sql = "UPDATE targets SET taken_at = :now, failing_since = NULL WHERE id = :id"
    await tx.execute(sql, {"id": target_id, "now": to_ms(now)})


async def failing_since(db: Reader, target_id: int, now: datetime) -> datetime:
    """Return since when a target has failed, where it has just failed."""
    since = await db.fetch_value("SELECT failing_since FROM targets WHERE id = :id", {"id": target_id})
    return now if since is None else from_ms(since)


async def failed(tx: Transaction, chat: Chat, reason: str, *, now: datetime) -> None:
    """Write down that a target has not taken a message; where that lasts, the owners have a notice."""
    values = {"id": chat.id, "now": to_ms(now)}
    await tx.execute("UPDATE targets SET failing_since = :now WHERE id = :id AND failing_since IS NULL", values)
    since = await failing_since(tx, chat.id, now)
    if now - since < NOTIFY_AFTER:
        return
    notice = TargetFailing(event=f"{chat.id}:{to_ms(since)}", target=chat.title, since=since, reason=reason)
    await notify_owners(tx, notice, now=now)
