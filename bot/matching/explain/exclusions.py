"""Queries with excluded words, and the words of a post that are worth excluding.

An excluded word is written as in a query: `учения` stands for all its forms, `#тег` for the tag alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.matching.engine.compiled import Compiled, compile_query
from bot.matching.query.parser import parse
from bot.matching.query.refusals import QueryError
from bot.matching.query.tree import Node, Query, Tag, Word, format_node, leaving_out
from bot.matching.words.inflection import Inflector
from bot.matching.words.tokens import Document, tag_token
from bot.text.spans import Span, sentence_ends

_SHORTEST = 3  # letters of a word with a meaning of its own
_MEANINGFUL = frozenset({"NOUN", "ADJF", "ADJS", "VERB", "INFN", "PRTF", "PRTS", "GRND"})
# English, and words of other languages of a kind that is meaningful else.
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

    word: str  # as in a query
    text: str  # as in the post


def excluding(query: Query, words: Iterable[str]) -> Query:
    """Return a query without the posts that have one of these words; raises QueryError where it grows too long."""
    without = tuple(parse(word).root for word in words)
    if not without:
        return query
    whole = Query(leaving_out(query.root, without))
    parse(str(whole))  # the canonical text is stored, and must be readable again
    return whole


def compile_excluding(source: str, words: Sequence[str], inflector: Inflector) -> Compiled:
    """Parse and compile a query with excluded words; raises QueryError."""
    return compile_query(excluding(parse(source), words), inflector)


def including(compiled: Compiled, source: str) -> Compiled:
    """Return a compiled query without the excluded words: its `source` alone."""
    return Compiled(parse(source), compiled.forms)


def choices(document: Document, matches: Sequence[Span], inflector: Inflector, *, most: int) -> list[Exclusion]:
    """Return the matched words, then the other meaningful ones of the sentence of the first match; each word once.

    Without matches, those of the whole text. Spans are in Python characters of the document's text.
    """
    exclusions: list[Exclusion] = []
    seen: set[str] = set()  # base forms
    for token, span, is_match in _ordered(document, matches):
        choice = _choice(document, token, span)
        base = token if choice is None else inflector.bases(token)[0]
        if choice is None or base in seen or not (is_match or _is_meaningful(token, base, inflector)):
            continue
        seen.add(base)
        exclusions.append(choice)
    return exclusions[:most]


def _ordered(document: Document, matches: Sequence[Span]) -> Iterator[tuple[str, Span, bool]]:
    """Yield the words in question and whether they match, matches first."""
    text = document.text
    start, end = 0, len(text)
    if matches:  # the sentence of the first
        start = max(sentence_ends(text, 0, matches[0][0]), default=0)
        end = next(sentence_ends(text, matches[0][1]), len(text))
    others: list[tuple[str, Span, bool]] = []
    for token, span in zip(document.tokens, document.spans, strict=True):
        if any(first <= span[0] and span[1] <= last for first, last in matches):
            yield token, span, True
        elif start <= span[0] and span[1] <= end:
            others.append((token, span, False))
    yield from others


def _choice(document: Document, token: str, span: Span) -> Exclusion | None:
    text = document.text[slice(*span)]
    node: Node = Word(token)
    if token.startswith("'"):  # of a tag, a mention or a site
        name = text.removeprefix("#").casefold()
        if tag_token(name) != token:
            return None
        node = Tag(name)
    word = format_node(node)
    try:
        return Exclusion(word=word, text=text) if parse(word).root == node else None
    except QueryError:
        return None


def _is_meaningful(token: str, base: str, inflector: Inflector) -> bool:
    if token.startswith("'"):
        return True
    if len(token) < _SHORTEST or token.isdigit() or token in _EMPTY or base in _EMPTY:
        return False
    readings = inflector.known(token)
    return not readings or any(reading.tag.POS in _MEANINGFUL for reading in readings)
