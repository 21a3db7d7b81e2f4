"""What a query means and what the last days would have brought, on one screen: for /test and /track."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bot.commands.context import Context
from bot.commands.lookup import show_source
from bot.commands.query_text import TypedQuery, failure, show_query
from bot.locales import Translator
from bot.locales.figures import show_number
from bot.matching.explain.hints import Hint, HintKind, hints
from bot.models.posts import StoredPost
from bot.rendering.post_text import excerpt_post
from bot.search.backtest import MANY, Backtest, backtest, midnight
from bot.text.markup import Text, bold, code

DAYS = 7  # over which a query is tried, today being one
MOST_READ = 20_000  # posts: some three seconds
_SHOWN_NEAR = 2
_EXCERPT = 140  # characters of a post
_SHOWN_WORDS, _SHOWN_FORMS = 6, 3
_SHOWN_HINTS = 3
_BARS = "▁▂▃▄▅▆▇█"


async def preview(context: Context, typed: TypedQuery) -> Text:
    """Write how a query is read, how often it would have alerted lately, to what, and what it just missed."""
    query, zone = typed.compiled, ZoneInfo(context.chat.time_zone)
    since = midnight(context.now, days=DAYS, zone=zone)
    result = await backtest(context.database, query, now=context.now, since=since, zone=zone, most=MOST_READ)
    text = show_query(typed, context.t).add("\n")
    forms = "; ".join(_forms(query.forms))
    if forms:
        text.line(context.t.gettext("In any form: {forms}"), forms=forms)
    for hint in (await asyncio.to_thread(hints, query.query, context.inflector))[:_SHOWN_HINTS]:
        text.line("💡 {hint}", hint=_hint(hint, context.t))
    text.line()
    _add_figures(text, result, context.t)
    for hit in result.hits:
        _add_post(text.line(), hit.post, hit.spans, context)
    if result.near:
        text.line().line("{title}", title=bold(context.t.gettext("Just missed")))
    for miss in result.near[:_SHOWN_NEAR]:
        _add_post(text, miss.post, miss.spans, context, why=failure(miss.failure, context.t))
    return text


def _forms(forms: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Yield the first words with some of their forms: from all over the alphabet, since neighbours are alike."""
    inflected = {key.removeprefix('"'): found for key, found in forms.items() if len(found) > 1}
    for word, found in list(inflected.items())[:_SHOWN_WORDS]:
        others = [form for form in found if form != word]
        yield f"{word} ({', '.join(others[:: -(-len(others) // _SHOWN_FORMS)])} …)"
    if len(inflected) > _SHOWN_WORDS:
        yield f"+{len(inflected) - _SHOWN_WORDS}"


def _hint(hint: Hint, t: Translator) -> str:
    """Say what may have been meant besides."""
    if hint.kind is HintKind.EXACT:
        line = t.gettext("«{word}» also finds the ordinary word {finds}. For the name alone write {also}")
    elif hint.kind is HintKind.OPERATOR:
        line = t.gettext(
            "«{word}» is looked for as a word here: operators count in capitals, and only where something is written "
            "in small letters. Write {also} in its place."
        )
    elif hint.also and hint.finds == (hint.word,):
        line = t.gettext("«{word}»: did you also mean {also}?")
    elif hint.also:
        line = t.gettext("«{word}» finds {finds}. Did you also mean {also}?")
    else:
        line = t.gettext("«{word}» finds {finds}.")
    return line.format(word=hint.word, finds=", ".join(hint.finds), also=", ".join(hint.also))


def _add_figures(text: Text, result: Backtest, t: Translator) -> None:
    if result.empty:
        text.line(t.gettext("No posts are stored yet, so I cannot tell how often it would alert."))
        return
    since = format_date(result.first, "d MMM", locale=t.language)
    line = t.ngettext(
        "Since {day} it would have brought {n} alert.", "Since {day} it would have brought {n} alerts.", result.total
    )
    text.say(line, day=since, n=bold(str(result.total)))
    if result.total > 1:
        average = show_number(round(result.average, 1), t)
        chart = "".join(_BARS[posts * (len(_BARS) - 1) // result.busiest] for _, posts in result.days)
        line = t.gettext("About {average} a day, {busiest} on the busiest: {chart}")
        text.add(" ").say(line, average=average, busiest=result.busiest, chart=chart)
    text.line()
    if result.is_much:
        line = t.gettext(
            "⚠️ More than {many} a day are hard to read. Add a word, or put words close together: {example}"
        )
        text.line(line, many=MANY, example=code(t.gettext("internet ~5 sovereign")))


def _add_post(
    text: Text, post: StoredPost, spans: Sequence[tuple[int, int]], context: Context, *, why: Text | None = None
) -> None:
    text.add(show_source(post), " · ", context.date(post.date), "\n")
    if why is not None:
        text.join(why).add("\n")
    text.marked(*excerpt_post(post.text, post.parts, spans, context.t, room=_EXCERPT)).add("\n")
