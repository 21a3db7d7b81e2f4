"""/private: topics, channels and cases that belong to this chat and to whom it names, restricted or opened to all."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.commands.context import CommandError, Context, Reply, Request, change, message, show, writes
from bot.commands.lookup import find_topic, need_case, need_channel, topic_by_id, unknown_name
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.rights import Need
from bot.commands.undo import undo_button
from bot.locales import N_
from bot.locales.locale import topic_title
from bot.models.acts import AccessChanged
from bot.models.outgoing import Outgoing, PeerKind
from bot.store import access, acts, cases, channels, chats, follows, people, subscriptions, topics
from bot.store.access import Restrictable
from bot.store.acts import Rows
from bot.store.database import Reader, Transaction
from bot.store.topics import Topic
from bot.text.buttons import CHANNEL, button, mark, rows_of
from bot.text.markup import Text, bold, code, one_line
from bot.text.pages import page_of
from bot.text.references import show_reference

_LETTERS = {Restrictable.TOPIC: "t", Restrictable.CHANNEL: "c", Restrictable.CASE: "k"}  # in the data of buttons
_THING = rf"(t\d{{1,15}}|c{CHANNEL}|k\d{{1,15}})"
_LABEL, _NAME = 30, 60  # UTF-16 units of a name on a button, and in a sentence
_PAGE = 20  # topics and channels
_MOST = 40  # buttons of people


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A topic, a channel or a case that may be restricted."""

    kind: Restrictable
    id: int
    name: str  # as the chat calls it
    logged: tuple[str, ...]  # the names by which the log calls it, the usual one first
    restricted: bool
    comments_in: int | None = None  # of a channel: the supergroup with its comments, which belongs to the same chats

    @property
    def data(self) -> str:
        """The thing in a button's data."""
        return f"{_LETTERS[self.kind]}{self.id}"


@command("private", Section.CHAT, 11, Need.INSTANCE, N_("keep a topic or channel to this chat"), usage=N_("name"))
@example(N_("/private Payments"), N_("only this chat finds the topic and gets its alerts; tap to add other chats"))
@example(N_("/private @name"), N_("only this chat finds the channel, searches its posts and gets alerts from it"))
@writes
async def private(request: Request, context: Context, tx: Transaction) -> Reply:
    """Restrict a topic or channel to this chat; without a name, list what is restricted to it."""
    if not request.argument:
        return Reply(messages=(await _overview(tx, context),))
    typed = request.argument.strip()
    topic = await find_topic(tx, typed, context.viewer)
    channel = await channels.find(tx, typed, viewer=context.viewer) if topic is None else None
    case = await cases.find(tx, typed, context.viewer) if topic is None and channel is None else None
    found = (("t", topic), ("c", channel), ("k", case))
    data = next((f"{letter}{each.id}" for letter, each in found if each is not None), None)
    if data is None:
        raise CommandError(await unknown_name(tx, typed, context))
    thing = await _thing(tx, data, context)
    return await _restrict(request, context, tx, thing, sure=False)


@tap("only", Need.INSTANCE, rf"{_THING}(:sure)?")
@writes
async def only(request: Request, context: Context, tx: Transaction) -> Reply:
    """Restrict a topic or channel to this chat; what other chats lose by that is asked first."""
    data, *sure = request.argument.split(":")
    thing = await _thing(tx, data, context)
    return await _restrict(request, context, tx, thing, sure=bool(sure))


async def _restrict(request: Request, context: Context, tx: Transaction, thing: Thing, *, sure: bool) -> Reply:
    if thing.restricted:
        return show(request, await _screen(tx, thing, context))
    t, others = context.t, await _users(tx, thing) - {context.chat.id}
    if thing.kind is Restrictable.TOPIC and (await topic_by_id(tx, thing.id, context)).builtin:
        raise CommandError(t.gettext("{name} is built in and belongs to everybody."), name=bold(thing.name))
    if others and not sure:
        line = t.ngettext(
            "Keep {name} to this chat? {n} other chat will no longer get it.",
            "Keep {name} to this chat? {n} other chats will no longer get it.",
            len(others),
        )
        row = (button(t.gettext("Only here"), "only", thing.data, "sure"), button(t.gettext("No"), "keep"))
        return show(request, message(line, (row,), name=bold(one_line(thing.name, _NAME)), n=len(others)))
    act = await _set_access(tx, context, thing, [context.chat.id], concerned=others)
    return show(request, await _screen(tx, await _thing(tx, thing.data, context), context, undo=act))


