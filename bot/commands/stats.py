"""/stats: charts of posts, alerts, topics, channels, hours, delays and deletions, each a tap away from the others."""

from collections.abc import Sequence
from dataclasses import replace

from bot.charts import jobs
from bot.charts.chart import Chart, Theme
from bot.charts.stats import PERIODS, TITLES, Asked, ChartKind, show
from bot.commands.context import CommandError, Context, Reply, Request, message, say
from bot.commands.context import show as show_screen
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.rights import Need
from bot.locales import N_
from bot.models.counts import Selection
from bot.models.outgoing import Button, ButtonRows, Outgoing
from bot.store.channel_groups import ChannelGroup, Directory
from bot.text.buttons import button, choice, rows_of
from bot.text.channel_names import spelt
from bot.text.markup import Text, one_line

WITHIN = 15.0  # s for a process that has yet to load what draws; else it takes one
_MOST_GROUPS = 8  # that have a button; all can be typed
_LABEL = 24  # UTF-16 units
LOOKS = {Theme.LIGHT: "☀️", Theme.DARK: "🌙"}  # of the button that leads to each
_ALL = 0  # in the place of a group's id


@command("stats", Section.POSTS, 7, Need.LOOK, N_("charts of posts and alerts"), usage=N_("group"))
@example("/stats", N_("posts and alerts by the day; tap for topics, channels, hours, delays, deletions"))
@example(N_("/stats Regulators"), N_("the same, of the channels of one group"))
async def stats(request: Request, context: Context) -> Reply:
    """Show posts and alerts of a week, of all channels or of a group."""
    group = None
    if typed := request.argument.removeprefix("group:").strip(" «»\"'"):
        group = _group((await Directory.load(context.database, context.viewer)).groups, typed, context)
    return await _answer(request, context, Asked(kind=ChartKind.DAYS, days=7), Theme.LIGHT, group)


@tap("stats", Need.LOOK, rf"({'|'.join(ChartKind)}):({'|'.join(map(str, PERIODS))}):({'|'.join(Theme)}):\d{{1,15}}")
async def turn(request: Request, context: Context) -> Reply:
    """Show another chart in the place of the one above the button."""
    kind, days, theme, group_id = request.argument.split(":")
    groups = {each.id: each for each in (await Directory.load(context.database, context.viewer)).groups}
    if int(group_id) != _ALL and int(group_id) not in groups:
        raise outdated(context)
    asked = Asked(kind=ChartKind(kind), days=int(days))
    return await _answer(request, context, asked, Theme(theme), groups.get(int(group_id)))


async def _answer(request: Request, context: Context, asked: Asked, theme: Theme, group: ChannelGroup | None) -> Reply:
    asked = replace(asked, group=group.name if group else "")
    directory = await Directory.load(context.database, context.viewer)
    selection = Selection(
        chats=(context.chat.id,),
        viewer=context.viewer,
        channel_ids=tuple(each.id for each in directory.members(group.id)) if group else None,
        since=asked.since(context.locale),
        until=context.now,
        time_zone=context.chat.time_zone,
    )
    counted = await context.ask(jobs.count, asked.kind, selection, within=WITHIN)
    chart, text = show(asked, counted, context.locale)
    rows = _buttons(asked, theme, group, directory, context)
    if not chart.panels and not request.tapped:  # where there was a picture, one takes its place
        return say(text, rows)
    return show_screen(request, await with_chart(chart, text, theme, rows, context))


async def with_chart(chart: Chart, text: Text, theme: Theme, rows: ButtonRows, context: Context) -> Outgoing:
    """Make a message of a chart, drawn in a process apart, and the words that say the same."""
    png = await context.ask(jobs.draw, chart, theme, within=WITHIN)
    return replace(message(text, rows), png=png)


def _buttons(
    asked: Asked, theme: Theme, group: ChannelGroup | None, directory: Directory, context: Context
) -> ButtonRows:
    t, own = context.t, group.id if group else _ALL

    def data(
        kind: ChartKind = asked.kind, days: int = asked.days, theme: Theme = theme, group_id: int = own
    ) -> tuple[str, str, int, str, int]:
        return "stats", kind, days, theme, group_id

    kinds = [choice(t.gettext(TITLES[kind]), *data(kind=kind), chosen=kind is asked.kind) for kind in ChartKind]
    periods = [choice(t.gettext(each), *data(days=days), chosen=days == asked.days) for days, each in PERIODS.items()]
    other = Theme.LIGHT if theme is Theme.DARK else Theme.DARK
    look = button(LOOKS[other], *data(theme=other))
    groups = list[Button]()
    if directory.groups:
        groups.append(choice(t.gettext("All channels"), *data(group_id=_ALL), chosen=group is None))
        for each in directory.groups[:_MOST_GROUPS]:
            is_chosen = group is not None and each.id == group.id
            groups.append(choice(one_line(each.name, _LABEL), *data(group_id=each.id), chosen=is_chosen))
    return (*rows_of(kinds, 2), (*periods, look), *rows_of(groups, 2))


def _group(groups: Sequence[ChannelGroup], typed: str, context: Context) -> ChannelGroup:
    found = next((each for each in groups if spelt(each.name) == spelt(typed)), None)
    if found is None:
        raise CommandError(context.t.gettext("There is no group «{name}». See /groups."), name=typed[:64])
    return found
