"""Two wordings that are much alike come in; whether one tells other news goes out. Pure.

Their words are laid side by side. Each may well add what the other does not mention; what stands in the place of
something else is another matter: «сбой в Саратове» filled anew is «сбой в Тамбове», «отключили воду» is «отключили
свет», and a list of streets that grows tells those who live in the new ones.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import compress

from bot.matching.compared import CALLS, Body, Wording, runs

_SLOT = 4  # words at most of a place that is filled anew; more is a sentence written anew
_FRESH = 3  # of these that the other text does not have
MOST_PAIRS = 4_000  # of equal words; two texts of a thousand times the same word would take minutes
MOST_WORDS = 200  # that are laid side by side of such
_AND = frozenset({"и", "а", "та", "і", "й", "and"})
_FILLERS = frozenset(
    """в во на с со по о об обо от до из за у к ко и а но же бы что как это этом этой этот эта эти том там тут так для
    при над под без или ли не ни его ее их он она они мы вы я ты был была было были есть уже еще также тоже вновь снова
    ранее теперь сейчас только более который которая которые после перед через около между чтобы если когда где сам все
    всех всем очень the a an of in on at to for and or is are was were be been has have had with by from as it its this
    that""".split()  # noqa: SIM905 - words are read as words
)
# How verbs end. They are put for one another as a writer likes («произошёл», «случился»); where one undoes the other,
# it tells of an end.
_VERB = re.compile(
    "(?:[аеиоуы]?л[аои]?|[аяуюи]ет|[аяи]т|[аяую]ют|ут|[аеияуы]ть|ти|чь|(?:[аяе]н|ит|ыт|ут)[аоы]?|ed|s)(?:с[ья])?$|с[ья]$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """What one of two texts says where they differ."""

    body: Body
    foreign: Sequence[bool]  # whether the word names something that the other text does not
    other: Wording


def is_other_news(one: Wording, other: Wording) -> bool:
    """Tell whether one names what stands in another's place, denies or ends what the other tells, or lists more."""
    if one.document.tokens == other.document.tokens:
        return False
    if one.is_end != other.is_end:
        return True
    if (one.denied - other.denied) & other.affirmed or (other.denied - one.denied) & one.affirmed:
        return True
    left, right = _side(one, other), _side(other, one)
    return (_names_beside(left) and _names_beside(right)) or _differ_side_by_side(left, right)


def _side(one: Wording, other: Wording) -> _Side:
    body = one.body
    named = zip(body.words, body.is_name, strict=True)
    return _Side(body=body, foreign=[is_name and not other.mentions(word) for word, is_name in named], other=other)


def _names_beside(side: _Side) -> bool:
    """Tell whether it names something that the other does not, in a line that is in part the other's too.

    What stands in lines of their own is what a channel adds.
    """
    named = set(compress(side.body.lines, side.foreign))
    lines = ([word for word, n in zip(side.body.words, side.body.lines, strict=True) if n == line] for line in named)
    return any(not runs(words).isdisjoint(side.other.runs) for words in lines)


def _differ_side_by_side(left: _Side, right: _Side) -> bool:
    parts = _parts(left.body.words, right.body.words)
    return any(
        _is_filled_anew(left, slice(i, i_end), right, slice(j, j_end), is_last=number == len(parts))
        if tag == "replace"
        else _grows(left, i, i_end) or _grows(right, j, j_end)
        for number, (tag, i, i_end, j, j_end) in enumerate(parts, 1)
        if tag != "equal"
    )


def _parts(one: Sequence[str], other: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """Lay words side by side: what is equal, and what was replaced, deleted or inserted, and where."""
    often = Counter(other)
    if sum(often[word] for word in one) > MOST_PAIRS:
        one, other = one[:MOST_WORDS], other[:MOST_WORDS]
    return SequenceMatcher(None, one, other, autojunk=False).get_opcodes()


def _is_filled_anew(one: _Side, here: slice, other: _Side, there: slice, *, is_last: bool) -> bool:
    """Tell whether something else stands in a place; how a text ends is often written anew."""
    if any(one.foreign[here]) and any(other.foreign[there]):
        return True
    digits, others = _digits(one.body.words[here]), _digits(other.body.words[there])
    if digits and others and digits != others:
        return True
    if max(here.stop - here.start, there.stop - there.start) > _SLOT:
        return False
    fresh = list(_fresh(one, here)), list(_fresh(other, there))
    most = 1 if is_last else _FRESH
    return all(words and len(words) <= most and not all(map(_VERB.search, words)) for words in fresh)


def _digits(words: Sequence[str]) -> list[str]:
    return sorted(word for word in words if word[0].isdigit())


def _fresh(side: _Side, where: slice) -> Iterator[str]:
    for word in side.body.words[where]:
        if word not in _FILLERS and not word.startswith(CALLS) and not side.other.mentions(word):
            yield word


def _grows(side: _Side, start: int, end: int) -> bool:
    """Tell whether a list of names or numbers goes on there that ends before in the other text."""
    body = side.body
    if not 0 < start < end or not body.is_name[start - 1]:
        return False
    is_and = body.words[start] in _AND
    named = sum(side.foreign[start:end])
    return (is_and or body.is_listed[start]) and named > 0 and 2 * named >= end - start - is_and
