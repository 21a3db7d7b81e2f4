"""Words of two texts compared: equal, forms of one, mistyped, or at the same end."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice, takewhile, zip_longest
from operator import eq
from typing import TypeVar

from bot.matching import read_table

# Words that do not count like others where posts are compared, folded; `lexicon.toml` explains them.
_TABLE = read_table(__package__, "lexicon")
SPELT = {word: spelling for spelling, words in _TABLE["spellings"].items() for word in words.split()}
DAYS = frozenset(_TABLE["days"].split())
FILLERS = frozenset(_TABLE["fillers"].split())
OPPOSED = frozenset(map(frozenset, _TABLE["opposed"]))
AND = frozenset(_TABLE["and"].split())
NOT = frozenset(_TABLE["not"].split())
NOT_ENDS = tuple(_TABLE["not_endings"].split())
SIGNS = tuple(_TABLE["signatures"].split())
SAYS = tuple(_TABLE["says"].split())
ENDS = frozenset(
    stem + ending.strip(".")
    for group in _TABLE["ends"]
    for stem in group["stems"].split()
    for ending in group["endings"].split()
)


T = TypeVar("T")

SPECIAL = "'"  # begins the tokens of mentions, tags and sites
_SHORTEST = 7  # letters of words of which one may be the other mistyped: «прилёт» is not «пролёт»
# Ends of the forms of one name, after their common part: «Иран» and «Ирак» are two, so are «Australia» and «Austria».
_ENDING = re.compile("(?:й?ск)?[аеиіїйоуыьюяєё]*(?:го|му|м|ми|х|в|й)?|'?s|ns?")


@lru_cache(maxsize=1 << 16)
def is_exact(word: str) -> bool:
    """Tell whether a word is a number, a day, a mention or a site, of which another form is another thing."""
    if word[0].isdigit() or word[0] == SPECIAL or word in DAYS:
        return True
    return "дцат" in word or "тысяч" in word or "сотн" in word  # «двадцатый», «тысячный»


def common_ends(one: Sequence[T], other: Sequence[T]) -> tuple[int, int]:
    """Return how many items both sequences begin with, and how many of the others they end with."""
    start = sum(1 for _ in takewhile(bool, map(eq, one, other)))
    rest = min(len(one), len(other)) - start
    return start, sum(1 for _ in takewhile(bool, map(eq, islice(reversed(one), rest), reversed(other))))


def spelt_out(words: Iterable[str]) -> list[str]:
    """Return words with numbers and units in one spelling: «четыре» is «4», «млн» is «миллион»."""
    return [SPELT.get(word, word) for word in words]


@lru_cache(maxsize=1 << 14)
def is_same(word: str, other: str) -> bool:
    """Tell whether two words are of one root, by the length of their common beginning, or one is the other mistyped."""
    if word == other or is_exact(word) or is_exact(other):
        return word == other
    return _is_kin(word, other, _in_common(word, other)) or _is_mistyped(word, other)


@lru_cache(maxsize=1 << 14)
def is_same_name(word: str, other: str) -> bool:
    """Tell whether two names are forms of one."""
    if word == other or is_exact(word) or is_exact(other):
        return word == other
    common = _in_common(word, other)
    endings = _ENDING.fullmatch(word, common), _ENDING.fullmatch(other, common)
    return None not in endings and _is_kin(word, other, common)


def _in_common(word: str, other: str) -> int:
    return next((n for n, (one, two) in enumerate(zip_longest(word, other)) if one != two), 0)


def _is_kin(word: str, other: str, common: int) -> bool:
    return max(len(word), len(other)) - common <= min(5, common - 1)


def _is_mistyped(word: str, other: str) -> bool:
    """Tell whether in two long words one letter differs, is missing, or has changed places with its neighbour."""
    at = _in_common(word, other)
    if min(at + 5, len(word), len(other)) < _SHORTEST:
        return False
    rest, others = word[at:], other[at:]
    if rest[:2] == others[1::-1] and rest[2:] == others[2:]:
        return True
    return rest[1:] == others[1:] or rest[1:] == others or rest == others[1:]
