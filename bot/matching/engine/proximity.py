"""Occurrences of two steps joined where the words are near each other or in order, in bounded time."""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

# The most occurrences that one distance or phrase makes of all pairs, and the most pairs that are tried. Only a text
# that repeats one word hundreds of times has more; from there on only a few pairs are made at each word.
_MOST_OCCURRENCES = 500
_MOST_PAIRS = 5_000
_MOST_TRIED = 50  # occurrences that one is then compared with, on either side


class Occurrence(NamedTuple):
    """One place where a step holds."""

    first: int  # position of its first word
    last: int  # position of its last word
    runs: tuple[tuple[int, int], ...]  # tokens to highlight, as (first index, last index)


def in_order(first: list[Occurrence], second: list[Occurrence], distance: int) -> dict[tuple[int, int], Occurrence]:
    """Return each of `first` joined with each of `second` that begins at most `distance` words after it ends."""
    starts = [occurrence.first for occurrence in second]
    joined: dict[tuple[int, int], Occurrence] = {}
    tried = 0
    for left in first:
        for right in second[bisect_right(starts, left.last) : bisect_right(starts, left.last + distance)]:
            edges = (left.first, right.last)
            if edges not in joined:
                joined[edges] = Occurrence(*edges, left.runs + right.runs)
            tried += 1
            if len(joined) >= _MOST_OCCURRENCES or tried >= _MOST_PAIRS:
                return _in_order_once(first, second, distance)
    return joined


def _in_order_once(
    first: list[Occurrence], second: list[Occurrence], distance: int
) -> dict[tuple[int, int], Occurrence]:
    """Return each of `second` joined with the farthest of `first` before it, where all pairs would be too many."""
    before = sorted([(occurrence.last, index) for index, occurrence in enumerate(first)])
    count, at = len(before), 0
    joined: dict[tuple[int, int], Occurrence] = {}
    for right in second:
        while at < count and before[at][0] < right.first - distance:
            at += 1
        if at < count and before[at][0] < right.first:
            left = first[before[at][1]]
            joined[left.first, right.last] = Occurrence(left.first, right.last, left.runs + right.runs)
    return joined


def near(left: list[Occurrence], right: list[Occurrence], distance: int) -> dict[tuple[int, int], Occurrence]:
    """Return each of one side joined with each of the other that is near it or stands among its words."""
    if len(left) > _MOST_PAIRS:
        return _near_outermost(left, right, distance)
    starts = [occurrence.first for occurrence in right]
    reach = distance + max([occurrence.last - occurrence.first for occurrence in right])
    windows = [(bisect_left(starts, one.first - reach), bisect_right(starts, one.last + distance)) for one in left]
    if sum([end - begin for begin, end in windows]) > _MOST_PAIRS:
        return _near_outermost(left, right, distance)
    joined: dict[tuple[int, int], Occurrence] = {}
    for one, (begin, end) in zip(left, windows, strict=True):
        for other in right[begin:end]:
            if other.last < one.first - distance or _share(one, other):
                continue
            pair = _pair(one, other)
            joined.setdefault(pair[:2], pair)
            if len(joined) >= _MOST_OCCURRENCES:
                return _near_outermost(left, right, distance)
    return joined


def _near_outermost(
    left: list[Occurrence], right: list[Occurrence], distance: int
) -> dict[tuple[int, int], Occurrence]:
    """Return each of one side joined with the outermost two of the other near it, where all pairs would be too many.

    These reach furthest: what is near any pair is near one of them. For the same reason an occurrence inside another
    does not count, on either side, so that the windows move on with the occurrences.
    """
    others = _widest(right)
    count, begin, end = len(others), 0, 0
    found: set[Occurrence] = set()
    for one in _widest(left):
        while begin < count and others[begin].last < one.first - distance:
            begin += 1
        while end < count and others[end].first <= one.last + distance:
            end += 1
        for reach in (others[begin:end][:_MOST_TRIED], others[begin:end][: -_MOST_TRIED - 1 : -1]):
            for other in reach:
                if not _share(one, other):
                    found.add(_pair(one, other))
                    break
    return {occurrence[:2]: occurrence for occurrence in _widest(sorted(found))}


def _widest(occurrences: list[Occurrence]) -> list[Occurrence]:
    """Return those of sorted occurrences that lie in no other one; they begin and end in the same order."""
    kept: list[Occurrence] = []
    for occurrence in occurrences:
        if kept and occurrence.first == kept[-1].first:
            kept[-1] = occurrence
        elif not kept or occurrence.last > kept[-1].last:
            kept.append(occurrence)
    return kept


def _pair(one: Occurrence, other: Occurrence) -> Occurrence:
    return Occurrence(min(one.first, other.first), max(one.last, other.last), one.runs + other.runs)


def _share(one: Occurrence, other: Occurrence) -> bool:
    """Tell whether two occurrences use the same token: a word is not near itself."""
    if one.last < other.first or other.last < one.first:
        return False
    for a in one.runs:  # `any` would take three times as long
        for b in other.runs:
            if a[0] <= b[1] and b[0] <= a[1]:
                return True
    return False
