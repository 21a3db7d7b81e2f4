"""The charts of `/stats` and the lines that say the same, made of what was counted. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_day_names
from babel.numbers import format_percent

from bot.charts.chart import Bar, Bars, Chart, Columns, Grid, Panel
from bot.locales import N_, Translator
from bot.locales.locale import Locale, gone_words, show_number, show_span, topic_title
from bot.models import StoredPost
from bot.models.counts import (
    DELAYS,
    ChannelCount,
    DayCounts,
    DelayCounts,
    DeletionCount,
    DeletionCounts,
    HourCounts,
    TopicCount,
)
from bot.text.markup import Text, bold, one_line

MOST_BARS = 8  # that a phone shows well
_NAME = 48  # UTF-16 units of a channel or topic in the lines
_DAY = 24  # h
_WEEK = 7  # days
_YEAR = 364  # days: whole weeks
Named = TopicCount | ChannelCount | DeletionCount
ChartCounts = DayCounts | HourCounts | DelayCounts | DeletionCounts | Sequence[Named]


class ChartKind(StrEnum):
    """What can be looked at."""

    DAYS = "days"
    HOURS = "hours"
    TOPICS = "topics"
    CHANNELS = "channels"
    DELAYS = "delays"
    DELETIONS = "deletions"


TITLES = {
    ChartKind.DAYS: N_("Posts and alerts"),
    ChartKind.HOURS: N_("Hours of the week"),
    ChartKind.TOPICS: N_("Topics"),
    ChartKind.CHANNELS: N_("Channels"),
    ChartKind.DELAYS: N_("Delays"),
    ChartKind.DELETIONS: N_("Deletions"),
}
PERIODS = {7: N_("7 days"), 30: N_("30 days"), _YEAR: N_("1 year")}  # days of each, this one included


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRequest:
    """What somebody wants to look at."""

    kind: ChartKind
    days: int  # one of `PERIODS`
    of: str = ""  # the channel group, channel or topic whose posts alone are counted, in words; empty: all posts

    @property
    def step(self) -> int:
        """The days that are counted together: those of a year by the week."""
        return _WEEK if self.days == _YEAR else 1

    def first_day(self, locale: Locale) -> date:
        """Return the first of the chat's own days."""
        return locale.now.astimezone(ZoneInfo(locale.time_zone)).date() - timedelta(days=self.days - 1)

    def since(self, locale: Locale) -> datetime:
        """Return the first moment: a midnight of the chat's own days."""
        return datetime.combine(self.first_day(locale), time(), ZoneInfo(locale.time_zone)).astimezone(UTC)


def show(asked: ChartRequest, counted: ChartCounts, locale: Locale) -> tuple[Chart, Text]:
    """Return a chart, and what it says in ten lines or fewer."""
    panels, lines = _panels(asked, counted, locale)
    t = locale.t
    title, period = t.gettext(TITLES[asked.kind]), t.gettext(PERIODS[asked.days])
    of = [period, *([asked.of] if asked.of else []), locale.zone]
    text = Text().add(bold(title)).line(f" · {' · '.join(of[:-1])}")
    empty = t.gettext("Nothing in this time.")
    for line in lines or [empty]:
        text.line(line)
    return Chart(title=title, subtitle=" · ".join(of), panels=panels if lines else (), empty=empty), text


