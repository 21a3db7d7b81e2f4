"""/topics and /untrack: the topics of a chat as switches, with their figures, the mutes and the excluded words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from babel.numbers import format_percent

from bot.commands.context import CommandError, Context, Reply, Request, change, message, say, show, writes
from bot.commands.keyboards import TOPICS_PAGE, topic_rows
from bot.commands.lookup import listed, need_topic, show_topic, topic_by_id
from bot.commands.mute import end_button, mutes_of, show_end, unmute_scope
from bot.commands.mute_scope import SCOPE, read_scope
from bot.commands.query_text import short_query
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.rights import Need
from bot.commands.setup import setup_screen
from bot.commands.subscribing import set_exclusion, subscribe, unsubscribe
from bot.commands.topic_change import offers_change, others_using, require_may_change
from bot.commands.topic_screen import topic_screen
from bot.commands.topic_settings import priority_label
from bot.commands.undo import undo_button
from bot.locales import N_, Translator
from bot.locales.locale import show_number, topic_title
from bot.models.acts import TopicDeleted
from bot.models.alerts import Priority
from bot.models.outgoing import GENERAL_THREAD, ButtonRows, Outgoing
from bot.store import acts, addresses, exclusions, stats, subscriptions, threads, topics
from bot.store.acts import Rows
from bot.store.channel_groups import Directory
from bot.store.database import Reader, Transaction
from bot.store.stats import TopicStats
from bot.store.topics import Topic
from bot.text.buttons import button, name_word, rows_of
from bot.text.markup import Piece, Text, bold, code, link, one_line
from bot.text.pages import page_of

COUNTED = timedelta(days=30)
_SHOWN_QUERY = 200  # characters of a query in a list
_SHORTEST_QUERY = 12  # of one that is worth showing
_ROOM = 3200  # characters of a list
_SIGNS = 6  # of them between the parts of a line
_LONGEST_NAME, _SHORTEST_NAME = 30, 12  # characters of a name in a long list
_MOST_FORMATS = 80  # bold names and links in a list; Telegram takes 100 in a message
_MOST_LISTED = 15  # mutes, and words; Telegram takes 100 buttons
_LABEL = 30  # characters of a word on a button


@command("topics", Section.TOPICS, 1, Need.LOOK, N_("topics on and off, how each is doing, what is muted"))
@example("/topics", N_("the topics of this chat as switches, with how many alerts each had"))
@example(N_("/topics Payments"), N_("one topic: its query, its history, what it leaves out, who uses it"))
@tap("topics", Need.LOOK, r"\d{0,3}")
async def show_topics(request: Request, context: Context) -> Reply:
    """Show all topics as switches, and how each does; or one that is named."""
    if request.argument and not request.tapped:
        topic = await need_topic(context.database, request.argument, context)
        return show(request, await topic_screen(context.database, context, topic))
    return show(request, await topics_screen(context.database, context, int(request.argument or 0)))


@tap("topic", Need.CHAT, r"\d{1,15}:(on|off):(setup|about|topics(:\d{1,3})?)")
@writes
async def switch(request: Request, context: Context, tx: Transaction) -> Reply:
    """Switch a topic on or off for this chat; the tapped button says which, and which screen to draw again."""
    number, state, screen, *page = request.argument.split(":")
    topic = await topic_by_id(tx, int(number), context)
    await (subscribe if state == "on" else unsubscribe)(tx, context, topic)
    if screen == "setup":
        return Reply(edit=await setup_screen(tx, request, context.chat, context.now, role=context.role))
    if screen == "about":
        return Reply(edit=await topic_screen(tx, context, topic))
    return Reply(edit=await topics_screen(tx, context, *map(int, page)))


@tap("wake", Need.CHAT, SCOPE)
@writes
async def wake(request: Request, context: Context, tx: Transaction) -> Reply:
    """End a mute on the screen of topics."""
    scope = await read_scope(tx, request.argument, context)
    if scope is not None:
        await unmute_scope(tx, context, scope)
    return Reply(edit=await topics_screen(tx, context))


@tap("include", Need.CHAT, r"\d{1,15}:[0-9a-f]{8}(:about)?")
@writes
async def include(request: Request, context: Context, tx: Transaction) -> Reply:
    """End the exclusion of a word in this chat, on the screen of topics or of one."""
    number, named, *about = request.argument.split(":")
    topic = await topic_by_id(tx, int(number), context)
    for each in await exclusions.of_chat(tx, context.chat.id, topic.id):
        if name_word(each.word) == named:
            await set_exclusion(tx, context, topic, each, on=False)
    if about:
        return Reply(edit=await topic_screen(tx, context, topic))
    return Reply(edit=await topics_screen(tx, context))


@command("untrack", Section.TOPICS, 3, Need.CHAT, N_("no more alerts on a topic"), usage=N_("NAME"))
@example(N_("/untrack Payments"), N_("no more alerts on this topic in this chat"))
@writes
async def untrack(request: Request, context: Context, tx: Transaction) -> Reply:
    """End this chat's subscription; offer to delete the topic where it is not built in."""
    if not request.argument:
        raise CommandError(context.t.gettext("Add the name of a topic after /untrack, or switch it off in /topics."))
    topic = await need_topic(tx, request.argument, context)
    line = context.t.gettext("This chat did not get alerts on {name}.")
    is_ended, act = await unsubscribe(tx, context, topic)
    if is_ended:
        line = context.t.gettext("No more alerts on {name} in this chat.")
    offer = [] if act is None else [(undo_button(act, context.t),)]
    if not topic.builtin and offers_change(topic, context):
        offer.append((button(context.t.gettext("Delete the topic"), "drop", topic.id),))
    return say(line, tuple(offer), name=show_topic(topic, context.t))


