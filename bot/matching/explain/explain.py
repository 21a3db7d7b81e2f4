"""Why a query matches a document or not, clause by clause, by the plan that matches it."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bot.matching.engine.compiled import Compiled
from bot.matching.engine.evaluate import spans
from bot.matching.engine.plan import Evaluation, Step, Term
from bot.matching.engine.planner import Planner
from bot.matching.query.tree import AllOf, AnyOf, Near, Node, Phrase, Within, format_node
from bot.matching.words.tokens import Document
from bot.matching.words.windows import Unit
from bot.text.spans import Span, merge_spans


class ClauseKind(StrEnum):
    """How a clause is made of others."""

    WORD = "word"  # a word, prefix, tag, mention or regular expression; no clauses
    PHRASE = "phrase"  # words in order
    NEAR = "near"  # two sides, not far from each other
    ANY = "any"  # alternatives
    ALL = "all"  # required clauses, then exclusions


class Reason(StrEnum):
    """Why a clause does not hold."""

    ABSENT = "absent"  # one of its words is missing
    APART = "apart"  # its parts are there, but too far apart, in another order, or in no window of its unit together
    EXCLUDED = "excluded"  # an exclusion was found


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause of a query against one text."""

    query: str  # as the bot writes it; an exclusion comes without its minus
    kind: ClauseKind
    held: bool  # an exclusion holds where its words are absent
    excluded: bool  # whether the clause is an exclusion
    spans: tuple[Span, ...]  # its matches, in Python characters; of words that are APART, those words
    unit: Unit  # what has to hold the parts of an ALL together
    reason: Reason | None  # None where it held; of several clauses, that of the one nearest to holding
    clauses: tuple["Clause", ...]  # its parts; none of an exclusion
    missing: int  # how many clauses would have to change


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One query against one text."""

    spans: tuple[Span, ...]  # as `verify` returns them; () where the query did not match
    root: Clause

    @property
    def matched(self) -> bool:
        """Whether the query matches."""
        return self.root.held

    @property
    def missing(self) -> int:
        """How many clauses would have to change for the query to match; 0 where it does.

        An absent word, words that are apart and an exclusion that was found count one each; of alternatives the one
        nearest to holding counts.
        """
        return self.root.missing


def explain(compiled: Compiled, document: Document) -> Explanation:
    """Explain a query against a document; agrees with `verify`."""
    return Explainer(compiled).explain(document)


class Explainer:
    """One query, ready to be explained against many documents."""

    def __init__(self, compiled: Compiled) -> None:
        # equal terms are one object, and so looked up once
        self._root = _prepare(compiled.query.root, Planner(compiled.forms, cache(Term)))

    def explain(self, document: Document) -> Explanation:
        """Explain the query against a document."""
        root = _explain(self._root, Evaluation(document))
        return Explanation(spans=root.spans if root.held else (), root=root)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A node with its steps."""

    query: str
    kind: ClauseKind
    step: Step
    unit: Unit
    clauses: tuple["_Prepared", ...] = ()
    without: tuple["_Prepared", ...] = ()
    allowed: Step | None = None  # an ALL of a unit without its exclusions


def _prepare(node: Node, builder: Planner, unit: Unit = Unit.PARAGRAPH) -> _Prepared:
    if isinstance(node, Within):
        return _prepare(node.part, builder, node.unit)
    kind, inside = ClauseKind.WORD, tuple[Node, ...]()
    match node:
        case Phrase(items) if len(items) > 1:  # of phrases of one word, since in a phrase a word has more readings
            kind, inside = ClauseKind.PHRASE, tuple(Phrase((item,)) for item in items)
        case Near(left, right):
            kind, inside = ClauseKind.NEAR, (left, right)
        case AnyOf(items):
            kind, inside = ClauseKind.ANY, items
        case AllOf(items):
            kind, inside = ClauseKind.ALL, items
        case _:
            pass
    without = node.without if isinstance(node, AllOf) else ()
    whole = node if unit is Unit.PARAGRAPH else Within(node, unit)
    # each alternative has the unit of all; what it requires may be anywhere, and then be apart
    inner = unit if kind is ClauseKind.ANY else Unit.PARAGRAPH
    return _Prepared(
        query=format_node(whole),
        kind=kind,
        step=builder.build(whole),
        unit=unit,
        clauses=tuple(_prepare(item, builder, inner) for item in inside),
        without=tuple(_prepare(item, builder) for item in without),
        allowed=builder.build(Within(AllOf(node.items), unit)) if isinstance(node, AllOf) and whole != node else None,
    )


def _explain(prepared: _Prepared, context: Evaluation, *, fails: bool = False) -> Clause:
    """Explain one clause, or one that is known to fail."""
    found = None if fails else spans(prepared.step, context)
    none_of = found is None and prepared.kind is ClauseKind.ANY
    clauses = tuple(_explain(clause, context, fails=none_of) for clause in prepared.clauses)
    # what is excluded in a unit is in the way only where all the rest stands together
    in_way = found is None and (prepared.allowed is None or spans(prepared.allowed, context) is not None)
    clauses += tuple(_excluded(clause, context, in_way=in_way) for clause in prepared.without)
    shown = found
    missing, reason = 0, None
    if found is None:
        missing, reason = _failure(prepared.kind, clauses)
        if reason is Reason.APART:
            shown = [span for clause in clauses for span in clause.spans]
    return Clause(
        query=prepared.query,
        kind=prepared.kind,
        held=found is not None,
        excluded=False,
        unit=prepared.unit,
        spans=merge_spans(shown) if shown else (),
        reason=reason,
        clauses=clauses,
        missing=missing,
    )


def _excluded(prepared: _Prepared, context: Evaluation, *, in_way: bool) -> Clause:
    found = spans(prepared.step, context) if in_way else None
    return Clause(
        query=prepared.query,
        kind=prepared.kind,
        held=found is None,
        excluded=True,
        unit=prepared.unit,
        spans=merge_spans(found) if found else (),
        reason=Reason.EXCLUDED if found else None,
        clauses=(),
        missing=0 if found is None else 1,
    )


def _failure(kind: ClauseKind, clauses: tuple[Clause, ...]) -> tuple[int, Reason]:
    """Return how many clauses would have to change for one to hold, and why it does not."""
    failed = [clause for clause in clauses if not clause.held]
    if not clauses:
        return 1, Reason.ABSENT
    if not failed:
        return 1, Reason.APART
    nearest = min(failed, key=lambda clause: clause.missing)
    missing = nearest.missing if kind is ClauseKind.ANY else sum(clause.missing for clause in failed)
    return missing, nearest.reason or Reason.ABSENT
