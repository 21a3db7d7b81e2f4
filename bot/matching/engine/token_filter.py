"""A quick test on indexed words of whether a query may match a text, before the text itself is read.

Most texts that a full-text index proposes for a phrase have its words far apart. Here that is seen from the words
alone, in a fifth of the time that reading the text anew takes; what passes has to be verified all the same.
"""

from collections.abc import Mapping

from bot.matching.engine.plan import (
    AndStep,
    AnyStep,
    NearStep,
    OrStep,
    Placed,
    RegexStep,
    SequenceStep,
    Step,
    Term,
    TermStep,
    plan_terms,
)
from bot.matching.engine.term_index import TermIndex
from bot.matching.words.tokens import tag_token

_TAG = tag_token("")
_MOST_TERMS = 60  # of a query that this look is quicker for
_MOST_RUNS = 200  # that one step may have before the text passes unseen
_Run = tuple[int, int]  # indexes of the first and the last token


class TokenFilter:
    """One query's look at many texts."""

    def __init__(self, plan: Step) -> None:
        self._plan = plan
        terms = set(plan_terms(plan, excluded=False))
        self._terms: TermIndex[Term] = TermIndex()
        for term in terms:
            self._terms.add(term, term)
        self._asks_for_order = _has_order(plan)
        # else a text with the right words is nearly always a find, or this look takes longer than the query itself
        self.is_worthwhile = self._asks_for_order and len(terms) <= _MOST_TERMS

    def passes(self, words: str, text: str | None) -> bool:
        """Tell whether a text may match; without it, regular expressions are taken to hold.

        `words` is `Document.indexed`, with or without more words before it.
        """
        if self._asks_for_order and _TAG in words:  # a tag's words share their places: their order tells no distances
            return True
        try:
            return _holds(self._plan, self._terms.places(words.split(" ")), text)
        except _TooManyError:
            return True


class _TooManyError(Exception):
    """A step stands at too many places to work them out quickly."""


def _holds(step: Step, places: Mapping[Term, list[int]], text: str | None) -> bool:
    match step:
        case AndStep(items):
            return all(_holds(item, places, text) for item in items)
        case OrStep(items):
            return any(_holds(item, places, text) for item in items)
        case RegexStep(program):
            return text is None or bool(program.spans(text))
        case _:
            return bool(_runs(step, places))


def _runs(step: Placed, places: Mapping[Term, list[int]]) -> set[_Run]:
    """Return where a step may stand. Tokens lie no further apart than the words whose distance the query means."""
    match step:
        case TermStep(term):
            runs = {(index, index) for index in places.get(term, ())}
        case SequenceStep():
            runs = _sequences(step, places)
        case NearStep(left, right, distance):
            one = _runs(left, places)
            runs = _near(one, _runs(right, places) if one else set(), distance)
        case AnyStep(items):
            runs = {run for item in items for run in _runs(item, places)}
    if len(runs) > _MOST_RUNS:
        raise _TooManyError
    return runs


def _sequences(step: SequenceStep, places: Mapping[Term, list[int]]) -> set[_Run]:
    if any(item.term not in places for item in step.items):
        return set()
    runs = _runs(step.items[0], places)
    for item in step.items[1:]:
        runs = _in_order(runs, _runs(item, places), step.gap + 1) if runs else runs
    return runs


def _in_order(left: set[_Run], right: set[_Run], distance: int) -> set[_Run]:
    return {(first, end) for first, last in left for start, end in right if last < start <= last + distance}


def _near(left: set[_Run], right: set[_Run], distance: int) -> set[_Run]:
    """Return the pairs near each other; a run has a word of its own at both ends, and none is near itself."""
    return {
        (min(first, start), max(last, end))
        for first, last in left
        for start, end in right
        if start - distance <= last and first - distance <= end and not {first, last} & {start, end}
    }


def _has_order(step: Step) -> bool:
    match step:
        case SequenceStep() | NearStep():
            return True
        case AndStep(items) | AnyStep(items) | OrStep(items):
            return any(map(_has_order, items))
        case _:
            return False
