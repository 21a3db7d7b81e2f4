"""Whether a step holds in a document, in which windows of it, and where."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from bot.matching.engine.plan import AndStep, Evaluation, OrStep, Placed, RegexStep, Step, TermStep, UnitStep
from bot.matching.engine.proximity import Occurrence
from bot.matching.words.tokens import Document
from bot.matching.words.windows import EVERYWHERE, Unit, is_divided
from bot.text.spans import Span


def holds(step: Step, context: Evaluation) -> bool:
    """Tell whether a step holds."""
    match step:
        case AndStep() if _is_divided(step, context):
            return bool(_windows_of_all(step, Unit.PARAGRAPH, context))
        case AndStep(items, without):
            return all(holds(item, context) for item in items) and not any(holds(item, context) for item in without)
        case OrStep(items):
            return any(holds(item, context) for item in items)
        case UnitStep(item, unit):
            return _may_hold(item, context) and bool(_windows_of(item, unit, context))
        case TermStep():
            return bool(step.indexes(context))
        case _:
            return bool(context.pattern(step.program) if isinstance(step, RegexStep) else context.occurrences(step))


def spans(step: Step, context: Evaluation) -> list[Span] | None:
    """Return the matches of a step, unsorted, in Python characters of the text; None where the step does not hold."""
    return held_spans(step, context) if holds(step, context) else None


def held_spans(step: Step, context: Evaluation) -> list[Span]:
    """Return the same of a step that is known to hold."""
    match step:
        case UnitStep(item, unit):
            return _spans_in(item, unit, _windows_of(item, unit, context), context)
        case AndStep() if _is_divided(step, context):
            unit = Unit.PARAGRAPH
            return _spans_in(step, unit, _windows_of(step, unit, context), context)
        case AndStep(items) | OrStep(items):
            return [span for item in items for span in spans(item, context) or ()]
        case RegexStep(program):
            return context.pattern(program)
        case _:
            return _token_spans(context.document, (run for each in _occurrences(step, context) for run in each.runs))


def _is_divided(step: AndStep, context: Evaluation) -> bool:
    """Tell whether the parts of a step can stand in several paragraphs."""
    return len(step.items) > 1 and is_divided(context.document)


def _may_hold(step: Step, context: Evaluation) -> bool:
    """Tell whether a step may hold in some window: what it needs is somewhere. Windows cost more than this."""
    match step:
        case AndStep(items):
            return all(_may_hold(item, context) for item in items)
        case OrStep(items):
            return any(_may_hold(item, context) for item in items)
        case _:
            return holds(step, context)


def _windows_of(step: Step, unit: Unit, context: Evaluation) -> int:
    """Return the set of windows in which a step holds, as if each were a text by itself.

    Only among paragraphs what is excluded may stand nowhere; a part with a unit of its own looks at the whole text.
    """
    match step:
        case AndStep():
            return _windows_of_all(step, unit, context)
        case OrStep(items):
            sets: Iterable[int] = (_windows_of(item, unit, context) for item in items)
        case UnitStep():
            sets = context.windows(unit) if holds(step, context) else ()
        case RegexStep(program):
            sets = (_window_at(span, unit, context) for span in context.pattern(program))
        case TermStep():
            return context.windows_of(step, unit)
        case _:
            occurrences = context.occurrences(step)
            marks = context.windows(unit) if occurrences else ()
            sets = (_window_of(each, marks) for each in occurrences)
    return reduce(or_, sets, 0)


def _windows_of_all(step: AndStep, unit: Unit, context: Evaluation) -> int:
    found = EVERYWHERE
    for item in step.items:
        found &= context.windows_of(item, unit) if isinstance(item, TermStep) else _windows_of(item, unit, context)
        if not found:
            return 0
    if unit is Unit.PARAGRAPH:
        return 0 if any(holds(item, context) for item in step.without) else found
    for item in step.without:
        found &= ~_windows_of(item, unit, context)
    return found


def _window_of(occurrence: Occurrence, marks: Sequence[int]) -> int:
    """Return the windows that hold all of an occurrence."""
    found = EVERYWHERE
    for first, last in occurrence.runs:
        found &= marks[first] & marks[last]
    return found


def _window_at(span: Span, unit: Unit, context: Evaluation) -> int:
    """Return the windows in which a match of an expression begins."""
    marks, places = context.windows(unit), context.document.spans
    if not places:
        return EVERYWHERE
    return marks[max(0, bisect_right(places, (span[0], len(context.document.text))) - 1)]


def _spans_in(step: Step, unit: Unit, within: int, context: Evaluation) -> list[Span]:
    """Return the matches of a step in some windows."""
    match step:
        case AndStep(items) | OrStep(items):
            within &= _windows_of(step, unit, context)
            return [span for item in items for span in _spans_in(item, unit, within, context)] if within else []
        case UnitStep():
            return spans(step, context) or []
        case RegexStep(program):
            return [span for span in context.pattern(program) if _window_at(span, unit, context) & within]
        case _:
            marks = context.windows(unit)
            kept = (each for each in _occurrences(step, context) if _window_of(each, marks) & within)
            return _token_spans(context.document, (run for each in kept for run in each.runs))


def _occurrences(step: Placed, context: Evaluation) -> list[Occurrence]:
    return step.occurrences(context) if isinstance(step, TermStep) else context.occurrences(step)


def _token_spans(document: Document, runs: Iterable[tuple[int, int]]) -> list[Span]:
    return [(document.spans[first][0], document.spans[last][1]) for first, last in runs]