@tap("drop", Need.CHAT, r"\d{1,15}(:sure)?")
@writes
async def drop(request: Request, context: Context, tx: Transaction) -> Reply:
    """Delete a topic; where other chats use it, ask first."""
    number, _, sure = request.argument.partition(":")
    topic_id, t = int(number), context.t
    topic = await topic_by_id(tx, topic_id, context)
    if topic.builtin:
        raise outdated(context)
    await require_may_change(tx, topic, context)
    others = [chat.id for chat in await others_using(tx, topic, context)]
    if others and not sure:
        line = t.ngettext(
            "{n} other chat gets alerts on {name}. Delete the topic for everybody?",
            "{n} other chats get alerts on {name}. Delete the topic for everybody?",
            len(others),
        )
        delete = button(t.gettext("Delete for everybody"), "drop", topic.id, "sure")
        rows = ((delete, button(t.gettext("Keep it"), "keep")),)
        return change(line, rows, n=len(others), name=show_topic(topic, t))
    changing = [*(Rows(table, "topic_id", topic_id) for table in topics.REFERRING), Rows("topics", "id", topic_id)]
    act = TopicDeleted(topic=topic.name)
    async with acts.recorded(
        tx, act, context.actor, *changing, now=context.now, restricted=topic.is_confidential, concerned=others
    ) as recording:
        await topics.delete(tx, topic_id)
    undo = ((undo_button(recording.id, t),),)
    return change(t.gettext("The topic {name} has been deleted."), undo, name=show_topic(topic, t))


@tap("keep", Need.LOOK)
async def keep(_: Request, context: Context) -> Reply:
    """Leave all as it is, after all: the answer to each question that asks whether somebody is sure."""
    return change(context.t.gettext("Nothing was changed."))


async def topics_screen(db: Reader, context: Context, number: int = 0) -> Outgoing:
    """Draw a page of the topics as switches, with their figures, mutes and exclusions."""
    t = context.t
    on = await subscriptions.priorities(db, context.chat.id)
    page = page_of(listed(await topics.all_topics(db, context.viewer), on), number, TOPICS_PAGE)
    shown = page.items
    counts = await stats.topic_stats(db, context.chat.id, context.now - COUNTED)
    text = Text().line(
        t.gettext("Topics of this chat, with their alerts in the last 30 days. Tap one to switch it on or off.")
    )
    places = await _places(db, context)
    lines = _lines(shown, on, counts, places, t).join(await _unknown_limits(shown, db, context))
    if len(lines):
        text.line().join(lines).line()
    ends = await _add_muted(text, db, context)
    words = await _add_excluded(text, [topic for topic in shown if topic.id in on], db, context)
    if context.offers(Need.INSTANCE):
        text.line().say(t.gettext("To create your own: {example}"), example=code(track_example(t)))
    one = (button(t.gettext("One topic in detail…"), "about", "list"),)
    switches = topic_rows(shown, on, t, screen=f"topics:{page.number}")
    return message(text, (*switches, *page.turns("topics"), one, *ends, *words))


async def _unknown_limits(shown: Sequence[Topic], db: Reader, context: Context) -> Text:
    """Name what topics are limited to though nothing is called so, or nothing of it is followed."""
    t, text = context.t, Text()
    limited = [topic for topic in shown if topic.limits and not topic.is_feed]
    if not limited:
        return text
    directory = await Directory.load(db, context.viewer)
    for topic in limited:
        places = {name: directory.find(name) for name in topic.limits}
        unknown = ", ".join(f"«{name}»" for name, place in places.items() if place is None)
        if unknown:
            line = t.gettext("⚠️ {topic}: there is no channel or group {names} yet.")
            text.line(line, topic=show_topic(topic, t), names=unknown)
        if not any(each.is_followed for place in places.values() if place is not None for each in place.channels):
            line = t.gettext("⚠️ {topic}: none of its channels is followed now, so it finds nothing.")
            text.line(line, topic=show_topic(topic, t))
    return text


def track_example(t: Translator) -> str:
    """Show how a topic is made."""
    return t.gettext("/track Payments: “payment system” outage|failure")


