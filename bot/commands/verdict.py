"""Why a chat was alerted to a post, or was not, in one line."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from bot.commands.context import Context
from bot.commands.lookup import channel_by_id, topics_of
from bot.locales.locale import topic_title
from bot.matching.engine.compiled import packed
from bot.models import StoredPost
from bot.search.jobs import explain_text
from bot.store import exclusions, feedback, subscriptions
from bot.store.channel_groups import Directory
from bot.store.topics import Topic
from bot.text.markup import Piece, Text, bold, one_line

_LONGEST = 150  # UTF-16 units of the topics' names


async def verdict(items: Sequence[StoredPost], context: Context) -> Text:
    """Say whether this chat has an alert of a post, by which topics; or else what kept it from coming."""
    t, first = context.t, items[0]
    alerted = await feedback.find_alerted(context.database, context.chat.id, first.channel_id, first.message_id)
    if alerted is not None:
        names = bold(one_line(", ".join(topic_title(name, t) for name in alerted.topics), _LONGEST))
        line = t.gettext("🔔 Alerted in this chat on {date}: {topics}")
        if alerted.is_duplicate:
            line = t.gettext("🔔 Added on {date} to the alert of a post that says the same: {topics}")
        return Text().say(line, date=context.date(alerted.alerted_at), topics=names)
    wanted = await topics_of(context.database, context.chat.id)
    if not wanted:
        return Text().say(t.gettext("🔕 No alert: this chat has no topics."))
    whole = "\n\n".join(item.whole for item in items)
    fitting = await _fitting(wanted, whole, context, channel_id=first.channel_id)
    excluded = await excluded_words(fitting, whole, context)
    found = [topic for topic in fitting if topic.id not in excluded]
    if found:
        return Text().say(await _obstacle(first, found, context), topics=_names(found, context))
    if not fitting:
        return Text().say(t.gettext("🔕 No alert: it matches no topic of this chat."))
    words = bold(one_line(", ".join(dict.fromkeys(chain(*excluded.values()))), _LONGEST))
    line = t.gettext("🔕 No alert: it matches {topics}, but says {words}, which this chat excludes.")
    return Text().say(line, topics=_names(fitting, context), words=words)


async def verdict_of_text(text: str, context: Context) -> Text:
    """Say which topics of this chat a text fits that is not stored; empty for one without words."""
    t = context.t
    found = await _fitting(await topics_of(context.database, context.chat.id), text, context) if text.strip() else []
    if found:
        return Text().say(t.gettext("It matches {topics}."), topics=_names(found, context))
    return Text().add(t.gettext("It matches no topic of this chat.") if text.strip() else "")


async def _fitting(
    wanted: Sequence[Topic], text: str, context: Context, *, channel_id: int | None = None
) -> list[Topic]:
    """Return the topics that a text fits; of those of every post only what takes its channel."""
    feeds = [topic for topic in wanted if topic.is_feed]
    queries = [topic for topic in wanted if not topic.is_feed]
    held = await _held([topic.compiled for topic in queries], text, context)
    fitting = [topic for topic in queries if topic.compiled in held]
    if channel_id is None or not feeds:
        return fitting
    directory = await Directory.load(context.database)
    return [*fitting, *(feed for feed in feeds if directory.takes(feed.limits, channel_id))]


async def excluded_words(fitting: Iterable[Topic], text: str, context: Context) -> Mapping[int, list[str]]:
    """Return the words of a text that this chat excludes, by topic."""
    ids, found = {topic.id for topic in fitting}, defaultdict[int, list[str]](list)
    words = [each for each in await exclusions.of_chat(context.database, context.chat.id) if each.topic_id in ids]
    held = await _held([each.compiled for each in words], text, context)
    for each in words:
        if each.compiled in held:
            found[each.topic_id].append(each.word)
    return found


async def _held(queries: Sequence[str], text: str, context: Context) -> set[str]:
    """Return those of some compiled queries that hold in a text."""
    explanations = await context.ask(explain_text, list(map(packed, queries)), text) if queries else []
    return {query for query, each in zip(queries, explanations, strict=True) if each.root.held}


def _names(found: Sequence[Topic], context: Context) -> Piece:
    return bold(one_line(", ".join(topic_title(topic.name, context.t) for topic in found), _LONGEST))


async def _obstacle(post: StoredPost, fitting: Sequence[Topic], context: Context) -> str:
    """Return the sentence on what kept a post that fits from alerting a chat."""
    t, db = context.t, context.database
    channel = await channel_by_id(db, post.channel_id, context.viewer)
    if channel is None or channel.followed_at is None:
        return t.gettext("🔕 No alert: it matches {topics}, but its channel is not followed.")
    if post.date < channel.followed_at:
        return t.gettext("🔕 No alert: it matches {topics}, but was posted before its channel was followed.")
    directory = await Directory.load(db)
    ids = {topic.id for topic in fitting if directory.takes(topic.limits, post.channel_id)}
    if not ids:
        return t.gettext("🔕 No alert: it matches {topics}, but that is limited to other channels.")
    groups = [group.id for group in directory.groups_of(post.channel_id)]
    for mute in await subscriptions.mutes_of(db, context.chat.id, context.now):
        is_here = mute.channel_id in {None, post.channel_id} and mute.channel_group_id in {None, *groups}
        if is_here and (mute.topic_id is None or mute.topic_id in ids):
            return t.gettext("🔕 No alert: it matches {topics}, but that is muted in this chat.")
    return t.gettext(
        "🔕 No alert: it now matches {topics}, but it came too late for an alert, or the post or the topic "
        "has changed since."
    )
