"""Many queries at once: which of them a document matches, and the spans to highlight.

Forms are expanded when a query is saved. A post then costs one look-up a token; a query is evaluated only where its
rarest part occurs, and its spans only when they are read.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from bot.matching.engine.compiled import Compiled
from bot.matching.engine.evaluate import held_spans, holds
from bot.matching.engine.plan import (
    AndStep,
    AnyStep,
    Evaluation,
    OrStep,
    RegexStep,
    Step,
    Term,
    TermStep,
    UnitStep,
    plan_terms,
)
from bot.matching.engine.planner import Planner
from bot.matching.engine.prefilter import barred, choices, is_joint, is_plain, needed, rest, watched
from bot.matching.engine.regex_set import RegexSet
from bot.matching.engine.term_index import TermIndex, TermPool
from bot.matching.words.tokens import Document
from bot.matching.words.windows import is_divided
from bot.text.spans import Span, merge_spans

_MOST_ALONE = 10  # expressions that were added one by one and are in no set yet


class Matches(Mapping[str, tuple[Span, ...]]):
    """The spans of each matching query, by its name: sorted and merged, in Python characters of the text.

    Spans are computed when they are first read, and kept: a post may go to thousands of chats. Names are sorted at each
    iteration.
    """

    def __init__(self, steps: Mapping[str, tuple[Step, ...]], context: Evaluation) -> None:
        self._steps = steps  # by query, those that hold
        self._context = context
        self._spans: dict[str, tuple[Span, ...]] = {}

    def __getitem__(self, topic: str) -> tuple[Span, ...]:
        if topic not in self._spans:
            steps = self._steps[topic]
            self._spans[topic] = merge_spans([span for step in steps for span in held_spans(step, self._context)])
        return self._spans[topic]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._steps))

    def __len__(self) -> int:
        return len(self._steps)


class _Word(NamedTuple):
    """A query of one word."""

    name: str
    steps: tuple[TermStep]


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """One alternative of a query; a long list costs no more than those of its alternatives whose words occur."""

    name: str
    step: Step
    needs: frozenset[Term]  # all have to occur
    choices: tuple[frozenset[Term], ...]  # of each set one has to occur
    bars: frozenset[Term]  # none may occur
    rest: Step | None  # the part to evaluate where these terms allow it and the text has one paragraph
    divided_rest: Step | None  # where it has several
    watched: tuple[Term | str, ...]  # terms and expressions of which one occurs wherever it holds


class Matcher:
    """Many queries at once, by name. Adding or removing one touches nothing but its own words."""

    def __init__(self, queries: Mapping[str, Compiled]) -> None:
        self._plans: dict[str, Step] = {}  # by name
        self._candidates: dict[str, list[_Candidate]] = {}  # by name; queries of one word have none
        self._shared = TermPool()
        self._words: TermIndex[_Word] = TermIndex()
        self._terms: TermIndex[Term] = TermIndex()  # of all other queries
        self._uses: Counter[Term] = Counter()
        self._programs = RegexSet()
        self._watchers: dict[Term | str, set[_Candidate]] = {}  # to verify where a term or an expression occurs
        for name, query in queries.items():
            self._add(name, query)
        self._programs.pack()

    def add(self, name: str, compiled: Compiled) -> None:
        """Add a query, or replace the one of this name."""
        self.remove(name)
        self._add(name, compiled)
        self._programs.pack(at_least=_MOST_ALONE)

    def _add(self, name: str, compiled: Compiled) -> None:
        plan = Planner(compiled.forms, self._shared.shared).build(compiled.query.root)
        self._plans[name] = plan
        if is_plain(plan):
            self._words.add(plan.term, _Word(name, (plan,)))
            return
        for term in plan_terms(plan):
            self._uses[term] += 1
            if self._uses[term] == 1:
                self._terms.add(term, term)
        self._candidates[name] = [_candidate(name, step) for step in _alternatives(plan)]
        for candidate in self._candidates[name]:
            for key in candidate.watched:
                self._watchers.setdefault(key, set()).add(candidate)
                if isinstance(key, str):
                    self._programs.add(key)

    def remove(self, name: str) -> None:
        """Forget a query, if there is one of this name."""
        plan = self._plans.pop(name, None)
        if plan is None:
            return
        if is_plain(plan):
            self._words.remove(plan.term, _Word(name, (plan,)))
            return
        for term in plan_terms(plan):
            self._uses[term] -= 1
            if not self._uses[term]:
                del self._uses[term]
                self._terms.remove(term, term)
        for candidate in self._candidates.pop(name):
            for key in candidate.watched:
                self._watchers[key].discard(candidate)
                if not self._watchers[key]:
                    del self._watchers[key]
                if isinstance(key, str):
                    self._programs.remove(key)

    def match(self, document: Document) -> Matches:
        """Return the queries that match a document, with their spans."""
        found: dict[str, tuple[Step, ...]] = dict(self._words.find(document.tokens))
        context = Evaluation(document)
        if self._watchers:
            present = frozenset(self._terms.find(document.tokens))
            patterns = self._programs.spans(document.text)
            context = Evaluation(document, present, patterns, looked_up=self._uses, places=self._terms.places)
            for name, step in self._verified(context, present, patterns):
                found[name] = (*found.get(name, ()), step)
        return Matches(found, context)

    def _verified(
        self, context: Evaluation, present: AbstractSet[Term], patterns: Iterable[str]
    ) -> list[tuple[str, Step]]:
        """Return the alternatives that hold, with the names of their queries."""
        keys = [*(self._watchers.keys() & present), *patterns]
        candidates: set[_Candidate] = set().union(*map(self._watchers.__getitem__, keys))
        divided = is_divided(context.document)
        return [
            (candidate.name, candidate.step)
            for candidate in candidates
            if candidate.needs <= present
            and present.isdisjoint(candidate.bars)
            and not any(map(present.isdisjoint, candidate.choices))
            and ((left := candidate.divided_rest if divided else candidate.rest) is None or holds(left, context))
        ]


def _candidate(name: str, step: Step) -> _Candidate:
    keys = (part.program.source if isinstance(part, RegexStep) else part.term for part in watched(step))
    left = rest(step)
    return _Candidate(
        name,
        step,
        needed(step),
        tuple(choices(step)),
        barred(step),
        left,
        step if is_joint(step) else left,
        tuple(dict.fromkeys(keys)),
    )


def _alternatives(plan: Step) -> tuple[Step, ...]:
    """Split a query at the top: it holds where one alternative does, and most lack a word in most texts."""
    match plan:
        case OrStep(items) | AnyStep(items):
            return tuple(alternative for item in items for alternative in _alternatives(item))
        case AndStep((item,), without):  # a topic of many alternatives with words excluded
            return tuple(AndStep((alternative,), without) for alternative in _alternatives(item))
        case UnitStep(item, unit):
            return tuple(UnitStep(alternative, unit) for alternative in _alternatives(item))
        case _:
            return (plan,)
