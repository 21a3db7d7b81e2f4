"""Channels: what people asked for, what it turned out to be, how each reader reaches it, and how far it is read."""

import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from bot.store.database import Reader, Subject, Transaction
from bot.store.references import normalise_reference
from bot.store.rows import from_ms, maybe_date, maybe_ms, to_ms

__all__ = ["Access", "Asked", "Channel", "Follow", "FollowState", "ResolvedChannel", "normalise_reference"]


class Access(StrEnum):
    """How a reader reaches a channel."""

    POLLED = "polled"  # public and read from outside
    JOINED = "joined"
    PENDING = "pending"  # a request to join waits for an administrator
    LOST = "lost"  # private, banned, deleted, or left by us


class FollowState(StrEnum):
    """What became of a wish to follow."""

    WANTED = "wanted"  # not looked at yet, or put off
    FOLLOWED = "followed"
    REFUSED = "refused"  # cannot be followed, for the reason given


class Asked(StrEnum):
    """What asking to follow meets."""

    NEW = "new"
    WAITING = "waiting"  # asked for already, not settled yet
    FOLLOWED = "followed"  # followed already
    AGAIN = "again"  # refused before, tried once more


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedChannel:
    """A channel as Telegram describes it."""

    id: int  # bare
    kind: str  # "broadcast" or "supergroup"
    title: str
    username: str | None  # as written, without @


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel, and how a reader reaches it."""

    id: int  # bare
    kind: str  # "broadcast" or "supergroup"
    title: str
    username: str | None  # as written, without @; None for a private one
    followed_at: datetime | None  # None: nobody wants it any more
    confirmed_id: int  # every message up to this one is stored
    seen_pts: int  # changes are applied up to here; 0: ask again
    swept_at: datetime | None
    access_hash: int | None  # None where no reader has met it
    access: Access | None
    reason: str | None  # why access was lost: Telegram's error string
    joined_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """What somebody asked to follow."""

    id: int
    reference: str  # '@name', '+hash' or a bare id
    chat_id: int | None  # who is told how it went; None: asked for by the settings
    asked_at: datetime
    state: FollowState
    channel_id: int | None  # once it is followed
    reason: str | None  # why it was refused or put off
    next_try_at: datetime


# The first reader that knows the channel speaks for it where none is named.
_CHANNELS = """
    SELECT c.*, m.access_hash, m.access, m.reason, m.joined_at FROM channels c
    LEFT JOIN memberships m ON m.channel_id = c.id AND m.reader_id = coalesce(
        :reader, (SELECT min(reader_id) FROM memberships WHERE channel_id = c.id))
