"""A query as steps, and where these stand in one document.

`Placed` steps know at which words they stand, so that distances can be counted; the others only hold or do not.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from bot.matching.engine.proximity import Occurrence, in_order, near
from bot.matching.engine.regex import Program
from bot.matching.words.tokens import Document
from bot.matching.words.windows import Unit, windows
from bot.text.spans import Span

_NOWHERE: list[int] = []
_NOTHING: list[Occurrence] = []


# Nearly every post has these words, however long they are.
_COMMON = frozenset("без был быть для его за из как на не нет но от по при что это".split())  # noqa: SIM905 - words are read as words


@dataclass(frozen=True, eq=False)
class Term:
    """Any of these tokens. A matcher shares one term among all queries that ask for the same."""

    forms: frozenset[str]
    prefixes: frozenset[str] = frozenset()
    capitals: str = ""  # the word as typed, where its capitals count

    @cached_property
    def frequency(self) -> float:
        """A guess how often it occurs: by the law of brevity, each letter more makes a word about half as frequent."""
        words = sum(1.0 if form in _COMMON else 2.0 ** -len(form) for form in self.forms)
        return words + sum(8 * 2.0 ** -len(prefix) for prefix in self.prefixes)


class Evaluation:
    """One document under evaluation: where terms, expressions and steps occur in it, each looked up once."""

    def __init__(
        self,
        document: Document,
        present: AbstractSet[Term] | None = None,
        patterns: dict[str, list[Span]] | None = None,
        *,
        looked_up: Container[Term] = (),
        places: Callable[[Sequence[str]], Mapping[Term, list[int]]] | None = None,
    ) -> None:
        self.document = document
        self.present = present  # terms of `looked_up` that occur; None: nothing was looked up
        self._looked_up = looked_up
        self._find_places = places  # of the present terms, all at once
        self._found: Mapping[Term, list[int]] | None = None
        self._places: dict[Term, list[int]] = {}
        self._patterns = {} if patterns is None else patterns  # spans by expression
        self._occurrences: dict[Placed, list[Occurrence]] = {}
        self._windows: dict[Unit, Sequence[int]] = {}
        self._windows_of: dict[tuple[Term, Unit], int] = {}

    @property
    def positions(self) -> Sequence[int]:
        """The position of each token, by which distances are counted."""
        return self.document.positions

    def windows(self, unit: Unit) -> Sequence[int]:
        """Return for each token the set of windows it stands in; see `words.windows`."""
        marks = self._windows.get(unit)
        if marks is None:
            marks = self._windows[unit] = windows(self.document, unit)
        return marks

    def windows_of(self, step: "TermStep", unit: Unit) -> int:
        """Return the set of windows in which a term stands."""
        found = self._windows_of.get((step.term, unit))
        if found is None:
            found = 0
            indexes = step.indexes(self)
            marks = self.windows(unit) if indexes else ()
            for index in indexes:
                found |= marks[index]
            self._windows_of[step.term, unit] = found
        return found

    def occurrences(self, step: "Placed") -> list[Occurrence]:
        """Return the occurrences of a step, in order."""
        if isinstance(step, TermStep):
            return step.occurrences(self) if self.places(step.term) else _NOTHING
        found = self._occurrences.get(step)
        if found is None:
            found = self._occurrences[step] = step.occurrences(self)
        return found

    def places(self, term: Term) -> list[int]:
        """Return the indexes of the tokens of a term, in order, whatever their capitals."""
        if self.present is not None and term in self._looked_up:
            if term not in self.present:
                return _NOWHERE
            if self._find_places is not None:
                if self._found is None:
                    self._found = self._find_places(self.document.tokens)
                return self._found[term]
        places = self._places.get(term)
        if places is None:
            places = self._places[term] = _places(term, self.document.places)
        return places

    def pattern(self, program: Program) -> list[Span]:
        """Return the matches of a regular expression, in Python characters of the text."""
        found = self._patterns.get(program.source)
        if found is None:
            found = self._patterns[program.source] = program.spans(self.document.text)
        return found


@dataclass(frozen=True, slots=True)
class TermStep:
    """A term, with its capitals."""

    term: Term

    def occurrences(self, context: Evaluation) -> list[Occurrence]:
        """Return the occurrences in a document, in order."""
        positions = context.positions
        return [Occurrence(positions[i], positions[i], ((i, i),)) for i in self.indexes(context)]

    def indexes(self, context: Evaluation) -> list[int]:
        """Return the indexes of the tokens with these capitals, in order."""
        indexes = context.places(self.term)
        if not self.term.capitals:
            return indexes
        return [i for i in indexes if _has_capitals(context.document.shape(i), self.term.capitals)]


@dataclass(frozen=True, slots=True, eq=False)
class SequenceStep:
    """Terms in order, with at most `gap` words between neighbours."""

    items: tuple[TermStep, ...]
    gap: int

    def occurrences(self, context: Evaluation) -> list[Occurrence]:
        """Return the occurrences in a document, in order."""
        for item in self.items:  # most phrases fail by their first word
            if not context.places(item.term):
                return []
        if not self.gap:
            return self._adjacent(context)
        occurrences = self.items[0].occurrences(context)
        for item in self.items[1:]:
            if not occurrences:
                return []
            occurrences = sorted(in_order(occurrences, item.occurrences(context), self.gap + 1).values())
        return occurrences

    def _adjacent(self, context: Evaluation) -> list[Occurrence]:
        """Return the occurrences without gaps, in order, each as one run of tokens."""
        positions = context.positions
        # in a tag several tokens share a position; the first one counts
        first, *others = ({positions[i]: i for i in reversed(item.indexes(context))} for item in self.items)
        starts = list(first)
        for distance, other in enumerate(others, start=1):
            starts = [start for start in starts if start + distance in other]
        length = len(others)
        return [Occurrence(at, at + length, ((first[at], others[-1][at + length]),)) for at in reversed(starts)]


@dataclass(frozen=True, slots=True, eq=False)
class NearStep:
    """Two placed steps, at most `distance` words apart, in any order."""

    left: "Placed"
    right: "Placed"
    distance: int

    def occurrences(self, context: Evaluation) -> list[Occurrence]:
        """Return the occurrences in a document, in order."""
        left = context.occurrences(self.left)
        right = context.occurrences(self.right) if left else _NOTHING
        if not right:
            return []
        return sorted(near(left, right, self.distance).values())


@dataclass(frozen=True, slots=True, eq=False)
class AnyStep:
    """Any of several placed steps."""

    items: tuple["Placed", ...]
    by_term: Mapping[Term, tuple["Placed", ...]]  # each item under terms of which one occurs wherever the item does

    def occurrences(self, context: Evaluation) -> list[Occurrence]:
        """Return the occurrences in a document, in order."""
        items = self.items
        if context.present is not None:  # of a long list few are worth a look
            items = tuple(item for term in self.by_term.keys() & context.present for item in self.by_term[term])
        return sorted({occurrence for item in items for occurrence in context.occurrences(item)})


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
    """All of some steps in one window, and none of others: anywhere, or in that window inside a unit."""

    items: tuple["Step", ...]
    without: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class UnitStep:
    """A step that has to hold in one window of a unit."""

    item: "Step"
    unit: Unit


Step: TypeAlias = Placed | RegexStep | OrStep | AndStep | UnitStep


def plan_terms(step: Step) -> Iterator[Term]:
    """Yield the terms of a step."""
    match step:
        case TermStep(term):
            yield term
        case NearStep(left, right):
            yield from plan_terms(left)
            yield from plan_terms(right)
        case AndStep(items, without):
            for item in (*items, *without):
                yield from plan_terms(item)
        case SequenceStep(items) | AnyStep(items) | OrStep(items):
            for item in items:
                yield from plan_terms(item)
        case UnitStep(item):
            yield from plan_terms(item)
        case RegexStep():
            pass


def _places(term: Term, places: dict[str, list[int]]) -> list[int]:
    # the same set either way; the shorter side is iterated
    tokens = places.keys() & term.forms if len(term.forms) < len(places) else term.forms.intersection(places)
    if term.prefixes:
        beginnings = tuple(term.prefixes)
        tokens = tokens.union(token for token in places if token.startswith(beginnings))
    return sorted([index for token in tokens for index in places[token]])


def _has_capitals(written: str, capitals: str) -> bool:
    return all(w.isupper() for w, c in zip(written, capitals, strict=True) if c.isupper())
