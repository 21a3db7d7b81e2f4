"""Whether a topic has unusually many posts in this hour, judged by the weeks before. Pure.

Two measures have to agree. The hour has several times as many posts as hours like it: the same weekday and time, give
or take an hour, in the weeks before, without the highest ones. And hardly any day of these weeks had an hour with as
many: that bounds the false alarms of all topics of a chat together, whatever their rhythm. What towers above the other
days counts as if more weeks were known, so that one great day does not hide the next for weeks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

REMEMBERED = 8  # weeks
ENOUGH = 4  # weeks of history, before a topic is judged
TIMES = 5  # as many as usual
FEWEST_POSTS, FEWEST_CHANNELS = 6, 3
SLOT = 600  # s: posts are counted by ten minutes, since an hour may begin at any of them
HOUR, DAY, WEEK = 6, 6 * 24, 6 * 24 * 7  # in slots
_NEAR = (-HOUR, 0, HOUR)  # hours like this one
_TRIMMED = 0.15  # of these hours, the highest
_WEEKS_A_TOPIC, _FEWEST_WEEKS = 1.6, 4  # in which a day as busy is no surprise: the more topics, the more days in all
_TOWERING = 3.0  # times the other days, and no more, count as so many times the weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPast:
    """What a topic brought to a chat in the weeks before today; slots are numbered from 1970."""

    slots: Mapping[int, int]  # posts; those without any are left out
    peaks: tuple[int, ...]  # the posts of the busiest hour of each day, the most first

    @staticmethod
    def of(slots: Mapping[int, int]) -> "TopicPast":
        """Find the busiest hour of each day."""
        peaks: dict[int, int] = {}
        for slot in slots:
            peaks[slot // DAY] = max(peaks.get(slot // DAY, 0), _hour(slots, slot))
        return TopicPast(slots=slots, peaks=tuple(sorted(peaks.values(), reverse=True)))

    def weeks(self, now: int) -> float:
        """Return how many weeks are known in a slot."""
        return min(REMEMBERED, (now - min(self.slots, default=now)) / WEEK)


def _hour(slots: Mapping[int, int], last: int) -> int:
    return sum(slots.get(last - number, 0) for number in range(HOUR))


def usual_posts(past: TopicPast, now: int) -> float | None:
    """Return the posts of an hour like that which ends in a slot; None for a topic that is too new."""
    weeks = int(past.weeks(now))
    if weeks < ENOUGH:
        return None
    like = sorted(_hour(past.slots, now - week * WEEK + near) for week in range(1, weeks + 1) for near in _NEAR)
    kept = like[: max(1, round(len(like) * (1 - _TRIMMED)))]
    return sum(kept) / len(kept)


def is_surge(posts: int, channels: int, past: TopicPast, now: int, *, topics: int) -> bool:
    """Tell whether so many posts of so many channels in the hour up to a slot are unusual, in a chat of some topics."""
    if posts < FEWEST_POSTS or channels < FEWEST_CHANNELS:
        return False
    usual = usual_posts(past, now)
    if usual is None or posts < TIMES * usual:
        return False
    as_busy = sum(peak >= posts for peak in past.peaks)  # days
    other = past.peaks[as_busy] if as_busy < len(past.peaks) else 1
    needed = (as_busy + 1) * max(_FEWEST_WEEKS, _WEEKS_A_TOPIC * topics)
    return past.weeks(now) * min(_TOWERING, posts / other) >= needed
