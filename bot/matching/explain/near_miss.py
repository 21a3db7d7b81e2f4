"""Near misses: the clauses by which a query misses a text, and an index expression for texts it misses by one."""

from collections.abc import Iterator

from bot.matching.engine.plan import (
    AndStep,
    AnyStep,
    NearStep,
    OrStep,
    RegexStep,
    SequenceStep,
    Step,
    TermStep,
    UnitStep,
)
from bot.matching.engine.prefilter import all_of, any_of, required
from bot.matching.explain.explain import Clause, ClauseKind, Reason
from bot.text.spans import Span, merge_spans

# A near miss of more clauses is of no interest, and leaving out one after another would take for ever.
_MOST_PARTS = 10
_LONGEST = 500_000  # characters of an expression; the built-in topics take up to 230,000


def failures(clause: Clause) -> list[Clause]:
    """Return the clauses that would have to change for one to hold; of alternatives, those of the nearest."""
    if clause.held:
        return []
    near = _nearest(clause)
    if near is not clause:
        return failures(near)
    is_whole = clause.kind in {ClauseKind.ANY, ClauseKind.PHRASE}
    failed = [] if is_whole else [inside for inside in clause.clauses if not inside.held]
    return [failure for inside in failed for failure in failures(inside)] or [clause]


def holders(clause: Clause) -> list[Clause]:
    """Return the clauses that hold; where no alternative does, those of the nearest."""
    if clause.held and clause.kind not in {ClauseKind.ANY, ClauseKind.ALL}:
        return [] if clause.excluded else [clause]
    near = clause if clause.held else _nearest(clause)
    if near is not clause:
        return holders(near)
    inside = () if clause.kind is ClauseKind.PHRASE or clause.excluded else clause.clauses
    return [holder for one in inside if one.held or clause.kind is not ClauseKind.ANY for holder in holders(one)]


def found_spans(root: Clause) -> tuple[Span, ...]:
    """Return the spans of all that was found of a query, exclusions too: sorted, merged, in Python characters."""
    return merge_spans([span for clause in (*failures(root), *holders(root)) for span in clause.spans])


def is_near_miss(root: Clause) -> bool:
    """Tell whether a query failed by one clause while others were found: a lone word misses every post by one."""
    return has_found(root) and len(failures(root)) == 1


def has_found(clause: Clause) -> bool:
    """Tell whether any part of a clause was found; of a phrase, all its words: «не» is in nearly every post."""
    if clause.held or clause.excluded:
        return not clause.excluded
    if clause.kind is ClauseKind.PHRASE:
        return clause.reason is Reason.APART
    return any(has_found(inside) for inside in clause.clauses)


def _nearest(clause: Clause) -> Clause:
    """Return the alternative with the fewest failures of those with anything found; without one, the clause itself."""
    if clause.kind is not ClauseKind.ANY:
        return clause
    # else the list as a whole was not found
    hopeful = [inside for inside in clause.clauses if has_found(inside)]
    return min(hopeful, key=lambda inside: len(failures(inside)), default=clause)


def relaxed(step: Step) -> str | None:
    """Return an FTS5 expression for documents that may miss a step by one clause; None where there is none.

    It leaves out one clause after another of each alternative that has several; `is_near_miss` verifies.
    """
    alternatives = step.items if isinstance(step, OrStep | AnyStep) else (step,)
    found = any_of(expression for item in alternatives for expression in _without_one(item) if expression is not None)
    return found if found is not None and len(found) <= _LONGEST else None


def _without_one(step: Step) -> Iterator[str | None]:
    """Yield the expressions of a step with one clause after another left out."""
    clauses = _conjuncts(step)
    for left_out in clauses if len(clauses) <= _MOST_PARTS else ():
        rest = [required(clause) for clause in clauses if clause is not left_out]
        yield all_of([*rest, _loosened(left_out)])


def _loosened(step: Step) -> str | None:
    """Return the expression of a step that may miss by one clause; None where nothing is required."""
    if isinstance(step, UnitStep):
        return _loosened(step.item)
    if isinstance(step, OrStep | AnyStep):
        return any_of(_loosened(item) for item in step.items)
    return any_of(_without_one(step)) if _conjuncts(step) else None


def _conjuncts(step: Step) -> tuple[Step, ...]:
    match step:
        case AndStep(items):
            return items
        case UnitStep(item):
            return _conjuncts(item)
        case NearStep(left, right):
            return (left, right)
        case TermStep() | SequenceStep() | RegexStep() | OrStep() | AnyStep():
            return ()
