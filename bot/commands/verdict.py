"""Why a chat was alerted to a post, or was not, in one line."""

from collections.abc import Sequence

from bot.commands.context import Context
from bot.commands.lookup import channel_by_id, queries_of, topics_of
from bot.locales.locale import topic_title
from bot.matching.engine.compiled import Compiled, packed
from bot.models import StoredPost
from bot.search.jobs import explain_text
from bot.store import exclusions, feedback, subscriptions
from bot.store.topics import Topic
from bot.text.markup import Piece, Text, bold, one_line

_LONGEST = 150  # UTF-16 units of the topics' names


async def verdict(items: Sequence[StoredPost], context: Context) -> Text:
    """Say whether this chat has an alert of a post, by which topics; or else what kept it from coming."""
    t, first = context.t, items[0]
    alerted = await feedback.find_alerted(context.database, context.chat.id, first.channel_id, first.message_id)
    if alerted is not None:
        names = bold(one_line(", ".join(topic_title(name, t) for name in alerted.topics), _LONGEST))
        line = t.gettext("🔔 Alerted here on {date}: {topics}")
        if alerted.is_duplicate:
            line = t.gettext("🔔 Added on {date} to the alert of a post that says the same: {topics}")
        return Text().say(line, date=context.date(alerted.alerted_at), topics=names)
    wanted = await topics_of(context.database, context.chat.id)
    if not wanted:
        return Text().say(t.gettext("🔕 No alert here: this chat has no topics."))
    whole = "\n\n".join(item.whole for item in items)
    found = await _fitting(wanted, whole, context)
    if found:
        return Text().say(await _obstacle(first, found, context), topics=_names(found, context))
    return await _exclusion(wanted, whole, context)


async def verdict_of_text(text: str, context: Context) -> Text:
    """Say which topics of this chat a text fits that is not stored; empty for one without words."""
    t = context.t
    found = await _fitting(await topics_of(context.database, context.chat.id), text, context) if text.strip() else []
    if found:
        return Text().say(t.gettext("It fits {topics}."), topics=_names(found, context))
    return Text().add(t.gettext("It fits no topic of this chat.") if text.strip() else "")


async def _fitting(wanted: Sequence[Topic], text: str, context: Context) -> list[Topic]:
    """Return the topics that a text fits, without what this chat excludes."""
    queries = await queries_of(context.database, context.chat.id, wanted)
    return [topic for topic, fits in zip(wanted, await _fits(queries, text, context), strict=True) if fits]


async def _fits(queries: Sequence[Compiled], text: str, context: Context) -> list[bool]:
    return [each.root.held for each in await context.ask(explain_text, queries, text)]


async def _exclusion(wanted: Sequence[Topic], text: str, context: Context) -> Text:
    """Say that a text fits no topic, or by which words that this chat excludes."""
    excluded = await exclusions.of_chat(context.database, context.chat.id)
    topics = [topic for topic in wanted if topic.id in {each.topic_id for each in excluded}]
    fits = (
        await _fits(
            [*(packed(each.compiled) for each in topics), *(packed(each.compiled) for each in excluded)], text, context
        )
        if topics
        else []
    )
    found = {topic.id: topic for topic, holds in zip(topics, fits, strict=False) if holds}
    if not found:
        return Text().say(context.t.gettext("🔕 No alert here: it fits no topic of this chat."))
    words = zip(excluded, fits[len(topics) :], strict=True)
    said = ", ".join(dict.fromkeys(each.word for each, is_there in words if is_there and each.topic_id in found))
    line = context.t.gettext("🔕 No alert here: it fits {topics}, but says {words}, which this chat excludes.")
    return Text().say(line, topics=_names([*found.values()], context), words=bold(one_line(said, _LONGEST)))


def _names(found: Sequence[Topic], context: Context) -> Piece:
    return bold(one_line(", ".join(topic_title(topic.name, context.t) for topic in found), _LONGEST))


async def _obstacle(post: StoredPost, fitting: Sequence[Topic], context: Context) -> str:
    """Return the sentence on what kept a post that fits from alerting a chat."""
    t, db = context.t, context.database
    channel = await channel_by_id(db, post.channel_id, context.viewer)
    if channel is None or channel.followed_at is None:
        return t.gettext("🔕 No alert here: it fits {topics}, but its channel is not followed.")
    if post.date < channel.followed_at:
        return t.gettext("🔕 No alert here: it fits {topics}, but is older than the following of its channel.")
    ids = {topic.id for topic in fitting}
    limited = [each for each in await subscriptions.of_chat(db, context.chat.id) if each.topic_id in ids]
    if all(each.channels is not None and post.channel_id not in each.channels for each in limited):
        return t.gettext("🔕 No alert here: it fits {topics}, but this chat takes that from other channels only.")
    for mute in await subscriptions.mutes_of(db, context.chat.id, context.now):
        if mute.channel_id in {None, post.channel_id} and (mute.topic_id is None or mute.topic_id in ids):
            return t.gettext("🔕 No alert here: it fits {topics}, but that is muted here.")
    return t.gettext(
        "🔕 No alert here: it fits {topics} as it is now. It came too late for an alert, or the post or the topic "
        "has changed since."
    )
