"""/priority and /here: how the alerts on one topic arrive in a chat, and in which thread of a forum."""

from bot.commands.context import CommandError, Context, Reply, Request, message, say, writes
from bot.commands.lookup import find_topic, need_topic, show_topic, topic_by_id
from bot.commands.parsing import read_switch
from bot.commands.registry import Section, command, example, tap
from bot.commands.rights import Need
from bot.commands.subscribing import log_setting
from bot.locales import LANGUAGES, N_, Translator, translator
from bot.locales.locale import topic_title
from bot.models.alerts import Priority
from bot.models.outgoing import GENERAL_THREAD, Outgoing
from bot.store import addresses, subscriptions
from bot.store.database import Reader, Transaction
from bot.store.topics import Topic
from bot.text.buttons import button, choice, mark, rows_of
from bot.text.markup import Text, bold, code
from bot.text.pages import page_of

_PRIORITIES = {
    Priority.URGENT: (N_("urgent (even at night)"), N_("at once, even in quiet hours")),
    Priority.LOUD: (N_("with sound"), N_("at once; in quiet hours, when they end")),
    Priority.SILENT: (N_("without sound"), N_("at once, without a sound")),
    Priority.DIGEST: (N_("in the digest"), N_("collected in a digest: see /digest")),
}
_WORDS = {  # as people type them, whatever the language of the chat: a value, a label, or what follows
    **{priority.value: priority for priority in Priority},
    **{
        translator(language).gettext(label).partition(" (")[0]: priority
        for language in LANGUAGES
        for priority, (label, _) in _PRIORITIES.items()
    },
    **dict.fromkeys(("сводка", "в сводку", "дайджест", "в дайджест", "зведення", "у зведення"), Priority.DIGEST),
}
_PAGE = 20  # topics
_ROOM = 40  # characters of a topic on a button


def priority_label(priority: Priority, t: Translator) -> str:
    """Name a priority."""
    return t.gettext(_PRIORITIES[priority][0])


def split_priority(argument: str) -> tuple[str, Priority | None]:
    """Split a priority off the end of a text; the rest names a topic, and may hold spaces."""
    typed = " ".join(argument.split())
    for word in sorted(_WORDS, key=len, reverse=True):
        if typed.casefold().endswith(f" {word}"):
            return typed[: -len(word) - 1].rstrip(" :-–—"), _WORDS[word]
    return typed, None


@command(
    "priority",
    Section.ALERTS,
    3,
    Need.CHAT,
    N_("how alerts on a topic arrive: urgent, silent …"),
    usage=N_("NAME silent"),
)
@example(N_("/priority Outages urgent"), N_("with a sound, even in quiet hours"))
@example(N_("/priority Outages silent"), N_("at once, without a sound"))
@example(N_("/priority Outages digest"), N_("collected in a digest"))
@writes
async def priority(request: Request, context: Context, tx: Transaction) -> Reply:
    """Set the priority of a topic; without a priority offer the four, without a topic list the topics of this chat."""
    if not request.argument:
        return Reply(messages=(await _list(tx, context),))
    topic, chosen = await find_topic(tx, request.argument, context.viewer), None  # it may be called «Silent»
    if topic is None:
        name, chosen = split_priority(request.argument)
        topic = await need_topic(tx, name, context)
    return Reply(messages=(await _choose(tx, context, topic, chosen),))


@tap("prio", Need.CHAT, r"list(:\d{1,3})?|\d{1,15}(:(urgent|loud|silent|digest))?")
@writes
async def priority_tapped(request: Request, context: Context, tx: Transaction) -> Reply:
    """Offer the four priorities of a topic, set one of them, or show the list again, as the button says."""
    number, _, chosen = request.argument.partition(":")
    if number == "list":
        return Reply(edit=await _list(tx, context, int(chosen or 0)))
    topic = await topic_by_id(tx, int(number), context)
    return Reply(edit=await _choose(tx, context, topic, Priority(chosen) if chosen else None))


