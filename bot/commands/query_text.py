"""Queries that people type: read or refused, what they would have brought lately, and why they fit a text or not."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bot.commands.context import CommandError, Context
from bot.commands.limits import named_places, show_limits
from bot.commands.lookup import limited_scope, show_source
from bot.commands.past import describe_past
from bot.commands.rewriting import AmbiguityError
from bot.locales import N_, Translator
from bot.locales.locale import show_number
from bot.matching.engine.compiled import Compiled, packed
from bot.matching.explain.exclusions import compile_excluding
from bot.matching.explain.explain import Clause, ClauseKind, Reason
from bot.matching.explain.hints import Hint, HintKind, hints
from bot.matching.explain.near_miss import failures, has_found, holders
from bot.matching.query.refusals import MESSAGES, AmbiguousQueryError, QueryError
from bot.matching.words.windows import Unit
from bot.models import StoredPost
from bot.models.outgoing import ButtonRows
from bot.models.topics import TopicState
from bot.rendering.post_text import excerpt_post
from bot.search.backtest import MANY, Backtest, backtest, midnight
from bot.text.buttons import button
from bot.text.markup import Piece, Text, bold, code, join_texts

SHOWN_QUERY = 600  # characters, so that the rest of an answer still fits below it
_AROUND = 30  # characters of the query shown on either side of the place
_HERE = "👉"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedQuery:
    """A query as typed, and ready to run."""

    state: TopicState  # what a topic with this query looks for
    compiled: Compiled


async def read_query(
    source: str, context: Context, *, excluded: Sequence[str] = (), typed: str | None = None
) -> TypedQuery:
    """Read a query, leave words out, and find the forms of them all.

    Raises CommandError where it cannot be read; `typed` is the text in which the place is shown then, if it is another.
    """
    try:
        compiled = await asyncio.to_thread(compile_excluding, source, excluded, context.inflector)
    except AmbiguousQueryError as error:
        text = _refusal(error, typed or source, context.t)
        amid = _filters_amid(source, typed or source, error.span)
        readings = [f"{reading} {amid}".rstrip() for reading in error.readings]
        raise AmbiguityError(text, typed or source, error.span, readings) from None
    except QueryError as error:
        raise CommandError(_refusal(error, typed or source, context.t)) from None
    return TypedQuery(state=TopicState(query=source, excluded=tuple(excluded)), compiled=compiled)


async def read_topic(source: str, context: Context, *, excluded: Sequence[str] = ()) -> TypedQuery:
    """Read the query of a topic and its limits. Raises CommandError where one of them cannot be read."""
    query, limits = await named_places(source, context)
    typed = await read_query(query, context, excluded=excluded, typed=source)
    return replace(typed, state=replace(typed.state, query=query.strip(), limits=limits))


def _filters_amid(source: str, typed: str, span: tuple[int, int]) -> str:
    """Return the filters that stand within a span of a typed search; in `source` there are spaces for them."""
    start, end = span
    pairs = zip(source[start:end], typed[start:end], strict=True)
    return " ".join("".join(sign if sign != left else " " for left, sign in pairs).split())


def show_query(typed: TypedQuery, t: Translator) -> Text:
    """Read a query back."""
    query = short_query(str(typed.compiled.query), SHOWN_QUERY)
    return Text().say(t.gettext("Looking for: {query}"), query=query)


def short_query(query: str, longest: int) -> Piece:
    """Write a query, or the beginning of a long one."""
    return code(query if len(query) <= longest else query[: longest - 1] + "…")


def _refusal(error: QueryError, source: str, t: Translator) -> Text:
    """Explain why a query is refused, and show the place."""
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
_SHOWN_WORDS = 8  # of those by which a query holds

_FAILED: Mapping[Reason | None, str] = {
    Reason.ABSENT: N_("not found: {part}"),
    Reason.APART: N_("found, but too far apart: {part}"),
    Reason.EXCLUDED: N_("excluded by: {part}"),
}
_ONLY_ONCE = N_("found only once: {part}")
_NOT_TOGETHER = N_("found, but not side by side: {part}")
_SCATTERED: Mapping[Unit, str] = {
    Unit.PARAGRAPH: N_("found, but in different paragraphs: {part}"),
    Unit.SENTENCE: N_("found, but not in one sentence or two neighbours: {part}"),
    Unit.HEAD: N_("found, but not all at the beginning: {part}"),
}


def why_not(root: Clause, t: Translator) -> Text:
    """Say which parts of a query a text lacks."""
    if not has_found(root) and root.kind is ClauseKind.ANY:
        return Text().add(t.gettext("none of it was found"))
    return _listed([failure(part, t) for part in failures(root)])


def why(root: Clause, text: str) -> Text:
    """Name the words of a text by which a query holds, in their order."""
    spans = sorted({span for part in holders(root) for span in part.spans})
    found = list(dict.fromkeys(" ".join(text[start:end].split())[:_LONGEST_WORDS] for start, end in spans))
    words = join_texts((Text().add(bold(each)) for each in found[:_SHOWN_WORDS]), ", ")
    return words.add(f" +{len(found) - _SHOWN_WORDS}" if len(found) > _SHOWN_WORDS else "")


def failure(part: Clause, t: Translator) -> Text:
    """Say why one part failed."""
    line = _FAILED[part.reason]
    if part.reason is Reason.APART and part.kind is ClauseKind.ALL:
        line = _SCATTERED[part.unit]
    elif part.reason is Reason.APART and len({span for inside in part.clauses for span in inside.spans}) == 1:
        line = _ONLY_ONCE  # both its sides are the one word
    elif part.reason is Reason.APART and part.kind is ClauseKind.PHRASE:
        line = _NOT_TOGETHER
    return Text().say(t.gettext(line), part=short_query(part.query, _LONGEST_PART))


def _listed(reasons: Sequence[Text]) -> Text:
    more = len(reasons) - SHOWN_PARTS
    return join_texts(reasons[:SHOWN_PARTS], "; ").add(f"; +{more}" if more > 0 else "")


_TRIED_DAYS = 7  # over which a query is tried, today being one
_MOST_READ = 20_000  # posts: some three seconds
_SHOWN_NEAR = 2
_EXCERPT = 140  # characters of a post
_READ_WORDS, _SHOWN_FORMS = 6, 3
_SHOWN_HINTS = 3
_BARS = "▁▂▃▄▅▆▇█"


async def show_backtest(
    context: Context, typed: TypedQuery, *, key: str, before: int | None = None, excluded: Sequence[str] = ()
) -> tuple[Text, ButtonRows]:
    """Write how a query is read, how often it would have alerted lately, to what, and what it just missed.

    `excluded` are the compiled words without which its posts have to be in this chat.
    The row of buttons goes on with older posts, where there was no time for them, or has more of the past read, where
    the archive does not reach back so far; `key` is what its data name the query by. `before` is where to go on.
    """
    query, zone = typed.compiled, ZoneInfo(context.chat.time_zone)
    since = midnight(context.now, days=_TRIED_DAYS, zone=zone)
    scope = await limited_scope(context, typed.state.limits)
    asked = {"now": context.now, "since": since, "zone": zone, "before": before, "most": _MOST_READ}
    asked |= {"hidden": scope.hidden, "channel_ids": scope.channel_ids}
    result = await context.ask(backtest, packed(query.to_json(), excluded), **asked)
    text = show_query(typed, context.t).add("\n")
    text.lines(await show_limits(context.database, typed.state.limits, context))
    if before is None:
        await _add_reading(text, query, context)
    text.line()
    _add_figures(text, result, context, is_older=before is not None)
    past = describe_past(result.coverage, context, scope.channel_ids, since=since)
    if past.line:
        text.add(past.line, "\n")
    for hit in result.hits:
        _add_post(text.line(), hit.post, hit.spans, context)
    if result.near:
        text.line().add(bold(context.t.gettext("Near misses")), "\n")
    for miss in result.near[:_SHOWN_NEAR]:
        _add_post(text, miss.post, miss.spans, context, why=failure(miss.failure, context.t))
    if result.before is not None:
        return text, ((button(context.t.gettext("Search further back"), "older", key, result.before),),)
    return text, past.rows


async def _add_reading(text: Text, query: Compiled, context: Context) -> None:
    """Say which forms of its words a query finds, and what else it may mean."""
    forms = "; ".join(_forms(query.forms))
    if forms:
        text.line(context.t.gettext("In any form: {forms}"), forms=forms)
    for hint in (await asyncio.to_thread(hints, query.query, context.inflector))[:_SHOWN_HINTS]:
        text.line("💡 {hint}", hint=_hint(hint, context.t))


def _forms(forms: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Yield the first words with some of their forms: from all over the alphabet, since neighbours are alike."""
    inflected = {key.removeprefix('"'): found for key, found in forms.items() if len(found) > 1}
    for word, found in list(inflected.items())[:_READ_WORDS]:
        others = [form for form in found if form != word]
        yield f"{word} ({', '.join(others[:: -(-len(others) // _SHOWN_FORMS)])} …)"
    if len(inflected) > _READ_WORDS:
        yield f"+{len(inflected) - _READ_WORDS}"


