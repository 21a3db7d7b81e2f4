"""/stats: charts of posts, alerts, topics, channels, hours, delays and deletions, each a tap away from the others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from bot.charts import jobs
from bot.charts.chart import Chart
from bot.charts.stats import PERIODS, TITLES, ChartCounts, ChartKind, ChartRequest, named_in, show
from bot.commands.context import CommandError, Context, Reply, Request, message, say
from bot.commands.context import show as show_screen
from bot.commands.lookup import find_topic, unquoted
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.report_settings import THEME
from bot.commands.rights import Need
from bot.locales import N_
from bot.locales.locale import topic_title
from bot.models.counts import ChannelCount, DeletionCount, Selection
from bot.models.outgoing import Button, ButtonRows, Outgoing, Theme
from bot.store import chats, topics
from bot.store.channel_groups import ChannelGroup, Directory, ListedChannel, Place, place_or_topic
from bot.store.database import Transaction
from bot.store.topics import Topic
from bot.text.buttons import button, choice, rows_of
from bot.text.markup import Text, one_line

WITHIN = 15.0  # s for a process that has yet to load what draws; else it takes one
_MOST_GROUPS = 8  # that have a button; all can be typed
_LABEL = 24  # UTF-16 units
_MOST_MEANT, _ALIKE = 4, 0.6  # names that may be meant, and how much they are like what was typed, of 1
_LOOKS = {Theme.LIGHT: "☀️", Theme.DARK: "🌙"}  # of the button that leads to each
_KINDS, _DAYS, _THEMES = ("|".join(map(str, each)) for each in (ChartKind, PERIODS, Theme))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The posts that a chart is of: those of a channel group, channel or topic; the key is what a button carries."""

    key: str = "a"
    name: str = ""  # empty: all
    channel_ids: tuple[int, ...] | None = None
    topic: str | None = None


@command("stats", Section.POSTS, 7, Need.LOOK, N_("charts of posts and alerts"), usage=N_("name"))
@example("/stats", N_("posts and alerts by the day; tap for topics, channels, hours, delays, deletions"))
@example(N_("/stats Regulators"), N_("the same, of the channels of one group"))
@example(N_("/stats outages"), N_("of one topic; or of one channel, by its @name"))
async def stats(request: Request, context: Context) -> Reply:
    """Show posts and alerts of a week: all, or those of a channel group, channel or topic."""
    directory, part, asked = await _directory(context), _Part(), ChartRequest(kind=ChartKind.DAYS, days=7)
    if typed := unquoted(request.argument.removeprefix("group:")):
        found = await _find(directory, typed, context)
        if found is None:
            return await _suggest(directory, typed, asked, context)
        part = found
    return await _answer(request, context, asked, context.chat.theme, part, directory=directory)


@tap("stats", Need.LOOK, rf"({_KINDS}):({_DAYS}):(a|[gct]-?\d{{1,15}})(:({_THEMES}))?")
async def turn(request: Request, context: Context) -> Reply:
    """Show another chart in the place of the one above the button."""
    kind, days, key, *chosen = request.argument.split(":")
    directory = await _directory(context)
    part = await _by_key(key, directory, context)
    theme = await theme_of(chosen, context)
    return await _answer(
        request, context, ChartRequest(kind=ChartKind(kind), days=int(days)), theme, part, directory=directory
    )


async def theme_of(chosen: Sequence[str], context: Context) -> Theme:
    """Return the theme that a button names, and remember it for the chat, or else that of the chat.

    Who may not change settings of the chat sees the one chart in it.
    """
    theme = Theme(chosen[0]) if chosen else context.chat.theme
    if theme is not context.chat.theme and context.may(Need.CHAT):

        async def remember(tx: Transaction) -> None:
            chat = await chats.get(tx, context.chat.id)
            await THEME.choose(tx, replace(context, chat=chat or context.chat), theme)

        await context.database.write(remember)
    return theme


def theme_button(theme: Theme, *data: str | int) -> Button:
    """Return the button below a chart that shows it in the other theme."""
    other = Theme.LIGHT if theme is Theme.DARK else Theme.DARK
    return button(_LOOKS[other], *data, other)


async def _answer(  # noqa: PLR0913 - a question, and what it is asked of
    request: Request, context: Context, asked: ChartRequest, theme: Theme, part: _Part, *, directory: Directory
) -> Reply:
    asked = replace(asked, of=part.name)
    selection = Selection(
        chats=(context.chat.id,),
        viewer=context.viewer,
        channel_ids=part.channel_ids,
        topic=part.topic,
        since=asked.since(context.locale),
        until=context.now,
        time_zone=context.chat.time_zone,
        step=asked.step,
    )
    counted = await context.ask(jobs.count, asked.kind, selection, within=WITHIN)
    chart, text = show(asked, counted, context.locale)
    rows = _buttons(asked, theme, part, await _others(counted, part, directory, context), context)
    if not chart.panels and not request.tapped:  # where there was a picture, one takes its place
        return say(text, rows)
    return show_screen(request, await with_chart(chart, text, theme, rows, context))


