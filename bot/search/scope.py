"""Where to look: what people call channels comes in, a scope of their ids goes out, or an error with the name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.search.filters import FilterError, Filters, Named
from bot.store import channels
from bot.store.database import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which posts are asked about."""

    channel_ids: Sequence[int] | None = None  # bare; None: all channels
    since: datetime | None = None  # dates count in whole seconds
    until: datetime | None = None  # excluded
    history: bool = False  # also what a message said before it was edited


async def scope_of(db: Reader, filters: Filters) -> Scope:
    """Find the channels that are named, by name, id or beginning; raises FilterError for a name that none goes by."""
    ids = {channel_id: None for named in filters.channels for channel_id in await _find(db, named)}
    return Scope(
        channel_ids=tuple(ids) if filters.channels else None,
        since=filters.since,
        until=filters.until,
        history=filters.history,
    )


async def _find(db: Reader, named: Named) -> list[int]:
    """Return the channel of this name, or else all whose titles begin so."""
    found = await channels.find(db, named.text)
    if found is not None:
        return [found.id]
    begun = await channels.begun(db, named.text)
    if not begun:
        raise FilterError("unknown_channel", named.position, value=named.text)
    return [channel.id for channel in begun]
