"""Matching: documents come in, the topics that speak of them and the spans to highlight go out.

Forms are expanded when a query is saved. A post then costs one look-up a token; a query is looked at only where its
rarest part occurs, and where in the text a topic was found is worked out only for those who ask.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from bot.matching.builder import Builder
from bot.matching.candidates import barred, is_plain, needed, rest, watched
from bot.matching.compiled import Compiled, compile_query, necessary, verify
from bot.matching.plan import Choice, Every, Expression, Page, Some, Step, Term, holds, merged, spans, terms
from bot.matching.programs import Programs
from bot.matching.regex import Span
from bot.matching.terms import Lookup, Terms
from bot.matching.text import Document

__all__ = ["Compiled", "Found", "Matcher", "compile_query", "necessary", "verify"]


_MOST_ALONE = 10  # expressions that were added one by one and are in no set yet


class Found(Mapping[str, tuple[Span, ...]]):
    """Topics found in a document, by name, and where: Python characters of its text, sorted and apart.

    Their order is worked out when somebody asks, each time anew; where they are only once, since a post may go to
    thousands of chats.
    """

    def __init__(self, plans: Mapping[str, Step], page: Page) -> None:
        self._plans = plans
        self._page = page
        self._spans: dict[str, tuple[Span, ...]] = {}

    def __getitem__(self, topic: str) -> tuple[Span, ...]:
        if topic not in self._spans:
            self._spans[topic] = merged(spans(self._plans[topic], self._page) or [])
        return self._spans[topic]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._plans))

    def __len__(self) -> int:
        return len(self._plans)


class _Query(NamedTuple):
    """A query as it is run."""

    name: str
    plan: Step


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A query to verify, or one of its alternatives, so that a long list costs no more than those that occur."""

    query: _Query
    needs: frozenset[Term]  # all of them have to occur
    bars: frozenset[Term]  # none of them may
    rest: Step | None  # what has to hold besides
    watched: tuple[Term | str, ...]  # terms and expressions of which one occurs wherever it holds


class Matcher:
    """Many queries at once, by name. Adding or removing one touches nothing but its own words."""

    def __init__(self, queries: Mapping[str, Compiled]) -> None:
        self._queries: dict[str, _Query] = {}
        self._candidates: dict[str, list[_Candidate]] = {}  # by name; queries of one word need none
        self._shared = Terms()
        self._words: Lookup[_Query] = Lookup()  # queries of one word
        self._terms: Lookup[Term] = Lookup()  # the terms of the others
        self._uses: Counter[Term] = Counter()
        self._programs = Programs()
        self._watchers: dict[Term | str, set[_Candidate]] = {}  # whom to verify where a term or an expression occurs
        for name, query in queries.items():
            self._take_in(name, query)
        self._programs.pack()

    def add(self, name: str, compiled: Compiled) -> None:
        """Take a query in, in place of one of the same name."""
        self.remove(name)
        self._take_in(name, compiled)
        self._programs.pack(at_least=_MOST_ALONE)

    def _take_in(self, name: str, compiled: Compiled) -> None:
        plan = Builder(compiled.forms, self._shared.shared).build(compiled.query.root)
        query = self._queries[name] = _Query(name, plan)
        if is_plain(plan):
            self._words.add(plan.term, query)
            return
        for term in terms(plan):
            self._uses[term] += 1
            if self._uses[term] == 1:
                self._terms.add(term, term)
        self._candidates[name] = _candidates(query)
        for candidate in self._candidates[name]:
            for key in candidate.watched:
                self._watchers.setdefault(key, set()).add(candidate)
                if isinstance(key, str):
                    self._programs.add(key)

    def remove(self, name: str) -> None:
        """Forget a query, if there is one of this name."""
        query = self._queries.pop(name, None)
        if query is None:
            return
        if is_plain(query.plan):
            self._words.remove(query.plan.term, query)
            return
        for term in terms(query.plan):
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

    def match(self, document: Document) -> Found:
        """Return the topics that match a document."""
        found: dict[str, Step] = dict(self._words.find(document.tokens))
        page = Page(document)
        if self._watchers:
            places = self._terms.places(document.tokens)
            patterns = self._programs.spans(document.text)
            page = Page(document, places, patterns, looked_up=self._uses)
            # a copy: the page adds to its places the terms that it looked up in vain
            found.update(self._verified(page, frozenset(places), patterns))
        return Found(found, page)

    def _verified(self, page: Page, present: AbstractSet[Term], patterns: Iterable[str]) -> list[_Query]:
        """Return the queries that hold, of those that watch what was found."""
        keys = [*(self._watchers.keys() & present), *patterns]
        candidates: set[_Candidate] = set().union(*map(self._watchers.__getitem__, keys))
        return [
            candidate.query
            for candidate in candidates
            if candidate.needs <= present
            and present.isdisjoint(candidate.bars)
            and (candidate.rest is None or holds(candidate.rest, page))
        ]


def _candidates(query: _Query) -> list[_Candidate]:
    found: list[_Candidate] = []
    for step in _alternatives(query.plan):
        keys = (part.program.source if isinstance(part, Expression) else part.term for part in watched(step))
        found.append(_Candidate(query, needed(step), barred(step), rest(step), tuple(dict.fromkeys(keys))))
    return found


def _alternatives(plan: Step) -> tuple[Step, ...]:
    """Take a query apart: it holds where one of these does, and most of them are ruled out by a word that is absent."""
    match plan:
        case Some(items) | Choice(items):
            return items
        case Every((Some(items) | Choice(items),), without):  # a topic of many alternatives with words excluded
            return tuple(Every((item,), without) for item in items)
        case _:
            return (plan,)
