"""Whether two posts say the same.

They do where they share enough of their shingles, unless few words make other news of one. Laid side by side, each may
well add what the other does not mention, but not put one thing in the place of another: «сбой в Саратове» filled anew
is «сбой в Тамбове», «отключили воду» is «отключили свет», and a list of streets that grows is news to those who live in
the new ones. The thresholds were chosen on labelled pairs (`python -m tests.matching.likeness`): nearly all reposts
follow within three hours, and posts that are but somewhat alike later on are a template filled anew.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher

from bot.matching.similarity.features import Body, Features, shingles
from bot.matching.similarity.words import AND, FILLERS, NOT, NOT_ENDS, OPPOSED, SAYS, common_ends

_LEAD = 16  # words, in which a post names its place and persons
_SLOT = 4  # words at most of a slot that a template fills anew; more is a sentence written anew
_FRESH = 3  # of these at most that the other text does not have
MOST_PAIRS = 4_000  # of equal words; two texts of one word a thousand times would take minutes
MOST_WORDS = 200  # of such texts that are laid side by side


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One of two texts, and the other."""

    body: Body
    other: Features

    def is_foreign(self, at: int) -> bool:
        """Tell whether a word is a name or number that the other text does not have."""
        return self.body.is_name(at) and not self.other.names(self.body.words[at])

    def has_foreign(self, where: slice) -> bool:
        """Tell whether any of some words is one."""
        return any(map(self.is_foreign, range(where.start, where.stop)))


def is_other_news(one: Features, other: Features) -> bool:
    """Tell whether one text names something else in the same place, denies or ends the other's news, or lists more."""
    if one.tokens == other.tokens:
        return False
    if one.is_end != other.is_end:
        return True
    left, right = _Side(body=one.body, other=other), _Side(body=other.body, other=one)
    for is_replaced, here, there in _differences(one.body.words, other.body.words):
        if _is_slot(here, there) and _has_not(one.body.words[here]) != _has_not(other.body.words[there]):
            return True
        if is_replaced and _is_filled_anew(left, here, right, there):
            return True
        if not is_replaced and (_grows(left, here) or _grows(right, there)):
            return True
    return _names_others(left) and _names_others(right)


def _names_others(side: _Side) -> bool:
    """Tell whether its lead has a foreign name in a line that is in part the other's too; channels add whole lines."""
    words, lines = side.body.words, side.body.lines
    named = {lines[at] for at in range(min(_LEAD, len(words))) if side.is_foreign(at)}
    lines_named = ([word for word, its in zip(words, lines, strict=True) if its == line] for line in named)
    return any(not side.other.shingles.isdisjoint(shingles(some)) for some in lines_named)


def _differences(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[bool, slice, slice]]:
    """Lay words side by side: yield the slices that differ, after whether both have words there."""
    start, end = common_ends(one, other)
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    often = Counter(other)
    if sum(often[word] for word in one) > MOST_PAIRS:
        one, other = one[:MOST_WORDS], other[:MOST_WORDS]
    for tag, i, i_end, j, j_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag != "equal":
            yield tag == "replace", slice(start + i, start + i_end), slice(start + j, start + j_end)


def _is_filled_anew(one: _Side, here: slice, other: _Side, there: slice) -> bool:
    """Tell whether two slots name different things; the end of a text is often merely written anew."""
    words, others = one.body.words[here], other.body.words[there]
    if (one.has_foreign(here) and other.has_foreign(there)) or _have_other_numbers(words, others):
        return True
    if not _is_slot(here, there):
        return False
    if _are_opposed(words, others):
        return True
    fresh, other_fresh = list(_fresh(one, here)), list(_fresh(other, there))
    # «сообщил» may stand for «заявил»: where both have a verb of saying or happening, it does not count
    news, other_news = _without_verbs_of_saying(fresh), _without_verbs_of_saying(other_fresh)
    if len(news) < len(fresh) and len(other_news) < len(other_fresh):
        fresh, other_fresh = news, other_news
    is_last = here.stop == len(one.body.words) and there.stop == len(other.body.words)
    most = 1 if is_last else _FRESH
    return all(0 < len(side) <= most for side in (fresh, other_fresh))


def _have_other_numbers(words: Sequence[str], others: Sequence[str]) -> bool:
    numbers, other_numbers = (sorted(word for word in side if word[0].isdigit()) for side in (words, others))
    return bool(numbers and other_numbers) and numbers != other_numbers


def _are_opposed(words: Sequence[str], others: Sequence[str]) -> bool:
    return len(words) == len(others) and any(frozenset(pair) in OPPOSED for pair in zip(words, others, strict=True))


def _without_verbs_of_saying(words: Sequence[str]) -> list[str]:
    return [word for word in words if not word.startswith(SAYS)]


def _is_slot(here: slice, there: slice) -> bool:
    longest: int = max(here.stop - here.start, there.stop - there.start)
    return longest <= _SLOT


def _has_not(words: Sequence[str]) -> bool:
    return any(word in NOT or word.endswith(NOT_ENDS) for word in words)


def _fresh(side: _Side, where: slice) -> Iterator[str]:
    for word in side.body.words[where]:
        if word not in FILLERS and not side.other.mentions(word):
            yield word


def _grows(side: _Side, where: slice) -> bool:
    """Tell whether a list of names or numbers goes on there, while the other text ends it before."""
    body, start, words = side.body, where.start, side.body.words[where]
    if start == 0 or not words or not body.is_name(start - 1):
        return False
    is_and = words[0] in AND
    if not is_and and not body.is_listed(start):
        return False
    named = sum(map(side.is_foreign, range(start, where.stop)))
    return named > 0 and 2 * named >= len(words) - is_and


SHARE = 0.35  # at least, of the shingles of two posts together, in both
SHARE_SOON = 0.2  # the same for posts that follow each other soon
KNOWN_SOON = 0.3  # at least, of the shingles of the later, in the earlier: what adds as much again is news
SOON = timedelta(hours=3)


def least_share(apart: timedelta) -> float:
    """Return the least share of common shingles for posts so far apart to say the same, from 0 to 1."""
    return SHARE_SOON if apart <= SOON else SHARE


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of common shingles among those of both, from 0 to 1."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def say_the_same(earlier: Features, later: Features, *, apart: timedelta = timedelta()) -> bool:
    """Tell whether two posts say the same, of which one was posted so long after the other."""
    if earlier.is_short or later.is_short:
        return False
    shared = jaccard(earlier.shingles, later.shingles)
    if shared < least_share(apart):
        return False
    if shared < SHARE and len(earlier.shingles & later.shingles) < KNOWN_SOON * len(later.shingles):
        return False
    return not is_other_news(earlier, later)
