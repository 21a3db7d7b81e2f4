"""Long posts: of which of them only the beginning is stored, and when the rest is to be asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from bot.store.database import Reader, Transaction
from bot.store.rows import json_list, maybe_ms, read, to_ms

FIRST_PAUSE = 10_000  # ms until a rest is asked for again
SECOND_OVER = 2_000  # ms after the date of an edit, which Telegram gives in whole seconds


class RestState(StrEnum):
    """What became of the rest of a long post."""

    WHOLE = "whole"  # it is here
    WANTED = "wanted"  # it is asked for
    LEFT = "left"  # Telegram refuses it


class Head(NamedTuple):
    """The beginning of a long post, as Telegram gives it to everybody."""

    hash: bytes
    edit_date: int  # ms, 0 where it was not edited

    def is_certain(self, now: int) -> bool:
        """Tell whether an edit after this moment, in ms, would show: edits of one second have the same date."""
        return now >= self.edit_date + SECOND_OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class LongPost:
    """A long post, as far as it is known."""

    head: Head
    state: RestState


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRest:
    """A long post whose rest a reader is to ask for."""

    channel_id: int
    access_hash: int  # of the channel, for this reader
    message_id: int
    head: bytes
    attempts: int  # that failed so far


_PUT = """INSERT INTO long_posts (channel_id, message_id, head, edit_date, state, due_at)
    VALUES (:channel, :message, :head, :edit_date, :state, :due)
    ON CONFLICT (channel_id, message_id) DO UPDATE SET head = excluded.head, edit_date = excluded.edit_date,
        state = excluded.state, due_at = excluded.due_at, attempts = 0, reason = NULL"""


async def known(db: Reader, keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], LongPost]:
    """Return the long posts among these messages, (channel id, message id)."""
    rows = await db.fetch_all(
        """SELECT l.channel_id, l.message_id, l.head, coalesce(l.edit_date, 0) AS edit_date, l.state
        FROM json_each(:keys) k JOIN long_posts l ON l.channel_id = k.value ->> 0 AND l.message_id = k.value ->> 1""",
        {"keys": json_list(keys)},
    )
    return {
        (row["channel_id"], row["message_id"]): LongPost(
            head=Head(bytes(row["head"]), row["edit_date"]), state=RestState(row["state"])
        )
        for row in rows
    }


async def put(tx: Transaction, found: Mapping[tuple[int, int], LongPost], *, now: int) -> None:
    """Write down what is known of long posts at a moment, in ms."""
    await tx.execute_many(
        _PUT,
        [
            {
                "channel": channel_id,
                "message": message_id,
                "head": post.head.hash,
                "edit_date": post.head.edit_date or None,
                "state": post.state,
                "due": _due_at(post, now),
            }
            for (channel_id, message_id), post in found.items()
        ],
    )


def _due_at(post: LongPost, now: int) -> int | None:
    if post.state is RestState.WANTED:
        return now + FIRST_PAUSE
    return None if post.head.is_certain(now) else post.head.edit_date + SECOND_OVER


async def next_due(db: Reader, reader_id: int, now: datetime) -> DueRest | None:
    """Return the long post whose rest a reader is to ask for now, the one that has waited longest."""
    row = await db.fetch_one(
        """SELECT l.channel_id, r.access_hash, l.message_id, l.head, l.attempts
        FROM long_posts l INDEXED BY long_posts_due CROSS JOIN channels c ON c.id = l.channel_id
        JOIN memberships r ON r.channel_id = c.id AND r.reader_id = :reader AND r.access IN ('polled', 'joined')
        WHERE l.due_at <= :now AND coalesce(c.read_by, :reader) = :reader
        ORDER BY l.due_at LIMIT 1""",
        {"reader": reader_id, "now": to_ms(now)},
    )
    return None if row is None else read(DueRest, row)


async def put_off(tx: Transaction, due: DueRest, *, until: datetime | None, reason: str, now: datetime) -> None:
    """Ask for a rest that is still due at a later moment; None: not any more, unless the post is seen again."""
    await tx.execute(
        """UPDATE long_posts SET state = iif(:until IS NULL AND state = 'wanted', 'left', state), due_at = :until,
            attempts = attempts + 1, reason = :reason
        WHERE channel_id = :channel AND message_id = :message AND due_at <= :now""",
        {
            "channel": due.channel_id,
            "message": due.message_id,
            "now": to_ms(now),
            "until": maybe_ms(until),
            "reason": reason,
        },
    )


async def count_missing(db: Reader) -> int:
    """Count the long posts that are stored without their rest."""
    return int(await db.fetch_value("SELECT count(*) FROM long_posts WHERE state != 'whole'"))
