"""/track: subscribes a chat to a topic, or makes one, after a preview of what its query would have brought."""

import re
from collections.abc import Sequence

from bot.commands.context import CommandError, Context, Effect, Reply, Request, change, message, remembered, say
from bot.commands.keyboards import button
from bot.commands.limits import show_limits
from bot.commands.lookup import LONGEST_NAME, find_topic, show_topic, tidy
from bot.commands.private import keep_private
from bot.commands.query_text import SHOWN_QUERY, TypedQuery, preview, read_topic, short_query, show_query
from bot.commands.registry import Section, command, example, tap
from bot.commands.rewriting import or_rows
from bot.commands.rights import Need
from bot.commands.subscribing import subscribe
from bot.commands.topics import track_example
from bot.locales import N_, Translator
from bot.matching.engine.compiled import Compiled, weight
from bot.matching.engine.regex import MOST_IN_ALL
from bot.models.acts import TopicChanged, TopicMade
from bot.models.people import EVERYTHING
from bot.models.topics import EVERY_POST
from bot.store import acts, exclusions, topics
from bot.store.acts import Rows
from bot.store.channel_groups import Directory
from bot.store.database import Reader, Transaction
from bot.store.exclusions import ExcludedWord
from bot.store.topics import Topic
from bot.text.markup import LIMIT, Text, bold, code

_COLON = re.compile(r"(?<!\d):|:(?!\d)")  # not that of a time, 10:30


def split_name(argument: str) -> tuple[str, str | None]:
    """Split `NAME: QUERY`; the query is None where only a name was typed."""
    name, *query = _COLON.split(argument, maxsplit=1)
    if not query or "\n" in name:
        return argument.strip(), None
    return tidy(name), query[0].strip()


@command("track", Section.TOPICS, 2, Need.CHAT, N_("get alerts on a topic, or create one"), usage=N_("NAME: words"))
@example(N_("/track Payments"), N_("alerts on an existing topic"))
@example(
    N_("/track Payments: “payment system” outage|failure"),
    N_("see what a new topic would have found; «Save» creates it"),
)
async def track(request: Request, context: Context) -> Reply | Effect:
    """Subscribe this chat to a topic; with a query, show what it would have brought, and offer to save it."""
    name, query = split_name(request.argument)
    t = context.t
    if not name:
        text = Text().line(t.gettext("Write the name of a topic, or create your own:"))
        text.line("{example}", example=code(track_example(t)))
        raise CommandError(text.add(t.gettext("/help shows how to write a query.")))
    if query is not None:
        return await _offer(request, context, name, query)
    topic = await find_topic(context.database, name, context.viewer)
    if topic is None:
        if "\n" in name or ":" in name:  # a query without a name, or it is not clear where the name ends
            raise _unnamed(t)
        short_name = tidy(name)[:LONGEST_NAME]
        line = t.gettext("There is no topic {name}. To create it, write what to look for: {example}")
        raise CommandError(line, name=bold(short_name), example=code(f"/track {short_name}: …"))

    async def effect(tx: Transaction) -> Reply:
        is_new = await subscribe(tx, context, topic)
        line = t.gettext("This chat already gets alerts on {name}.")
        if is_new:
            line = t.gettext("This chat now gets alerts on {name}.")
        return say(line, name=show_topic(topic, t))

    return effect


