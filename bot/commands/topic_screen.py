"""One topic on a screen: what it looks for, who made it and uses it, what is left out, and how it came to be so."""

from collections.abc import Sequence
from itertools import zip_longest

from bot.commands.context import Context, Effect, Reply, Request, message, show
from bot.commands.limits import show_limits
from bot.commands.lookup import listed, show_topic, topic_by_id
from bot.commands.query_text import SHOWN_QUERY, short_query
from bot.commands.registry import outdated, tap
from bot.commands.rights import Need
from bot.commands.syndication import SyndicatedKind, news_buttons
from bot.commands.topic_change import (
    SEEN,
    Change,
    effect_of,
    may_change,
    name_users,
    offers_change,
    others_using,
    propose,
    read_state,
)
from bot.commands.topic_settings import priority_label
from bot.locales.locale import topic_title
from bot.models.outgoing import Button, ButtonRows, Outgoing
from bot.models.topics import TopicState
from bot.rendering.topic_changes import show_topic_change
from bot.store import exclusions, people, subscriptions, topics
from bot.store.database import Reader
from bot.store.exclusions import ExcludedWord
from bot.store.topics import Topic, TopicVersion
from bot.text.buttons import button, name_word, rows_of
from bot.text.markup import Text, bold, one_line
from bot.text.pages import page_of

PAGE = 5  # versions
_TOPICS = 30  # of one page of the list
_MOST_WORDS, _LABEL, _NAME, _CHANGE = 15, 30, 40, 600  # words; UTF-16 units of a label, a name, a version


@tap("about", Need.LOOK, r"\d{1,15}|list(:\d{1,3})?")
async def about(request: Request, context: Context) -> Reply:
    """Show a topic, or the list of those that there are."""
    if request.argument.startswith("list"):
        return show(request, await _list(context, int(request.argument.partition(":")[2] or 0)))
    topic = await topic_by_id(context.database, int(request.argument), context)
    return show(request, await topic_screen(context.database, context, topic))


async def _list(context: Context, number: int) -> Outgoing:
    t, on = context.t, await subscriptions.priorities(context.database, context.chat.id)
    found = listed(await topics.all_topics(context.database, context.viewer), on)
    page = page_of(found, number, _TOPICS)
    buttons = [button(one_line(topic_title(topic.name, t), _LABEL), "about", topic.id) for topic in page.items]
    return message(t.gettext("Which topic?"), (*rows_of(buttons, 2), *page.turns("about", "list"), _back(context)))


def _back(context: Context) -> tuple[Button, ...]:
    return (button(context.t.gettext("All topics"), "topics"),)


async def topic_screen(db: Reader, context: Context, topic: Topic) -> Outgoing:
    """Draw a topic with what this chat has of it, and what may be done."""
    t, here = context.t, await exclusions.of_chat(db, context.chat.id, topic.id)
    priority = (await subscriptions.priorities(db, context.chat.id)).get(topic.id)
    text = (await _about(db, topic, context)).lines(await _users(db, topic, context))
    if here:
        text.line(t.gettext("Left out in this chat: {words}"), words=", ".join(each.word for each in here))
    line = t.gettext("Alerts here: {how}") if priority else t.gettext("This chat gets no alerts on it.")
    text.line(line, how=priority and priority_label(priority, t))
    switch = t.gettext("Switch off here") if priority else t.gettext("Switch on here")
    rows: list[tuple[Button, ...]] = [(button(switch, "topic", topic.id, "off" if priority else "on", "about"),)]
    if priority:
        rows.append((button(t.gettext("How alerts arrive"), "prio", topic.id),))
    if not topic.is_feed:
        news = await news_buttons(db, SyndicatedKind.TOPIC, topic.id, context)
        rows.append((button(t.gettext("History"), "history", topic.id, 0), *news))
    return message(text, (*rows, *_word_rows(topic, here, context), *_last(topic, context)))


async def _about(db: Reader, topic: Topic, context: Context) -> Text:
    """Say what a topic looks for in all chats, and who made it."""
    t, text = context.t, Text().add(show_topic(topic, context.t), "\n")
    if topic.builtin:
        text.line(t.gettext("Built in."))
    elif not topic.is_feed:
        text.line(t.gettext("Looking for: {query}"), query=short_query(topic.source, SHOWN_QUERY))
    text.lines(await show_limits(db, topic.limits, context))
    author = None if topic.author is None else await people.get(db, topic.author)
    if author is not None:
        text.line(t.gettext("Created by {name}."), name=one_line(author.name, _NAME))
    if topic.excluded:
        text.line(t.gettext("Left out in all chats: {words}"), words=", ".join(topic.excluded))
    return text


async def _users(db: Reader, topic: Topic, context: Context) -> Text:
    """Say which other chats use a topic, to who may change it for them; in a group, which all read, how many do."""
    users = await others_using(db, topic, context)
    if not users:
        return Text()
    if context.private and may_change(topic, context):
        return Text().add(name_users(users, context.t), "\n")
    line = context.t.ngettext("{n} other chat uses it.", "{n} other chats use it.", len(users))
    return Text().line(line, n=len(users))


