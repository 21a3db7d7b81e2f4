"""Matching: documents come in, the topics that speak of them and the spans to highlight go out.

Forms are expanded when a query is saved. A post then costs one look-up a token; a query is looked at only where its
rarest part occurs, and the spans of a word are worked out once however many queries share it.
"""

from collections.abc import Mapping
from operator import attrgetter

from bot.matching.builder import Builder
from bot.matching.candidates import watched
from bot.matching.compiled import Compiled, compile_query, necessary, verify
from bot.matching.plan import Choice, Expression, Page, Some, Spot, Step, Term, merged, parts, spans
from bot.matching.regex import Programs, Span
from bot.matching.terms import Terms
from bot.matching.text import Document
from bot.models import Match

__all__ = ["Compiled", "Match", "Matcher", "compile_query", "necessary", "verify"]


class Matcher:
    """Many queries at once, by name. Adding or removing one touches nothing but its own words."""

    def __init__(self, queries: Mapping[str, Compiled]) -> None:
        self._plans: dict[str, Step] = {}
        self._terms = Terms()
        self._programs = Programs(source for query in queries.values() for source in query.expressions)
        self._watchers: dict[Term | str, _Watchers] = {}  # whom to look at where a term or an expression occurs
        for name, query in queries.items():
            self.add(name, query)

    def add(self, name: str, compiled: Compiled) -> None:
        """Take a query in, in place of one of the same name."""
        self.remove(name)
        plan = Builder(compiled.forms, self._terms.shared).build(compiled.query.root)
        self._plans[name] = plan
        for part in parts(plan):
            if isinstance(part, Expression):
                self._programs.add(part.source)
            else:
                self._terms.add(part.term)
        if _is_word(plan):
            self._watchers.setdefault(_keys(plan)[0], _Watchers()).names.add(name)
            return
        for number, alternative in enumerate(_alternatives(plan)):
            for key in _keys(alternative):
                self._watchers.setdefault(key, _Watchers()).plans[name, number] = alternative

    def remove(self, name: str) -> None:
        """Forget a query, if there is one of this name."""
        plan = self._plans.pop(name, None)
        if plan is None:
            return
        for number, alternative in enumerate(_alternatives(plan)):
            for key in _keys(alternative):
                watchers = self._watchers.get(key, _Watchers())
                watchers.names.discard(name)
                watchers.plans.pop((name, number), None)
                if not (watchers.names or watchers.plans):
                    self._watchers.pop(key, None)
        for part in parts(plan):
            if isinstance(part, Expression):
                self._programs.remove(part.source)
            else:
                self._terms.remove(part.term)

    def match(self, document: Document) -> tuple[Match, ...]:
        """Return the topics that match a document, by name."""
        places = self._terms.places(document)
        patterns = self._programs.spans(document.text)
        matches: list[Match] = []
        candidates: dict[tuple[str, int], Step] = {}
        for term, indexes in places.items():
            watchers = self._watchers.get(term)
            if watchers is None:
                continue
            if watchers.plans:
                candidates.update(watchers.plans)
            if watchers.names:
                # one word: worked out once for all who ask for it
                found = merged([document.spans[index] for index in indexes])
                matches += [Match(topic=name, spans=found) for name in watchers.names]
        for source in patterns:
            candidates.update(self._watchers[source].plans if source in self._watchers else {})
        page = Page(document, places, patterns)
        loose: dict[str, list[Span]] = {}
        for (name, _), alternative in candidates.items():
            part = spans(alternative, page)
            if part is not None:
                loose.setdefault(name, []).extend(part)
        matches += [Match(topic=name, spans=merged(found)) for name, found in loose.items()]
        return tuple(sorted(matches, key=attrgetter("topic"))) if matches else ()


class _Watchers:
    """Queries that watch one term or expression."""

    def __init__(self) -> None:
        self.names: set[str] = set()  # those that ask for this word and nothing else
        self.plans: dict[tuple[str, int], Step] = {}  # numbered alternatives of the others, which have to be verified


def _is_word(plan: Step) -> bool:
    return isinstance(plan, Spot) and not plan.term.capitals


def _alternatives(plan: Step) -> tuple[Step, ...]:
    """Return what can be verified apart, so that a long list of alternatives costs no more than those that occur."""
    return plan.items if isinstance(plan, Some | Choice) else (plan,)


def _keys(step: Step) -> list[Term | str]:
    return [part.source if isinstance(part, Expression) else part.term for part in watched(step)]
