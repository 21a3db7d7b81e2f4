"""Two posts come in; whether they say the same goes out. Pure.

They do where they share more than a third of their runs of three words, which was chosen on labelled pairs
(`python -m tests.matching.likeness`), unless few words make it other news.
"""

from functools import lru_cache

from bot.matching.compared import Wording
from bot.matching.other_news import is_other_news

SHARE = 0.35  # of the runs of both together that they have in common, at least
READ = 256  # texts are kept as they were read


@lru_cache(maxsize=READ)
def read(text: str) -> Wording:
    """Read a text, unless it was read lately: those of a template are compared again and again."""
    return Wording(text)


def share(one: frozenset[str], other: frozenset[str]) -> float:
    """Return how much of the runs of two texts is in both, from 0 to 1."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def say_the_same(one: Wording, other: Wording) -> bool:
    """Tell whether two posts say the same."""
    if one.is_short or other.is_short or share(one.runs, other.runs) < SHARE:
        return False
    return not is_other_news(one, other)
