"""Queries that people type: compiled, or refused with the place; and in words why one fits a text or does not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.commands.context import CommandError, Context
from bot.locales import N_, Translator
from bot.matching.engine.compiled import Compiled
from bot.matching.explain.exclusions import compile_excluding
from bot.matching.explain.explain import Clause, ClauseKind, Reason
from bot.matching.explain.near_miss import failures, has_found, holders
from bot.matching.query.refusals import MESSAGES, QueryError
from bot.text.markup import Piece, Text, bold, code

SHOWN_QUERY = 600  # characters, so that the rest of an answer still fits below it
_AROUND = 30  # characters of the query shown on either side of the place
_HERE = "👉"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedQuery:
    """A query as typed, and ready to run."""

    source: str
    compiled: Compiled


async def read_query(
    source: str, context: Context, *, excluded: Sequence[str] = (), typed: str | None = None
) -> TypedQuery:
    """Read a query, leave words out, and find the forms of them all.

    Raises CommandError where it cannot be read; `typed` is the text in which the place is shown then, if it is another.
    """
    try:
        compiled = await asyncio.to_thread(compile_excluding, source, excluded, context.inflector)
    except QueryError as error:
        raise CommandError(_refusal(error, typed or source, context.t)) from None
    return TypedQuery(source=source, compiled=compiled)


def show_query(typed: TypedQuery, t: Translator) -> Text:
    """Read a query back."""
    query = short_query(str(typed.compiled.query), SHOWN_QUERY)
    return Text().say(t.gettext("I look for: {query}"), query=query)


def short_query(query: str, longest: int) -> Piece:
    """Write a query, or the beginning of a long one."""
    return code(query if len(query) <= longest else query[: longest - 1] + "…")


def _refusal(error: QueryError, source: str, t: Translator) -> Text:
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


SHOWN_PARTS = 3  # of one query
_LONGEST_PART = 80  # characters of a part of a query
_LONGEST_WORDS = 40  # characters of what a part found
_SHOWN_WORDS = 4  # of what a part found

_FAILED: Mapping[Reason | None, str] = {
    Reason.ABSENT: N_("not found: {part}"),
    Reason.APART: N_("found, but too far apart: {part}"),
    Reason.EXCLUDED: N_("excluded by: {part}"),
}
_ONLY_ONCE = N_("found only once: {part}")
_NOT_TOGETHER = N_("found, but not side by side: {part}")


def why_not(root: Clause, t: Translator) -> Text:
    """Say which parts of a query a text lacks."""
    if not has_found(root) and root.kind is ClauseKind.ANY:
        return Text().add(t.gettext("nothing of it is there"))
    return _listed([failure(part, t) for part in failures(root)])


def why(root: Clause, text: str) -> Text:
    """Say by which of its parts a query holds, each with the words that it found in `text`."""
    reasons = []
    for part in {part.query: part for part in holders(root)}.values():
        found = dict.fromkeys(" ".join(text[start:end].split())[:_LONGEST_WORDS] for start, end in part.spans)
        words = [Text().add(bold(each)) for each in list(found)[:_SHOWN_WORDS]]
        reasons.append(Text().add(short_query(part.query, _LONGEST_PART), ": ").join(_joined(words, ", ")))
    return _listed(reasons)


def failure(part: Clause, t: Translator) -> Text:
    """Say why one part failed."""
    line = _FAILED[part.reason]
    if part.reason is Reason.APART and len({span for inside in part.clauses for span in inside.spans}) == 1:
        line = _ONLY_ONCE  # both its sides are the one word
    elif part.reason is Reason.APART and part.kind is ClauseKind.PHRASE:
        line = _NOT_TOGETHER
    return Text().say(t.gettext(line), part=short_query(part.query, _LONGEST_PART))


def _listed(reasons: Sequence[Text]) -> Text:
    more = len(reasons) - SHOWN_PARTS
    return _joined(reasons[:SHOWN_PARTS], "; ").add(f"; +{more}" if more > 0 else "")


def _joined(texts: Sequence[Text], between: str) -> Text:
    whole = Text()
    for number, text in enumerate(texts):
        whole.add(between if number else "").join(text)
    return whole
