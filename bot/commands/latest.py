"""/latest: the newest stored posts, of all channels, of one or on a topic; and those that fit the topics of a chat."""

from dataclasses import replace

from bot.commands.context import CommandError, Context, Reply, Request, say
from bot.commands.hits import PAGE, ROW, cut, list_posts, next_label, reach_line
from bot.commands.lookup import find_topic, queries_of, topics_of, unknown_name
from bot.commands.registry import Section, command, example, tap
from bot.commands.rights import Need
from bot.commands.search import answer
from bot.locales import N_
from bot.locales.locale import topic_title
from bot.models.topics import quoted
from bot.search.jobs import find_any
from bot.search.searcher import SearchPage, latest_page
from bot.store import channel_groups, channels
from bot.store.channel_groups import Directory
from bot.text.buttons import CHANNEL, button
from bot.text.markup import Text, bold


@tap("latest", Need.LOOK, rf"{CHANNEL}:{ROW}")
@command("latest", Section.POSTS, 2, Need.LOOK, N_("the newest posts"), usage=N_("@name"))
@example("/latest", N_("the newest posts of all channels"))
@example(N_("/latest @name"), N_("those of one channel, of a channel group, or of a topic"))
async def latest(request: Request, context: Context) -> Reply:
    """Show the newest posts of all channels, of one, or on a topic; a button names a channel, 0 for all, and a row."""
    name = request.argument
    if request.tapped:
        channel_id, before = map(int, name.split(":"))
        return await _latest(context, channel_id=channel_id, before=before or None)
    group = await channel_groups.find(context.database, name) if name else None
    if group is not None:
        return await answer(request, context, f"in:{quoted(group.name)}", heading=Text().add(bold(group.name)))
    channel = await channels.find(context.database, name, viewer=context.viewer) if name else None
    if channel is not None or not name:
        return await _latest(context, channel_id=channel.id if channel else 0)
    topic = await find_topic(context.database, name, context.viewer)
    if topic is None:
        raise CommandError(await unknown_name(context.database, name, context))
    typed = replace(topic.state, query="" if topic.is_feed else topic.query).source.strip()
    return await answer(request, context, typed, heading=Text().add(bold(topic_title(topic.name, context.t))))


@tap("seen", Need.LOOK, rf"{CHANNEL}(:{ROW})?")
async def seen(request: Request, context: Context) -> Reply:
    """List the stored posts of a channel that fit the topics of this chat, a page at a time."""
    number, _, before = request.argument.partition(":")
    page = await _missed(context, int(number), before=int(before) if before else None)
    if page.hits or page.before is not None:
        return await _listed(page, context, "seen", number)
    if before:
        raise CommandError(context.own.gettext("That is all."))
    return say(context.t.gettext("No stored post of this channel matches the topics of this chat."))


async def _latest(context: Context, *, channel_id: int, before: int | None = None) -> Reply:
    scope = await context.scope([channel_id] if channel_id else None)
    page = await latest_page(context.database, scope, limit=PAGE, before=before)
    if not page.hits:
        return say(context.t.gettext("There are no posts here yet."))
    return await _listed(page, context, "latest", channel_id)


async def _listed(page: SearchPage, context: Context, verb: str, key: str | int) -> Reply:
    """Write a page of posts; where there are more, a button asks for those after the last one."""
    label = next_label(page, context.t)
    more = () if page.before is None else ((button(label, verb, key, page.before),),)
    return Reply(messages=(await list_posts(Text(), page.hits, context, more, ending=reach_line(page, context)),))


async def _missed(context: Context, channel_id: int, *, before: int | None) -> SearchPage:
    """Return a page of posts in which a topic of this chat is found."""
    directory, wanted = await Directory.load(context.database), await topics_of(context.database, context.chat.id)
    chosen = [topic for topic in wanted if not topic.is_feed and directory.takes(topic.limits, channel_id)]
    queries = await queries_of(context.database, context.chat.id, chosen)
    scope = await context.scope([channel_id])
    page = await context.ask(find_any, queries, scope, limit=PAGE + 1, before=before)
    return cut(page)