async def _list(db: Reader, context: Context, number: int = 0) -> Outgoing:
    t, subscribed = context.t, await subscriptions.of_chat(db, context.chat.id)
    if not subscribed:
        return message(t.gettext("This chat gets no alerts yet. Choose topics in /topics."))
    text = Text().line(t.gettext("How alerts on each topic arrive in this chat. Tap one to change it."))
    page = page_of(subscribed, number, _PAGE)
    labels = (
        (each, f"{topic_title(each.topic, t)[:_ROOM]}: {priority_label(each.priority, t)}") for each in page.items
    )
    rows = rows_of([button(label, "prio", each.topic_id) for each, label in labels], 1) + page.turns("prio", "list")
    example = t.gettext("/priority Outages silent")
    return message(text.say(t.gettext("You can also write: {example}"), example=code(example)), rows)


async def _choose(tx: Transaction, context: Context, topic: Topic, chosen: Priority | None) -> Outgoing:
    """Set a priority, if one is chosen, and show the four with the present one marked, if the chat has the topic."""
    if chosen is not None:
        await subscriptions.set_priority(tx, context.chat.id, topic.id, chosen)
        await log_setting(tx, context, f"/priority {topic_title(topic.name, context.t)} {chosen}")
    t, now = context.t, (await subscriptions.priorities(tx, context.chat.id)).get(topic.id)
    if now is None:
        return message(_not_subscribed(topic, t))
    text, choices = Text().line(t.gettext("How alerts on {name} arrive:"), name=show_topic(topic, t)), []
    for each, (label, meaning) in _PRIORITIES.items():
        text.add(mark("", chosen=each == now), bold(t.gettext(label)), ": ", t.gettext(meaning), "\n")
        choices.append(choice(t.gettext(label), "prio", topic.id, each, chosen=each == now))
    return message(text, (*rows_of(choices, 2), (button(t.gettext("All topics"), "prio", "list"),)))


def _not_subscribed(topic: Topic, t: Translator) -> Text:
    line = t.gettext("This chat does not get alerts on {name}. To get them, write: {command}")
    return Text().say(line, name=show_topic(topic, t), command=code(f"/track {topic_title(topic.name, t)}"))


@command("here", Section.ALERTS, 11, Need.CHAT, N_("in a thread: send alerts to it"), usage=N_("NAME"))
@example("/here", N_("in a forum thread: all alerts of this chat go to it"))
@example(N_("/here Outages"), N_("alerts on one topic go to it"))
@example(N_("/here off"), N_("alerts go to the general thread again"))
@writes
async def bind_thread(request: Request, context: Context, tx: Transaction) -> Reply:
    """Bind the chat or one topic to the thread in which the command is written, or undo that."""
    typed, t = request.argument.strip(), context.t
    topic, is_off = await find_topic(tx, typed, context.viewer), False  # it may be called «No signal»
    first, _, rest = typed.partition(" ")
    if topic is None and read_switch(first) is False:
        typed, is_off = rest.strip(), True
    if not is_off and not request.forum:
        raise CommandError(
            t.gettext("This chat has no threads. Group admins can switch them on in the group settings: Topics.")
        )
    thread_id = None if is_off else request.peer.thread_id or GENERAL_THREAD
    if not typed:
        await log_setting(tx, context, f"/here {request.argument}".strip())
        return say(await _bind_chat(tx, context, thread_id))
    topic = topic or await need_topic(tx, typed, context)
    if not await addresses.bind_topic(tx, context.chat.id, topic.id, thread_id):
        return say(_not_subscribed(topic, t))
    await log_setting(tx, context, f"/here {request.argument}".strip())
    line = t.gettext("Alerts on {name} now go to this thread.")
    if thread_id is None:
        line = t.gettext("Alerts on {name} now go where this chat's other alerts go.")
    return say(line, name=show_topic(topic, t))


async def _bind_chat(tx: Transaction, context: Context, thread_id: int | None) -> Text:
    """Bind the chat to a thread, None for none; name the topics that keep threads of their own."""
    t, is_general = context.t, thread_id in {None, GENERAL_THREAD}
    await addresses.bind_chat(tx, context.chat.id, None if is_general else thread_id)
    into_general = t.gettext("Alerts now go to the general thread of this chat.")
    into_this = t.gettext("Alerts of this chat now go to this thread.")
    text = Text().add(into_general if thread_id is None else into_this)
    if bound := await addresses.bindings(tx, context.chat.id):
        names = ", ".join(f"«{topic_title(each.topic, t)}»" for each in bound)
        text.add(" ").say(t.gettext("Only {topics} have threads of their own."), topics=names)
    return text
