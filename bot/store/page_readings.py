"""Channels that are read through their web pages, as no reader account can read them: since when, and how far."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store import ledger
from bot.store.database import Reader, Subject, Transaction
from bot.store.ledger import LineKind
from bot.store.rows import json_list, read_all, to_ms

NO_PAGE, TAKEN_OVER, STRANGE, UNREACHABLE = "no_page", "taken_over", "strange_page", "page_unreachable"
ANSWERS, WITHIN = 3, timedelta(hours=6)  # so many over so long say that a channel has no page any more
PATIENCE = timedelta(minutes=30)  # a page that could not be fetched meanwhile is a trouble
FLOOR, CEILING = timedelta(minutes=1), timedelta(hours=1)  # of the pause between two readings of a page
REQUEST = timedelta(seconds=4)  # that a page takes, with the pause before the next


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """How far a channel was read through its web page, which moves no mark: a reader account goes on from its own."""

    channel_id: int
    since: datetime
    read_at: datetime | None  # when its page was last read; None: not yet
    last_id: int  # all messages up to this one that its pages show are stored
    gap_below: int | None  # between the two something is missing; None: nothing
    trouble: str | None  # why its page cannot be read, one of the words above; None: it can
    trouble_since: datetime | None
    answers: int  # that said so

    def is_lost(self, now: datetime) -> bool:
        """Tell whether nothing can be read of the channel: one answer alone may be a throttle."""
        if self.trouble is None or self.trouble_since is None:
            return False
        lasts = now - self.trouble_since
        if self.trouble == NO_PAGE:
            return self.answers >= ANSWERS and lasts >= WITHIN
        return self.trouble != UNREACHABLE or lasts >= PATIENCE


def longest_pause(channels: int, least: timedelta = FLOOR) -> timedelta:
    """Return how long the page of one of so many channels is left alone at most, where all goes well."""
    return min(CEILING, least * max(1.0, channels * (REQUEST / FLOOR)))


async def all_readings(db: Reader) -> dict[int, PageReading]:
    """Return what is read through web pages now, by channel."""
    rows = await db.fetch_all("SELECT * FROM page_readings ORDER BY channel_id")
    return {each.channel_id: each for each in read_all(PageReading, rows)}


async def begin(tx: Transaction, channel_ids: Iterable[int], *, now: datetime) -> None:
    """Read channels through their web pages from now on, from the mark of their reader account."""
    await tx.execute(
        """INSERT INTO page_readings (channel_id, since, last_id)
        SELECT id, :now, confirmed_id FROM channels WHERE id IN (SELECT value FROM json_each(:ids))
        ON CONFLICT DO NOTHING""",
        {"ids": json_list(channel_ids), "now": to_ms(now)},
    )
    tx.announce(Subject.FOLLOWS)


async def end(tx: Transaction, channel_ids: Collection[int], *, now: datetime) -> None:
    """Forget that channels were read so: nobody follows them, or a reader account has read what was missing, too."""
    rows = await tx.fetch_all(
        """DELETE FROM page_readings WHERE channel_id IN (SELECT value FROM json_each(:ids))
        RETURNING channel_id, gap_below,
            (SELECT followed_at IS NOT NULL FROM channels WHERE id = channel_id) AS is_followed""",
        {"ids": json_list(channel_ids)},
    )
    for row in rows:
        if row["gap_below"] is not None and row["is_followed"]:
            await _add_filled(tx, row["channel_id"], row["gap_below"], now=now)


async def _add_filled(tx: Transaction, channel_id: int, gap_below: int, *, now: datetime) -> None:
    kind, detail = LineKind.GAP_FILLED, f"posts below {gap_below}"
    await ledger.add_gaps(tx, kind, channel_id, [None], detail=detail, now=now)


async def set_read(tx: Transaction, channel_id: int, *, last_id: int, gap_below: int | None, now: datetime) -> None:
    """Write down how far a channel was read."""
    before = await tx.fetch_value("SELECT gap_below FROM page_readings WHERE channel_id = :id", {"id": channel_id})
    if before is None and gap_below is not None:
        detail = f"posts from {last_id} to {gap_below}"
        await ledger.add_gaps(tx, LineKind.GAP, channel_id, [None], detail=detail, now=now)
    elif before is not None and gap_below is None:
        await _add_filled(tx, channel_id, before, now=now)
    await tx.execute(
        """UPDATE page_readings SET read_at = :now, last_id = max(last_id, :last), gap_below = :gap,
            trouble = NULL, trouble_since = NULL, answers = 0 WHERE channel_id = :id""",
        {"id": channel_id, "last": last_id, "gap": gap_below, "now": to_ms(now)},
    )


async def set_trouble(tx: Transaction, channel_id: int, trouble: str, *, now: datetime) -> None:
    """Write down why the page of a channel cannot be read; another reason counts anew.

    That it could not be fetched just now says nothing against what its page said before.
    """
    await tx.execute(
        """UPDATE page_readings SET answers = iif(trouble IS :trouble, answers + 1, 1),
            trouble_since = iif(trouble IS :trouble, trouble_since, :now), trouble = :trouble
        WHERE channel_id = :id AND NOT (:trouble = :unreachable AND coalesce(trouble, :trouble) != :trouble)""",
        {"id": channel_id, "trouble": trouble, "unreachable": UNREACHABLE, "now": to_ms(now)},
    )