def _word_rows(topic: Topic, here: Sequence[ExcludedWord], context: Context) -> ButtonRows:
    """Offer to bring back the words of this chat; who may, also to leave them out in all, or bring back those."""
    t, own = context.t, [each.word for each in here][:_MOST_WORDS]
    may = offers_change(topic, context) and not topic.is_feed
    offered = [(t.gettext("Bring back «{word}»"), "include", word, "about") for word in own]
    if may:
        line = t.gettext("Leave out «{word}» in all chats…")
        offered += [(line, "forall", word, "out") for word in own if word not in topic.excluded]
        line = t.gettext("Bring back «{word}» in all chats…")
        offered += [(line, "forall", word, "in") for word in topic.excluded[:_MOST_WORDS]]
    return rows_of(
        [
            button(label.format(word=word[:_LABEL]), verb, topic.id, name_word(word), ending)
            for label, verb, word, ending in offered
        ],
        1,
    )


def _last(topic: Topic, context: Context) -> ButtonRows:
    delete = (button(context.t.gettext("Delete the topic"), "drop", topic.id),)
    is_deletable = not topic.builtin and offers_change(topic, context)
    return ((delete,) if is_deletable else ()) + (_back(context),)


@tap("forall", Need.CHAT, rf"\d{{1,15}}:[0-9a-f]{{8}}:(out|in)(:{SEEN})?")
async def exclude_for_all(request: Request, context: Context) -> Reply | Effect:
    """Let a word that this chat excludes be left out in all chats, or bring one back in all; asked first."""
    number, named, direction, *asked = request.argument.split(":")
    topic = await topic_by_id(context.database, int(number), context)
    if topic.is_feed:
        raise outdated(context)
    here = [each.word for each in await exclusions.of_chat(context.database, context.chat.id, topic.id)]
    word = next((each for each in (*topic.excluded, *here) if name_word(each) == named), None)
    if word is None:
        raise outdated(context)
    words = [each for each in topic.excluded if each != word] + ([word] if direction == "out" else [])
    state = TopicState(query=topic.query, limits=topic.limits, excluded=tuple(words))
    return await _change(context, topic, state, ("forall", topic.id, named, direction), asked=asked)


@tap("history", Need.LOOK, r"\d{1,15}:\d{1,4}")
async def history(request: Request, context: Context) -> Reply:
    """Show a page of what a topic looked for, the newest first."""
    topic_id, number = map(int, request.argument.split(":"))
    topic = await topic_by_id(context.database, topic_id, context)
    versions, t = await topics.versions(context.database, topic.id), context.t
    page = page_of(versions, number, PAGE)
    older = versions[page.start + 1 : page.start + PAGE + 1]
    text = Text().line(t.gettext("History of {name}"), name=show_topic(topic, t))
    for after, before in zip_longest(page.items, older):
        text.line().lines(_version(after, before, context))
    kept = [
        each for each in page.items if each.state != topic.state and not (topic.builtin and each.query != topic.query)
    ]
    kept = kept if offers_change(topic, context) else []
    label = t.gettext("Bring back {n}")
    rows = rows_of([button(label.format(n=each.number), "revert", topic.id, each.number) for each in kept], 2)
    back = (button(topic_title(topic.name, t)[:_LABEL], "about", topic.id),)
    return Reply(edit=message(text, (*rows, *page.turns("history", topic.id), back)))


def _version(after: TopicVersion, before: TopicVersion | None, context: Context) -> Text:
    """Write who let a topic look for something, when, and what is different by it."""
    who = one_line(after.name, _NAME) or context.t.gettext("from its file")
    text = Text().add(bold(f"{after.number} · {context.date(after.at)} · {who}"), "\n")
    if before is None:
        text.line(context.t.gettext("Looking for: {query}"), query=short_query(after.state.source, _CHANGE // 2))
        return text
    return text.join(show_topic_change(before.state, after.state, context.t).cut(_CHANGE)).add("\n")


@tap("revert", Need.CHAT, rf"\d{{1,15}}:\d{{1,6}}(:{SEEN})?")
async def revert(request: Request, context: Context) -> Reply | Effect:
    """Let a topic look for what it looked for once; asked first."""
    number, version, *asked = request.argument.split(":")
    topic = await topic_by_id(context.database, int(number), context)
    versions = await topics.versions(context.database, topic.id)
    wanted = next((each for each in versions if each.number == int(version)), None)
    if wanted is None or topic.is_feed:
        raise outdated(context)
    return await _change(context, topic, wanted.state, ("revert", topic.id, version), asked=asked)


async def _change(
    context: Context,
    topic: Topic,
    state: TopicState,
    data: tuple[str | int, ...],
    *,
    asked: Sequence[str],
) -> Reply | Effect:
    """Change a topic, if that was asked about what it looks for now; else ask, in a message of its own."""
    wanted = Change(topic=topic, typed=await read_state(state, context))
    if asked:
        return effect_of(context, wanted, asked[0])
    return Reply(messages=(await propose(context, wanted, *data),))
