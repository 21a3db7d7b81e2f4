"""/test and /explain: whether a query, or the topics of a chat, fit a message, and why.

Without a reply, /test shows what a query would have brought.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot import parts as post_parts
from bot.commands.context import CommandError, Context, Reply, Request, message, say
from bot.commands.lookup import queries_of, show_source, show_topic, topics_of
from bot.commands.post import find_link, linked, stored
from bot.commands.query_text import read_query, read_topic, show_backtest, show_query, why, why_not
from bot.commands.registry import Section, command, example, tap
from bot.commands.rewriting import or_rows
from bot.commands.rights import Need
from bot.commands.verdict import excluded_words
from bot.locales import N_, Translator
from bot.matching.explain.near_miss import failures, found_spans, has_found, holders
from bot.models import StoredPost
from bot.parts import whole_text
from bot.rendering.post_text import excerpt_post
from bot.search.jobs import explain_text
from bot.store import messages
from bot.store.channel_groups import Directory
from bot.text.buttons import POST, button
from bot.text.markup import Piece, Text, code
from bot.text.spans import merge_spans

_MOST_TOPICS = 15  # in one answer
_YES, _NO = "✅", "▫️"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """The text that is explained."""

    text: str
    parts: tuple[post_parts.Part, ...] = ()
    heading: Piece | None = None  # channel and link of a stored post
    channel_id: int | None = None  # of a stored post

    @property
    def whole(self) -> str:
        return whole_text(self.text, self.parts)


@command(
    "test",
    Section.TOPICS,
    4,
    Need.LOOK,
    N_("try a query before it becomes a topic"),
    usage=N_("words"),
    reads_replied=True,
)
@example(
    N_("/test “payment system” outage|failure"),
    N_("what this would have found in the last days; in reply: whether it matches"),
)
async def test(request: Request, context: Context) -> Reply:
    """Try a query on the posts of the last days, or on the message that was replied to."""
    if request.reply_to is not None:
        return await _explain(request, context)
    if not request.argument:
        t = context.t
        line = t.gettext("Write a query, and I show what it would have found: {example}")
        text = Text().line(line, example=code(t.gettext("/test “payment system” outage|failure")))
        raise CommandError(
            text.add(t.gettext("In reply to a message, /test with a query shows whether the message matches, and why."))
        )
    typed = await read_topic(request.argument, context)
    track = (button(context.t.gettext("Track this"), "name", request.key),)
    offer = (track,) if context.offers(Need.INSTANCE) else ()
    text, further = await show_backtest(context, typed, key=f"q:{request.key}")
    rows = (*offer, *or_rows(request, typed.state.query), *further)
    return Reply(messages=(message(text, rows),), memory=typed.state.source)


@command(
    "explain", Section.TOPICS, 5, Need.LOOK, N_("in reply to an alert or a post: why it matches"), reads_replied=True
)
@example(
    "/explain", N_("in reply, or with a link: which topics of this chat a post matches and why, or what is missing")
)
async def explain(request: Request, context: Context) -> Reply:
    """Explain why the message that was replied to fits each topic of this chat, or a query, or does not."""
    if request.reply_to is None:
        link = find_link(request.argument, request.links, sites=True)
        if link is not None:
            return await _explain_post(await linked(link, context), context)
        line = context.t.gettext(
            "Reply with /explain to an alert or any other message: I show which topics of this chat it matches "
            "and by which words, or what is missing. Add a query after /explain to try that query."
        )
        raise CommandError(line)
    return await _explain(request, context)


@tap("why", Need.LOOK, POST)
async def explain_post(request: Request, context: Context) -> Reply:
    """Explain why the post of a button, as it is now, fits each topic of this chat or does not."""
    channel_id, message_id = map(int, request.argument.split(":"))
    return await _explain_post(await stored(channel_id, message_id, context), context)


async def _explain_post(items: Sequence[StoredPost], context: Context) -> Reply:
    subject = next((item for item in items if item.whole.strip()), None)
    if subject is None:
        raise CommandError(context.own.gettext("That message has no text."))
    return await _explain_topics(_stored(subject), context)


async def _explain(request: Request, context: Context) -> Reply:
    subject = await _subject(request, context)
    if not request.argument:
        return await _explain_topics(subject, context)
    typed, t = await read_query(request.argument, context), context.t
    (explanation,) = await context.ask(explain_text, [typed.compiled], subject.whole)
    root = explanation.root
    text = show_query(typed, t).add("\n\n").join(_shown(subject, found_spans(root), t)).add("\n\n")
    if root.held:
        return say(text.add(_YES, " ", t.gettext("It matches."), "\n").join(why(root, subject.whole)))
    text.add(_NO, " ", t.gettext("It does not match."), "\n")
    if holders(root):
        text.say(t.gettext("Found: {parts}"), parts=why(root, subject.whole)).line()
    return say(text.join(why_not(root, t)))


async def _subject(request: Request, context: Context) -> _Subject:
    """Return the post of an alert in the version that the alert showed; else the text that was replied to.

    Raises CommandError where there is no text.
    """
    post = await messages.post_of(context.database, context.chat.id, request.reply_to or 0)
    if post is not None:
        subject = _stored(post)
    elif request.replied is not None:
        subject = _Subject(text=request.replied)
    else:
        line = context.t.gettext("I cannot see the message you replied to. Forward it to me and reply to that.")
        raise CommandError(line)
    if not subject.whole.strip():
        raise CommandError(context.t.gettext("That message has no text."))
    return subject


def _stored(post: StoredPost) -> _Subject:
    return _Subject(text=post.text, parts=post.parts, heading=show_source(post), channel_id=post.channel_id)


async def _explain_topics(subject: _Subject, context: Context) -> Reply:
    subscribed, t = await topics_of(context.database, context.chat.id), context.t
    if not subscribed:
        raise CommandError(t.gettext("This chat has no topics yet. Choose some in /topics."))
    directory, channel_id = await Directory.load(context.database, context.viewer), subject.channel_id
    asked = [topic for topic in subscribed if not topic.is_feed]
    compiled = await queries_of(context.database, context.chat.id, asked)
    explanations = await context.ask(explain_text, compiled, subject.whole)
    roots = [(topic, explanation.root) for topic, explanation in zip(asked, explanations, strict=True)]
    nearest_first = sorted(roots, key=lambda pair: (len(failures(pair[1])), not has_found(pair[1])))
    text = _shown(subject, merge_spans([span for each in explanations for span in each.spans]), t).add("\n")
    feeds = [topic for topic in subscribed if topic.is_feed and channel_id is not None]
    feeds = [topic for topic in feeds if directory.takes(topic.limits, channel_id or 0)]
    said = await excluded_words(feeds, subject.whole, context)
    for topic in feeds:
        text.add("\n", _NO if topic.id in said else _YES, " ", show_topic(topic, t))
        if topic.id in said:
            text.add(": ").say(t.gettext("excluded by: {part}"), part=code(", ".join(said[topic.id])))
    for topic, root in nearest_first[:_MOST_TOPICS]:
        is_elsewhere = channel_id is not None and not directory.takes(topic.limits, channel_id)
        text.add("\n", _YES if root.held and not is_elsewhere else _NO, " ", show_topic(topic, t), ": ")
        text.join(why(root, subject.whole) if root.held else why_not(root, t))
        if root.held and is_elsewhere:
            text.add("; ", t.gettext("but this topic is limited to other channels"))
    more = len(nearest_first) - _MOST_TOPICS
    return say(text.add(f"\n+{more}") if more > 0 else text)


def _shown(subject: _Subject, spans: tuple[tuple[int, int], ...], t: Translator) -> Text:
    text = Text() if subject.heading is None else Text().add(subject.heading, "\n")
    return text.marked(*excerpt_post(subject.text, subject.parts, spans, t))
