"""/priority: a topic, and how its alerts are to arrive, come in: with a sound, without one, or gathered."""

from bot.commands.context import Context, Reply, Request, message, say, show
from bot.commands.keyboards import button, choice, mark, rows_of
from bot.commands.lookup import LONGEST_NAME, find_topic, show_topic, tidy
from bot.locales import N_, Translator
from bot.locales.titles import topic_title
from bot.models import Outgoing
from bot.store import subscriptions, topics
from bot.store.database import Reader, Transaction
from bot.store.subscriptions import Priority
from bot.store.topics import Topic
from bot.text.markup import Text, bold, code

LABELS = {
    Priority.URGENT: N_("loud!"),
    Priority.LOUD: N_("loud"),
    Priority.SILENT: N_("silent"),
    Priority.DIGEST: N_("digest"),
}
_MEANINGS = {
    Priority.URGENT: N_("at once, in quiet hours too"),
    Priority.LOUD: N_("at once; in quiet hours it waits for their end"),
    Priority.SILENT: N_("at once, without a sound"),
    Priority.DIGEST: N_("gathered in a digest: see /digest"),
}
_WORDS = {  # as people type them, whatever the language of the chat
    **{priority.value: priority for priority in Priority},
    "громко!": Priority.URGENT,
    "громко": Priority.LOUD,
    "тихо": Priority.SILENT,
    "без звука": Priority.SILENT,
    "сводка": Priority.DIGEST,
    "в сводку": Priority.DIGEST,
    "дайджест": Priority.DIGEST,
    "в дайджест": Priority.DIGEST,
}
_MOST = 90  # Telegram takes 100 buttons
_ROOM = 40  # characters of a topic on a button


def split_priority(argument: str) -> tuple[str, Priority | None]:
    """Take a priority off the end of what was typed; the rest names a topic, and may hold spaces."""
    typed = " ".join(argument.replace(" !", "!").split())
    for word in sorted(_WORDS, key=len, reverse=True):
        if typed.casefold().endswith(f" {word}"):
            return typed[: -len(word) - 1].rstrip(" :-–—"), _WORDS[word]
    return typed, None


async def priority(request: Request, context: Context) -> Reply:
    """Set how alerts on a topic arrive; without a priority offer the four, without a topic list those of this chat."""
    if not request.argument:
        return Reply(messages=(await _list(context.database, context),))
    topic = await find_topic(context.database, request.argument)  # it may be called «Silent»
    name, chosen = (request.argument, None) if topic is not None else split_priority(request.argument)
    topic = topic or await find_topic(context.database, name)
    if topic is None:
        line = context.t.gettext("There is no topic {name}. See /topics.")
        return say(Text().say(line, name=bold(tidy(name)[:LONGEST_NAME])))
    if chosen is None:
        return Reply(messages=(await _choices(context.database, context, topic),))
    return await _choose(request, context, topic, chosen)


async def tapped(request: Request, context: Context) -> Reply:
    """Offer the four for the topic that a button names, take over one of them, or show the list again."""
    number, _, chosen = request.argument.partition(":")
    if number == "list":
        return Reply(edit=await _list(context.database, context))
    every = await topics.all_topics(context.database)
    topic = next((topic for topic in every if topic.id == int(number)), None)
    if topic is None:
        return Reply(note=context.own.gettext("This topic is gone."))
    if not chosen:
        return Reply(edit=await _choices(context.database, context, topic))
    return await _choose(request, context, topic, Priority(chosen))


async def _choose(request: Request, context: Context, topic: Topic, chosen: Priority) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        await subscriptions.set_priority(tx, context.chat.id, topic.id, chosen)
        screen = await _choices(tx, context, topic)
        return show(request, screen)

    return await context.once(request, effect)


async def _list(db: Reader, context: Context) -> Outgoing:
    t, subscribed = context.t, await subscriptions.of_chat(db, context.chat.id)
    if not subscribed:
        return message(t.gettext("This chat gets alerts on no topic yet. See /topics."))
    text = Text().line(t.gettext("How alerts on each topic arrive here. Tap one to change it."))
    rows = rows_of(
        (
            button(f"{topic_title(each.topic, t)[:_ROOM]}: {t.gettext(LABELS[each.priority])}", "prio", each.topic_id)
            for each in subscribed[:_MOST]
        ),
        1,
    )
    example = t.gettext("/priority Outages silent")
    return message(text.say(t.gettext("You can also write: {example}"), example=code(example)), rows)


async def _choices(db: Reader, context: Context, topic: Topic) -> Outgoing:
    """Show the four for a topic, the present one marked; where the chat has none of its alerts, say so."""
    t, subscribed = context.t, await subscriptions.of_chat(db, context.chat.id)
    now = next((each.priority for each in subscribed if each.topic_id == topic.id), None)
    if now is None:
        return message(_not_subscribed(topic, t))
    text = Text().line(t.gettext("Alerts on {name} arrive:"), name=show_topic(topic, t))
    for each, meaning in _MEANINGS.items():
        text.add(mark("", chosen=each == now), bold(t.gettext(LABELS[each])), ": ", t.gettext(meaning), "\n")
    choices = [choice(t.gettext(label), "prio", topic.id, each, chosen=each == now) for each, label in LABELS.items()]
    return message(text, (*rows_of(choices, 2), (button(t.gettext("All topics"), "prio", "list"),)))


def _not_subscribed(topic: Topic, t: Translator) -> Text:
    line = t.gettext("This chat does not get alerts on {name}. To get them, write: {command}")
    return Text().say(line, name=show_topic(topic, t), command=code(f"/track {topic_title(topic.name, t)}"))
