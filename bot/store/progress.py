"""Messages in which a chat sees how work that it asked for goes on: channels to follow, and their past to read."""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.models.follow_list import FollowListItem, FollowListState
from bot.models.outgoing import Peer
from bot.store import chats, follows
from bot.store.backfills import DONE, ProgressFigures
from bot.store.chats import Chat
from bot.store.database import Reader, Subject, Transaction
from bot.store.rows import read_all, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A message that shows a chat how the channels of a list went, and the progress of its backfills."""

    id: int
    chat: Chat
    asked_at: datetime
    message_id: int | None  # None: not sent yet
    shown: str | None  # what it shows
    next_at: datetime  # not to be edited before
    listed: bool  # it shows how each channel went
    below: str  # what stands under them
    figures: ProgressFigures
    listed_channels: tuple[FollowListItem, ...] = ()

    @property
    def is_over(self) -> bool:
        """Tell whether nothing will change any more by itself."""
        return self.figures.is_over and all(each.state is not FollowListState.OPEN for each in self.listed_channels)


async def shown(db: Reader) -> list[Progress]:
    """Return the progress messages of all chats, with their figures."""
    rows = await db.fetch_all(
        f"""SELECT g.id, g.asked_at, g.message_id, g.shown, g.next_at, g.listed, g.below,
            '[]' AS listed_channels, count(b.id) AS figures_channels, count(b.ended) AS figures_ended,
            count(nullif(b.ended, :done)) AS figures_failed,
            coalesce(sum(iif(b.ended IS NULL, b.wanted, min(b.read, b.wanted))), 0) AS figures_wanted,
            coalesce(sum(min(b.read, coalesce(b.wanted, b.read))), 0) AS figures_read, min(b.since) AS figures_since,
            g.asked_at AS figures_begun,
            max(coalesce(iif(b.ended IS NULL, b.reached, b.since), b.asked_at)) AS figures_reached,
            coalesce(max(n.title), '') AS figures_title,
            (SELECT count(*) FROM follows f WHERE f.chat_id = g.chat_id AND f.asked_at = g.asked_at
                AND f.state = 'wanted' AND f.history IS NOT NULL) AS figures_waiting, {chats.COLUMNS}
        FROM progress g JOIN chats c ON c.id = g.chat_id
        LEFT JOIN backfills b ON b.chat_id = g.chat_id AND b.asked_at = g.asked_at
        LEFT JOIN channels n ON n.id = b.channel_id
        WHERE c.suspended IS NULL GROUP BY g.id ORDER BY g.id""",  # noqa: S608 - our own constant
        {"done": DONE},
    )
    return [await _with_list(db, each) for each in read_all(Progress, rows)]


async def _with_list(db: Reader, each: Progress) -> Progress:
    if not each.listed:
        return each
    return replace(each, listed_channels=tuple(await follows.listed(db, each.chat.id, each.asked_at)))


async def show_list(
    tx: Transaction, chat_id: int, asked_at: datetime, *, below: str = "", not_before: datetime | None = None
) -> None:
    """Have shown to a chat how each channel went that it asked for at a moment, in one message.

    Until `not_before` it may be on its way as the answer to the command: see `adopt`.
    """
    await tx.execute(
        """INSERT INTO progress (chat_id, asked_at, listed, below, next_at)
        VALUES (:chat, :asked_at, 1, :below, :next_at)
        ON CONFLICT DO UPDATE SET listed = 1, below = excluded.below, next_at = excluded.next_at""",
        {"chat": chat_id, "asked_at": to_ms(asked_at), "below": below, "next_at": to_ms(not_before or asked_at)},
    )
    tx.announce(Subject.PROGRESS)


async def adopt(tx: Transaction, peer: Peer, asked_at: datetime, message_id: int) -> None:
    """Note which message of a chat, an answer of ours, shows from now on what it asked for at a moment."""
    await tx.execute(
        """UPDATE progress SET message_id = :message, next_at = 0 WHERE asked_at = :asked_at AND message_id IS NULL
        AND chat_id = (SELECT id FROM chats WHERE kind = :kind AND telegram_id = :id)""",
        {"message": message_id, "asked_at": to_ms(asked_at), "kind": peer.kind, "id": peer.id},
    )
    tx.announce(Subject.PROGRESS)


async def is_listed(db: Reader, chat_id: int, asked_at: datetime) -> bool:
    """Tell whether a message shows how the channels went that a chat asked for at a moment."""
    sql = "SELECT 1 FROM progress WHERE chat_id = :chat AND asked_at = :asked_at AND listed"
    return await db.fetch_value(sql, {"chat": chat_id, "asked_at": to_ms(asked_at)}) is not None


async def set_shown(
    tx: Transaction, progress: Progress, *, figures: str, message_id: int | None, next_at: datetime
) -> None:
    """Set what a progress message shows, and when it may be edited again."""
    await tx.execute(
        """UPDATE progress SET shown = :shown, message_id = coalesce(:message, message_id), next_at = :next_at
        WHERE id = :id""",
        {"id": progress.id, "shown": figures, "message": message_id, "next_at": to_ms(next_at)},
    )


async def postpone(tx: Transaction, progress: Progress, *, until: datetime) -> None:
    """Leave a progress message as it is until a moment."""
    sql = "UPDATE progress SET next_at = :until WHERE id = :id"
    await tx.execute(sql, {"id": progress.id, "until": to_ms(until)})


async def close(tx: Transaction, progress: Progress) -> None:
    """Drop a progress message whose work is over or cannot be shown; unfinished backfills go on."""
    values = {"id": progress.id, "chat": progress.chat.id, "asked_at": to_ms(progress.asked_at)}
    await tx.execute("DELETE FROM progress WHERE id = :id", values)
    sql = "DELETE FROM backfills WHERE chat_id = :chat AND asked_at = :asked_at AND ended IS NOT NULL"
    await tx.execute(sql, values)
