"""A quick test of whether a query may match a text, by the indexed words of the text, before the text itself is read.

Most texts that a full-text index proposes for a phrase have its words far apart. Their words alone show that in a fifth
of the time that reading the text anew takes; a text that passes has to be verified all the same.
"""

from collections.abc import Mapping, Sequence

from bot.matching.engine.compiled import Compiled
from bot.matching.engine.evaluate import holds
from bot.matching.engine.plan import Evaluation, Term, plan_terms
from bot.matching.engine.planner import Planner
from bot.matching.engine.regex import Program
from bot.matching.engine.term_index import TermIndex
from bot.matching.query.tree import AllOf, AnyOf, Near, Node, Phrase, Within, walk
from bot.matching.words.tokens import analyse, tag_token
from bot.matching.words.windows import EVERYWHERE, Unit
from bot.text.spans import Span

_TAG = tag_token("")
_MOST_TERMS = 60  # of a query for which the filter is quicker than the query itself
_MOST_PLACES = 50  # of one term; a text that repeats a word more often passes unseen
_NOWHERE: list[int] = []
_SOMEWHERE = [(0, 1)]
_NO_TEXT = analyse("")


def is_filter_worthwhile(query: Compiled) -> bool:
    """Tell whether filtering saves time: unless order matters, a text with the right words nearly always matches."""
    return _has_order(query.query.root) and sum(1 for _ in plan_terms(query.plan)) <= _MOST_TERMS


class TokenFilter:
    """The filter of one query: its plan without exclusions and capitals, evaluated on indexed words."""

    def __init__(self, query: Compiled) -> None:
        root = _without_exclusions(query.query.root)
        self._plan = Planner(query.forms, lambda forms, prefixes, _: Term(forms, prefixes)).build(root)
        self._has_order = _has_order(root)
        self._terms: TermIndex[Term] = TermIndex()
        for term in plan_terms(self._plan):
            self._terms.add(term, term)

    def passes(self, words: str, text: str | None) -> bool:
        """Tell whether a text may match; without the text, regular expressions are taken to match.

        `words` is `Document.indexed`, with or without more words before it.
        """
        if self._has_order and _TAG in words:  # the words of a tag share their positions, so their order says nothing
            return True
        tokens = words.split(" ")
        places = self._terms.places(tokens)
        if self._has_order and any(len(indexes) > _MOST_PLACES for indexes in places.values()):
            return True
        return holds(self._plan, _IndexedWords(places, len(tokens), text))


class _IndexedWords(Evaluation):
    """Indexed words as a document: tokens lie no further apart than the words whose distance the query means."""

    def __init__(self, places: Mapping[Term, list[int]], count: int, text: str | None) -> None:
        super().__init__(_NO_TEXT, places.keys())
        self._indexes = places
        self._count = count
        self._text = text

    @property
    def positions(self) -> Sequence[int]:
        """The position of each token: its index."""
        return range(self._count)

    def windows(self, _scope: Unit) -> Sequence[int]:
        """Return for each token all windows: where a paragraph or a sentence ends is not indexed."""
        return [EVERYWHERE] * self._count

    def places(self, term: Term) -> list[int]:
        """Return the indexes of the tokens of a term, in order."""
        return self._indexes.get(term, _NOWHERE)

    def pattern(self, program: Program) -> list[Span]:
        """Return the matches of a regular expression; without the text, one at its beginning."""
        return _SOMEWHERE if self._text is None else program.spans(self._text)


def _without_exclusions(node: Node) -> Node:
    match node:
        case AnyOf(items):
            return AnyOf(tuple(map(_without_exclusions, items)))
        case AllOf(items):
            return AllOf(tuple(map(_without_exclusions, items)))
        case Within(part, unit):
            return Within(_without_exclusions(part), unit)
        case _:
            return node


def _has_order(root: Node) -> bool:
    return any(isinstance(node, Near) or (isinstance(node, Phrase) and len(node.items) > 1) for node in walk(root))
