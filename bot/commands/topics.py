"""Topics of a chat: switches and queries that people write come in, subscriptions and topics change accordingly."""

import asyncio
import re

from bot.commands import keyboards
from bot.commands.access import Need
from bot.commands.context import Context
from bot.commands.keyboards import button
from bot.commands.naming import find_topic, tidy
from bot.commands.queries import Understood, refusal, understand
from bot.commands.start import setup_screen
from bot.commands.talk import Reply, Request, Rows, change, message, say
from bot.locales import Translator
from bot.locales.titles import topic_title
from bot.markup import Piece, Text, bold, code
from bot.models import Outgoing
from bot.search import preview
from bot.store import subscriptions, topics
from bot.store.chats import Chat
from bot.store.database import Reader, Transaction
from bot.store.topics import Topic

LONGEST_NAME = 64  # characters
_COLON = re.compile(r"(?<!\d):|:(?!\d)")  # not that of a time, 10:30
LOOK_BACK = 7  # days over which a new topic is tried
_SHOWN_QUERY = 200  # characters of a query in a list
_SAID_QUERY = 1000  # characters of a query in an answer about it


async def show(request: Request, context: Context) -> Reply:
    """Show all topics as switches."""
    del request
    return Reply(messages=(await _screen(context.database, context.chat, context.t),))


async def switch(request: Request, context: Context) -> Reply:
    """Switch a topic on or off for this chat; the tapped button says which, and which screen to draw again."""
    number, state, screen = request.argument.split(":")
    topic_id = int(number)

    async def effect(tx: Transaction) -> Reply:
        if all(topic.id != topic_id for topic in await topics.all_topics(tx)):
            return Reply(note=context.t.gettext("This topic is gone."))
        if state == "on":
            await subscriptions.subscribe(tx, context.chat.id, topic_id, now=context.now)
        else:
            await subscriptions.unsubscribe(tx, context.chat.id, topic_id)
        draw = setup_screen if screen == "setup" else _screen
        return Reply(edit=await draw(tx, context.chat, context.t))

    return await context.once(request, effect)


def split_name(argument: str) -> tuple[str, str | None]:
    """Split `NAME: QUERY`; the query is None where only a name was typed."""
    name, *query = _COLON.split(argument, maxsplit=1)
    if not query or "\n" in name:
        return argument.strip(), None
    return tidy(name), query[0].strip()


async def track(request: Request, context: Context) -> Reply:
    """Subscribe this chat to a topic; with a query, make the topic first."""
    name, query = split_name(request.argument)
    if not name:
        return say(_usage(context.t))
    topic = await find_topic(context.database, name)
    if query is None:
        return await _subscribe(request, context, topic) if topic else say(_missing(name, context.t))
    if not context.may(request, Need.INSTANCE):
        return say(context.t.gettext("Only owners and editors can make topics. /topics shows those there are."))
    if len(name) > LONGEST_NAME or name.startswith(("/", "@")) or (name == "re" and query.startswith("/")):
        line = context.t.gettext("Put a short name before the colon, for example: {example}")
        return say(Text().say(line, example=code(_example(context.t))))
    understood = await asyncio.to_thread(understand, query, context.inflector)
    if not isinstance(understood, Understood):
        return say(refusal(understood, query, context.t))
    would = await preview(context.database, [understood.compiled], since=context.days_ago(LOOK_BACK))
    return await _make(request, context, name, understood, would=would)


async def untrack(request: Request, context: Context) -> Reply:
    """End this chat's subscription; offer to delete the topic where it is not built in."""
    topic = await find_topic(context.database, request.argument) if request.argument else None
    if topic is None:
        return say(_unknown(request.argument, context.t) if request.argument else _usage_untrack(context.t))

    async def effect(tx: Transaction) -> Reply:
        ended = await subscriptions.unsubscribe(tx, context.chat.id, topic.id)
        if ended:
            line = context.t.gettext("No more alerts on {name} in this chat.")
        else:
            line = context.t.gettext("This chat did not get alerts on {name}.")
        may_delete = not topic.builtin and context.may(request, Need.INSTANCE)
        offer = ((button(context.t.gettext("Delete the topic"), "drop", topic.id),),) if may_delete else ()
        return say(Text().say(line, name=_name(topic, context.t)), offer)

    return await context.once(request, effect)


async def drop(request: Request, context: Context) -> Reply:
    """Delete a topic; where other chats use it, ask first."""
    number, _, sure = request.argument.partition(":")
    topic_id, t = int(number), context.t

    async def effect(tx: Transaction) -> Reply:
        topic = next((topic for topic in await topics.all_topics(tx) if topic.id == topic_id), None)
        if topic is None or topic.builtin:
            return Reply(note=t.gettext("This topic is gone."))
        others = set(await topics.users(tx, topic_id)) - {context.chat.id}
        if others and not sure:
            return _ask(topic, len(others), t)
        await topics.delete(tx, topic_id)
        return change(Text().say(t.gettext("The topic {name} is deleted."), name=_name(topic, t)))

    return await context.once(request, effect)


