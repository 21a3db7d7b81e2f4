"""Looking back: a query, a channel or a topic comes in, stored posts go out in pages, with what was found in bold."""

import asyncio
from collections.abc import Sequence

from bot.commands.context import Context
from bot.commands.keyboards import button
from bot.commands.naming import find_topic
from bot.commands.queries import Understood, refusal, understand
from bot.commands.talk import Reply, Request, Rows, message, say
from bot.locales import Translator
from bot.locales.titles import topic_title
from bot.markup import Text, code, link
from bot.matching.compiled import Compiled
from bot.matching.plan import merged
from bot.models import Outgoing
from bot.search import Hit
from bot.search import search as look
from bot.store import answers, channels, posts, subscriptions, topics
from bot.store.posts import StoredPost

PAGE = 5  # posts
SEEN_DAYS = 7  # days of a channel that are looked through after it was followed
EXCERPT = 280  # characters of a post
_BEFORE = 80  # characters shown before what was found
_TITLE = 60  # characters of a channel's title
_SHOWN_QUERY = 200  # characters


async def search(request: Request, context: Context) -> Reply:
    """Find posts by a query; the first page."""
    if not request.argument:
        example = context.t.gettext("/search outage bank")
        return say(
            Text().say(context.t.gettext("Write what to look for, for example: {example}"), example=code(example))
        )
    heading = Text().add("🔎 ", code(request.argument[:_SHOWN_QUERY]))
    return await _search(request, context, request.argument, heading=heading)


async def more(request: Request, context: Context) -> Reply:
    """Show the next page of a search; the button names the answer that remembers the query, and where to go on."""
    key, _, before = request.argument.partition(":")
    remembered = await answers.find(context.database, key)
    query = Reply.from_json(remembered).memory if remembered is not None else ""
    if not query:
        return Reply(note=context.t.gettext("This search is too old. Please send it again."))
    understood = await asyncio.to_thread(understand, query, context.inflector)
    if not isinstance(understood, Understood):
        return Reply()
    found = await look(context.database, understood.compiled, limit=PAGE + 1, before=int(before) if before else None)
    return _next(found, key, context)


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
        return await _search(request, context, topic.query, heading=heading)
    line = context.t.gettext("I know no channel or topic «{name}». See /channels and /topics.")
    return say(Text().say(line, name=request.argument[:100]))


async def latest_more(request: Request, context: Context) -> Reply:
    """Show the next page of the newest posts; the button says of which channel, 0 for all, and before which row."""
    channel_id, before = map(int, request.argument.split(":"))
    return await _latest(context, channel_id=channel_id or None, before=before)


async def seen(request: Request, context: Context) -> Reply:
    """List what this chat would have been alerted to in the last days of a channel; a page at a time."""
    number, _, before = request.argument.partition(":")
    found = await _would_have(context, int(number), before=int(before) if before else None)
    if not found:
        line = context.t.gettext("Nothing of the last {days} days fits the topics of this chat.")
        return say(line.format(days=SEEN_DAYS)) if not before else Reply(note=context.t.gettext("That was all."))
    shown = found[:PAGE]
    onward = _more(context.t, "seen", number, shown[-1].post.version_id) if len(found) > PAGE else ()
    return Reply(messages=(_listed(Text(), shown, context, onward),))


async def _search(request: Request, context: Context, query: str, *, heading: Text) -> Reply:
    understood = await asyncio.to_thread(understand, query, context.inflector)
    if not isinstance(understood, Understood):
        return say(refusal(understood, query, context.t))
    found = await look(context.database, understood.compiled, limit=PAGE + 1)
    heading.add("\n\n")
    if not found:
        return say(heading.add(context.t.gettext("Nothing found in the stored posts.")))
    shown = found[:PAGE]
    onward = _more(context.t, "more", request.key, shown[-1].post.version_id) if len(found) > PAGE else ()
    return Reply(messages=(_listed(heading, shown, context, onward),), memory=query)


def _next(found: Sequence[Hit], key: str, context: Context) -> Reply:
    if not found:
        return Reply(note=context.t.gettext("That was all."))
    shown = found[:PAGE]
    onward = _more(context.t, "more", key, shown[-1].post.version_id) if len(found) > PAGE else ()
    return Reply(messages=(_listed(Text(), shown, context, onward),))


async def _latest(context: Context, *, channel_id: int | None, before: int | None) -> Reply:
    found = await posts.latest(context.database, channel_id=channel_id, limit=PAGE + 1, before=before)
    if not found:
        return say(context.t.gettext("There are no posts here yet."))
    shown = [Hit(post=post, spans=()) for post in found[:PAGE]]
    onward = _more(context.t, "latest", channel_id or 0, shown[-1].post.id) if len(found) > PAGE else ()
    return Reply(messages=(_listed(Text(), shown, context, onward),))


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
            since=context.days_ago(SEEN_DAYS),
        )
        for hit in hits:
            found[hit.post.key] = _joined(found.get(hit.post.key), hit)
    return sorted(found.values(), key=lambda hit: hit.post.version_id, reverse=True)[: PAGE + 1]


def _joined(one: Hit | None, other: Hit) -> Hit:
    """Put together what two topics found in the same message; of two messages of an album the later one stands."""
    if one is None or one.post.version_id != other.post.version_id:
        return max(one or other, other, key=lambda hit: hit.post.version_id)
    return Hit(post=one.post, spans=merged([*one.spans, *other.spans]))


def _more(t: Translator, *data: str | int) -> Rows:
    return ((button(t.gettext("More"), *data),),)


def _listed(text: Text, hits: Sequence[Hit], context: Context, rows: Rows) -> Outgoing:
    for hit in hits:
        title = " ".join(hit.post.channel_title.split())[:_TITLE]
        text.add(link(title, hit.post.link), " · ", context.date(hit.post.date))
        if hit.post.gone_at is not None:
            text.add(" · ", context.t.gettext("no longer visible"))
        text.add("\n").marked(*excerpt(_words(hit.post, context.t), hit.spans)).add("\n\n")
    return message(text, rows)


def _words(post: StoredPost, t: Translator) -> str:
    return post.text if post.text.strip() else t.gettext("(no text)")


def excerpt(text: str, spans: Sequence[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """Take the part of a text around the first span, on one line, with the spans that lie in it; all in characters."""
    line = "".join(" " if character.isspace() else character for character in text)
    first = spans[0][0] if spans else 0
    start = 0 if first <= _BEFORE else line.find(" ", first - _BEFORE, first) + 1 or first
    end = min(len(line), start + EXCERPT)
    if end < len(line):
        end = max(line.rfind(" ", start + EXCERPT // 2, end), 0) or end
    opening = "…" if start > 0 else ""
    closing = "…" if end < len(line) else ""
    shift = len(opening) - start
    kept = [(max(a, start) + shift, min(b, end) + shift) for a, b in spans if a < end and b > start]
    return opening + line[start:end] + closing, kept