@tap("privates", Need.INSTANCE, r"\d{1,3}")
async def turn(request: Request, context: Context) -> Reply:
    """Show a page of what is restricted."""
    return Reply(edit=await _overview(context.database, context, int(request.argument)))


@tap("share", Need.INSTANCE, rf"{_THING}:\d{{1,15}}:(on|off)")
@writes
async def share(request: Request, context: Context, tx: Transaction) -> Reply:
    """Let a restricted topic or channel belong to one more person, or to one less."""
    data, number, state = request.argument.split(":")
    thing, chat_id = await _thing(tx, data, context), int(number)
    if not thing.restricted or chat_id not in {chat.id for chat in await _offered(tx)}:
        raise outdated(context)
    belongs = set(await access.chats_of(tx, thing.kind, thing.id))
    wanted = belongs | {chat_id} if state == "on" else belongs - {chat_id}
    if not wanted:
        raise CommandError(context.own.gettext("It has to belong to somebody. Open it to everybody instead."))
    act = await _set_access(tx, context, thing, wanted, concerned=[chat_id])
    if not await access.sees(tx, thing.kind, thing.id, context.viewer):
        return change(
            context.t.gettext("{name} no longer belongs to this chat."), name=bold(one_line(thing.name, _NAME))
        )
    return Reply(edit=await _screen(tx, thing, context, undo=act))


@tap("open", Need.INSTANCE, rf"{_THING}(:sure)?")
@writes
async def open_to_all(request: Request, context: Context, tx: Transaction) -> Reply:
    """Let a topic or channel belong to everybody again, once it is asked: what all have seen is not hidden again."""
    data, *sure = request.argument.split(":")
    t, thing = context.t, await _thing(tx, data, context)
    name = bold(one_line(thing.name, _NAME))
    if not thing.restricted:
        raise outdated(context)
    if not sure:
        line = t.gettext("Open {name} to everybody? All chats will find it.")
        row = (
            button(t.gettext("Open to everybody"), "open", thing.data, "sure"),
            button(t.gettext("No"), "only", thing.data),
        )
        return change(line, (row,), name=name)
    act = await _set_access(tx, context, thing, (), concerned=await access.chats_of(tx, thing.kind, thing.id))
    return change(t.gettext("{name} is now open to everybody."), ((undo_button(act, t),),), name=name)


async def keep_private(tx: Transaction, context: Context, topic: Topic) -> Topic:
    """Restrict a topic that no other chat uses to this one; return it as it is then."""
    await _set_access(tx, context, await _thing(tx, f"t{topic.id}", context), [context.chat.id])
    return await topic_by_id(tx, topic.id, context)


async def _thing(db: Reader, data: str, context: Context) -> Thing:
    """Return the topic or channel that a button names. Raises CommandError where this chat does not see it."""
    number = int(data[1:])
    if data.startswith("t"):
        topic = await topic_by_id(db, number, context)
        title = topic_title(topic.name, context.t)
        return Thing(kind=Restrictable.TOPIC, id=number, name=title, logged=(topic.name,), restricted=topic.restricted)
    if data.startswith("k"):
        case = await need_case(db, number, context)
        return Thing(kind=Restrictable.CASE, id=number, name=case.name, logged=(case.name,), restricted=case.restricted)
    channel = await need_channel(db, number, context)
    wishes = [each.reference for each in await follows.all_follows(db) if each.channel_id == number]
    return Thing(
        kind=Restrictable.CHANNEL,
        id=number,
        name=channel.title,
        logged=(channel.title, f"@{channel.username}".lower(), *map(show_reference, wishes)),
        restricted=channel.restricted,
        comments_in=channel.comments_in,
    )


async def _users(db: Reader, thing: Thing) -> set[int]:
    """Return the ids of the chats that get alerts by a topic, or from a channel, or had the channel followed."""
    if thing.kind is Restrictable.CASE:
        return set(await cases.chats_of(db, thing.id))
    if thing.kind is Restrictable.TOPIC:
        return set(await topics.subscribed_chats(db, thing.id))
    wishes = [each for each in await follows.all_follows(db) if each.channel_id == thing.id]
    return {*await subscriptions.chats_reached(db, [thing.id]), *await follows.asking(db, wishes)}


