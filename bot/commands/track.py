"""/track: subscribes a chat to a topic, or makes one, after a backtest: what its query would have brought."""

import re
from collections.abc import Sequence

from bot.commands.context import CommandError, Context, Effect, Reply, Request, change, message, remembered, say, writes
from bot.commands.limits import show_limits
from bot.commands.lookup import LONGEST_NAME, find_topic, show_topic, topic_by_id, unquoted
from bot.commands.private import keep_private
from bot.commands.query_text import TypedQuery, read_topic, show_backtest, show_query
from bot.commands.questions import ask
from bot.commands.registry import Section, command, example, tap
from bot.commands.rewriting import or_rows
from bot.commands.rights import REFUSALS, Need
from bot.commands.subscribing import subscribe
from bot.commands.topic_change import (
    SEEN,
    Change,
    carry_out,
    changed_since,
    describe,
    notified,
    others_using,
    require_may_change,
    require_possible,
    save_topic,
    seen,
)
from bot.commands.topics import track_example
from bot.commands.undo import undo_button
from bot.locales import N_, Translator
from bot.models.acts import TopicMade
from bot.models.people import EVERYTHING
from bot.models.topics import EVERY_POST
from bot.rendering.topic_changes import show_topic_change
from bot.store import acts, exclusions
from bot.store.database import Reader, Transaction
from bot.store.exclusions import ExcludedWord
from bot.store.topics import Topic
from bot.text.buttons import button
from bot.text.markup import LIMIT, Text, bold, code

_COLON = re.compile(r"(?<!\d):|:(?!\d)")  # not that of a time, 10:30


def split_name(argument: str) -> tuple[str, str | None]:
    """Split `NAME: QUERY`; the query is None where only a name was typed."""
    name, *query = _COLON.split(argument, maxsplit=1)
    if not query or "\n" in name:
        return argument.strip(), None
    return unquoted(name), query[0].strip()


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
        text.add(code(track_example(t)), "\n")
        raise CommandError(text.add(t.gettext("/help shows how to write a query.")))
    if query is not None:
        return await _offer(request, context, name, query)
    topic = await find_topic(context.database, name, context.viewer)
    if topic is None:
        if "\n" in name or ":" in name:  # a query without a name, or it is not clear where the name ends
            raise _unnamed(t)
        short_name = unquoted(name)[:LONGEST_NAME]
        line = t.gettext("There is no topic {name}. To create it, write what to look for: {example}")
        raise CommandError(line, name=bold(short_name), example=code(f"/track {short_name}: …"))

    async def effect(tx: Transaction) -> Reply:
        await topic_by_id(tx, topic.id, context)  # deleted or kept to another chat in this moment
        is_new = await subscribe(tx, context, topic)
        line = t.gettext("This chat already gets alerts on {name}.")
        if is_new:
            line = t.gettext("This chat now gets alerts on {name}.")
        return say(line, name=show_topic(topic, t))

    return effect


@tap("save", Need.CHAT, rf"[\w-]{{1,40}}:{SEEN}(:only)?")
async def save(request: Request, context: Context) -> Effect:
    """Make or change the topic of a backtest and subscribe this chat; the button names the answer that remembers it.

    It also says what the topic looked for then, and whether only this chat is to find it.
    """
    key, asked, *only = request.argument.split(":")
    name, _, query = (await remembered(context.database, context, key)).partition(": ")
    before = await find_topic(context.database, name, context.viewer)
    typed = await read_topic(query, context, excluded=() if before is None else before.excluded)
    if seen(before) != asked and (before is None or before.state != typed.state):
        raise changed_since(context)
    if before is None and not context.may(Need.INSTANCE):
        raise CommandError(context.own.gettext(REFUSALS[Need.INSTANCE]))

    async def effect(tx: Transaction) -> Reply:
        t, act, count = context.t, None, 0
        if before is None:
            topic = await _make(tx, context, name, typed)
        else:
            act, count = await carry_out(tx, context, Change(topic=before, typed=typed))
            topic = await topic_by_id(tx, before.id, context)
        is_new = await subscribe(tx, context, topic)
        if only and before is None:
            topic = await keep_private(tx, context, topic)
        text = Text()
        if act is not None:
            text.line(t.gettext("{name} has been changed."), name=show_topic(topic, t))
        if act is None or is_new:
            text.line(t.gettext("This chat now gets alerts on {name}."), name=show_topic(topic, t))
        text.lines(await _describe(tx, typed, before, context, is_changed=act is not None))
        is_open = not topic.builtin and not topic.restricted and not count
        offer = [(button(t.gettext("Keep it to this chat"), "only", f"t{topic.id}"),)] if is_open else []
        undo = [] if act is None else [(undo_button(act, t),)]
        return change(text.lines(notified(count, t)), (*offer, *undo))

    return effect


async def _describe(db: Reader, typed: TypedQuery, before: Topic | None, context: Context, *, is_changed: bool) -> Text:
    """Say what a topic looks for, or of one that was changed just now what is different, and where."""
    text = show_query(typed, context.t).add("\n")
    if before is not None and is_changed:
        text = show_topic_change(before.state, typed.state, context.t)
    text.lines(await show_limits(db, typed.state.limits, context))
    _add_excluded(text, await _excluded_by_chat(db, before, context), context.t)
    return text


