"""Backfills: how far back people want channels read, how far each has come, and the messages that show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import json_list, maybe_ms, read_all, to_ms

DONE = "done"
FIRST_POSTS = 200  # of a channel's past that are read when it is first followed
USUAL_PAST = timedelta(days=30)  # how far back it is read after that, a page now and then


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A request for older posts of a channel: so many, or all since a date."""

    id: int
    channel_id: int
    chat_id: int | None  # that asked; None: nobody did
    wanted: int | None  # posts …
    since: datetime | None  # … or the date
    read: int  # posts so far
    below: int | None  # the id under which to go on; None: at the newest, or where the channel is complete


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressFigures:
    """The progress of the backfills that a chat asked for at one moment."""

    channels: int  # whose past is wanted, and which are followed by now
    waiting: int  # channels that are not looked at yet
    ended: int  # channels that are through
    failed: int  # those of them that could not be read to the end
    wanted: int  # posts, of all these channels; 0: those since a date
    read: int  # posts so far
    title: str  # of the channel, where it is one
    begun: datetime | None = None  # where it is a date, the date from which they are read …
    reached: datetime | None = None  # … the one back to which all of them are …
    since: datetime | None = None  # … and the one at which they end

    @property
    def is_over(self) -> bool:
        """Tell whether all backfills have ended."""
        return not self.waiting and self.ended == self.channels

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        if self.wanted or self.since is None or self.reached is None or self.begun is None:
            return self.read / self.wanted if self.wanted else 0.0
        return min(max((self.begun - self.reached) / (self.begun - self.since), 0.0), 1.0)


async def request(tx: Transaction, channel_id: int, *, chat_id: int, asked_at: datetime, posts: int) -> None:
    """Have a number of older posts of a channel read; the chat sees the progress."""
    await tx.execute(
        """INSERT INTO backfills (channel_id, chat_id, asked_at, wanted) VALUES (:channel, :chat, :asked_at, :posts)
        ON CONFLICT DO UPDATE SET wanted = max(wanted, excluded.wanted)""",
        {"channel": channel_id, "chat": chat_id, "asked_at": to_ms(asked_at), "posts": posts},
    )
    await show_progress(tx, chat_id, asked_at)


async def request_since(
    tx: Transaction, channel_ids: Iterable[int], since: datetime, *, chat_id: int | None, asked_at: datetime
) -> int:
    """Have channels read back to a date, where they are not complete so far; return how many are read now.

    A chat sees the progress; where it is None, nobody does.
    """
    rows = await tx.execute(
        """INSERT INTO backfills (channel_id, chat_id, asked_at, since)
        SELECT c.id, :chat, :asked_at, :since FROM channels c JOIN json_each(:channels) ON c.id = value
        WHERE c.followed_at IS NOT NULL AND (c.complete_from IS NULL OR c.complete_from > :since)
        AND NOT EXISTS (SELECT 1 FROM backfills WHERE channel_id = c.id AND since <= :since AND ended IS NULL
            AND (chat_id IS NOT NULL OR :chat IS NULL))
        ON CONFLICT DO UPDATE SET since = min(since, excluded.since)""",
        {
            "channels": json_list(channel_ids),
            "chat": chat_id,
            "asked_at": to_ms(asked_at),
            "since": to_ms(since),
        },
    )
    if rows and chat_id is not None:
        await show_progress(tx, chat_id, asked_at)
    tx.announce(Subject.FOLLOWS)
    return rows


async def request_usual(tx: Transaction, channel_id: int, since: datetime, *, asked_at: datetime) -> None:
    """Have the last weeks of a channel read that is newly followed, unless somebody said how much to read."""
    sql = "SELECT 1 FROM backfills WHERE channel_id = :id AND ended IS NULL"
    if await tx.fetch_value(sql, {"id": channel_id}) is None:
        await request_since(tx, [channel_id], since, chat_id=None, asked_at=asked_at)


async def show_progress(tx: Transaction, chat_id: int, asked_at: datetime) -> None:
    """Have the progress of what a chat asked for at this moment shown to it."""
    sql = "INSERT INTO progress (chat_id, asked_at, next_at) VALUES (:chat, :asked_at, 0) ON CONFLICT DO NOTHING"
    await tx.execute(sql, {"chat": chat_id, "asked_at": to_ms(asked_at)})
    tx.announce(Subject.PROGRESS)


async def unfinished(db: Reader, reader_id: int) -> list[Backfill]:
    """Return the backfills that a reader has to go on with: what people asked first, then those with the newest posts.

    So all channels are complete for the last day before any is for a month.
    """
    rows = await db.fetch_all(
        """SELECT b.* FROM backfills b JOIN channels c ON c.id = b.channel_id
        WHERE b.ended IS NULL AND c.followed_at IS NOT NULL AND c.read_by = :reader
        ORDER BY b.chat_id IS NULL, iif(b.chat_id IS NULL, -coalesce(b.reached, b.asked_at), b.asked_at), b.id""",
        {"reader": reader_id},
    )
    return read_all(Backfill, rows)


async def advance(  # noqa: PLR0913 - the row has this many columns
    tx: Transaction,
    backfill_id: int,
    *,
    read: int,
    below: int | None,
    reached: datetime | None = None,
    ended: str | None = None,
) -> None:
    """Set how far a backfill has come, and how it ended: `DONE`, or Telegram's error string."""
    await tx.execute(
        """UPDATE backfills SET read = :read, below = :below, reached = coalesce(:reached, reached), ended = :ended
        WHERE id = :id""",
        {"id": backfill_id, "read": read, "below": below, "reached": maybe_ms(reached), "ended": ended},
    )
    await tx.execute(
        "DELETE FROM backfills WHERE id = :id AND chat_id IS NULL AND ended IS NOT NULL", {"id": backfill_id}
    )
    tx.announce(Subject.PROGRESS)


async def drop(tx: Transaction, channel_id: int) -> None:
    """Drop the backfills of a channel."""
    await tx.execute("DELETE FROM backfills WHERE channel_id = :id", {"id": channel_id})
    tx.announce(Subject.PROGRESS)