@tap("save", Need.INSTANCE, r"[\w-]{1,40}(:only)?")
async def save(request: Request, context: Context) -> Effect:
    """Make the topic of a preview and subscribe this chat; the button names the answer that remembers it.

    It also says whether only this chat is to find the topic.
    """
    key, _, only = request.argument.partition(":")
    name, _, query = (await _remembered(context, key)).partition(": ")
    before = await find_topic(context.database, name, context.viewer)
    typed = await read_topic(query, context, excluded=_excluded(before))

    async def effect(tx: Transaction) -> Reply:
        known = await find_topic(tx, name, context.viewer)
        if _excluded(known) != _excluded(before):
            raise CommandError(context.own.gettext("The topic has just changed. Please tap again."))
        await _require_possible(tx, name, known, typed, context)
        topic = await _save(tx, context, known, name, typed)
        await subscribe(tx, context, topic)
        if only and known is None:
            topic = await keep_private(tx, context, topic)
        text = Text().line(context.t.gettext("This chat now gets alerts on {name}."), name=show_topic(topic, context.t))
        here = await _excluded_by_chat(tx, known, context)
        text.join(show_query(typed, context.t)).add("\n")
        text.join(show_limits(typed.limits, await Directory.load(tx, context.viewer), context.t))
        _add_before(text, known, here, typed, context.t)
        is_open = not topic.builtin and not topic.restricted
        offer = ((button(context.t.gettext("Keep it to this chat"), "only", f"t{topic.id}"),),) if is_open else ()
        return change(text, offer)

    return effect


async def _save(tx: Transaction, context: Context, known: Topic | None, name: str, typed: TypedQuery) -> Topic:
    """Make or change a topic, and write it down in the log."""
    act: TopicMade | TopicChanged = TopicMade(topic=name, query=typed.whole)
    rows: tuple[Rows, ...] = ()
    if known is not None:
        act = TopicChanged(topic=known.name, before=known.source, query=typed.whole)
        rows = (Rows("topics", "id", known.id), Rows("topic_versions", "topic_id", known.id))
    is_restricted = known is not None and known.restricted
    async with acts.recorded(tx, act, context.actor, *rows, now=context.now, restricted=is_restricted):
        return await topics.save(
            tx,
            name=name,
            query=typed.source,
            limits=typed.limits,
            excluded=_excluded(known),
            compiled=typed.compiled.to_json(),
            author=context.person_id or None,
            by=context.name,
            now=context.now,
        )


@tap("edit", Need.LOOK, r"[\w-]{1,40}")
async def edit(request: Request, context: Context) -> Reply:
    """Hand out the command of a preview, to be changed and sent again."""
    name, _, query = (await _remembered(context, request.argument)).partition(": ")
    return _to_send_again(context.t.gettext("Tap to copy, change what you like, and send it: {command}"), name, query)


@tap("name", Need.LOOK, r"[\w-]{1,40}")
async def name_it(request: Request, context: Context) -> Reply:
    """Hand out the command that makes a topic of a query that was only tried."""
    query = await _remembered(context, request.argument)
    line = context.t.gettext("Tap to copy, give it a name, and send it: {command}")
    return _to_send_again(line, context.t.gettext("NAME"), query)


@tap("older", Need.LOOK, r"[tq]:[\w-]{1,36}:\d{1,18}")
async def older(request: Request, context: Context) -> Reply:
    """Go on with a preview of a topic (t) or of a query (q); the button names the answer and where to go on."""
    kind, key, before = request.argument.split(":")
    name, query = "", await _remembered(context, key)
    if kind == "t":
        name, _, query = query.partition(": ")
    known = await find_topic(context.database, name, context.viewer) if name else None
    typed = await read_topic(query, context, excluded=_excluded(known))
    words = [each.compiled for each in await _excluded_by_chat(context.database, known, context)]
    text, rows = await preview(context, typed, key=f"{kind}:{key}", before=int(before), excluded=words)
    return Reply(messages=(message(text, rows),))


async def _remembered(context: Context, key: str) -> str:
    """Return the memory of an earlier answer. Raises CommandError where it is gone."""
    gone = context.own.gettext("This is too old. Please send the command again.")
    return await remembered(context.database, key, gone)


def _to_send_again(line: str, name: str, query: str) -> Reply:
    command = code(f"/track {name}: {query}")
    text = Text().say(line, command=command)
    return say(text if len(text) <= LIMIT else Text().add(command))


