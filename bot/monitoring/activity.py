"""Whether a channel's present silence is unusual for it, judged by the times of its posts. Pure.

Time is measured in the posts that the channel would have made: a night counts for little, a Monday morning for much. A
silence is unusual once it is clearly longer, so measured, than any of the last weeks. So each channel is its own
measure, whether it posts evenly or in bursts, and holidays within these weeks are allowed for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

REMEMBERED = timedelta(weeks=8)
SLOT = timedelta(minutes=10)  # posts within one slot count once: albums, threads, corrections
ENOUGH = timedelta(weeks=4)  # of history …
FEWEST = 40  # … and of slots with posts in it, before a channel is judged
TIMES = 1.8  # the longest silence so far
LEAST = 6.0
WEEK = 7 * 24  # h
_HOUR = 3600.0  # s
_BLUR = ((-1, 0.25), (0, 0.5), (1, 0.25))  # of each hour with its neighbours: eight weeks hold few posts for each


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How many posts a channel makes, by hour and weekday."""

    until: tuple[float, ...]  # posts from the week's begin to that of each of its hours, and to its end
    longest: float  # silence, in posts that would have been said meanwhile

    def expected(self, since: datetime, until: datetime) -> float:
        """Return how many posts the channel usually makes between two moments."""
        return self._at(until) - self._at(since)

    def is_unusual(self, last: datetime, now: datetime) -> bool:
        """Say whether it is unusual that the channel has posted nothing from its last post until now."""
        return self.expected(last, now) > max(LEAST, TIMES * self.longest)

    def _at(self, moment: datetime) -> float:
        hours = moment.timestamp() / _HOUR
        weeks, hour = divmod(hours, WEEK)
        whole = int(hour)
        part = (self.until[whole + 1] - self.until[whole]) * (hour - whole)
        return weeks * self.until[-1] + self.until[whole] + part


def learn_baseline(slots: Sequence[datetime]) -> Baseline | None:
    """Learn from the begins of the slots in which a channel posted, ascending; None where they are too few."""
    if len(slots) < FEWEST or slots[-1] - slots[0] < ENOUGH:
        return None
    weeks = (slots[-1] - slots[0]) / timedelta(weeks=1)
    counts = [0.0] * WEEK
    for slot in slots:
        for offset, share in _BLUR:
            counts[int(slot.timestamp() // _HOUR + offset) % WEEK] += share / weeks
    learned = Baseline(until=(0.0, *accumulate(counts)), longest=0.0)
    longest = max(learned.expected(since, until) for since, until in pairwise(slots))
    return Baseline(until=learned.until, longest=longest)
