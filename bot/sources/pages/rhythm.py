"""How often the web pages of channels are read: by how often each posts, and by how many there are. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.runtime.pauses import doubled
from bot.store.page_readings import CEILING, FLOOR, longest_pause


def interval(
    dates: Sequence[datetime], *, channels: int, is_fast: bool, failures: int = 0, least: timedelta = FLOOR
) -> timedelta:
    """Return the pause between two readings of a channel, by the dates of its last posts in their order.

    One that posts often is read twice between two posts, and before its page is full. The others share what is left:
    few are read each minute, of many each as soon as all others were. After failures it is left alone for longer.
    """
    if is_fast:
        usual = least
    else:
        span = dates[-1] - dates[0] if len(dates) > 1 else CEILING
        usual = min(span / max(1, len(dates) - 1) / 2, longest_pause(channels, least))
    return doubled(max(least, usual), failures, CEILING)
