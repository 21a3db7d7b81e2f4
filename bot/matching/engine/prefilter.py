"""Necessary conditions of a query: the few terms worth watching for, and a full-text expression."""

import re
from collections.abc import Iterable
from typing import TypeGuard

from bot.matching.engine.plan import (
    AndStep,
    AnyStep,
    NearStep,
    OrStep,
    RegexStep,
    SequenceStep,
    Step,
    Term,
    TermStep,
    UnitStep,
)

# Letters that the full-text index surely takes as parts of a word; its tables are those of Unicode 6.1.
_INDEXED = re.compile("[0-9a-z'\u00df-\u00f6\u00f8-\u024f\u0386\u0388-\u03ce\u0400-\u0481\u048a-\u0527]+")
# A pattern has to run on every post, so it is watched only where no term can be.
_PATTERN_COST = 1e6


def watched(step: Step) -> list[TermStep | RegexStep]:
    """Return the rarest parts of a step of which at least one occurs wherever the step holds."""
    match step:
        case TermStep() | RegexStep():
            return [step]
        case UnitStep(item):
            return watched(item)
        case AndStep(items) | SequenceStep(items):
            return min((watched(item) for item in items), key=_cost)
        case NearStep(left, right):
            return min(watched(left), watched(right), key=_cost)
        case AnyStep(items) | OrStep(items):
            return [part for item in items for part in watched(item)]


def _cost(parts: list[TermStep | RegexStep]) -> float:
    return sum(_PATTERN_COST if isinstance(part, RegexStep) else part.term.frequency for part in parts)


def needed(step: Step) -> frozenset[Term]:
    """Return terms that all occur wherever a step holds."""
    match step:
        case TermStep(term):
            return frozenset({term})
        case UnitStep(item):
            return needed(item)
        case NearStep(left, right):
            return needed(left) | needed(right)
        case AndStep(items) | SequenceStep(items):
            return frozenset(term for item in items for term in needed(item))
        case RegexStep() | AnyStep() | OrStep():
            return frozenset()


def choices(step: Step) -> list[frozenset[Term]]:
    """Return sets of terms, of each of which one occurs wherever a step holds; what `needed` says is not repeated."""
    return sorted((terms for terms in set(_clauses(step)) if len(terms) > 1), key=_rarity)


def _clauses(step: Step) -> list[frozenset[Term]]:
    match step:
        case TermStep(term):
            return [frozenset({term})]
        case RegexStep():
            return []
        case UnitStep(item):
            return _clauses(item)
        case NearStep(left, right):
            return _clauses(left) + _clauses(right)
        case AndStep(items) | SequenceStep(items):
            return [terms for item in items for terms in _clauses(item)]
        case AnyStep(items) | OrStep(items):
            each = [_clauses(item) for item in items]
            return [frozenset().union(*(min(sets, key=_rarity) for sets in each))] if all(each) else []


def _rarity(terms: Iterable[Term]) -> float:
    return sum(term.frequency for term in terms)


def barred(step: Step) -> frozenset[Term]:
    """Return terms none of which occurs wherever a step holds."""
    match step:
        case AndStep(items, without):
            own = frozenset(item.term for item in without if is_plain(item))
            return own.union(*map(barred, items))
        case _:
            return frozenset()


def rest(step: Step) -> Step | None:
    """Return what `needed` and `barred` terms leave undecided of a step in one paragraph; None for nothing."""
    match step:
        case AndStep(items, without):
            left = tuple(part for item in items if (part := rest(item)) is not None)
            other = tuple(item for item in without if not is_plain(item))
            return AndStep(left, other) if left or other else None
        case _:
            return None if is_plain(step) else step


def is_joint(step: Step) -> bool:
    """Tell whether the parts of a step have to stand together, so that paragraphs decide."""
    return isinstance(step, AndStep) and (len(step.items) > 1 or any(map(is_joint, step.items)))


def is_plain(step: Step) -> TypeGuard[TermStep]:
    """Tell whether a step holds wherever its one term occurs."""
    return isinstance(step, TermStep) and not step.term.capitals


def required(step: Step) -> str | None:
    """Return an FTS5 expression that is true of every document in which a step holds; None where there is none.

    Made for `Document.indexed` under `tokenize="unicode61 remove_diacritics 0 tokenchars ''''"`, with any detail.
    """
    match step:
        case TermStep(term):
            return _tokens(term)
        case RegexStep():
            return None
        case UnitStep(item):
            return required(item)
        case AndStep(items) | SequenceStep(items):
            return all_of(required(item) for item in items)
        case NearStep(left, right):
            return all_of((required(left), required(right)))
        case AnyStep(items) | OrStep(items):
            return any_of(required(item) for item in items)


def all_of(expressions: Iterable[str | None]) -> str | None:
    """Join FTS5 expressions that all have to hold; None requires nothing."""
    known = list(dict.fromkeys(each for each in expressions if each is not None))
    return f"({' AND '.join(known)})" if len(known) > 1 else next(iter(known), None)


def any_of(expressions: Iterable[str | None]) -> str | None:
    """Join FTS5 expressions of which one has to hold; None where one of them requires nothing."""
    known = list(dict.fromkeys(expressions))
    if not known or None in known:
        return None
    return f"({' OR '.join(map(str, known))})" if len(known) > 1 else known[0]


def _tokens(term: Term) -> str | None:
    if not all(map(_INDEXED.fullmatch, [*term.forms, *term.prefixes])):
        return None
    tokens = [f'"{form}"' for form in sorted(term.forms)] + [f'"{prefix}"*' for prefix in sorted(term.prefixes)]
    return tokens[0] if len(tokens) == 1 else "(" + " OR ".join(tokens) + ")"