async def keep(request: Request, context: Context) -> Reply:
    """Leave a topic as it is, after all."""
    del request
    return change(context.t.gettext("Nothing is deleted."))


async def _subscribe(request: Request, context: Context, topic: Topic) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        fresh = await subscriptions.subscribe(tx, context.chat.id, topic.id, now=context.now)
        if fresh:
            line = context.t.gettext("This chat gets alerts on {name} now.")
        else:
            line = context.t.gettext("This chat gets alerts on {name} already.")
        return say(Text().say(line, name=_name(topic, context.t)))

    return await context.once(request, effect)


async def _make(request: Request, context: Context, name: str, understood: Understood, *, would: int) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        known = await find_topic(tx, name)
        obstacle = await _obstacle(tx, known, understood, context)
        if obstacle is not None:
            return say(obstacle)
        topic = await topics.save(
            tx, name=name, query=understood.source, compiled=understood.compiled.to_json(), now=context.now
        )
        await subscriptions.subscribe(tx, context.chat.id, topic.id, now=context.now)
        before = known.query if known is not None and known.query != topic.query else None
        return _made(request, context, topic, understood, would=would, before=before)

    return await context.once(request, effect)


async def _obstacle(tx: Transaction, known: Topic | None, understood: Understood, context: Context) -> Text | None:
    """Say why a topic of this name cannot be made; None where it can."""
    if known is None or known.compiled == understood.compiled.to_json():
        return None
    if known.builtin:
        line = context.t.gettext("{name} is built in. Choose another name for your topic.")
        return Text().say(line, name=_name(known, context.t))
    if set(await topics.users(tx, known.id)) - {context.chat.id}:
        line = context.t.gettext("{name} is there already, and other chats use it: {query}\nChoose another name.")
        return Text().say(line, name=_name(known, context.t), query=code(_shortened(known.query)))
    return None


def _made(  # noqa: PLR0913 - each is a line of the answer
    request: Request, context: Context, topic: Topic, understood: Understood, *, would: int, before: str | None
) -> Reply:
    t = context.t
    text = Text().line(t.gettext("This chat gets alerts on {name} now."), name=_name(topic, t))
    text.line(t.gettext("I look for: {query}"), query=code(_shortened(str(understood.compiled.query))))
    if before is not None:
        text.line(t.gettext("Until now I looked for: {query}"), query=code(_shortened(before)))
    line = t.ngettext(
        "The last {days} days would have brought {n} alert.",
        "The last {days} days would have brought {n} alerts.",
        would,
    )
    text.say(line, days=LOOK_BACK, n=would)
    see = ((button(t.gettext("See them"), "more", request.key),),) if would else ()
    return Reply(messages=(message(text, see),), memory=understood.source)


async def _screen(db: Reader, chat: Chat, t: Translator) -> Outgoing:
    every = await topics.all_topics(db)
    on = {subscription.topic_id for subscription in await subscriptions.of_chat(db, chat.id)}
    text = Text().line(t.gettext("Topics of this chat. Tap one to switch it on or off."))
    own = [topic for topic in every if not topic.builtin]
    for topic in own:
        text.add("\n", bold(topic.name), ": ", code(topic.query[:_SHOWN_QUERY]))
    text.add("\n\n" if own else "\n")
    text.say(t.gettext("To make one of your own, write for example: {example}"), example=code(_example(t)))
    return message(text, keyboards.topic_rows(every[: keyboards.MOST_SWITCHES], on, t, screen="topics"))


def _ask(topic: Topic, others: int, t: Translator) -> Reply:
    line = t.ngettext(
        "{n} other chat gets alerts on {name}. Delete the topic for all?",
        "{n} other chats get alerts on {name}. Delete the topic for all?",
        others,
    )
    rows: Rows = (
        (button(t.gettext("Delete for all"), "drop", topic.id, "sure"), button(t.gettext("Keep it"), "keep")),
    )
    return change(Text().say(line, n=others, name=_name(topic, t)), rows)


def _shortened(query: str) -> str:
    """Show so much of a query that the rest of the answer still fits below it."""
    return query if len(query) <= _SAID_QUERY else query[: _SAID_QUERY - 1] + "…"


def _name(topic: Topic, t: Translator) -> Piece:
    return bold(topic_title(topic.name, t))


def _usage(t: Translator) -> Text:
    text = Text().line(t.gettext("Write the name of a topic, or make one of your own:"))
    return text.line("{example}", example=code(_example(t))).add(t.gettext("/help shows how to write a query."))


def _usage_untrack(t: Translator) -> str:
    return t.gettext("Write the name of a topic after /untrack, or switch it off in /topics.")


def _unknown(name: str, t: Translator) -> Text:
    return Text().say(t.gettext("There is no topic {name}. See /topics."), name=bold(tidy(name)[:LONGEST_NAME]))


def _missing(name: str, t: Translator) -> Text:
    line = t.gettext("There is no topic {name}. To make it, write what to look for: {example}")
    short = tidy(name)[:LONGEST_NAME]
    return Text().say(line, name=bold(short), example=code(f"/track {short}: …"))


def _example(t: Translator) -> str:
    return t.gettext("/track Payments: “payment system” outage|failure")
