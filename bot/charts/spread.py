"""How a story spread over channels, as a chart and in lines: who was first, and how fast the others followed. Pure."""

from collections.abc import Sequence

from bot.charts.chart import Bar, Bars, Chart, Steps
from bot.charts.stats import MOST_BARS
from bot.locales.locale import Locale, show_span
from bot.models import StoredPost
from bot.text.markup import Text, bold, one_line

_NAME = 48  # UTF-16 units of a channel in the lines
_LINES = 6  # that name channels
_MINUTE, _HOUR = 60, 3600  # s
_TICKS = (1, 5, 15, 30, *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)), *(n * _HOUR for n in (1, 2, 3, 6, 12, 24, 48)))
_MOST_TICKS = 4


def show_spread(posts: Sequence[StoredPost], locale: Locale) -> tuple[Chart, Text]:
    """Return the chart of posts that say the same, the oldest first, and its lines. Each channel counts once."""
    t = locale.t
    firsts = list({post.channel_id: post for post in reversed(posts)}.values())[::-1]
    begun = firsts[0].date
    delays = [(post.date - begun).total_seconds() for post in firsts]
    title, count = t.gettext("Who said it first"), len(firsts)
    channels = t.ngettext("{n} channel", "{n} channels", count).format(n=count)
    notes = [locale.date(begun), *(f"+{show_span(delay, t)}" for delay in delays[1:])]
    named = [
        Bar(name=f"{number}. {post.channel_title}{' ↪' if post.forward else ''}", parts=(delay,), note=note)
        for number, (post, delay, note) in enumerate(zip(firsts, delays, notes, strict=True), start=1)
    ]
    text = Text().add(bold(title)).line(f" · {channels}")
    if count > 1:
        line = t.gettext("Half of them within {half}, all within {most}")
        text.line(line, half=show_span(delays[(count - 1) // 2], t), most=show_span(delays[-1], t))
    for bar in named[:_LINES]:
        text.line("{name} · {note}", name=one_line(bar.name, _NAME), note=bar.note)
    curve = Steps(
        title=t.gettext("Channels that have said it"),
        points=tuple((delay, number) for number, delay in enumerate(delays, start=1)),
        ticks=tuple((place, f"+{show_span(place, t)}") for place in _ticks(delays[-1])),
    )
    subtitle = f"{channels} · {locale.zone}"
    bars = Bars(bars=tuple(named[:MOST_BARS]))
    return Chart(title=title, subtitle=subtitle, panels=(curve, bars)), text


def _ticks(longest: float) -> list[int]:
    """Return some round spans up to the longest, in seconds."""
    step = next((each for each in _TICKS if longest <= each * _MOST_TICKS), _TICKS[-1])
    return list(range(step, int(longest) + 1, step))
