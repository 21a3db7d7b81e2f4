"""A query with the forms of its words: made with the dictionaries or restored from JSON, it runs without them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import cast

from bot.matching.engine.evaluate import spans
from bot.matching.engine.plan import Evaluation, Step
from bot.matching.engine.planner import Planner, form_key
from bot.matching.engine.prefilter import required
from bot.matching.engine.regex import program
from bot.matching.query.parser import parse
from bot.matching.query.refusals import QueryError
from bot.matching.query.tree import Pattern, Phrase, Query, Word, leaving_out, walk
from bot.matching.words.inflection import Inflector
from bot.matching.words.tokens import Document
from bot.text.spans import Span, merge_spans

MOST_FORMS = 20_000


@dataclass(frozen=True)
class Compiled:
    """A query with all forms of its words."""

    query: Query
    forms: Mapping[str, tuple[str, ...]]  # by `form_key`; sorted

    @cached_property
    def plan(self) -> Step:
        """The steps that evaluate the query against a document."""
        return Planner(self.forms).build(self.query.root)

    def __reduce__(self) -> tuple[Callable[[str], "Compiled"], tuple[str]]:
        """Travel between processes as JSON: the plan holds programs of RE2, which cannot."""
        return Compiled.from_json, (self.to_json(),)

    def to_json(self) -> str:
        """Return the canonical text and the forms."""
        return json.dumps({"query": str(self.query), "forms": self.forms}, ensure_ascii=False, separators=(",", ":"))

    def without(self, excluded: Iterable["Compiled"]) -> "Compiled":
        """Return the query without the posts that one of others finds; its text may be too long to be read again."""
        others = tuple(excluded)
        if not others:
            return self
        root = leaving_out(self.query.root, [each.query.root for each in others])
        return Compiled(Query(root), {**self.forms, **{key: f for each in others for key, f in each.forms.items()}})

    @classmethod
    def from_json(cls, stored: str) -> "Compiled":
        """Return the query that `to_json` wrote."""
        content = json.loads(stored)
        return cls(parse(content["query"]), {key: tuple(forms) for key, forms in content["forms"].items()})


class _Packed:
    """A query as `to_json` wrote it, which is a `Compiled` once it arrives in another process."""

    def __init__(self, stored: str, excluded: Sequence[str]) -> None:
        self._stored = stored
        self._excluded = tuple(excluded)

    def __reduce__(self) -> tuple[Callable[[str, tuple[str, ...]], Compiled], tuple[str, tuple[str, ...]]]:
        return _unpack_without, (self._stored, self._excluded)


def packed(stored: str, excluded: Sequence[str] = ()) -> Compiled:
    """Pack what `to_json` wrote, without what others find, for another process; there it is read, and kept.

    A built-in topic takes 30 ms to read, which the event loop cannot spare. The result has no attributes before.
    """
    return cast("Compiled", _Packed(stored, excluded))


@lru_cache(maxsize=8)
def _unpack(stored: str) -> Compiled:
    return Compiled.from_json(stored)


def _unpack_without(stored: str, excluded: Sequence[str]) -> Compiled:
    return _unpack(stored).without(map(Compiled.from_json, excluded))


def compile_query(query: Query, inflector: Inflector) -> Compiled:
    """Expand every word of a query to its forms; raises QueryError for one with too many."""
    forms: dict[str, tuple[str, ...]] = {}
    for node in walk(query.root):
        in_phrase = isinstance(node, Phrase)
        for word in node.items if isinstance(node, Phrase) else (node,):
            if isinstance(word, Word) and not word.exact:
                key = form_key(word, in_phrase=in_phrase)
                forms[key] = forms.get(key) or tuple(sorted(inflector.forms(word.text, in_phrase=in_phrase)))
    if sum(map(len, forms.values())) > MOST_FORMS:
        raise QueryError("too_many_forms", limit=MOST_FORMS)
    return Compiled(query, forms)


def verify(compiled: Compiled, document: Document) -> tuple[Span, ...] | None:
    """Return where a query matches: sorted, merged spans in Python characters of the text; None where it does not."""
    found = spans(compiled.plan, Evaluation(document))
    return None if found is None else merge_spans(found)


def necessary(compiled: Compiled) -> str | None:
    """Return an FTS5 expression that every matching document satisfies.

    None where there is none, as for a lone regular expression: every document has to be verified then.
    """
    return required(compiled.plan)


def weight(query: Query) -> int:
    """Return the weight of all expressions of a query; see `regex.MOST_IN_ALL`."""
    sources = {node.source for node in walk(query.root) if isinstance(node, Pattern)}
    return sum(program(source).weight for source in sources)
