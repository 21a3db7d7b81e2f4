"""/here, said in a thread of a forum: this chat's alerts, or those on one topic, come into that thread from then on."""

from bot.commands.context import Context, Reply, Request, say
from bot.commands.lookup import LONGEST_NAME, find_topic, show_topic, tidy
from bot.commands.settings import read_switch
from bot.locales import Translator
from bot.locales.titles import topic_title
from bot.models import GENERAL_THREAD
from bot.store import addresses
from bot.store.database import Transaction
from bot.store.topics import Topic
from bot.text.markup import Text, bold, code


async def here(request: Request, context: Context) -> Reply:
    """Bind the chat or one topic to the thread in which this is written, or undo that."""
    typed, t = request.argument.strip(), context.t
    topic, is_off = await find_topic(context.database, typed), False  # it may be called «No signal»
    first, _, rest = typed.partition(" ")
    if topic is None and read_switch(first) is False:
        typed, is_off = rest.strip(), True
        topic = await find_topic(context.database, typed)
    if not is_off and not request.forum:
        return say(t.gettext("This chat has no threads. Admins of a group switch them on in its settings: Topics."))
    thread_id = None if is_off else request.peer.thread_id or GENERAL_THREAD
    if not typed:
        return await _bind_chat(request, context, thread_id)
    if topic is None:
        name = bold(tidy(typed)[:LONGEST_NAME])
        return say(Text().say(t.gettext("There is no topic {name}. See /topics."), name=name))
    return await _bind_topic(request, context, topic, thread_id)


async def _bind_chat(request: Request, context: Context, thread_id: int | None) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        general = thread_id in {None, GENERAL_THREAD}
        await addresses.bind_chat(tx, context.chat.id, None if general else thread_id)
        apart = [each.topic for each in await addresses.bindings(tx, context.chat.id)]
        return say(_told(apart, context.t, is_off=thread_id is None))

    return await context.once(request, effect)


def _told(apart: list[str], t: Translator, *, is_off: bool) -> Text:
    text = Text().say(
        t.gettext("Alerts come into the general thread of this chat now.")
        if is_off
        else t.gettext("Alerts of this chat come into this thread now.")
    )
    if apart:
        names = ", ".join(f"«{topic_title(name, t)}»" for name in apart)
        text.add(" ").say(t.gettext("Only {topics} have threads of their own."), topics=names)
    return text


async def _bind_topic(request: Request, context: Context, topic: Topic, thread_id: int | None) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        t, name = context.t, show_topic(topic, context.t)
        if not await addresses.bind_topic(tx, context.chat.id, topic.id, thread_id):
            line = t.gettext("This chat does not get alerts on {name}. To get them, write: {command}")
            return say(Text().say(line, name=name, command=code(f"/track {topic_title(topic.name, t)}")))
        line = t.gettext("Alerts on {name} come into this thread now.")
        if thread_id is None:
            line = t.gettext("Alerts on {name} come where this chat's other alerts come.")
        return say(Text().say(line, name=name))

    return await context.once(request, effect)