def _hint(hint: Hint, t: Translator) -> str:
    """Write a hint at another meaning of a query."""
    if hint.kind is HintKind.EXACT:
        line = t.gettext("«{word}» also finds the ordinary word {finds}. For the name alone write {also}")
    elif hint.kind is HintKind.OPERATOR:
        line = t.gettext(
            "«{word}» is searched for as a word here: operators count only in capitals, and only next to "
            "something in small letters. Write {also} in its place."
        )
    elif hint.kind is HintKind.UNINFLECTED:
        line = t.gettext("«{word}» is only found in this form: the Ukrainian dictionary is not installed here.")
    elif hint.also and hint.finds == (hint.word,):
        line = t.gettext("«{word}»: did you also mean {also}?")
    elif hint.also:
        line = t.gettext("«{word}» finds {finds}. Did you also mean {also}?")
    else:
        line = t.gettext("«{word}» finds {finds}.")
    return line.format(word=hint.word, finds=", ".join(hint.finds), also=", ".join(hint.also))


def _add_figures(text: Text, result: Backtest, context: Context, *, is_older: bool) -> None:
    t = context.t
    if result.empty:
        text.line(t.gettext("No posts are stored yet, so I cannot say how often it would alert."))
        return
    since = format_date(result.first, "d MMM", locale=t.language)
    line = t.ngettext(
        "Since {day} it would have triggered {n} alert.",
        "Since {day} it would have triggered {n} alerts.",
        result.total,
    )
    if is_older:
        line = t.ngettext(
            "From {day} to {last} it would have triggered {n} alert.",
            "From {day} to {last} it would have triggered {n} alerts.",
            result.total,
        )
    last = format_date(result.last, "d MMM", locale=t.language)
    text.say(line, day=since, last=last, n=bold(str(result.total)))
    if result.total > 1:
        average = show_number(round(result.average, 1), t)
        chart = "".join(_BARS[posts * (len(_BARS) - 1) // result.busiest] for _, posts in result.days)
        line = t.gettext("About {average} a day, {busiest} on the busiest day: {chart}")
        text.add(" ").say(line, average=average, busiest=result.busiest, chart=chart)
    text.line()
    if result.is_partial:
        line = t.gettext("I searched {n} posts, back to {date}; older ones are not counted.")
        text.line(line, n=show_number(result.read, t), date=context.date(result.reached))
    if result.is_much:
        line = t.gettext(
            "⚠️ More than {many} a day are too many to read. Add a word, or ask for words close together: {example}"
        )
        text.line(line, many=MANY, example=code(t.gettext("internet ~5 sovereign")))


def _add_post(
    text: Text, post: StoredPost, spans: Sequence[tuple[int, int]], context: Context, *, why: Text | None = None
) -> None:
    text.add(show_source(post), " · ", context.date(post.date), "\n")
    if why is not None:
        text.join(why).add("\n")
    text.marked(*excerpt_post(post.text, post.parts, spans, context.t, room=_EXCERPT)).add("\n")
