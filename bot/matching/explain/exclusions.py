"""Queries without the posts that have certain words, and the words of a post that are worth excluding.

A word is kept as the bot writes it: `учения` stands for all of its forms, `#тег` for the tag alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.matching.engine.compiled import Compiled, compile_query
from bot.matching.query.parser import parse
from bot.matching.query.refusals import QueryError
from bot.matching.query.tree import AllOf, Node, Query, Tag, Word, written
from bot.matching.words.inflection import Inflector
from bot.matching.words.tokens import Document, tag_token
from bot.text.spans import Span, sentence_ends

_SHORTEST = 3  # letters of a word that tells something
_MEANINGFUL = frozenset({"NOUN", "ADJF", "ADJS", "VERB", "INFN", "PRTF", "PRTS", "GRND"})
# English, and what the dictionaries take for words that tell something.
_MEANINGLESS = (
    "the|and|for|with|from|that|this|these|those|have|has|had|was|were|are|been|will|would|can|could|not|but|you|your|"
    "they|their|his|her|its|our|who|what|when|which|than|then|there|here|more|most|also|only|over|about|after|before|"
    "быть|есть|стать|мочь|весь|этот|тот|такой|который|какой|свой|наш|ваш|сам|самый|другой|один|время|год|день|раз|"
    "бути|стати|могти|цей|той|такий|який|свій|самий|інший|час|рік"
)
_EMPTY = frozenset(_MEANINGLESS.split("|"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A word of a text that may be excluded."""

    word: str  # as it is kept
    shown: str  # as the text writes it


def excluding(query: Query, words: Iterable[str]) -> Query:
    """Return the query that leaves out posts with one of these words; raises QueryError where it grows too long."""
    without = tuple(parse(word).root for word in words)
    if not without:
        return query
    root = query.root
    items, before = (root.items, root.without) if isinstance(root, AllOf) else ((root,), ())
    whole = Query(AllOf(items, tuple(dict.fromkeys((*before, *without)))))
    parse(str(whole))  # the canonical text is what is kept: it must be readable again
    return whole


def compile_excluding(source: str, words: Sequence[str], inflector: Inflector) -> Compiled:
    """Read a query, leave words out, and find the forms of all of them; raises QueryError."""
    return compile_query(excluding(parse(source), words), inflector)


def including(compiled: Compiled, source: str) -> Compiled:
    """Return a compiled query without its exclusions: as its `source` alone says."""
    return Compiled(parse(source), compiled.forms)


def choices(document: Document, found: Sequence[Span], inflector: Inflector, *, most: int) -> list[Exclusion]:
    """Offer the words that were `found`, then the other telling ones of the sentence of the first; each word once.

    Spans are Python characters of the text that the document was made of. Where nothing was found, all of it counts.
    """
    offered: list[Exclusion] = []
    seen: set[str] = set()  # base forms
    for token, span, is_match in _ordered(document, found):
        choice = _choice(document, token, span)
        base = token if choice is None else inflector.bases(token)[0]
        if choice is None or base in seen or not (is_match or _is_meaningful(token, base, inflector)):
            continue
        seen.add(base)
        offered.append(choice)
    return offered[:most]


def _ordered(document: Document, found: Sequence[Span]) -> Iterator[tuple[str, Span, bool]]:
    """Yield the words in question and whether they were found, those that were first."""
    start, end = _sentence(document.text, found[0]) if found else (0, len(document.text))
    others: list[tuple[str, Span, bool]] = []
    for token, span in zip(document.tokens, document.spans, strict=True):
        if any(first <= span[0] and span[1] <= last for first, last in found):
            yield token, span, True
        elif start <= span[0] and span[1] <= end:
            others.append((token, span, False))
    yield from others


def _sentence(text: str, span: Span) -> Span:
    start = max(sentence_ends(text, 0, span[0]), default=0)
    return start, next(sentence_ends(text, span[1]), len(text))


def _choice(document: Document, token: str, span: Span) -> Exclusion | None:
    shown = document.text[slice(*span)]
    node: Node = Word(token)
    if token.startswith("'"):  # of a tag, a mention or a site
        name = shown.removeprefix("#").casefold()
        if tag_token(name) != token:
            return None
        node = Tag(name)
    word = written(node)
    try:
        return Exclusion(word=word, shown=shown) if parse(word).root == node else None
    except QueryError:
        return None


def _is_meaningful(token: str, base: str, inflector: Inflector) -> bool:
    if token.startswith("'"):
        return True
    if len(token) < _SHORTEST or token.isdigit() or token in _EMPTY or base in _EMPTY:
        return False
    readings = inflector.known(token)
    return not readings or any(reading.tag.POS in _MEANINGFUL for reading in readings)
