"""Topics of a chat: switches that people tap and names that they write come in; the screen of topics goes out."""

from collections.abc import Sequence

from bot.commands import keyboards
from bot.commands.access import Need
from bot.commands.context import Context
from bot.commands.keyboards import button
from bot.commands.naming import LONGEST_NAME, find_topic, show_topic, tidy
from bot.commands.queries import short
from bot.commands.start import setup_screen
from bot.commands.talk import Reply, Request, Rows, change, message, say
from bot.locales import Translator
from bot.markup import Text, bold, code
from bot.models import Outgoing
from bot.store import subscriptions, topics
from bot.store.chats import Chat
from bot.store.database import Reader, Transaction
from bot.store.topics import Topic

_SHOWN_QUERY = 200  # characters of a query in a list
_ROOM = 3400  # characters of a list
_LONGEST_NAME = 30  # characters of a name in a long list


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
        return say(Text().say(line, name=show_topic(topic, context.t)), offer)

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
        return change(Text().say(t.gettext("The topic {name} is deleted."), name=show_topic(topic, t)))

    return await context.once(request, effect)


async def keep(request: Request, context: Context) -> Reply:
    """Leave a topic as it is, after all."""
    del request
    return change(context.t.gettext("Nothing is deleted."))


async def _screen(db: Reader, chat: Chat, t: Translator) -> Outgoing:
    every = await topics.all_topics(db)
    on = {subscription.topic_id for subscription in await subscriptions.of_chat(db, chat.id)}
    text = Text().line(t.gettext("Topics of this chat. Tap one to switch it on or off."))
    shown = every[: keyboards.MOST_SWITCHES]
    text.join(_queries([topic for topic in shown if not topic.builtin]))
    hidden = len(every) - len(shown)
    if hidden:
        line = t.ngettext(
            "{n} more topic does not fit here: /track and its name switch it on, /untrack off.",
            "{n} more topics do not fit here: /track and a name switch them on, /untrack off.",
            hidden,
        )
        text.line(line, n=hidden)
    text.say(t.gettext("To make one of your own, write for example: {example}"), example=code(example(t)))
    return message(text, keyboards.topic_rows(shown, on, t, screen="topics"))


def _queries(own: Sequence[Topic]) -> Text:
    """List topics with what they look for; of many, only as much of it as leaves room for all."""
    text = Text().add("\n")
    room = min(_SHOWN_QUERY, _ROOM // max(1, len(own)) - _LONGEST_NAME)
    for topic in own:
        name = topic.name if room == _SHOWN_QUERY else topic.name[:_LONGEST_NAME]
        text.add(bold(name), ": ", short(topic.query, room), "\n")
    return text.add("\n" if own else "")


def _ask(topic: Topic, others: int, t: Translator) -> Reply:
    line = t.ngettext(
        "{n} other chat gets alerts on {name}. Delete the topic for all?",
        "{n} other chats get alerts on {name}. Delete the topic for all?",
        others,
    )
    rows: Rows = (
        (button(t.gettext("Delete for all"), "drop", topic.id, "sure"), button(t.gettext("Keep it"), "keep")),
    )
    return change(Text().say(line, n=others, name=show_topic(topic, t)), rows)


def _usage_untrack(t: Translator) -> str:
    return t.gettext("Write the name of a topic after /untrack, or switch it off in /topics.")


def _unknown(name: str, t: Translator) -> Text:
    return Text().say(t.gettext("There is no topic {name}. See /topics."), name=bold(tidy(name)[:LONGEST_NAME]))


def example(t: Translator) -> str:
    """Show how a topic is made."""
    return t.gettext("/track Payments: “payment system” outage|failure")
