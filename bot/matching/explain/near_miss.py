"""Near misses: the clauses by which a query misses a text, and where to look for texts it misses by one.

And a query's steps come in, a full-text expression for the posts that it may miss by one part goes out.
"""

from collections.abc import Iterator

from bot.matching.engine.plan import AndStep, AnyStep, NearStep, OrStep, RegexStep, SequenceStep, Step, TermStep, merged
from bot.matching.engine.prefilter import all_of, any_of, required
from bot.matching.engine.regex import Span
from bot.matching.explain.explain import Clause, ClauseKind, Reason

# What misses one of more parts than these is hardly looked for, and leaving out one after another would take for ever.
_MOST_PARTS = 10
_LONGEST = 500_000  # characters of an expression; the built-in topics take up to 230,000


def failures(part: Clause) -> list[Clause]:
    """Return what would have to change for a part to hold: of alternatives, in the one nearest to it."""
    if part.held:
        return []
    near = _nearest(part)
    if near is not part:
        return failures(near)
    failed = (
        [] if part.kind in {ClauseKind.ANY, ClauseKind.PHRASE} else [inside for inside in part.parts if not inside.held]
    )
    return [failure for inside in failed for failure in failures(inside)] or [part]


def holders(part: Clause) -> list[Clause]:
    """Return what holds: of alternatives those that do, or else what there is of the one nearest to it."""
    if part.held and part.kind not in {ClauseKind.ANY, ClauseKind.ALL}:
        return [] if part.excluded else [part]
    near = part if part.held else _nearest(part)
    if near is not part:
        return holders(near)
    inside = () if part.kind is ClauseKind.PHRASE or part.excluded else part.parts
    return [holder for one in inside if one.held or part.kind is not ClauseKind.ANY for holder in holders(one)]


def found_spans(root: Clause) -> tuple[Span, ...]:
    """Return where what a query asks for, or must not find, is: in Python characters, sorted and merged."""
    return merged([span for part in (*failures(root), *holders(root)) for span in part.spans])


def is_near_miss(root: Clause) -> bool:
    """Tell whether a query failed by one part while others were found: a lone word misses every post by one.

    A phrase is one part, and found where all its words are: «не» is in nearly every post.
    """
    return has_found(root) and len(failures(root)) == 1


def has_found(part: Clause) -> bool:
    """Tell whether something that a part asks for is there."""
    if part.held or part.excluded:
        return not part.excluded
    if part.kind is ClauseKind.PHRASE:
        return part.reason is Reason.APART
    return any(has_found(inside) for inside in part.parts)


def _nearest(part: Clause) -> Clause:
    """Return the alternative that least is missing of, where anything of one is there; else the part itself."""
    if part.kind is not ClauseKind.ANY:
        return part
    # where nothing of any alternative is there, it is the list as a whole that was not found
    hopeful = [inside for inside in part.parts if has_found(inside)]
    return min(hopeful, key=lambda inside: len(failures(inside)), default=part)


def relaxed(step: Step) -> str | None:
    """Return an FTS5 expression for documents that miss a step by one part; None where none can be told from the rest.

    It leaves out one part after another of each alternative that has several; `explain` has to tell which of the
    documents are near misses.
    """
    alternatives = step.items if isinstance(step, OrStep | AnyStep) else (step,)
    found = any_of(expression for item in alternatives for expression in _without_one(item) if expression is not None)
    return found if found is not None and len(found) <= _LONGEST else None


def _without_one(step: Step) -> Iterator[str | None]:
    """Yield what is still required of a step's parts where one of them misses by one."""
    parts = _conjuncts(step)
    for left_out in parts if len(parts) <= _MOST_PARTS else ():
        rest = [required(part) for part in parts if part is not left_out]
        yield all_of([*rest, _loosened(left_out)])


def _loosened(step: Step) -> str | None:
    """Return what is required of a step that may miss by one; None where nothing is."""
    if isinstance(step, OrStep | AnyStep):
        return any_of(_loosened(item) for item in step.items)
    return any_of(_without_one(step)) if _conjuncts(step) else None


def _conjuncts(step: Step) -> tuple[Step, ...]:
    match step:
        case AndStep(items):
            return items
        case NearStep(left, right):
            return (left, right)
        case TermStep() | SequenceStep() | RegexStep() | OrStep() | AnyStep():
            return ()