async def _set_access(
    tx: Transaction, context: Context, thing: Thing, chat_ids: Collection[int], *, concerned: Collection[int] = ()
) -> int:
    """Restrict a thing to some chats, or open it to all; return the number of the act."""
    kind = thing.kind
    names = [chat.title for chat in await chats.by_ids(tx, chat_ids)]
    act = AccessChanged(subject=kind.value, name=thing.logged[0], chats=tuple(names))
    changed = filter(None, (thing.id, thing.comments_in))
    rows = [row for n in changed for row in (Rows(f"{kind}_access", f"{kind}_id", n), Rows(f"{kind}s", "id", n))]
    if kind is Restrictable.TOPIC:
        rows.insert(0, Rows("subscriptions", "topic_id", thing.id))
    async with acts.recorded(
        tx, act, context.actor, *rows, now=context.now, restricted=True, concerned=concerned
    ) as recording:
        if chat_ids:
            await access.restrict(tx, kind, thing.id, chat_ids)
            await acts.hide(tx, thing.logged)
        else:
            await access.open_to_all(tx, kind, thing.id)
    return recording.id


async def _offered(db: Reader) -> list[chats.Chat]:
    """Return the private chats of the people in the team."""
    found = [await chats.by_peer(db, PeerKind.USER, person.id) for person in await people.everybody(db)]
    return [chat for chat in found if chat is not None and chat.suspended is None]


async def _screen(db: Reader, thing: Thing, context: Context, *, undo: int | None = None) -> Outgoing:
    """Show whom a restricted topic or channel belongs to, with the people that it may be shared with."""
    t, belongs = context.t, set(await access.chats_of(db, thing.kind, thing.id))
    titles = [one_line(chat.title, _NAME) for chat in await chats.by_ids(db, belongs)]
    text = Text().line("🔒 {name}", name=bold(one_line(thing.name, _NAME)))
    text.line(t.gettext("Only for: {chats}"), chats=", ".join(titles))
    line = t.gettext("Nobody else can find it, search its posts or get its alerts; owners see it in private chat.")
    if thing.kind is Restrictable.CASE:
        line = t.gettext("Nobody else can find the case; owners see it in private chat.")
    text.add(line)
    switches = [
        button(
            mark(one_line(chat.title, _LABEL), chosen=chat.id in belongs),
            "share",
            thing.data,
            chat.id,
            "off" if chat.id in belongs else "on",
        )
        for chat in (await _offered(db))[:_MOST]
        if chat.id != context.chat.id
    ]
    last = [(button(t.gettext("Open to everybody"), "open", thing.data),)]
    if thing.kind is Restrictable.CASE:
        last.append((button(t.gettext("Open the case"), "case", thing.id, 0),))
    if undo is not None:
        last.append((undo_button(undo, t),))
    return message(text, (*rows_of(switches, 2), *last))


async def _overview(db: Reader, context: Context, number: int = 0) -> Outgoing:
    """List what is restricted to this chat; an owner in private sees all that is restricted."""
    t = context.t
    found = [
        await _thing(db, f"t{each.id}", context)
        for each in await topics.all_topics(db, context.viewer)
        if each.restricted
    ]
    found += [
        await _thing(db, f"c{each.id}", context)
        for each in await channels.followed(db)
        if each.restricted and await access.sees(db, Restrictable.CHANNEL, each.id, context.viewer)
    ]
    found += [
        await _thing(db, f"k{each.id}", context) for each in await cases.every(db, context.viewer) if each.restricted
    ]
    text = Text().line(t.gettext("Private in this chat:") if found else t.gettext("Nothing is private in this chat."))
    page = page_of(found, number, _PAGE)
    for thing in page.items:
        text.line("🔒 {name}", name=bold(one_line(thing.name, _NAME)))
    line = t.gettext("To keep a topic or a channel to this chat: {example}")
    text.say(line, example=code(t.gettext("/private Payments")))
    buttons = [button(one_line(each.name, _LABEL), "only", each.data) for each in page.items]
    return message(text, (*rows_of(buttons, 2), *page.turns("privates")))
