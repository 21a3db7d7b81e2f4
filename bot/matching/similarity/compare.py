"""Two posts come in; whether they say the same goes out. Pure.

They do where they share enough of their shingles, unless few words make it other news. How much is enough
was chosen on labelled pairs (`python -m tests.matching.likeness`): nearly all reposts follow within three hours, and
what is but somewhat alike later on is a template filled anew.
"""

from datetime import timedelta

from bot.matching.other_news import is_other_news
from bot.matching.similarity.features import Comparable

SHARE = 0.35  # of the shingles of both together that they have in common, at least
SHARE_SOON = 0.2  # the same, of posts that follow each other soon
TOLD_SOON = 0.3  # of the shingles of the later of these that the earlier one has: what adds as much again is news
SOON = timedelta(hours=3)


def least_share(apart: timedelta) -> float:
    """Return how much of the shingles of two posts together has to be in both."""
    return SHARE_SOON if apart <= SOON else SHARE


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Return how much of the shingles of two texts is in both, from 0 to 1."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def say_the_same(earlier: Comparable, later: Comparable, *, apart: timedelta = timedelta()) -> bool:
    """Tell whether two posts say the same, of which one was posted that long after the other."""
    if earlier.is_short or later.is_short:
        return False
    shared = jaccard(earlier.shingles, later.shingles)
    if shared < least_share(apart) or (shared < SHARE and _adds(earlier, later)):
        return False
    return not is_other_news(earlier, later)


def _adds(earlier: Comparable, later: Comparable) -> bool:
    return len(earlier.shingles & later.shingles) < TOLD_SOON * len(later.shingles)
