"""Backfills: how far back people want channels read, how far each has come, and the messages that show it."""

from dataclasses import dataclass
from datetime import datetime

from bot.store import chats
from bot.store.chats import Chat
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import read_all, to_ms

DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A request for older posts of a channel."""

    id: int
    channel_id: int
    wanted: int  # posts
    read: int  # posts so far
    below: int | None  # the id under which to go on; None: at the newest


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressFigures:
    """The progress of the backfills that a chat asked for at one moment."""

    channels: int  # whose past is wanted, and which are followed by now
    waiting: int  # channels that are not looked at yet
    ended: int  # channels that are through
    failed: int  # those of them that could not be read to the end
    wanted: int  # posts, of all these channels
    read: int  # posts so far
    title: str  # of the channel, where it is one

    @property
    def is_over(self) -> bool:
        """Tell whether all backfills have ended."""
        return not self.waiting and self.ended == self.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A message that shows a chat the progress of its backfills."""

    id: int
    chat: Chat
    asked_at: datetime
    message_id: int | None  # None: not sent yet
    shown: str | None  # what it shows
    next_at: datetime  # not to be edited before
    figures: ProgressFigures


async def request(tx: Transaction, channel_id: int, *, chat_id: int, asked_at: datetime, posts: int) -> None:
    """Have a number of older posts of a channel read; the chat sees the progress."""
    await tx.execute(
        """INSERT INTO backfills (channel_id, chat_id, asked_at, wanted) VALUES (:channel, :chat, :asked_at, :posts)
        ON CONFLICT DO UPDATE SET wanted = max(wanted, excluded.wanted)""",
        {"channel": channel_id, "chat": chat_id, "asked_at": to_ms(asked_at), "posts": posts},
    )
    await show_progress(tx, chat_id, asked_at)


async def show_progress(tx: Transaction, chat_id: int, asked_at: datetime) -> None:
    """Have the progress of what a chat asked for at this moment shown to it."""
    sql = "INSERT INTO progress (chat_id, asked_at, next_at) VALUES (:chat, :asked_at, 0) ON CONFLICT DO NOTHING"
    await tx.execute(sql, {"chat": chat_id, "asked_at": to_ms(asked_at)})
    tx.announce(Subject.PROGRESS)


async def unfinished(db: Reader, reader_id: int) -> list[Backfill]:
    """Return the backfills that a reader has to go on with, oldest request first."""
    rows = await db.fetch_all(
        """SELECT b.* FROM backfills b JOIN channels c ON c.id = b.channel_id
        WHERE b.ended IS NULL AND c.followed_at IS NOT NULL AND c.read_by = :reader ORDER BY b.asked_at, b.id""",
        {"reader": reader_id},
    )
    return read_all(Backfill, rows)


async def advance(tx: Transaction, backfill_id: int, *, read: int, below: int | None, ended: str | None = None) -> None:
    """Set how far a backfill has come, and how it ended: `DONE`, or Telegram's error string."""
    await tx.execute(
        "UPDATE backfills SET read = :read, below = :below, ended = :ended WHERE id = :id",
        {"id": backfill_id, "read": read, "below": below, "ended": ended},
    )
    tx.announce(Subject.PROGRESS)


async def drop(tx: Transaction, channel_id: int) -> None:
    """Drop the backfills of a channel."""
    await tx.execute("DELETE FROM backfills WHERE channel_id = :id", {"id": channel_id})
    tx.announce(Subject.PROGRESS)


async def shown_progress(db: Reader) -> list[Progress]:
    """Return the progress messages of all chats, with their figures."""
    rows = await db.fetch_all(
        f"""SELECT g.id, g.asked_at, g.message_id, g.shown, g.next_at, count(b.id) AS figures_channels,
            count(b.ended) AS figures_ended, count(nullif(b.ended, :done)) AS figures_failed,
            coalesce(sum(iif(b.ended IS NULL, b.wanted, min(b.read, b.wanted))), 0) AS figures_wanted,
            coalesce(sum(min(b.read, b.wanted)), 0) AS figures_read, coalesce(max(n.title), '') AS figures_title,
            (SELECT count(*) FROM follows f WHERE f.chat_id = g.chat_id AND f.asked_at = g.asked_at
                AND f.state = 'wanted' AND f.history IS NOT NULL) AS figures_waiting, {chats.COLUMNS}
        FROM progress g JOIN chats c ON c.id = g.chat_id
        LEFT JOIN backfills b ON b.chat_id = g.chat_id AND b.asked_at = g.asked_at
        LEFT JOIN channels n ON n.id = b.channel_id
        WHERE c.suspended IS NULL GROUP BY g.id ORDER BY g.id""",  # noqa: S608 - our own constant
        {"done": DONE},
    )
    return read_all(Progress, rows)


async def progress_shown(
    tx: Transaction, progress: Progress, *, figures: str, message_id: int | None, next_at: datetime
) -> None:
    """Set what a progress message shows, and when it may be edited again."""
    await tx.execute(
        "UPDATE progress SET shown = :shown, message_id = :message, next_at = :next_at WHERE id = :id",
        {"id": progress.id, "shown": figures, "message": message_id, "next_at": to_ms(next_at)},
    )


async def postpone_progress(tx: Transaction, progress: Progress, *, until: datetime) -> None:
    """Leave a progress message as it is until a moment."""
    sql = "UPDATE progress SET next_at = :until WHERE id = :id"
    await tx.execute(sql, {"id": progress.id, "until": to_ms(until)})


async def close_progress(tx: Transaction, progress: Progress) -> None:
    """Drop a progress message whose work is over or cannot be shown; unfinished backfills go on."""
    values = {"id": progress.id, "chat": progress.chat.id, "asked_at": to_ms(progress.asked_at)}
    await tx.execute("DELETE FROM progress WHERE id = :id", values)
    sql = "DELETE FROM backfills WHERE chat_id = :chat AND asked_at = :asked_at AND ended IS NOT NULL"
    await tx.execute(sql, values)
