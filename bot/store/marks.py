"""How far a channel is complete: its mark, from where on, how far it was compared again, and what is in doubt."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.store import ledger
from bot.store.database import Reader, Transaction
from bot.store.ledger import LineKind
from bot.store.rows import json_list, read_all, to_ms

CHANGES = "edits and deletions"  # of gaps, in the ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPast:
    """How far back a channel is stored."""

    id: int
    is_followed: bool
    is_readable: bool  # a reader can read more of it
    complete_from: datetime | None  # as of `Channel`
    oldest: datetime | None  # the date of the first stored post
    newest: datetime | None  # … and of the last one


async def past_of(db: Reader, channel_ids: Iterable[int] | None) -> list[ChannelPast]:
    """Return how far back channels are stored; without `channel_ids` all of them."""
    rows = await db.fetch_all(
        """SELECT c.id, c.followed_at IS NOT NULL AS is_followed, c.complete_from,
            (SELECT min(date) FROM posts WHERE channel_id = c.id) AS oldest,
            (SELECT max(date) FROM posts WHERE channel_id = c.id) AS newest,
            c.followed_at IS NOT NULL AND EXISTS (SELECT 1 FROM memberships WHERE channel_id = c.id
                AND reader_id = c.read_by AND access IN ('polled', 'joined')) AS is_readable
        FROM channels c WHERE :ids IS NULL OR c.id IN (SELECT value FROM json_each(:ids))
        ORDER BY c.id""",
        {"ids": None if channel_ids is None else json_list(channel_ids)},
    )
    return read_all(ChannelPast, rows)


async def set_mark(  # noqa: PLR0913 - the mark and the state it was read from belong together
    tx: Transaction,
    channel_id: int,
    *,
    confirmed_id: int,
    seen_pts: int,
    now: datetime,
    read_from: int | None = None,
) -> None:
    """Set how far a channel is complete; `confirmed_id` never goes back. Only the sweep calls this.

    `read_from` is the `seen_pts` that the sweep started from: where `read_anew` changed it meanwhile, it stays.
    """
    await tx.execute(
        """UPDATE channels SET confirmed_id = max(confirmed_id, :confirmed), swept_at = :now,
            seen_pts = CASE WHEN :read_from IS NULL OR seen_pts = :read_from THEN :pts ELSE seen_pts END
        WHERE id = :id""",
        {"id": channel_id, "confirmed": confirmed_id, "pts": seen_pts, "now": to_ms(now), "read_from": read_from},
    )


async def begin_past(tx: Transaction, channel_id: int, *, low: int, since: datetime) -> None:
    """Set from where on a channel is complete that is newly followed: down to the id `low`, of a date.

    Where it was followed before and nothing is missing in between, it is complete from where it was then.
    """
    await tx.execute(
        """UPDATE channels SET complete_id = :low, complete_from = :since
        WHERE id = :id AND (complete_id IS NULL OR :low > confirmed_id + 1 OR :low <= complete_id)""",
        {"id": channel_id, "low": low, "since": to_ms(since)},
    )


async def extend_past(tx: Transaction, channel_id: int, *, below: int | None, low: int, since: datetime) -> None:
    """Set that all messages under the id `below` are stored down to `low`, where this joins what is complete.

    `below` is None for the newest; `since` is the date of `low`.
    """
    await tx.execute(
        """UPDATE channels SET complete_id = :low, complete_from = min(complete_from, :since)
        WHERE id = :id AND :low < complete_id AND coalesce(:below, complete_id) >= complete_id""",
        {"id": channel_id, "low": low, "below": below, "since": to_ms(since)},
    )


async def set_verified(
    tx: Transaction, channel_id: int, *, below: int | None, now: datetime, asked_at: datetime | None = None
) -> None:
    """Set how far the verifier has come in a channel; `below` is None once it is through.

    `asked_at` is when it asked for the page. A round that began before a doubt arose leaves the doubt to the next one.
    """
    began = "iif(verify_from IS NULL, :asked, verify_began)"
    is_through = ":below IS NULL"
    was_unchecked = await _is_unchecked(tx, channel_id)
    is_settled = f"{is_through} AND (doubted_at IS NULL OR doubted_at <= {began})"
    await tx.execute(
        f"""UPDATE channels SET verify_from = :below, verify_began = {began},
            verified_at = iif({is_through}, :now, verified_at),
            doubted_at = iif({is_settled}, NULL, doubted_at),
            unchecked_since = CASE WHEN {is_settled} OR unchecked_since IS NULL THEN NULL
                WHEN {is_through} THEN max(unchecked_since, {began}) ELSE unchecked_since END
        WHERE id = :id""",  # noqa: S608 - our own words
        {"id": channel_id, "below": below, "now": to_ms(now), "asked": to_ms(asked_at or now)},
    )
    if was_unchecked and not await _is_unchecked(tx, channel_id):
        await ledger.add_gaps(tx, LineKind.GAP_FILLED, channel_id, [None], detail=CHANGES, now=now)


async def _is_unchecked(tx: Transaction, channel_id: int) -> bool:
    sql = "SELECT unchecked_since IS NOT NULL FROM channels WHERE id = :id"
    return bool(await tx.fetch_value(sql, {"id": channel_id}))


async def leave_unchecked(tx: Transaction, channel_id: int, *, now: datetime) -> None:
    """Write down that the server fails at the changes of a channel, so that some may be missing for now."""
    sql = """UPDATE channels SET unchecked_since = coalesce(swept_at, :now)
        WHERE id = :id AND unchecked_since IS NULL"""
    if await tx.execute(sql, {"id": channel_id, "now": to_ms(now)}):
        await ledger.add_gaps(tx, LineKind.GAP, channel_id, [None], detail=CHANGES, now=now)


async def set_checked(tx: Transaction, channel_id: int, *, now: datetime) -> None:
    """Write down that the changes of a channel are applied to the last; a doubt is left to the verifier."""
    sql = """UPDATE channels SET unchecked_since = NULL
        WHERE id = :id AND doubted_at IS NULL AND unchecked_since IS NOT NULL"""
    if await tx.execute(sql, {"id": channel_id}):
        await ledger.add_gaps(tx, LineKind.GAP_FILLED, channel_id, [None], detail=CHANGES, now=now)


async def doubt(tx: Transaction, channel_id: int, *, now: datetime) -> None:
    """Have the past of a channel verified at once, since its changes cannot be had from Telegram any more."""
    await leave_unchecked(tx, channel_id, now=now)
    await tx.execute("UPDATE channels SET doubted_at = :now WHERE id = :id", {"id": channel_id, "now": to_ms(now)})


async def read_anew(tx: Transaction, channel_id: int, *, now: datetime) -> None:
    """Have the sweep read a channel down to its mark again, and its past verified at once."""
    await tx.execute("UPDATE channels SET seen_pts = 0 WHERE id = :id", {"id": channel_id})
    await doubt(tx, channel_id, now=now)
