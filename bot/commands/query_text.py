"""Queries that people type: the text comes in, its compiled form goes out, or a refusal that shows the place."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.locales import Translator
from bot.matching.engine.compiled import Compiled
from bot.matching.explain.exclusions import compile_excluding
from bot.matching.query.refusals import MESSAGES, QueryError
from bot.matching.words.inflection import Inflector
from bot.text.markup import Piece, Text, bold, code

SHOWN_QUERY = 600  # characters, so that the rest of an answer still fits below it
_AROUND = 30  # characters of the query shown on either side of the place
_HERE = "👉"


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A query as typed, and ready to run."""

    source: str
    compiled: Compiled


def understand(source: str, inflector: Inflector, *, excluded: Sequence[str] = ()) -> Understood | QueryError:
    """Read a query, leave words out, and find the forms of them all; return the error where it cannot be read."""
    try:
        return Understood(source=source, compiled=compile_excluding(source, excluded, inflector))
    except QueryError as error:
        return error


def look_for(understood: Understood, t: Translator) -> Text:
    """Read a query back."""
    query = short(str(understood.compiled.query), SHOWN_QUERY)
    return Text().say(t.gettext("I look for: {query}"), query=query)


def short(query: str, longest: int) -> Piece:
    """Write a query, or the beginning of a long one."""
    return code(query if len(query) <= longest else query[: longest - 1] + "…")


def refusal(error: QueryError, source: str, t: Translator) -> Text:
    """Say what is wrong with a query, and show the place."""
    sentence = t.gettext(MESSAGES[error.code])
    text = Text().add(sentence.format(position=error.position, **error.arguments))
    if "{position}" not in MESSAGES[error.code]:
        return text
    at = error.position - 1
    before, after = source[max(0, at - _AROUND) : at], source[at : at + _AROUND]
    opening = "…" if at > _AROUND else ""
    closing = "…" if at + _AROUND < len(source) else ""
    return text.add("\n\n", opening, before, _HERE, bold(after[:1]), after[1:], closing)
