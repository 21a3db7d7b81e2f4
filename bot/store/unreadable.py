"""Messages that are there and could not be read: holes with names.

Telegram is newer than this program, or only a web page was read, which does not show every post.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import __version__
from bot.store import ledger
from bot.store.database import Reader, Transaction
from bot.store.ledger import LineKind
from bot.store.rows import from_ms, json_list, read_all, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What decides which messages can be read."""

    program: str  # the version of channelwatch
    layer: int  # of TL, which Telethon speaks; 0: none, it was a web page


ON_PAGE = Edition(program=__version__, layer=0)  # any reader account tries what such a page does not show


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableMessage:
    """A message that could not be read."""

    channel_id: int
    message_id: int
    constructor: int | None  # the first one of TL that was unknown; None: the bytes made no sense
    since: datetime  # when it was first met
    layer: int  # as in `Edition`

    @property
    def is_on_page(self) -> bool:
        """Only a web page was read, which does not show it."""
        return self.layer == ON_PAGE.layer


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableCount:
    """How many messages of a channel could not be read."""

    channel: str  # its title
    posts: int


async def of_channel(db: Reader, channel_id: int, *, on_page: bool = True) -> dict[int, int | None]:
    """Return the unknown constructors of a channel's unreadable messages, by message id.

    Without `on_page` only of those that a reader account has tried to read.
    """
    rows = await db.fetch_all(
        "SELECT message_id, constructor FROM unreadable WHERE channel_id = :channel AND (:on_page OR layer != :page)",
        {"channel": channel_id, "on_page": on_page, "page": ON_PAGE.layer},
    )
    return {row["message_id"]: row["constructor"] for row in rows}


async def of_followed(db: Reader) -> list[UnreadableMessage]:
    """Return the unreadable messages of followed channels, by channel and id."""
    rows = await db.fetch_all(
        """SELECT u.* FROM unreadable u JOIN channels c ON c.id = u.channel_id
        WHERE c.followed_at IS NOT NULL ORDER BY u.channel_id, u.message_id"""
    )
    return read_all(UnreadableMessage, rows)


async def tried_before(db: Reader, channel_id: int, edition: Edition, *, most: int) -> list[int]:
    """Return the first ids of a channel's messages that only another version of this program has tried to read."""
    rows = await db.fetch_all(
        """SELECT message_id FROM unreadable WHERE channel_id = :channel AND (program, layer) != (:program, :layer)
        ORDER BY message_id LIMIT :most""",
        {"channel": channel_id, "program": edition.program, "layer": edition.layer, "most": most},
    )
    return [row["message_id"] for row in rows]


async def put(
    tx: Transaction, channel_id: int, found: Mapping[int, int | None], edition: Edition, *, now: datetime
) -> None:
    """Write down which messages of a channel could not be read, by id, and the unknown constructors."""
    known = await of_channel(tx, channel_id)
    await ledger.add_gaps(
        tx, LineKind.GAP, channel_id, [n for n in found if n not in known], detail="unreadable", now=now
    )
    await tx.execute_many(
        """INSERT INTO unreadable (channel_id, message_id, constructor, since, program, layer)
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
            constructor = excluded.constructor, program = excluded.program, layer = excluded.layer""",
        [
            (channel_id, number, constructor, to_ms(now), edition.program, edition.layer)
            for number, constructor in found.items()
        ],
    )


async def put_hidden(tx: Transaction, channel_id: int, ids: Collection[int], *, now: datetime) -> None:
    """Write down which messages of a channel its web page does not show; those that are stored or named are left."""
    rows = await tx.fetch_all(
        """INSERT INTO unreadable (channel_id, message_id, since, program, layer)
        SELECT :channel, value, :now, :program, :layer FROM json_each(:ids)
        WHERE NOT EXISTS (SELECT 1 FROM posts WHERE channel_id = :channel AND message_id = value)
        ON CONFLICT DO NOTHING RETURNING message_id""",
        {
            "channel": channel_id,
            "ids": json_list(ids),
            "now": to_ms(now),
            "program": ON_PAGE.program,
            "layer": ON_PAGE.layer,
        },
    )
    hidden = [row["message_id"] for row in rows]
    await ledger.add_gaps(tx, LineKind.GAP, channel_id, hidden, detail="not on its page", now=now)


async def settle(tx: Transaction, channel_id: int, ids: Collection[int], *, now: datetime) -> None:
    """Forget messages of a channel that could be read, or are gone."""
    rows = await tx.fetch_all(
        """DELETE FROM unreadable WHERE channel_id = :channel AND message_id IN (SELECT value FROM json_each(:ids))
        RETURNING message_id""",
        {"channel": channel_id, "ids": json_list(ids)},
    )
    settled = [row["message_id"] for row in rows]
    await ledger.add_gaps(tx, LineKind.GAP_FILLED, channel_id, settled, detail="read, or gone", now=now)


async def take_unnotified(
    tx: Transaction, *, now: datetime, apart: timedelta, on_page: bool = False
) -> list[UnreadableCount]:
    """Count by channel, the most first, the messages of followed channels that no notice has counted; now one does.

    None are counted where the last notice is less than so long ago. Those that a web page does not show count apart.
    """
    kind = {"page": on_page, "layer": ON_PAGE.layer}
    last = await tx.fetch_value("SELECT max(notified_at) FROM unreadable WHERE (layer = :layer) = :page", kind)
    if last is not None and now - from_ms(last) < apart:
        return []
    rows = await tx.fetch_all(
        """SELECT c.title AS channel, count(*) AS posts FROM unreadable u JOIN channels c ON c.id = u.channel_id
        WHERE u.notified_at IS NULL AND (u.layer = :layer) = :page AND c.followed_at IS NOT NULL
        GROUP BY c.id ORDER BY posts DESC, c.title""",
        kind,
    )
    if rows:
        sql = "UPDATE unreadable SET notified_at = :now WHERE notified_at IS NULL AND (layer = :layer) = :page"
        await tx.execute(sql, {**kind, "now": to_ms(now)})
    return read_all(UnreadableCount, rows)
