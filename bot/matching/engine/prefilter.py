"""What a query cannot do without: steps come in, the few terms worth watching, or a full-text expression, go out."""

import re
from collections.abc import Iterable
from typing import TypeGuard

from bot.matching.engine.plan import Choice, Every, Expression, Pair, Row, Some, Spot, Step, Term

# Letters that the full-text index surely takes as parts of a word; its tables are those of Unicode 6.1.
_INDEXED = re.compile("[0-9a-z'\u00df-\u00f6\u00f8-\u024f\u0386\u0388-\u03ce\u0400-\u0481\u048a-\u0527]+")
# Words that nearly every post has, however long they are.
_COMMON = {
    "без",
    "был",
    "быть",
    "для",
    "его",
    "за",
    "из",
    "как",
    "на",
    "не",
    "нет",
    "но",
    "от",
    "по",
    "при",
    "что",
    "это",
}
# A pattern has to be run on every post, so it is watched only where nothing else can be.
_PATTERN_COST = 1e6


def watched(step: Step) -> list[Spot | Expression]:
    """Return the cheapest parts of which at least one occurs wherever the step holds."""
    match step:
        case Spot() | Expression():
            return [step]
        case Every(items) | Row(items):
            return min((watched(item) for item in items), key=_cost)
        case Pair(left, right):
            return min(watched(left), watched(right), key=_cost)
        case Choice(items) | Some(items):
            return [part for item in items for part in watched(item)]


def _cost(parts: list[Spot | Expression]) -> float:
    return sum(_PATTERN_COST if isinstance(part, Expression) else _frequency(part.term) for part in parts)


def _frequency(term: Term) -> float:
    """Guess how often a term occurs: by the law of brevity, each letter more makes a word about half as frequent."""
    words = sum(1.0 if form in _COMMON else 2.0 ** -len(form) for form in term.forms)
    return words + sum(8 * 2.0 ** -len(prefix) for prefix in term.prefixes)


def needed(step: Step) -> frozenset[Term]:
    """Return terms that all occur wherever a step holds."""
    match step:
        case Spot(term):
            return frozenset({term})
        case Pair(left, right):
            return needed(left) | needed(right)
        case Every(items) | Row(items):
            return frozenset(term for item in items for term in needed(item))
        case Expression() | Choice() | Some():
            return frozenset()


def barred(step: Step) -> frozenset[Term]:
    """Return terms none of which occurs wherever a step holds."""
    match step:
        case Every(items, without):
            own = frozenset(item.term for item in without if is_plain(item))
            return own.union(*map(barred, items))
        case _:
            return frozenset()


def rest(step: Step) -> Step | None:
    """Return what has to be verified where all that a step needs occurs and nothing it bars; None where nothing has."""
    match step:
        case Every(items, without):
            left = tuple(part for item in items if (part := rest(item)) is not None)
            other = tuple(item for item in without if not is_plain(item))
            return Every(left, other) if left or other else None
        case _:
            return None if is_plain(step) else step


def is_plain(step: Step) -> TypeGuard[Spot]:
    """Tell whether a step holds wherever its one term occurs."""
    return isinstance(step, Spot) and not step.term.capitals


def required(step: Step) -> str | None:
    """Return an FTS5 expression that finds whatever the step finds and more; None where nothing is required.

    It suits `Document.indexed` under `tokenize="unicode61 remove_diacritics 0 tokenchars ''''"`, with any detail.
    """
    match step:
        case Spot(term):
            return _tokens(term)
        case Expression():
            return None
        case Every(items) | Row(items):
            return _all(required(item) for item in items)
        case Pair(left, right):
            return _all((required(left), required(right)))
        case Choice(items) | Some(items):
            found = [required(item) for item in items]
            known = [part for part in found if part is not None]
            return "(" + " OR ".join(known) + ")" if len(known) == len(found) else None


def _all(found: Iterable[str | None]) -> str | None:
    known = list(dict.fromkeys(part for part in found if part is not None))
    if not known:
        return None
    return known[0] if len(known) == 1 else "(" + " AND ".join(known) + ")"


def _tokens(term: Term) -> str | None:
    if not all(map(_INDEXED.fullmatch, [*term.forms, *term.prefixes])):
        return None
    tokens = [f'"{form}"' for form in sorted(term.forms)] + [f'"{prefix}"*' for prefix in sorted(term.prefixes)]
    return tokens[0] if len(tokens) == 1 else "(" + " OR ".join(tokens) + ")"
