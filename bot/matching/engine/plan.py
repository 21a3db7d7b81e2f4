"""A query as steps, and their evaluation against one document.

Steps of two kinds: `Placed` ones know at which words they stand, so that distances can be counted; the others only
hold or do not.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from bot.matching.engine.proximity import Occurrence, in_order, near
from bot.matching.engine.regex import Program
from bot.matching.words.tokens import Document
from bot.text.spans import Span

_NOWHERE: list[int] = []
_NOTHING: list[Occurrence] = []


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Term:
    """Any of these tokens. A matcher shares one term among all queries that ask for the same."""

    forms: frozenset[str]
    prefixes: frozenset[str] = frozenset()
    capitals: str = ""  # an exact word whose capitals count


class Evaluation:
    """A document, and what of it the steps of some queries ask for: looked up once, when the first one asks."""

    def __init__(
        self,
        document: Document,
        present: AbstractSet[Term] | None = None,
        patterns: dict[str, list[Span]] | None = None,
        *,
        looked_up: Container[Term] = (),
    ) -> None:
        self.document = document
        self.present = present  # of the terms that were looked up for all queries, those that occur; None: nobody did
        self._looked_up = looked_up
        self._places: dict[Term, list[int]] = {}
        self._patterns = {} if patterns is None else patterns  # those that were run already
        self._finds: dict[Placed, list[Occurrence]] = {}

    def finds(self, step: "Placed") -> list[Occurrence]:
        """Return where a step stands, in order: a step that holds is asked again for what it found."""
        if isinstance(step, TermStep):
            return step.finds(self) if self.places(step.term) else _NOTHING
        found = self._finds.get(step)
        if found is None:
            found = self._finds[step] = step.finds(self)
        return found

    def places(self, term: Term) -> list[int]:
        """Return the tokens a term stands at, in order; capitals are not looked at."""
        if self.present is not None and term not in self.present and term in self._looked_up:
            return _NOWHERE
        places = self._places.get(term)
        if places is None:
            places = self._places[term] = _places(term, self.document.places)
        return places

    def pattern(self, program: Program) -> list[Span]:
        """Return what a regular expression finds, in characters of the original text."""
        found = self._patterns.get(program.source)
        if found is None:
            found = self._patterns[program.source] = program.spans(self.document.text)
        return found


@dataclass(frozen=True, slots=True)
class TermStep:
    """A term, capitals considered."""

    term: Term

    def finds(self, page: Evaluation) -> list[Occurrence]:
        """Return where it stands, in order."""
        positions = page.document.positions
        return [Occurrence(positions[i], positions[i], ((i, i),)) for i in self.indexes(page)]

    def indexes(self, page: Evaluation) -> list[int]:
        """Return the tokens it stands at, in order."""
        indexes = page.places(self.term)
        if not self.term.capitals:
            return indexes
        return [i for i in indexes if _as_high(page.document.shape(i), self.term.capitals)]


@dataclass(frozen=True, slots=True, eq=False)
class SequenceStep:
    """Terms in order, with at most `gap` words between neighbours."""

    items: tuple[TermStep, ...]
    gap: int

    def finds(self, page: Evaluation) -> list[Occurrence]:
        """Return where it stands, in order."""
        for item in self.items:  # most phrases fail by their first word
            if not page.places(item.term):
                return []
        finds = self.items[0].finds(page)
        for item in self.items[1:]:
            if not finds:
                return []
            finds = sorted(in_order(finds, item.finds(page), self.gap + 1).values())
        if self.gap:
            return finds
        return [Occurrence(find.first, find.last, ((find.runs[0][0], find.runs[-1][1]),)) for find in finds]


@dataclass(frozen=True, slots=True, eq=False)
class NearStep:
    """Two placed steps, at most `distance` words apart, in any order."""

    left: "Placed"
    right: "Placed"
    distance: int

    def finds(self, page: Evaluation) -> list[Occurrence]:
        """Return where it stands, in order."""
        left = page.finds(self.left)
        right = page.finds(self.right) if left else _NOTHING
        if not right:
            return []
        return sorted(near(left, right, self.distance).values())


@dataclass(frozen=True, slots=True, eq=False)
class AnyStep:
    """Any of several placed steps."""

    items: tuple["Placed", ...]
    filed: Mapping[Term, tuple["Placed", ...]]  # the items, each under terms of which one occurs wherever it stands

    def finds(self, page: Evaluation) -> list[Occurrence]:
        """Return where it stands, in order."""
        items = self.items
        if page.present is not None:  # of a long list few are worth a look
            items = tuple(item for term in self.filed.keys() & page.present for item in self.filed[term])
        return sorted({find for item in items for find in page.finds(item)})


Placed: TypeAlias = TermStep | SequenceStep | NearStep | AnyStep


@dataclass(frozen=True, slots=True)
class RegexStep:
    """A regular expression."""

    program: Program


@dataclass(frozen=True, slots=True)
class OrStep:
    """At least one of several steps."""

    items: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class AndStep:
    """All of some steps and none of others."""

    items: tuple["Step", ...]
    without: tuple["Step", ...]


Step: TypeAlias = Placed | RegexStep | OrStep | AndStep


def holds(step: Step, page: Evaluation) -> bool:
    """Tell whether a step holds."""
    match step:
        case AndStep(items, without):
            return all(holds(item, page) for item in items) and not any(holds(item, page) for item in without)
        case OrStep(items):
            return any(holds(item, page) for item in items)
        case RegexStep(program):
            return bool(page.pattern(program))
        case TermStep():
            return bool(step.indexes(page))
        case _:
            return bool(page.finds(step))


def spans(step: Step, page: Evaluation) -> list[Span] | None:
    """Return what a step finds, unsorted, in characters of the original text; None where it does not hold."""
    match step:
        case TermStep():
            return _token_spans(page.document, ((index, index) for index in step.indexes(page)))
        case AndStep(items) | OrStep(items):
            return [span for item in items for span in spans(item, page) or ()] if holds(step, page) else None
        case RegexStep(program):
            return page.pattern(program) or None
        case _:
            return _token_spans(page.document, (run for find in page.finds(step) for run in find.runs))


def _token_spans(document: Document, runs: Iterable[tuple[int, int]]) -> list[Span] | None:
    return [(document.spans[first][0], document.spans[last][1]) for first, last in runs] or None


def plan_terms(step: Step, *, excluded: bool = True) -> Iterator[Term]:
    """Yield the terms of a step, those that it excludes only if so asked."""
    match step:
        case TermStep(term):
            yield term
        case NearStep(left, right):
            yield from plan_terms(left)
            yield from plan_terms(right)
        case AndStep(items, without):
            for item in (*items, *(without if excluded else ())):
                yield from plan_terms(item, excluded=excluded)
        case SequenceStep(items) | AnyStep(items) | OrStep(items):
            for item in items:
                yield from plan_terms(item, excluded=excluded)
        case RegexStep():
            pass


def _places(term: Term, places: dict[str, list[int]]) -> list[int]:
    # both are the same; the shorter one is gone through
    tokens = places.keys() & term.forms if len(term.forms) < len(places) else term.forms.intersection(places)
    if term.prefixes:
        beginnings = tuple(term.prefixes)
        tokens = tokens.union(token for token in places if token.startswith(beginnings))
    return sorted([index for token in tokens for index in places[token]])


def _as_high(written: str, capitals: str) -> bool:
    return all(w.isupper() for w, c in zip(written, capitals, strict=True) if c.isupper())
