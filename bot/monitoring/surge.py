"""Whether a topic has unusually many posts in this hour, judged by the hours of the last weeks. Pure.

Two measures have to agree. The hour has several times as many posts as hours like it: the same weekday and time, give
or take an hour, in the weeks before, without the highest ones. And hardly any hour of these weeks had as many: that
bounds the false alarms of any rhythm, however bursty it is, to a few hours in as many weeks.
"""

from collections.abc import Mapping

REMEMBERED = 8  # weeks
ENOUGH = 4  # weeks of history, before a topic is judged
TIMES = 5  # as many as usual
FEWEST_POSTS, FEWEST_CHANNELS = 6, 3
WEEK = 7 * 24  # h
_NEAR = (-1, 0, 1)  # h: hours like this one
_TRIMMED = 0.15  # of these hours, the highest
_WEEKS_PER_HIGHER = 4  # in so many weeks, one hour may have had as many


def usual_posts(hours: Mapping[int, int], now: int) -> float | None:
    """Return the posts of an hour like this one, of the hours counted so far; None for a topic that is too new.

    Hours are numbered on end; those without posts may be left out.
    """
    if not hours or now - min(hours) < ENOUGH * WEEK:
        return None
    weeks = min(REMEMBERED, (now - min(hours)) // WEEK)
    like = sorted(hours.get(now - week * WEEK + near, 0) for week in range(1, weeks + 1) for near in _NEAR)
    kept = like[: max(1, round(len(like) * (1 - _TRIMMED)))]
    return sum(kept) / len(kept)


def is_surge(posts: int, channels: int, hours: Mapping[int, int], now: int) -> bool:
    """Tell whether so many posts of so many channels in the last hour are unusual; `hours` are those before it."""
    usual = usual_posts(hours, now)
    if usual is None or posts < FEWEST_POSTS or channels < FEWEST_CHANNELS or posts < TIMES * usual:
        return False
    past = [count for hour, count in hours.items() if now - REMEMBERED * WEEK <= hour < now]
    weeks = min(REMEMBERED, (now - min(hours)) // WEEK)
    return sum(count >= posts for count in past) <= weeks // _WEEKS_PER_HIGHER - 1
