"""The weekly report in ten lines: what rose and fell, who was first, what was edited, deleted, and is missing."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bot.locales.locale import Locale, show_number, topic_title
from bot.models.counts import TopicCount
from bot.models.notices import WeeklyReport
from bot.models.outgoing import Outgoing
from bot.text.markup import Text, bold, join_names, one_line

_NAMED = 3  # topics or channels in a line
_NAME = 30  # UTF-16 units of each


def write_weekly_report(notice: WeeklyReport, locale: Locale) -> Outgoing:
    """Write the lines of a weekly report."""
    t, counts = locale.t, notice.counts
    text = Text().add(bold(t.gettext("The week {days}").format(days=_days(notice, locale))), "\n")
    figures = (
        (t.gettext("Posts"), counts.posts, counts.posts_before),
        (t.gettext("Alerts"), sum(counts.alerts), counts.alerts_before),
    )
    for title, now, before in figures:
        line = t.gettext("{title}: {n}, the week before {before}")
        text.line(line, title=title, n=_n(now, locale), before=_n(before, locale))
    rose = [each for each in counts.topics if each.alerts > each.before]
    fell = [each for each in counts.topics if each.alerts < each.before]
    for line, topics in ((t.gettext("Rose: {topics}"), rose), (t.gettext("Fell: {topics}"), fell)):
        if topics:
            text.line(line, topics=_changes(topics, locale))
    if counts.movers:
        movers = ", ".join(f"{one_line(each.title, _NAME)} ({each.stories})" for each in counts.movers[:_NAMED])
        text.line(t.gettext("First with a story: {channels}"), channels=movers)
    text.line(t.gettext("Posts edited: {n}"), n=_n(counts.edited, locale))
    told = [(each.title, each.told) for each in counts.deletions if each.told]
    missing = [(each.title, each.missing) for each in counts.deletions if each.missing]
    text.line(t.gettext("Deleted, as Telegram says: {n}"), n=_of_channels(told, locale))
    text.line(t.gettext("Missing when read again: {n}"), n=_of_channels(missing, locale))
    if notice.gaps:
        names = [one_line(name, _NAME) for name in notice.gap_names]
        shown = join_names(names, _NAMED, total=notice.gaps)
        text.line(t.gettext("Lost, late, unchecked or with a gap: {names}. See /channels."), names=shown)
    else:
        text.line(t.gettext("No channel has a gap."))
    words, entities = text.build()
    return Outgoing(text=words.rstrip(), entities=entities)


def _days(notice: WeeklyReport, locale: Locale) -> str:
    """Write the first and the last day: «20 Nov – 26 Nov»."""
    zone = ZoneInfo(locale.time_zone)
    days = (notice.since.astimezone(zone), notice.until.astimezone(zone) - timedelta(hours=1))
    return " – ".join(format_date(day, "d MMM", locale=locale.t.language) for day in days)


def _changes(topics: Sequence[TopicCount], locale: Locale) -> str:
    shown = (f"{one_line(topic_title(each.topic, locale.t), _NAME)} {each.before} → {each.alerts}" for each in topics)
    return ", ".join([*shown][:_NAMED])


def _of_channels(found: Sequence[tuple[str, int]], locale: Locale) -> str:
    """Write a sum, and the channel that has most of it."""
    total = _n(sum(count for _, count in found), locale)
    if not found:
        return total
    title, count = max(found, key=lambda each: each[1])
    return f"{total} ({one_line(title, _NAME)}: {_n(count, locale)})"


def _n(number: int, locale: Locale) -> str:
    return show_number(number, locale.t)