async def _places(db: Reader, context: Context) -> Mapping[str, Piece]:
    """Return the thread of each topic that is on; nothing where no thread was chosen, as in groups without threads."""
    bound = {binding.topic: binding.thread_id for binding in await addresses.bindings(db, context.chat.id)}
    peer, t = context.chat.peer, context.t
    if not bound and peer.thread_id is None:
        return {}
    links, titles = {}, await threads.titles(db, context.chat.id)
    for each in await subscriptions.of_chat(db, context.chat.id):
        number = bound.get(each.topic, peer.thread_id or GENERAL_THREAD)
        unknown = t.gettext("general thread") if number == GENERAL_THREAD else t.gettext("thread {n}").format(n=number)
        name = one_line(titles.get(number, unknown), _LONGEST_NAME)
        links[each.topic] = link(name, f"https://t.me/c/{peer.id}/{number}")
    return links


def _lines(
    shown: Sequence[Topic],
    on: Mapping[int, Priority],
    counts: Mapping[str, TopicStats],
    threads: Mapping[str, Piece],
    t: Translator,
) -> Text:
    """Write a line for each topic that is on or not built in, with as much of its query as leaves room for all."""
    text = Text()
    lines = [topic for topic in shown if topic.id in on or not topic.builtin]
    emphasised = bold if len(lines) + len(threads) <= _MOST_FORMATS else str
    for topic in lines:
        facts = _facts(on[topic.id], counts.get(topic.name, TopicStats()), t) if topic.id in on else ""
        thread = threads.get(topic.name)
        space = _ROOM // len(lines) - len(facts) - (len(thread.text) if thread else 0)
        name, query = _fitted(topic, space, t)
        text.add(emphasised(name), ": ")
        if query is not None:
            text.add(query, " · " if facts else "")
        text.add(facts, *((" · ", thread) if thread else ()), "\n")
    return text


def _fitted(topic: Topic, space: int, t: Translator) -> tuple[str, Piece | None]:
    """Return the title and the query of a topic, cut to a space; None for a built-in query, or for want of room."""
    name, room = topic_title(topic.name, t), min(_SHOWN_QUERY, space - _LONGEST_NAME)
    if room < _SHOWN_QUERY:
        name = name[: max(_SHORTEST_NAME, min(_LONGEST_NAME, space - _SIGNS))]
    state = replace(topic.state, query="") if topic.builtin else topic.state
    source = "" if topic.is_feed else state.source.strip()  # of a topic from a file its limits alone
    if not source or room < _SHORTEST_QUERY:
        return name, None
    return name, short_query(source, room)


def _facts(priority: Priority, counted: TopicStats, t: Translator) -> str:
    facts = [t.ngettext("{n} alert", "{n} alerts", counted.alerts).format(n=show_number(counted.alerts, t))]
    if counted.duplicates:
        line = t.ngettext("{n} duplicate", "{n} duplicates", counted.duplicates)
        facts.append(line.format(n=show_number(counted.duplicates, t)))
    if counted.wrong:
        share = max(0.01, counted.wrong / max(1, counted.alerts))
        facts.append(t.gettext("{share} not relevant").format(share=format_percent(share, locale=t.language)))
    return " · ".join((*facts, priority_label(priority, t)))


async def _add_muted(text: Text, db: Reader, context: Context) -> ButtonRows:
    """List the mutes; return buttons that end them."""
    mutes = await mutes_of(db, context)
    if not mutes:
        return ()
    text.line().line(context.t.gettext("Muted in this chat:"))
    for each, scope in mutes[:_MOST_LISTED]:
        text.add(scope.name, " ", show_end(each.until, context), "\n")
    if len(mutes) > _MOST_LISTED:
        text.add(f"+{len(mutes) - _MOST_LISTED}: /mute\n")
    return tuple((end_button(scope, "wake", context.t),) for _, scope in mutes[:_MOST_LISTED])


async def _add_excluded(text: Text, on: Sequence[Topic], db: Reader, context: Context) -> ButtonRows:
    """List the words that are left out, in all chats or in this one; return buttons that bring back the latter."""
    t, own = context.t, await exclusions.of_chat(db, context.chat.id)
    listed = [(topic, [each.word for each in own if each.topic_id == topic.id]) for topic in on]
    listed = [(topic, words) for topic, words in listed if words or topic.excluded][:_MOST_LISTED]
    if not listed:
        return ()
    text.line().line(t.gettext("Posts that say this are left out:"))
    for topic, words in listed:
        for_all = [t.gettext("{word} (in all chats)").format(word=word) for word in topic.excluded]
        text.add(show_topic(topic, t), ": ", ", ".join([*words, *for_all]), "\n")
    label = t.gettext("Bring back «{word}»")
    buttons = [
        button(label.format(word=word[:_LABEL]), "include", topic.id, name_word(word))
        for topic, words in listed
        for word in words
    ]
    return rows_of(buttons[:_MOST_LISTED], 2)