"""


def _to_channel(row: sqlite3.Row) -> Channel:
    return Channel(
        id=row["id"],
        kind=row["kind"],
        title=row["title"],
        username=row["username"],
        followed_at=maybe_date(row["followed_at"]),
        confirmed_id=row["confirmed_id"],
        seen_pts=row["seen_pts"],
        swept_at=maybe_date(row["swept_at"]),
        access_hash=row["access_hash"],
        access=row["access"] and Access(row["access"]),
        reason=row["reason"],
        joined_at=maybe_date(row["joined_at"]),
    )


def _to_follow(row: sqlite3.Row) -> Follow:
    return Follow(
        id=row["id"],
        reference=row["reference"],
        chat_id=row["chat_id"],
        asked_at=from_ms(row["asked_at"]),
        state=FollowState(row["state"]),
        channel_id=row["channel_id"],
        reason=row["reason"],
        next_try_at=from_ms(row["next_try_at"]),
    )


async def ask(tx: Transaction, reference: str, *, chat_id: int | None, now: datetime) -> Asked:
    """Write down that somebody wants to follow what this normalised reference names; say what was known of it."""
    values = {"reference": reference, "name": reference.removeprefix("@"), "chat": chat_id, "now": to_ms(now)}
    known = await tx.fetch_one(
        """SELECT 1 FROM channels WHERE followed_at IS NOT NULL
        AND (lower(username) = :name OR CAST(id AS TEXT) = :reference)""",
        values,
    )
    before = await tx.fetch_one("SELECT state FROM follows WHERE reference = :reference", values)
    if known is not None or (before and before["state"] == FollowState.FOLLOWED):
        return Asked.FOLLOWED
    if before and before["state"] == FollowState.WANTED:
        return Asked.WAITING
    await tx.execute(
        """INSERT INTO follows (reference, chat_id, asked_at, state, next_try_at)
        VALUES (:reference, :chat, :now, 'wanted', :now)
        ON CONFLICT (reference) DO UPDATE SET chat_id = excluded.chat_id, asked_at = excluded.asked_at,
            state = 'wanted', reason = NULL, next_try_at = excluded.next_try_at""",
        values,
    )
    tx.announce(Subject.FOLLOWS)
    return Asked.AGAIN if before else Asked.NEW


async def wanted(db: Reader, now: datetime) -> list[Follow]:
    """Return the wishes whose time to be tried has come, oldest first."""
    sql = "SELECT * FROM follows WHERE state = 'wanted' AND next_try_at <= :now ORDER BY asked_at, id"
    return [_to_follow(row) for row in await db.fetch_all(sql, {"now": to_ms(now)})]


async def all_follows(db: Reader) -> list[Follow]:
    """Return every wish, whatever became of it, in the order in which they came."""
    return [_to_follow(row) for row in await db.fetch_all("SELECT * FROM follows ORDER BY asked_at, id")]


async def postpone(tx: Transaction, follow_id: int, *, until: datetime, reason: str) -> None:
    """Put a wish off."""
    sql = "UPDATE follows SET next_try_at = :until, reason = :reason WHERE id = :id"
    await tx.execute(sql, {"id": follow_id, "until": to_ms(until), "reason": reason})


async def refuse(tx: Transaction, follow_id: int, *, reason: str) -> None:
    """Write down that a wish cannot be fulfilled."""
    sql = "UPDATE follows SET state = 'refused', reason = :reason WHERE id = :id"
    await tx.execute(sql, {"id": follow_id, "reason": reason})


async def settle(  # noqa: PLR0913 - what Telegram said of the channel is written in one go
    tx: Transaction,
    follow_id: int,
    *,
    channel: ResolvedChannel,
    reader_id: int,
    access_hash: int,
    access: Access,
    now: datetime,
) -> None:
    """Write down which channel a wish turned out to be, and how the reader reaches it.

    A channel that nobody followed until now is followed from the second on in which somebody asked for it, since
    Telegram dates posts by whole seconds; one that was followed keeps its date.
    """
    await tx.execute(
        """INSERT INTO channels (id, kind, title, username, followed_at)
        SELECT :id, :kind, :title, :username, asked_at / 1000 * 1000 FROM follows WHERE id = :follow
        ON CONFLICT DO UPDATE SET kind = excluded.kind, title = excluded.title, username = excluded.username,
            followed_at = coalesce(followed_at, excluded.followed_at)""",
        {**asdict(channel), "follow": follow_id},
    )
    await grant(tx, reader_id, channel.id, access, access_hash=access_hash, now=now)
    sql = "UPDATE follows SET state = 'followed', channel_id = :channel, reason = NULL WHERE id = :id"
    await tx.execute(sql, {"id": follow_id, "channel": channel.id})
    tx.announce(Subject.FOLLOWS)


async def followed(db: Reader, reader_id: int | None = None) -> list[Channel]:
    """Return the followed channels by title, each as this reader reaches it; None: as any does."""
    sql = f"{_CHANNELS} WHERE c.followed_at IS NOT NULL ORDER BY c.title, c.id"
    return [_to_channel(row) for row in await db.fetch_all(sql, {"reader": reader_id})]


async def unwanted(db: Reader, reader_id: int) -> list[Channel]:
    """Return the channels that this reader is in though nobody follows them any more."""
    sql = f"{_CHANNELS} WHERE c.followed_at IS NULL AND m.access = 'joined' ORDER BY c.id"
    return [_to_channel(row) for row in await db.fetch_all(sql, {"reader": reader_id})]


async def get(db: Reader, channel_id: int, reader_id: int | None = None) -> Channel | None:
    """Return a channel by its bare id."""
    row = await db.fetch_one(f"{_CHANNELS} WHERE c.id = :id", {"id": channel_id, "reader": reader_id})
    return _to_channel(row) if row else None


async def find(db: Reader, text: str, reader_id: int | None = None) -> Channel | None:
    """Return the channel that a person means by @name, link, id or title; case is ignored, followed ones come first."""
    reference = normalise_reference(text) or ""
    sql = f"{_CHANNELS} ORDER BY c.followed_at IS NULL, c.id"  # in Python, since SQLite folds ASCII only
    known = [_to_channel(row) for row in await db.fetch_all(sql, {"reader": reader_id})]
    wanted_title = text.strip().strip("«»\"'").casefold()
    named = [c for c in known if reference in (f"@{(c.username or '').lower()}", str(c.id))]
    titled = [c for c in known if c.title.casefold() == wanted_title]
    settled = await db.fetch_one(
        "SELECT channel_id FROM follows WHERE reference = :reference", {"reference": reference}
    )
    invited = [c for c in known if settled is not None and c.id == settled["channel_id"]]
    return next(iter(named + invited + titled), None)


async def begun(db: Reader, text: str) -> list[Channel]:
    """Return the channels whose titles begin so; case is ignored."""
    beginning = text.strip().casefold()
    rows = await db.fetch_all(f"{_CHANNELS} ORDER BY c.id", {"reader": None})
    return [channel for channel in map(_to_channel, rows) if channel.title.casefold().startswith(beginning)]


async def unfollow(tx: Transaction, channel_id: int) -> bool:
    """Stop following a channel and forget who asked for it; False where it was not followed. Its posts stay."""
    await tx.execute("DELETE FROM follows WHERE channel_id = :id", {"id": channel_id})
    sql = "UPDATE channels SET followed_at = NULL WHERE id = :id AND followed_at IS NOT NULL"
    tx.announce(Subject.FOLLOWS)
    return await tx.execute(sql, {"id": channel_id}) > 0


async def withdraw(tx: Transaction, reference: str) -> bool:
    """Forget a wish that was not fulfilled; False where there is none of this normalised reference."""
    sql = "DELETE FROM follows WHERE reference = :reference AND state != 'followed'"
    return await tx.execute(sql, {"reference": reference}) > 0


async def grant(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction,
    reader_id: int,
    channel_id: int,
    access: Access,
    *,
    now: datetime,
    access_hash: int | None = None,
    reason: str | None = None,
    joined_at: datetime | None = None,
) -> None:
    """Write down how a reader reaches a channel now; what is None stays, `joined_at` is now at the first 'joined'."""
    if joined_at is None and access == Access.JOINED:
        joined_at = now
    await tx.execute(
        """INSERT INTO memberships (reader_id, channel_id, access_hash, access, reason, joined_at)
        VALUES (:reader, :channel, coalesce(:hash, 0), :access, :reason, :joined_at)
        ON CONFLICT DO UPDATE SET access_hash = coalesce(:hash, access_hash), access = excluded.access,
            reason = excluded.reason,
            joined_at = CASE WHEN access = 'joined' THEN coalesce(joined_at, excluded.joined_at)
                ELSE coalesce(excluded.joined_at, joined_at) END""",
        {
            "reader": reader_id,
            "channel": channel_id,
            "hash": access_hash,
            "access": access,
            "reason": reason,
            "joined_at": maybe_ms(joined_at),
        },
    )


async def joins_since(db: Reader, reader_id: int, since: datetime) -> int:
    """Count the channels that this reader joined since then."""
    sql = "SELECT count(*) AS n FROM memberships WHERE reader_id = :reader AND joined_at >= :since"
    row = await db.fetch_one(sql, {"reader": reader_id, "since": to_ms(since)})
    return int(row["n"]) if row else 0


async def mark(  # noqa: PLR0913 - the mark and the state it was read from belong together
    tx: Transaction,
    channel_id: int,
    *,
    confirmed_id: int,
    seen_pts: int,
    now: datetime,
    read_from: int | None = None,
) -> None:
    """Write down how far a channel is complete; `confirmed_id` never goes back. Only the sweep calls this.

    `read_from` is the `seen_pts` that the sweep started from: where `distrust` changed it in between, it stays.
    """
    await tx.execute(
        """UPDATE channels SET confirmed_id = max(confirmed_id, :confirmed), swept_at = :now,
            seen_pts = CASE WHEN :read_from IS NULL OR seen_pts = :read_from THEN :pts ELSE seen_pts END
        WHERE id = :id""",
        {"id": channel_id, "confirmed": confirmed_id, "pts": seen_pts, "now": to_ms(now), "read_from": read_from},
    )


async def distrust(tx: Transaction, channel_id: int) -> None:
    """Make the sweep read this channel again down to its mark."""
    await tx.execute("UPDATE channels SET seen_pts = 0 WHERE id = :id", {"id": channel_id})


async def describe(tx: Transaction, channel_id: int, *, title: str, username: str | None) -> None:
    """Follow a rename; nothing is written where nothing changed."""
    await tx.execute(
        """UPDATE channels SET title = :title, username = :username
        WHERE id = :id AND (title, username) IS NOT (:title, :username)""",
        {"id": channel_id, "title": title, "username": username},
    )