def _panels(asked: ChartRequest, counted: ChartCounts, locale: Locale) -> tuple[tuple[Panel, ...], list[str]]:
    match asked.kind, counted:
        case ChartKind.DAYS, DayCounts():
            return _days(asked, counted, locale)
        case ChartKind.HOURS, HourCounts():
            return _hours(counted, locale.t)
        case ChartKind.DELAYS, DelayCounts():
            return _delays(counted, locale.t)
    bars, lines, legend = list[Bar](), list[str](), tuple[str, ...]()
    for each in named_in(counted):
        bar, line = _bar(each, locale.t)
        bars.append(bar)
        lines.append(line)
    if isinstance(counted, DeletionCounts):
        lines += [_gone_line(post, locale) for post in counted.newest]
    if asked.kind is ChartKind.CHANNELS:
        legend = (locale.t.gettext("posts · alerts"),)
    elif asked.kind is ChartKind.TOPICS:
        legend = (locale.t.gettext("alerts (change from the time before)"),)
    elif asked.kind is ChartKind.DELETIONS:
        legend = (locale.t.gettext("deleted, as Telegram says"), locale.t.gettext("missing when read again"))
    return (Bars(bars=tuple(bars), legend=legend),), lines


def named_in(counted: ChartCounts) -> Sequence[Named]:
    """Return the topics or channels that a chart names, where it does."""
    if isinstance(counted, DeletionCounts):
        return counted.channels[:MOST_BARS]
    return counted[:MOST_BARS] if isinstance(counted, Sequence) else ()


def _bar(each: Named, t: Translator) -> tuple[Bar, str]:
    """Return the bar of a topic or channel, and its line."""
    if isinstance(each, TopicCount):
        name, bar = topic_title(each.topic, t), topic_bar(each, t)
        line = t.gettext("{name}: {n}; {before} before that")
        values: dict[str, object] = {"before": show_number(each.before, t), "n": show_number(each.alerts, t)}
    elif isinstance(each, ChannelCount):
        name, note = each.title, f"{show_number(each.posts, t)} · {show_number(each.alerts, t)}"
        line = t.gettext("{name}: posts {posts}, alerts {alerts}")
        values = {"posts": show_number(each.posts, t), "alerts": show_number(each.alerts, t)}
        bar = Bar(name=name, parts=(each.posts,), note=note)
    else:
        name, count = each.title, each.told + each.missing
        line = t.gettext("{name}: deleted {told}, missing {missing}; {alerted} of them had alerts")
        values = {"told": each.told, "missing": each.missing, "alerted": each.alerted}
        bar = Bar(name=name, parts=(each.told, each.missing), note=show_number(count, t))
    return bar, line.format(name=one_line(name, _NAME), **values)


def _gone_line(post: StoredPost, locale: Locale) -> str:
    """Write when it was noticed that a post is gone, whether Telegram told of it, what it said, and where it was."""
    t = locale.t
    words = one_line(post.whole, _NAME) or t.gettext("(no text)")
    return f"{locale.date(post.gone_at or post.date)} · {gone_words(post, t)} · {words} · {post.link}"


def topic_bar(each: TopicCount, t: Translator) -> Bar:
    """Return the bar of a topic, with how much it rose or fell."""
    change, number = each.alerts - each.before, show_number(each.alerts, t)
    note = f"{number} ({change:+d})".replace("-", "−") if change else number
    return Bar(name=topic_title(each.topic, t), parts=(each.alerts,), note=note)


def _days(asked: ChartRequest, counted: DayCounts, locale: Locale) -> tuple[tuple[Panel, ...], list[str]]:
    """Show posts above alerts, by the day; those of a year by the week."""
    t, language = locale.t, locale.t.language
    first = asked.first_day(locale)
    starts = [first + timedelta(days=number) for number in range(0, asked.days, asked.step)]
    posts, alerts = counted.posts, counted.alerts
    titles = t.gettext("Posts"), t.gettext("Alerts")
    labels = tuple(_label(day, number, asked.days, language) for number, day in enumerate(starts))
    panels = tuple(
        Columns(
            title=f"{title}: {show_number(sum(values), t)}",
            labels=labels,
            values=values,
            place=place,
            thousands=thousands(t),
        )
        for place, (title, values) in enumerate(zip(titles, (posts, alerts), strict=True))
    )
    if not sum(posts) + sum(alerts):
        return panels, []
    lines = [panel.title for panel in panels]
    if asked.days <= MOST_BARS:
        line = t.gettext("{day}: posts {posts}, alerts {alerts}")
        for day, *both in zip(starts, posts, alerts, strict=True):
            named = format_date(day, "EEE d MMM", locale=language)
            lines.append(line.format(day=named, posts=show_number(both[0], t), alerts=show_number(both[1], t)))
        return panels, lines
    for title, values in zip(titles, (posts, alerts), strict=True):
        if sum(values):
            most = max(values)
            busiest = format_date(starts[values.index(most)], "EEE d MMM", locale=language)
            line = t.gettext("Most in the week from {day}: {n}") if asked.step > 1 else t.gettext("Most on {day}: {n}")
            lines.append(f"{title} – {line.format(day=busiest, n=show_number(most, t))}")
    return panels, lines


