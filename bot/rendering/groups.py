"""Messages of groups: a page of posts, the number of posts that came too late, or the state of a storm. Pure.

Each post takes a line, so that a page of them fits into one message whatever they say.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.locales import Translator
from bot.locales.locale import Locale, gone_words, part_title, topic_title
from bot.models.alerts import COUNTING, GroupedAlert, GroupKind, GroupSummary, Loudness, StormState
from bot.models.outgoing import Outgoing
from bot.rendering.post_text import channel_name
from bot.text.buttons import button
from bot.text.excerpts import cut_excerpt
from bot.text.markup import Text, bold, join_names, link, one_line
from bot.text.pages import page_of
from bot.text.spans import Span

PAGE = 12  # posts
WORDS = 120  # UTF-16 units of a post's text on its line
NAME = 40  # of a channel, or a topic
SHOWN_CHANNELS = 3  # of a storm
COUNTED_CHANNELS, COUNTED_NAME = 12, 120  # channels of posts that are only counted; UTF-16 units of a name
_BOLD = 3  # matches on a line
_MORNING = range(4, 12)  # o'clock


def render_page(summary: GroupSummary, number: int, locale: Locale, *, is_alone: bool = False) -> Outgoing:
    """Write a page of a group, from 0: by topic, channel group and channel, posts with most duplicates first.

    Where it is alone, nobody can turn the page, and it says how many posts are left.
    """
    t, ordered = locale.t, _ordered(summary, locale.t)
    page = page_of(ordered, number, PAGE)
    text, shown = _heading(summary, locale), page.items
    last = _last(summary, locale)
    for before, each in zip([None, *shown], shown, strict=False):
        if summary.topic is None and (before is None or _section(before) != _section(each)):
            topic, channel_group = _section(each)
            names = [_short(name) for name in (topic_title(topic, t), channel_group) if name]
            text.add("\n", bold(" · ".join(names)), "\n" if names else "")
        text.join(_line(each, locale, relative_to=last)).add("\n")
    if is_alone and (more := len(ordered) - len(shown)):
        text.add("\n", t.ngettext("and {n} more post", "and {n} more posts", more).format(n=more))
    written, entities = text.build()
    return Outgoing(text=written, entities=entities, buttons=page.turns("sum", summary.random_id))


def _last(summary: GroupSummary, locale: Locale) -> datetime:
    """Return the moment whose day goes without saying."""
    if summary.kind is GroupKind.DIGEST:
        return summary.closes_at
    return locale.now if summary.kind in COUNTING else max(each.post.date for each in summary.alerts)


def render_count(summary: GroupSummary, locale: Locale) -> Outgoing:
    """Write how many posts a group has, by channel; a button leads to them."""
    t, shown = locale.t, summary.channels[:COUNTED_CHANNELS]
    lines = [_counted(summary, locale)]
    if len(summary.channels) > 1 or summary.kind is not GroupKind.LATE:
        lines += [f"{one_line(title, COUNTED_NAME)} · {n}" for title, n in shown]
    more = len(summary.channels) - len(shown)
    if more:
        lines.append(t.ngettext("and {n} more channel", "and {n} more channels", more).format(n=more))
    opening = button(t.gettext("Show them"), "sum", summary.random_id, 0, "new")
    return Outgoing(text="\n".join(lines), buttons=((opening,),))


def _counted(summary: GroupSummary, locale: Locale) -> str:
    t, count = locale.t, sum(n for _, n in summary.channels)
    title, time, until = "", "", ""
    if summary.kind is GroupKind.RESTORED:
        line = t.ngettext(
            "I was restored from a backup of {time}. {n} post may already have been reported here.",
            "I was restored from a backup of {time}. These {n} posts may already have been reported here.",
            count,
        )
        time = locale.date(summary.opened_at)
    elif summary.kind is GroupKind.FALLBACK:
        line = t.ngettext(
            "Telegram took nothing from me from {time} to {until}. {n} post was sent to the fallback instead.",
            "Telegram took nothing from me from {time} to {until}. {n} posts were sent to the fallback instead.",
            count,
        )
        time = locale.date(summary.opened_at)
        until = locale.date(summary.closes_at, relative_to=summary.opened_at)
    elif len(summary.channels) == 1:
        line = t.ngettext(
            "{n} post of «{channel}» reached me too late for an alert. It is stored.",
            "{n} posts of «{channel}» reached me too late for an alert. They are stored.",
            count,
        )
        title = one_line(summary.channels[0][0], COUNTED_NAME)
    else:
        line = t.ngettext(
            "{n} post reached me too late for an alert. It is stored.",
            "{n} posts reached me too late for an alert. They are stored.",
            count,
        )
    return line.format(n=count, channel=title, time=time, until=until)


def render_storm(storm: StormState, locale: Locale) -> Outgoing:
    """Write the latest posts of a storm while it goes on, and its figures once it is over."""
    t, count = locale.t, sum(n for _, n in storm.channels)
    text = Text().add("🌩 ", bold(_short(topic_title(storm.topic, t))), "\n")
    since = locale.date(storm.since, relative_to=locale.now)
    if storm.is_over:
        line = t.ngettext("{n} more post, {since} – {until}.", "{n} more posts, {since} – {until}.", count)
        text.line(line, n=count, since=since, until=locale.date(storm.until, relative_to=storm.since))
        names = join_names([f"{_short(title)} {n}" for title, n in storm.channels], SHOWN_CHANNELS)
        text.line(t.gettext("Most from: {channels}"), channels=names)
        _add_news(text, storm, locale)
    else:
        line = t.ngettext("{n} more post since {since}, {channels}", "{n} more posts since {since}, {channels}", count)
        channels = t.ngettext("{n} channel", "{n} channels", len(storm.channels)).format(n=len(storm.channels))
        text.line(line, n=count, since=since, channels=channels)
        _add_news(text, storm, locale)
        text.add("\n")
        for each in storm.latest:
            text.join(_line(each, locale, relative_to=locale.now)).add("\n")
    written, entities = text.build()
    label = t.gettext("Show all ({n})").format(n=count)
    return Outgoing(text=written, entities=entities, buttons=((button(label, "sum", storm.random_id, 0, "new"),),))


def _add_news(text: Text, storm: StormState, locale: Locale) -> None:
    """Write the new events within a storm, each on a line."""
    if storm.news:
        text.line(locale.t.gettext("New events among them:"))
    for each in storm.news:
        text.join(_line(each, locale, relative_to=locale.now)).add("\n")


def _ordered(summary: GroupSummary, t: Translator) -> list[GroupedAlert]:
    topics, channels = defaultdict[str, list[int]](list), defaultdict[tuple[str, int], list[int]](list)
    for each in summary.alerts:
        topics[_topic(each)].append(each.duplicates)
        channels[_topic(each), each.post.channel_id].append(each.duplicates)

    def place(each: GroupedAlert) -> tuple[object, ...]:
        topic, channel_id = _topic(each), each.post.channel_id
        of_topic, of_channel = topics[topic], channels[topic, channel_id]
        return (
            *(-max(of_topic), -len(of_topic), topic_title(topic, t)),
            *(each.channel_group is None, each.channel_group or ""),
            *(-max(of_channel), -len(of_channel), channel_id),
            *(-each.duplicates, each.post.date, each.post.message_id),
        )

    return sorted(summary.alerts, key=place)


def _section(each: GroupedAlert) -> tuple[str, str | None]:
    """Name the topic and the channel group under which a post stands."""
    return _topic(each), each.channel_group


def _topic(each: GroupedAlert) -> str:
    """Name the topic under which a post stands."""
    return next(iter(each.alert.topics), "")


def _heading(summary: GroupSummary, locale: Locale) -> Text:
    if summary.kind in COUNTING:
        return Text().add(_counted(summary, locale), "\n")
    t, count = locale.t, len(summary.alerts)
    title = t.gettext("Digest")
    if summary.topic is not None:
        title = topic_title(summary.topic, t)
    elif any(
        each.alert.loudness > Loudness.DIGEST for each in summary.alerts
    ):  # which waited for the end of quiet hours
        is_morning = summary.closes_at.astimezone(ZoneInfo(locale.time_zone)).hour in _MORNING
        title = t.gettext("Morning digest") if is_morning else t.gettext("Digest after quiet hours")
    return Text().add(bold(_short(title))).add(" · ", t.ngettext("{n} post", "{n} posts", count).format(n=count), "\n")


def _line(each: GroupedAlert, locale: Locale, *, relative_to: datetime) -> Text:
    """Write a post on a line: the sentence that matched, its channel and time, and what has become of it."""
    t, post = locale.t, each.post
    text = Text().add("• ").join(_words(each, t)).add(" · ")
    where = f"{channel_name(post, NAME)}, {locale.date(post.date, relative_to=relative_to)}"
    text.add(link(where, post.link))
    if each.duplicates:
        text.add(f" ×{each.duplicates + 1}")
    if post.gone_at is not None:
        text.add(" · ", gone_words(post, t))
    elif each.alert.is_edited:
        text.add(" · ", t.gettext("edited"))
    return text


def _words(each: GroupedAlert, t: Translator) -> Text:
    text, spans, parts = each.post.text, each.alert.spans, each.alert.parts
    if parts and not spans:
        found = parts[0]
        title, text, spans = f"{part_title(found.part.kind, t)}: ", found.part.text, found.spans
        return Text().add(title).join(_sentence(text, spans)).cut(WORDS)
    return _sentence(text, spans).cut(WORDS) if text.strip() else Text().add(t.gettext("(no text)"))


def _sentence(text: str, spans: Sequence[Span]) -> Text:
    line, marks = cut_excerpt(text, spans, room=WORDS - 2, one_sentence=True)
    return Text().marked(line, marks[:_BOLD]).cut(WORDS)


def _short(name: str) -> str:
    return one_line(name, NAME)
