"""A query as steps: a `Page`, which is a document with what its words have found, comes in, spans to highlight go out.

Steps of two kinds: `Placed` ones know at which words they stand, so that distances can be counted; the others only
hold or do not.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from bot.matching.regex import Span, program
from bot.matching.text import Document

# The most finds one step keeps; only a text that repeats one word hundreds of times has more.
_MOST_FINDS = 500


class Find(NamedTuple):
    """One place where a step holds."""

    first: int  # position of its first word
    last: int  # position of its last word
    runs: tuple[tuple[int, int], ...]  # tokens to highlight, as (first index, last index)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Term:
    """Any of these tokens. A matcher shares one term among all queries that ask for the same."""

    forms: frozenset[str]
    prefixes: frozenset[str] = frozenset()
    capitals: str = ""  # an exact word whose capitals count


class Page:
    """A document and what of it the terms and patterns of some queries have found."""

    def __init__(
        self, document: Document, places: Mapping[Term, list[int]], patterns: Mapping[str, list[Span]]
    ) -> None:
        self.document = document
        self.places = places  # indexes of tokens, ascending; terms that found nothing are absent
        self.patterns = patterns  # spans by expression; those that found nothing are absent


@dataclass(frozen=True, slots=True)
class Spot:
    """A term, capitals considered."""

    term: Term

    def finds(self, page: Page) -> list[Find]:
        """Return where it stands, in order."""
        positions = page.document.positions
        return [Find(positions[i], positions[i], ((i, i),)) for i in self.indexes(page)]

    def indexes(self, page: Page) -> Iterable[int]:
        """Return the tokens it stands at, in order."""
        indexes = page.places.get(self.term, ())
        if not self.term.capitals:
            return indexes
        return [i for i in indexes if _as_high(page.document.shape(i), self.term.capitals)]


@dataclass(frozen=True, slots=True)
class Row:
    """Terms in order, with at most `gap` words between neighbours."""

    items: tuple[Spot, ...]
    gap: int

    def finds(self, page: Page) -> list[Find]:
        """Return where it stands, in order."""
        finds = self.items[0].finds(page)
        for item in self.items[1:]:
            if not finds:
                return []
            finds = sorted(_followed(finds, item.finds(page), self.gap + 1).values())
        if self.gap:
            return finds
        return [Find(find.first, find.last, ((find.runs[0][0], find.runs[-1][1]),)) for find in finds]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two placed steps, at most `distance` words apart, in any order."""

    left: "Placed"
    right: "Placed"
    distance: int

    def finds(self, page: Page) -> list[Find]:
        """Return where it stands, in order."""
        left = self.left.finds(page)
        right = self.right.finds(page) if left else []
        if not right:
            return []
        return sorted(_beside(left, right, self.distance).values())


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of several placed steps."""

    items: tuple["Placed", ...]

    def finds(self, page: Page) -> list[Find]:
        """Return where it stands, in order."""
        return sorted(find for item in self.items for find in item.finds(page))


Placed: TypeAlias = Spot | Row | Pair | Choice


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression."""

    source: str


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of several steps."""

    items: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class Every:
    """All of some steps and none of others."""

    items: tuple["Step", ...]
    without: tuple["Step", ...]


Step: TypeAlias = Placed | Expression | Some | Every


def spans(step: Step, page: Page) -> list[Span] | None:
    """Return what a step finds, unsorted, in characters of the original text; None where it does not hold."""
    match step:
        case Every(items, without):
            return _every(items, without, page)
        case Some(items):
            parts = [part for item in items if (part := spans(item, page)) is not None]
            return [span for part in parts for span in part] if parts else None
        case Expression(source):
            return page.patterns.get(source)
        case Spot() if step.term in page.places:
            places = page.document.spans
            return [places[i] for i in step.indexes(page)] or None
        case _ if _at_hand(step, page.places):
            places = page.document.spans
            return [(places[a][0], places[b][1]) for find in step.finds(page) for a, b in find.runs] or None
    return None


def _every(items: Iterable[Step], without: Iterable[Step], page: Page) -> list[Span] | None:
    found: list[Span] = []
    for item in items:
        part = spans(item, page)
        if part is None:
            return None
        found += part
    return None if any(spans(item, page) is not None for item in without) else found


def _at_hand(step: Placed, places: Mapping[Term, list[int]]) -> bool:
    """Tell whether the words of a step are there at all, before anybody works out where."""
    match step:
        case Spot(term):
            return term in places
        case Row(items):
            return all(item.term in places for item in items)
        case Pair(left, right):
            return _at_hand(left, places) and _at_hand(right, places)
        case Choice(items):
            return any(_at_hand(item, places) for item in items)


def merged(found: list[Span]) -> tuple[Span, ...]:
    """Return spans sorted, with those that overlap or touch made one."""
    if len(found) == 1:
        return (found[0],)
    whole: list[Span] = []
    for start, end in sorted(found):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return tuple(whole)


def parts(step: Step) -> Iterator[Spot | Expression]:
    """Yield the terms and expressions of a step, those it excludes too."""
    match step:
        case Spot() | Expression():
            yield step
        case Pair(left, right):
            yield from parts(left)
            yield from parts(right)
        case Every(items, without):
            for item in (*items, *without):
                yield from parts(item)
        case Row(items) | Choice(items) | Some(items):
            for item in items:
                yield from parts(item)


def page_of(step: Step, document: Document) -> Page:
    """Look up in a document whatever one step asks for."""
    places: dict[Term, list[int]] = {}
    patterns: dict[str, list[Span]] = {}
    for part in parts(step):
        if isinstance(part, Expression):
            found = program(part.source).spans(document.text)
            if found:
                patterns[part.source] = found
        elif indexes := _indexes(part.term, document):
            places[part.term] = indexes
    return Page(document, places, patterns)


def _indexes(term: Term, document: Document) -> list[int]:
    tokens = document.places.keys() & term.forms
    if term.prefixes:
        beginnings = tuple(term.prefixes)
        tokens |= {token for token in document.places if token.startswith(beginnings)}
    return sorted(index for token in tokens for index in document.places[token])


def _followed(first: list[Find], second: list[Find], distance: int) -> dict[tuple[int, int], Find]:
    """Return each of `first` joined with each of `second` that begins at most `distance` words after it ends."""
    starts = [find.first for find in second]
    joined: dict[tuple[int, int], Find] = {}
    for left in first:
        for right in second[bisect_right(starts, left.last) : bisect_right(starts, left.last + distance)]:
            joined.setdefault((left.first, right.last), Find(left.first, right.last, left.runs + right.runs))
            if len(joined) >= _MOST_FINDS:
                return joined
    return joined


def _beside(left: list[Find], right: list[Find], distance: int) -> dict[tuple[int, int], Find]:
    """Return each of one side joined with each of the other that is near it or stands among its words."""
    starts = [find.first for find in right]
    widest = max(find.last - find.first for find in right)
    joined: dict[tuple[int, int], Find] = {}
    for one in left:
        begin = bisect_left(starts, one.first - distance - widest)
        for other in right[begin : bisect_right(starts, one.last + distance)]:
            if other.last < one.first - distance or _share(one, other):
                continue
            edges = (min(one.first, other.first), max(one.last, other.last))
            joined.setdefault(edges, Find(*edges, one.runs + other.runs))
            if len(joined) >= _MOST_FINDS:
                return joined
    return joined


def _share(one: Find, other: Find) -> bool:
    """Tell whether two finds use the same token: a word is not near itself."""
    return any(a[0] <= b[1] and b[0] <= a[1] for a in one.runs for b in other.runs)


def _as_high(written: str, capitals: str) -> bool:
    return all(w.isupper() for w, c in zip(written, capitals, strict=True) if c.isupper())