def thousands(t: Translator) -> str:
    """Return what stands between the thousands of a number."""
    return show_number(1000, t)[1:-3]


def _label(day: date, number: int, days: int, language: str) -> str:
    """Return what stands below a day or week: of a week each day, of a month a day in seven, of a year some months."""
    if days <= MOST_BARS:
        return format_date(day, "EEE", locale=language)
    if days < _YEAR:
        return format_date(day, "d MMM", locale=language) if number % _WEEK == 0 else ""
    is_labelled = day.day <= _WEEK and day.month % 2 == 1
    return format_date(day, "LLL", locale=language) if is_labelled else ""


def _hours(counted: HourCounts, t: Translator) -> tuple[tuple[Panel, ...], list[str]]:
    """Show the posts of an hour on the average, by weekday and hour."""
    flat = counted.means
    days = [get_day_names("abbreviated", locale=t.language)[number] for number in range(_WEEK)]
    values = tuple(flat[day * _DAY : (day + 1) * _DAY] for day in range(_WEEK))
    most = show_number(round(max(flat), 1), t)
    columns = tuple(f"{hour}" if hour % 6 == 0 else "" for hour in range(_DAY))
    title = t.gettext("Posts an hour, on average")
    grid = Grid(title=title, rows=tuple(days), columns=columns, values=values, least="0", most=most)
    if not any(flat):
        return (grid,), []
    busiest, quietest = flat.index(max(flat)), flat.index(min(flat))
    lines = [
        t.gettext("Busiest: {day} {hour}:00, {n} posts an hour").format(
            day=days[busiest // _DAY], hour=busiest % _DAY, n=most
        ),
        t.gettext("Quietest: {day} {hour}:00, {n} posts an hour").format(
            day=days[quietest // _DAY], hour=quietest % _DAY, n=show_number(round(min(flat), 1), t)
        ),
    ]
    for number, day in enumerate(days):
        count = sum(values[number])
        best = values[number].index(max(values[number]))
        line = t.gettext("{day}: posts {n}, most at {hour}:00") if count else "{day}: {n}"
        lines.append(line.format(day=day, n=show_number(round(count, 1), t), hour=best))
    return (grid,), lines


def _delays(counted: DelayCounts, t: Translator) -> tuple[tuple[Panel, ...], list[str]]:
    count, bars, lines = sum(counted.counts), list[Bar](), list[str]()
    if count:
        lines.append(
            t.gettext("From post to alert: half within {half}, 95% within {most}").format(
                half=show_span(counted.half_within, t), most=show_span(counted.most_within, t)
            )
        )
    for number, each in enumerate(counted.counts):
        if number < len(DELAYS):
            name = t.gettext("up to {span}").format(span=show_span(DELAYS[number], t))
        else:
            name = t.gettext("longer")
        share = f"{show_number(each, t)} · {format_percent(each / max(1, count), locale=t.language)}"
        bars.append(Bar(name=name, parts=(each,), note=share))
        lines += [f"{name}: {share}"] if count else []
    return (Bars(bars=tuple(bars), legend=(t.gettext("alerts, by how long after the post"),)),), lines
