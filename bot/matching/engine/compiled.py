"""A query with the forms of its words: made with the dictionaries or restored from JSON, it runs without them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bot.matching.engine.plan import Evaluation, Step, spans
from bot.matching.engine.planner import Planner, form_key
from bot.matching.engine.prefilter import required
from bot.matching.engine.regex import program
from bot.matching.query.parser import parse
from bot.matching.query.refusals import QueryError
from bot.matching.query.tree import Pattern, Phrase, Query, Word, walk
from bot.matching.words.inflection import Inflector
from bot.matching.words.tokens import Document
from bot.text.spans import Span, merge_spans

MOST_FORMS = 20_000


@dataclass(frozen=True)
class Compiled:
    """A query that needs no morphology any more."""

    query: Query
    forms: Mapping[str, tuple[str, ...]]  # by `form_key`; sorted

    @cached_property
    def plan(self) -> Step:
        """The steps that run it against one document."""
        return Planner(self.forms).build(self.query.root)

    def to_json(self) -> str:
        """Return the canonical text and the forms, to be kept."""
        return json.dumps({"query": str(self.query), "forms": self.forms}, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, kept: str) -> "Compiled":
        """Restore what `to_json` gave."""
        content = json.loads(kept)
        return cls(parse(content["query"]), {key: tuple(forms) for key, forms in content["forms"].items()})


def compile_query(query: Query, inflector: Inflector) -> Compiled:
    """Expand every word of a query to its forms; raises QueryError for one with too many."""
    forms: dict[str, tuple[str, ...]] = {}
    for word, in_phrase in _words(query):
        key = form_key(word, in_phrase=in_phrase)
        if key not in forms:
            forms[key] = tuple(sorted(inflector.forms(word.text, in_phrase=in_phrase)))
    if sum(map(len, forms.values())) > MOST_FORMS:
        raise QueryError("too_many_forms", limit=MOST_FORMS)
    return Compiled(query, forms)


def verify(compiled: Compiled, document: Document) -> tuple[Span, ...] | None:
    """Return what one query finds in a document: sorted, merged spans of Python characters; None if nothing."""
    found = spans(compiled.plan, Evaluation(document))
    return None if found is None else merge_spans(found)


def necessary(compiled: Compiled) -> str | None:
    """Return an FTS5 expression that finds every document the query matches, and some more.

    None where nothing can be required, as for a pure regular expression: then all documents have to be verified.
    """
    return required(compiled.plan)


def weight(query: Query) -> int:
    """Return how large the expressions of a query are together, in RE2's instructions; see `regex.MOST_IN_ALL`."""
    sources = {node.source for node in walk(query.root) if isinstance(node, Pattern)}
    return sum(program(source).size for source in sources)


def _words(query: Query) -> list[tuple[Word, bool]]:
    """Return the words that have forms, each with whether it stands in a phrase."""
    found: list[tuple[Word, bool]] = []
    for node in walk(query.root):
        items = node.items if isinstance(node, Phrase) else (node,)
        found += [(item, isinstance(node, Phrase)) for item in items if isinstance(item, Word) and not item.exact]
    return found
