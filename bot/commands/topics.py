"""Topics of a chat: switches that people tap and names that they write come in; the screen of topics goes out."""

import asyncio

from bot.commands.access import Need
from bot.commands.context import Context
from bot.commands.keyboards import button, name_word
from bot.commands.lookup import LONGEST_NAME, find_topic, show_topic, tidy
from bot.commands.mute import read_subject
from bot.commands.overview import screen
from bot.commands.setup import setup_screen
from bot.commands.talk import Reply, Request, Rows, change, say
from bot.locales import Translator
from bot.matching.explain.exclusions import compile_excluding
from bot.store import subscriptions, topics
from bot.store.database import Transaction
from bot.store.topics import Topic
from bot.text.markup import Text, bold


async def show(request: Request, context: Context) -> Reply:
    """Show all topics as switches, and how each does."""
    return Reply(messages=(await screen(context.database, request, context),))


async def switch(request: Request, context: Context) -> Reply:
    """Switch a topic on or off for this chat; the tapped button says which, and which screen to draw again."""
    number, state, drawn = request.argument.split(":")
    topic_id = int(number)

    async def effect(tx: Transaction) -> Reply:
        if all(topic.id != topic_id for topic in await topics.all_topics(tx)):
            return Reply(note=context.own.gettext("This topic is gone."))
        if state == "on":
            await subscriptions.subscribe(tx, context.chat.id, topic_id, now=context.now)
        else:
            await subscriptions.unsubscribe(tx, context.chat.id, topic_id)
        if drawn == "setup":
            return Reply(edit=await setup_screen(tx, context.chat, context.t))
        return Reply(edit=await screen(tx, request, context))

    return await context.once(request, effect)


async def wake(request: Request, context: Context) -> Reply:
    """End a mute that the screen lists."""

    async def effect(tx: Transaction) -> Reply:
        scope = await read_subject(tx, request.argument, context.t)
        if scope is not None:
            chat_id = context.chat.id
            await subscriptions.unmute(tx, chat_id, channel_id=scope.channel_id, topic_id=scope.topic_id)
        return Reply(edit=await screen(tx, request, context))

    return await context.once(request, effect)


async def include(request: Request, context: Context) -> Reply:
    """Let a topic no longer leave out a word that the screen lists."""
    number, named = request.argument.split(":")
    topic = await topics.get(context.database, int(number))
    if topic is None:
        return Reply(note=context.own.gettext("This topic is gone."))
    left_out = [word for word in topic.excluded if name_word(word) != named]
    compiled = await asyncio.to_thread(compile_excluding, topic.query, left_out, context.inflector)

    async def effect(tx: Transaction) -> Reply:
        if not await topics.leave_out(tx, topic, left_out, compiled.to_json()):
            return Reply(note=context.own.gettext("The topic has just been changed. Please tap again."))
        return Reply(edit=await screen(tx, request, context))

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
            return Reply(note=context.own.gettext("This topic is gone."))
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
