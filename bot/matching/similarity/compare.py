"""Whether two posts say the same. Pure.

They do where they share enough of their shingles, unless few words make it other news: side by side, each wording may
well add what the other does not mention; what stands in the place of something else is another matter. «Сбой в
Саратове» filled anew is «сбой в Тамбове», «отключили воду» is «отключили свет», and a list of streets that grows is
news to those who live in the new ones. How much is enough
was chosen on labelled pairs (`python -m tests.matching.likeness`): nearly all reposts follow within three hours, and
what is but somewhat alike later on is a template filled anew.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from itertools import islice, takewhile
from operator import eq

from bot.matching.similarity.features import Body, Features, shingles
from bot.matching.similarity.lexicon import AND, FILLERS, NOT, NOT_ENDS, OPPOSED, SAYS

_LEAD = 16  # words, in which a post says where and of whom it tells
_SLOT = 4  # words at most of a place that is filled anew; more is a sentence written anew
_FRESH = 3  # of these that the other text does not have
MOST_PAIRS = 4_000  # of equal words; two texts of a thousand times the same word would take minutes
MOST_WORDS = 200  # that are laid side by side of such


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """What one of two texts says where they differ."""

    body: Body
    other: Features

    def is_foreign(self, at: int) -> bool:
        """Tell whether a word names something that the other text does not."""
        return self.body.is_name(at) and not self.other.names(self.body.words[at])

    def has_foreign(self, where: slice) -> bool:
        """Tell whether any of some words does."""
        return any(map(self.is_foreign, range(where.start, where.stop)))


def is_other_news(one: Features, other: Features) -> bool:
    """Tell whether one names what stands in another's place, denies or ends what the other tells, or lists more."""
    if one.tokens == other.tokens:
        return False
    if one.is_end != other.is_end:
        return True
    left, right = _Side(body=one.body, other=other), _Side(body=other.body, other=one)
    return _differ_side_by_side(left, right) or (_names_others(left) and _names_others(right))


def _names_others(side: _Side) -> bool:
    """Tell whether its lead names something that the other does not, in a line that is in part the other's too.

    What stands in lines of their own is what a channel adds.
    """
    words, lines = side.body.words, side.body.lines
    named = {lines[at] for at in range(min(_LEAD, len(words))) if side.is_foreign(at)}
    said = ([word for word, its in zip(words, lines, strict=True) if its == line] for line in named)
    return any(not side.other.shingles.isdisjoint(shingles(some)) for some in said)


def _differ_side_by_side(left: _Side, right: _Side) -> bool:
    return any(
        _denies(left, here, right, there)
        or (_is_filled_anew(left, here, right, there) if is_replaced else _grows(left, here) or _grows(right, there))
        for is_replaced, here, there in _parts(left.body.words, right.body.words)
    )


def _parts(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[bool, slice, slice]]:
    """Lay words side by side: yield where they differ, and whether something stands there in both."""
    start = sum(1 for _ in takewhile(bool, map(eq, one, other)))
    most = min(len(one), len(other)) - start
    end = sum(1 for _ in takewhile(bool, map(eq, islice(reversed(one), most), reversed(other))))
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    often = Counter(other)
    if sum(often[word] for word in one) > MOST_PAIRS:
        one, other = one[:MOST_WORDS], other[:MOST_WORDS]
    for tag, i, i_end, j, j_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag != "equal":
            yield tag == "replace", slice(start + i, start + i_end), slice(start + j, start + j_end)


def _is_filled_anew(one: _Side, here: slice, other: _Side, there: slice) -> bool:
    """Tell whether something else stands in a place; how a text ends is often written anew."""
    if one.has_foreign(here) and other.has_foreign(there):
        return True
    digits, others = _digits(one.body.words[here]), _digits(other.body.words[there])
    if digits and others and digits != others:
        return True
    if not _is_slot(here, there):
        return False
    if _are_opposed(one.body.words[here], other.body.words[there]):
        return True
    is_last = here.stop == len(one.body.words) and there.stop == len(other.body.words)
    most = 1 if is_last else _FRESH
    return all(
        0 < len(words) <= most for words in _without_fillers(list(_fresh(one, here)), list(_fresh(other, there)))
    )


def _without_fillers(words: Sequence[str], others: Sequence[str]) -> Sequence[Sequence[str]]:
    """Leave out that something is said or has happened, where both tell that: «сообщил» is put for «заявил»."""
    told = [[word for word in some if not word.startswith(SAYS)] for some in (words, others)]
    return told if len(told[0]) < len(words) and len(told[1]) < len(others) else (words, others)


def _denies(one: _Side, here: slice, other: _Side, there: slice) -> bool:
    """Tell whether there is a «not» in one of two places alone."""
    return _is_slot(here, there) and _has_not(one.body.words[here]) != _has_not(other.body.words[there])


def _is_slot(here: slice, there: slice) -> bool:
    longest: int = max(here.stop - here.start, there.stop - there.start)
    return longest <= _SLOT


def _has_not(words: Sequence[str]) -> bool:
    return any(word in NOT or word.endswith(NOT_ENDS) for word in words)


def _are_opposed(words: Sequence[str], others: Sequence[str]) -> bool:
    return len(words) == len(others) and any(frozenset(pair) in OPPOSED for pair in zip(words, others, strict=True))


def _digits(words: Sequence[str]) -> list[str]:
    return sorted(word for word in words if word[0].isdigit())


def _fresh(side: _Side, where: slice) -> Iterator[str]:
    for word in side.body.words[where]:
        if word not in FILLERS and not side.other.mentions(word):
            yield word


def _grows(side: _Side, where: slice) -> bool:
    """Tell whether a list of names or numbers goes on there that ends before in the other text."""
    body, start, words = side.body, where.start, side.body.words[where]
    if start == 0 or not words or not body.is_name(start - 1):
        return False
    is_and = words[0] in AND
    if not is_and and not body.is_listed(start):
        return False
    named = sum(map(side.is_foreign, range(start, where.stop)))
    return named > 0 and 2 * named >= len(words) - is_and


SHARE = 0.35  # of the shingles of both together that they have in common, at least
SHARE_SOON = 0.2  # the same, of posts that follow each other soon
KNOWN_SOON = 0.3  # of the shingles of the later of these that the earlier one has: what adds as much again is news
SOON = timedelta(hours=3)


def least_share(apart: timedelta) -> float:
    """Return how much of the shingles of two posts together has to be in both."""
    return SHARE_SOON if apart <= SOON else SHARE


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Return how much of the shingles of two texts is in both, from 0 to 1."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def say_the_same(earlier: Features, later: Features, *, apart: timedelta = timedelta()) -> bool:
    """Tell whether two posts say the same, of which one was posted that long after the other."""
    if earlier.is_short or later.is_short:
        return False
    shared = jaccard(earlier.shingles, later.shingles)
    if shared < least_share(apart) or (shared < SHARE and _adds(earlier, later)):
        return False
    return not is_other_news(earlier, later)


def _adds(earlier: Features, later: Features) -> bool:
    return len(earlier.shingles & later.shingles) < KNOWN_SOON * len(later.shingles)