async def with_chart(chart: Chart, text: Text, theme: Theme, rows: ButtonRows, context: Context) -> Outgoing:
    """Make a message of a chart, drawn in a process apart, and the words that say the same."""
    png = await context.ask(jobs.draw, chart, theme, within=WITHIN)
    return replace(message(text, rows), png=png)


def _buttons(asked: ChartRequest, theme: Theme, part: _Part, others: Sequence[_Part], context: Context) -> ButtonRows:
    t = context.t

    def data(kind: ChartKind = asked.kind, days: int = asked.days, key: str = part.key) -> tuple[str, str, int, str]:
        return "stats", kind, days, key

    kinds = [choice(t.gettext(TITLES[kind]), *data(kind=kind), chosen=kind is asked.kind) for kind in ChartKind]
    periods = [choice(t.gettext(each), *data(days=days), chosen=days == asked.days) for days, each in PERIODS.items()]
    parts = list[Button]()
    if others:
        parts.append(choice(t.gettext("All channels"), *data(key=_Part().key), chosen=not part.name))
        for each in others:
            label = one_line(each.name, _LABEL)
            parts.append(choice(label, *data(key=each.key), chosen=each.key == part.key))
    return (*rows_of(kinds, 2), (*periods, theme_button(theme, *data())), *rows_of(parts, 2))


async def _others(counted: ChartCounts, part: _Part, directory: Directory, context: Context) -> list[_Part]:
    """Return what is a tap away: the channel groups, the topics or channels that a chart names, and what it is of."""
    found = [_group(each, directory) for each in directory.groups[:_MOST_GROUPS]]
    shown = named_in(counted)
    known = {each.name: each for each in await topics.all_topics(context.database, context.viewer)} if shown else {}
    for each in shown:
        if isinstance(each, ChannelCount | DeletionCount):
            found.append(_Part(key=f"c{each.channel_id}", name=each.title, channel_ids=(each.channel_id,)))
        elif each.topic in known:
            found.append(_topic(known[each.topic], context))
    return found if not part.name or any(each.key == part.key for each in found) else [part, *found]


async def _directory(context: Context) -> Directory:
    return await Directory.load(context.database, context.viewer)


def _group(group: ChannelGroup, directory: Directory) -> _Part:
    members = tuple(each.id for each in directory.members(group.id))
    return _Part(key=f"g{group.id}", name=group.name, channel_ids=members)


def _channel(channel: ListedChannel) -> _Part:
    return _Part(key=f"c{channel.id}", name=channel.title, channel_ids=(channel.id,))


def _topic(topic: Topic, context: Context) -> _Part:
    return _Part(key=f"t{topic.id}", name=topic_title(topic.name, context.t), topic=topic.name)


async def _find(directory: Directory, typed: str, context: Context) -> _Part | None:
    """Return what a name means: a group, channel or topic, else the one channel with these words in its title."""
    match place_or_topic(directory.find(typed), await find_topic(context.database, typed, context.viewer)):
        case Topic() as topic:
            return _topic(topic, context)
        case Place(group=ChannelGroup() as group):
            return _group(group, directory)
        case Place(channels=[channel]):
            return _channel(channel)
        case _:
            return None


async def _by_key(key: str, directory: Directory, context: Context) -> _Part:
    """Return what the key of a button names. Raises CommandError where it is gone, or hidden from the chat."""
    number, found = int(key[1:] or 0), list[_Part]()
    match key[0]:
        case "a":
            found = [_Part()]
        case "g":
            found = [_group(each, directory) for each in directory.groups if each.id == number]
        case "c":
            channel = directory.by_id(number)
            found = [] if channel is None else [_channel(channel)]
        case _:
            topic = await topics.get(context.database, number, context.viewer)
            found = [] if topic is None else [_topic(topic, context)]
    if not found:
        raise outdated(context)
    return found[0]


async def _suggest(directory: Directory, typed: str, asked: ChartRequest, context: Context) -> Reply:
    """Say that nothing goes by a name, with a button for each name that is like it. Raises CommandError without any."""
    named: dict[str, _Part] = {}
    for topic in await topics.all_topics(context.database, context.viewer):
        part = _topic(topic, context)
        named |= {topic.name.casefold(): part, part.name.casefold(): part}
    for each in directory.followed:
        part = _channel(each)
        named |= {name.casefold(): part for name in (each.username, each.title) if name}
    named |= {each.name.casefold(): _group(each, directory) for each in directory.groups}
    wanted, place = typed.casefold().lstrip("@"), directory.find(typed)
    meant = [_channel(each) for each in place.channels] if place is not None else []
    meant += [named[name] for name in get_close_matches(wanted, named, n=_MOST_MEANT, cutoff=_ALIKE)]
    shown = list({part.key: part for part in meant}.values())[:_MOST_MEANT]
    t = context.t
    if not shown:
        line = t.gettext("There is no group, topic or channel «{name}». See /groups, /topics and /channels.")
        raise CommandError(line, name=typed[:64])
    buttons = [button(one_line(part.name, _LABEL), "stats", asked.kind, asked.days, part.key) for part in shown]
    line = t.gettext("There is no group, topic or channel «{name}». Did you mean one of these?")
    return say(line, rows_of(buttons, 2), name=typed[:64])