async def _offer(request: Request, context: Context, name: str, query: str) -> Reply:
    """Show what a topic would have brought, and offer to save it. Raises CommandError where it cannot be made."""
    t = context.t
    if not context.may(request, Need.INSTANCE):
        raise CommandError(t.gettext("Only owners and editors can create topics. See /topics for the existing ones."))
    if (
        len(name) > LONGEST_NAME
        or name.startswith(("/", "@", EVERY_POST))
        or (name.lower() == "re" and query.startswith("/"))
    ):
        raise _unnamed(t)
    if query == EVERY_POST:
        line = t.gettext("To get every post of a channel, write: {example}")
        raise CommandError(line, example=code(t.gettext("/follow @name all")))
    known = await find_topic(context.database, name, context.viewer)
    typed = await read_topic(query, context, excluded=_excluded(known))
    await _require_possible(context.database, name, known, typed, context)
    text, here = Text().add(bold(name)).add("\n"), await _excluded_by_chat(context.database, known, context)
    _add_before(text, known, here, typed, t)
    shown, further = await preview(context, typed, key=f"t:{request.key}", excluded=[each.compiled for each in here])
    offer = (button(t.gettext("Save"), "save", request.key), button(t.gettext("Change"), "edit", request.key))
    only = ((button(t.gettext("Save for this chat only"), "save", request.key, "only"),),) if known is None else ()
    rows = (offer, *only, *or_rows(request, typed.source))
    return Reply(messages=(message(text.join(shown), (*rows, *further)),), memory=f"{name}: {typed.whole}")


async def _excluded_by_chat(db: Reader, topic: Topic | None, context: Context) -> list[ExcludedWord]:
    """Return the words that this chat excludes from a topic."""
    return [] if topic is None else await exclusions.of_chat(db, context.chat.id, topic.id)


def _excluded(topic: Topic | None) -> tuple[str, ...]:
    """Return the words that a topic excludes."""
    return () if topic is None else topic.excluded


async def _require_possible(db: Reader, name: str, known: Topic | None, typed: TypedQuery, context: Context) -> None:
    """Raise CommandError where a topic cannot be made, or be changed to this."""
    if known is None and await find_topic(db, name, EVERYTHING) is not None:  # it is restricted to others
        raise CommandError(context.t.gettext("This name is taken. Choose another name."))
    if not await _have_room(db, known, typed):
        line = context.t.gettext(
            "The expressions of all topics together would be too large. Write a narrower one, or words."
        )
        raise CommandError(line)
    if known is None or (known.compiled, known.limits) == (typed.compiled.to_json(), typed.limits):
        return
    if known.builtin:
        line = context.t.gettext("{name} is built in. Choose another name for your topic.")
        raise CommandError(line, name=show_topic(known, context.t))
    if set(await topics.subscribed_chats(db, known.id)) - {context.chat.id}:
        line = context.t.gettext("{name} already exists, and other chats use it: {query}\nChoose another name.")
        query = short_query(known.source, SHOWN_QUERY)
        raise CommandError(line, name=show_topic(known, context.t), query=query)


async def _have_room(db: Reader, known: Topic | None, typed: TypedQuery) -> bool:
    """Tell whether the expressions of a query fit in with those of the topics that it does not replace."""
    own = weight(typed.compiled.query)
    if own == 0:
        return True
    every = [topic for topic in await topics.all_topics(db) if "re:/" in topic.compiled]
    others = [topic for topic in every if known is None or topic.id != known.id]
    return own + sum(weight(Compiled.from_json(topic.compiled).query) for topic in others) <= MOST_IN_ALL


def _add_before(
    text: Text, known: Topic | None, here: Sequence[ExcludedWord], typed: TypedQuery, t: Translator
) -> None:
    """Name the words that stay excluded, and the query until now where it is another."""
    if here:
        line = t.gettext("Posts that say this are left out: {words}. /topics brings them back.")
        text.line(line, words=", ".join(each.word for each in here))
    if known is not None and known.source != typed.whole:
        text.line(t.gettext("Until now: {query}"), query=short_query(known.source, SHOWN_QUERY))


def _unnamed(t: Translator) -> CommandError:
    line = t.gettext("Put a short name before the colon, for example: {example}")
    return CommandError(line, example=code(track_example(t)))
