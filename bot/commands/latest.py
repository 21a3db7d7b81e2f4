"""The newest posts: a channel or a topic comes in, its posts go out in pages, or what a channel would have brought."""

from collections.abc import Callable, Sequence

from bot.commands.context import Context
from bot.commands.keyboards import button
from bot.commands.listing import PAGE, listed
from bot.commands.lookup import find_topic
from bot.commands.search import answer
from bot.commands.talk import Reply, Request, say
from bot.locales.titles import topic_title
from bot.matching.engine.compiled import Compiled
from bot.matching.engine.plan import merged
from bot.search import Hit
from bot.search import search as look
from bot.store import channels, posts, subscriptions, topics
from bot.store.posts import StoredPost
from bot.text.markup import Text


async def latest(request: Request, context: Context) -> Reply:
    """Show the newest posts of all channels, of one, or on a topic."""
    if not request.argument:
        return await _latest(context, channel_id=None, before=None)
    channel = await channels.find(context.database, request.argument)
    if channel is not None:
        return await _latest(context, channel_id=channel.id, before=None)
    topic = None if request.argument.startswith("@") else await find_topic(context.database, request.argument)
    if topic is not None:
        heading = Text().bold(topic_title(topic.name, context.t))
        return await answer(request, context, topic.query, heading=heading)
    line = context.t.gettext("I know no channel or topic «{name}». See /channels and /topics.")
    return say(Text().say(line, name=request.argument[:100]))


async def more(request: Request, context: Context) -> Reply:
    """Show the next page of the newest posts; the button says of which channel, 0 for all, and before which row."""
    channel_id, before = map(int, request.argument.split(":"))
    return await _latest(context, channel_id=channel_id or None, before=before)


async def seen(request: Request, context: Context) -> Reply:
    """List what this chat would have been alerted to in the stored posts of a channel; a page at a time."""
    number, _, before = request.argument.partition(":")
    found = await _would_have(context, int(number), before=int(before) if before else None)
    if not found:
        line = context.t.gettext("Nothing that I have stored of it fits the topics of this chat.")
        return say(line) if not before else Reply(note=context.own.gettext("That was all."))
    return _page(found, context, "seen", number)


async def _latest(context: Context, *, channel_id: int | None, before: int | None) -> Reply:
    channel_ids = None if channel_id is None else [channel_id]
    found = await posts.latest(context.database, channel_ids=channel_ids, limit=PAGE + 1, before=before)
    if not found:
        return say(context.t.gettext("There are no posts here yet."))
    hits = [Hit(post=post, spans=()) for post in found]
    return _page(hits, context, "latest", channel_id or 0, place=lambda post: post.id)


def _page(
    found: Sequence[Hit],
    context: Context,
    verb: str,
    key: str | int,
    *,
    place: Callable[[StoredPost], int] = lambda post: post.version_id,
) -> Reply:
    """Write a page of posts; where there is one more, a button asks for those after the `place` of the last."""
    shown = found[:PAGE]
    onward = button(context.t.gettext("More"), verb, key, place(shown[-1].post))
    return Reply(messages=(listed(Text(), shown, context, ((onward,),) if len(found) > PAGE else ()),))


async def _would_have(context: Context, channel_id: int, *, before: int | None) -> list[Hit]:
    """Return up to a page and one of posts in which a topic of this chat is found, newest first; an album once."""
    wanted = {subscription.topic_id for subscription in await subscriptions.of_chat(context.database, context.chat.id)}
    found: dict[str, Hit] = {}
    for topic in await topics.all_topics(context.database):
        if topic.id not in wanted:
            continue
        hits = await look(
            context.database,
            Compiled.from_json(topic.compiled),
            limit=PAGE + 1,
            before=before,
            channel_id=channel_id,
        )
        for hit in hits:
            found[hit.post.key] = _joined(found.get(hit.post.key), hit)
    return sorted(found.values(), key=lambda hit: hit.post.version_id, reverse=True)[: PAGE + 1]


def _joined(one: Hit | None, other: Hit) -> Hit:
    """Put together what two topics found in the same message; of two messages of an album the later one stands."""
    if one is None or one.post.version_id != other.post.version_id:
        return max(one or other, other, key=lambda hit: hit.post.version_id)
    return Hit(post=one.post, spans=merged([*one.spans, *other.spans]))
