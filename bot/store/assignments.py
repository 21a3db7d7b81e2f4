"""Assignments: which reader reads which channel."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot.store.channels import Access, Channel, followed
from bot.store.database import Reader, Subject, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A followed channel, the reader that reads it, and how each reader reaches it."""

    channel_id: int
    is_public: bool
    read_by: int | None
    accesses: Mapping[int, Access]  # by reader

    def is_open_to(self, reader_id: int) -> bool:
        """Tell whether a reader can read the channel, or may try to."""
        access = self.accesses.get(reader_id)
        return self.is_public if access is None else access is not Access.LOST


async def assigned_channels(db: Reader, reader_id: int) -> list[Channel]:
    """Return the followed channels that are assigned to a reader, and those that nobody has yet."""
    return [channel for channel in await followed(db, reader_id) if channel.read_by in (None, reader_id)]


async def all_assignments(db: Reader) -> list[Assignment]:
    """Return the assignments of all followed channels, in the order in which they were followed."""
    rows = await db.fetch_all(
        """SELECT c.id, c.username IS NOT NULL AS is_public, c.read_by,
            json_group_object(m.reader_id, m.access) FILTER (WHERE m.reader_id IS NOT NULL) AS accesses
        FROM channels c LEFT JOIN memberships m ON m.channel_id = c.id
        WHERE c.followed_at IS NOT NULL GROUP BY c.id ORDER BY c.followed_at, c.id"""
    )
    return [
        Assignment(
            channel_id=row["id"],
            is_public=bool(row["is_public"]),
            read_by=row["read_by"],
            accesses={int(reader): Access(access) for reader, access in json.loads(row["accesses"] or "{}").items()},
        )
        for row in rows
    ]


async def assign(tx: Transaction, given: Mapping[int, int]) -> None:
    """Assign channels to readers: reader ids by channel id."""
    rows = [{"channel": channel, "reader": reader} for channel, reader in given.items()]
    await tx.execute_many("UPDATE channels SET read_by = :reader WHERE id = :channel", rows)
    tx.announce(Subject.FOLLOWS)