async def _make(tx: Transaction, context: Context, name: str, typed: TypedQuery) -> Topic:
    """Make a topic, and write it down in the log. Raises CommandError where it cannot be made, or is there already."""
    if await find_topic(tx, name, EVERYTHING) is not None:
        raise changed_since(context)
    await require_possible(tx, None, typed, context)
    await acts.record(tx, TopicMade(topic=name, query=typed.state.source), context.actor, now=context.now)
    return await save_topic(tx, context, name, typed)


@tap("edit", Need.LOOK, r"[\w-]{1,40}")
async def edit(request: Request, context: Context) -> Reply:
    """Hand out the command of a backtest, to be changed and sent again."""
    name, _, query = (await remembered(context.database, context, request.argument)).partition(": ")
    return _to_send_again(context.t.gettext("Tap to copy, change what you like, and send it: {command}"), name, query)


@tap("name", Need.INSTANCE, r"[\w-]{1,40}")
@writes
async def name_it(request: Request, context: Context, tx: Transaction) -> Reply:
    """Wait for the name of a topic whose query was only tried; a group gets the command, to be named and sent."""
    t, query = context.t, await remembered(tx, context, request.argument)
    if not request.private:
        line = t.gettext("Tap to copy, give it a name, and send it: {command}")
        return _to_send_again(line, t.gettext("NAME"), query)
    text = Text().line(t.gettext("What should the topic be called?"))
    return say(text.join(await ask(tx, request, context, "track", after=f": {query}", subject=t.gettext("New topic"))))


@tap("older", Need.LOOK, r"[tq]:[\w-]{1,36}:\d{1,18}")
async def older(request: Request, context: Context) -> Reply:
    """Go on with the backtest of a topic (t) or of a query (q); the button names the answer and where to go on."""
    kind, key, before = request.argument.split(":")
    name, query = "", await remembered(context.database, context, key)
    if kind == "t":
        name, _, query = query.partition(": ")
    known = await find_topic(context.database, name, context.viewer) if name else None
    typed = await read_topic(query, context, excluded=() if known is None else known.excluded)
    words = [each.compiled for each in await _excluded_by_chat(context.database, known, context)]
    text, rows = await show_backtest(context, typed, key=f"{kind}:{key}", before=int(before), excluded=words)
    return Reply(messages=(message(text, rows),))


def _to_send_again(line: str, name: str, query: str) -> Reply:
    command = code(f"/track {name}: {query}")
    text = Text().say(line, command=command)
    return say(text if len(text) <= LIMIT else Text().add(command))


async def _offer(request: Request, context: Context, name: str, query: str) -> Reply:
    """Show what a topic would have brought, and offer to save it. Raises CommandError where it cannot be made."""
    t = context.t
    if (
        len(name) > LONGEST_NAME
        or name.startswith(("/", "@", EVERY_POST))
        or (name.lower() == "re" and query.startswith("/"))
    ):
        raise _unnamed(t)
    if query == EVERY_POST:
        line = t.gettext("To get every post of a channel, write: {example}")
        raise CommandError(line, example=code(t.gettext("/follow @name all")))
    known, db = await find_topic(context.database, name, context.viewer), context.database
    if known is None and not context.may(Need.INSTANCE):
        raise CommandError(t.gettext("Only owners and editors can create topics. See /topics for the existing ones."))
    if known is None and await find_topic(db, name, EVERYTHING) is not None:  # it is restricted to others
        raise CommandError(t.gettext("This name is taken. Choose another name."))
    if known is not None:
        await require_may_change(db, known, context)
    typed = await read_topic(query, context, excluded=() if known is None else known.excluded)
    await require_possible(db, known, typed, context)
    text, here = Text().add(bold(name)).add("\n"), await _excluded_by_chat(db, known, context)
    _add_excluded(text, here, t)
    users = []
    if known is not None and known.state != typed.state:
        text.lines(await describe(Change(topic=known, typed=typed), context)).line()
        users = await others_using(db, known, context)
    shown, further = await show_backtest(
        context, typed, key=f"t:{request.key}", excluded=[each.compiled for each in here]
    )
    keep, rewrite = t.gettext("Save"), t.gettext("Change")
    if users:
        keep, rewrite = t.gettext("Change for everybody"), t.gettext("Edit the query")
    data = ("save", request.key, seen(known))
    offer = (button(keep, *data), button(rewrite, "edit", request.key))
    only = ((button(t.gettext("Save for this chat only"), *data, "only"),),) if known is None else ()
    rows = (offer, *only, *or_rows(request, typed.state.query))
    return Reply(messages=(message(text.join(shown), (*rows, *further)),), memory=f"{name}: {typed.state.source}")


async def _excluded_by_chat(db: Reader, topic: Topic | None, context: Context) -> list[ExcludedWord]:
    """Return the words that this chat excludes from a topic."""
    return [] if topic is None else await exclusions.of_chat(db, context.chat.id, topic.id)


def _add_excluded(text: Text, here: Sequence[ExcludedWord], t: Translator) -> None:
    """Name the words that this chat excludes."""
    if here:
        line = t.gettext("Posts that say this are left out: {words}. /topics brings them back.")
        text.line(line, words=", ".join(each.word for each in here))


def _unnamed(t: Translator) -> CommandError:
    line = t.gettext("Put a short name before the colon, for example: {example}")
    return CommandError(line, example=code(track_example(t)))
