"""Channels of the team's own into which the bot posts: offered to who makes it an admin, and set up in private.

/for and the buttons of its screens let a command or a tap count as if it came from the channel, in which nobody speaks
to the bot. Who may do so may do the same in a group.
"""

import re
from dataclasses import replace
from datetime import datetime

from bot.commands import registry
from bot.commands.context import (
    CommandError,
    Context,
    Effect,
    Handler,
    Reply,
    Request,
    change,
    forgetting,
    reply_of,
    say,
    show,
    writes,
)
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.rights import REFUSALS, Need, allows
from bot.commands.setup_screen import may_set_targets, rows_for, setup_screen
from bot.commands.undo import undo_button
from bot.locales import N_
from bot.models import Entity
from bot.models.acts import GroupPaired, GroupSet
from bot.models.notices import BroadcastOffered, PromotionIgnored
from bot.models.outgoing import Button, ButtonRows, Outgoing, PeerKind
from bot.store import acts, addresses, chats, people
from bot.store.acts import Rows
from bot.store.chats import Chat
from bot.store.database import Reader, Transaction
from bot.store.notices import notify, notify_owners
from bot.store.rows import to_ms
from bot.targets.address import TYPED, hide_addresses
from bot.telegram.chat_moves import BroadcastAccess
from bot.text.buttons import button
from bot.text.channel_names import spelt
from bot.text.markup import LIMIT, Text, bold, code, one_line, units

_ALLOWED = {"save", "only"}  # taps that are about all chats, and may stand on the screens of a channel
# An awaited answer names the channel by `#` and its number.
_TYPED = re.compile(r"(?P<name>.*?)(?:(?:^|\s)/(?P<command>\w+)(?P<argument>\s.*)?)?", re.DOTALL)
_MAX_DATA = 64  # bytes, Telegram's limit
_LABEL, _TITLE = 30, 60  # UTF-16 units of a title on a button, and in a line
_OUT, _MUTED = "CHANNEL_PRIVATE", "CHAT_ADMIN_REQUIRED"  # as Telegram refuses a post then


async def receive(tx: Transaction, access: BroadcastAccess, *, now: datetime) -> None:
    """Take in what the bot may do in a broadcast channel: offer to post, end it, resume it, or notify the owners."""
    chat = await chats.by_peer(tx, access.peer.kind, access.peer.id)
    person = await people.get(tx, access.person_id)
    is_trusted = allows(None if person is None else person.role, Need.CHAT, private=False)
    is_used = chat is not None and chat.suspended != chats.OFFERED
    if chat is not None and is_used and not access.may_post:
        await addresses.suspend(tx, chat, _MUTED if access.is_admin else _OUT, now=now)
    elif chat is not None and is_used and (is_trusted or access.was_admin):
        await addresses.resume(tx, chat.id, now=now)
    elif access.is_admin and is_trusted:
        await _offer(tx, access, now=now)
    elif access.is_admin and not access.was_admin:
        notice = PromotionIgnored(event=str(access.peer.id), chat=access.title, name=access.name)
        await notify_owners(tx, notice, now=now)


async def _offer(tx: Transaction, access: BroadcastAccess, *, now: datetime) -> None:
    """Ask who made the bot an admin whether it shall post; where they have no private chat, the owners."""
    offered = await chats.offer(tx, access.peer, title=access.title, now=now)
    notice = BroadcastOffered(
        event=f"{offered.id}:{to_ms(now)}", chat=access.title, chat_id=offered.id, may_post=access.may_post
    )
    own = await chats.by_peer(tx, PeerKind.USER, access.person_id)
    for chat in await chats.of_owners(tx) if own is None else [own]:
        await notify(tx, chat, notice, now=now)


@tap("post_in", Need.BROADCAST, r"\d{1,15}:(yes|no|stop(:sure)?)")
@writes
async def post_in(request: Request, context: Context, tx: Transaction) -> Reply:
    """Begin to post in a channel, leave it, or stop."""
    number, _, answer = request.argument.partition(":")
    t, chat = context.t, await _broadcast(tx, int(number), context)
    title = bold(one_line(chat.title, _TITLE))
    if answer == "no":
        return change(t.gettext("I post nothing in {chat}. {command} shows it."), chat=title, command=code("/for"))
    if answer == "stop":
        row = (
            button(t.gettext("Stop posting there"), "post_in", chat.id, "stop", "sure"),
            button(t.gettext("No"), "keep"),
        )
        return change(t.gettext("Stop posting in {chat}? Its readers get no more alerts."), (row,), chat=title)
    if answer == "stop:sure":
        act = GroupSet(chat=chat.title, command="/for – stop")
        rows, concerned = Rows("chats", "id", chat.id), await owners_of(tx)
        async with acts.recorded(tx, act, context.actor, rows, now=context.now, concerned=concerned) as recording:
            await chats.suspend(tx, chat.id, chats.OFFERED)
        line = t.gettext("I no longer post in {chat}. {command} shows it.")
        return change(line, ((undo_button(recording.id, t),),), chat=title, command=code("/for"))
    if chat.suspended == chats.OFFERED:
        chat = await _begin(tx, chat, context)
    return Reply(edit=await setup_screen(tx, chat, context))


async def _begin(tx: Transaction, chat: Chat, context: Context) -> Chat:
    """Let a channel take messages, in the language and time zone of who sets it up, and log that."""
    own = context.chat
    local = replace(chat, language=own.language, time_zone=own.time_zone)
    await chats.save(tx, replace(local, language_chosen=True, zone_chosen=own.zone_chosen))
    await chats.resume(tx, chat.id)
    actor = replace(context.actor, chat_id=own.id)
    concerned = await owners_of(tx)
    await acts.record(tx, GroupPaired(chat=chat.title), actor, now=context.now, concerned=concerned)
    return await _broadcast(tx, chat.id, context)


async def owners_of(db: Reader) -> list[int]:
    """Return the private chats of the owners, whom what is done to such a channel concerns."""
    return [owner.id for owner in await chats.of_owners(db)]


@command(
    "for", Section.CHAT, 12, Need.BROADCAST, N_("set up our own channel that I post into"), usage=N_("channel /command")
)
@example(N_("/for Desk"), N_("topics, language, time zone and settings of our channel «Desk»"))
@example(N_("/for Desk /quiet 23:00-07:00"), N_("any command, as if it were sent there"))
async def on_behalf(request: Request, context: Context) -> Reply | Effect:
    """Show the screen of a channel, or carry out a command as if it came from there."""
    parts = _TYPED.fullmatch(request.argument)
    found = await _named(context, parts["name"].strip()) if parts else []
    if len(found) != 1 or not request.argument or parts is None:
        overview, rows = await _overview(context)
        if found or not request.argument:
            return say(overview, rows)
        line = context.t.gettext("There is no channel «{name}» of ours. A command after a name begins with /.")
        name = one_line(hide_addresses(request.argument), _LABEL)
        reply = say(Text().line(line, name=name).line().join(overview), rows)
        return forgetting(reply) if TYPED.search(request.argument) else reply
    if parts["command"] is None:
        return show(request, await setup_screen(context.database, found[0], context))
    argument = (parts["argument"] or "").strip()
    return await _carry_out(request, context, found[0], command_name=parts["command"].lower(), argument=argument)


@tap("for", Need.BROADCAST, r"\d{1,15}:[^\n]{1,60}")
async def tapped(request: Request, context: Context) -> Reply | Effect:
    """Carry out a tap, or a command without arguments, as if it came from a channel."""
    number, _, data = request.argument.partition(":")
    chat = await _broadcast(context.database, int(number), context)
    if data == "setup":
        return Reply(edit=await setup_screen(context.database, chat, context))
    if data.startswith("/"):
        sent = replace(request, query_id=None)
        return await _carry_out(sent, context, chat, command_name=data.removeprefix("/"), argument="")
    verb, _, argument = data.partition(":")
    known = registry.taps().get(verb)
    is_for_all = known is not None and known.need is Need.INSTANCE and verb not in _ALLOWED
    if known is None or verb == "for" or is_for_all or not known.argument.fullmatch(argument):
        raise outdated(context)
    inner = replace(request, peer=chat.peer, command=verb, argument=argument)
    answer = await _answered(inner, _on_behalf(context, chat), known.need, known.handler)
    if verb != "topic" or not argument.endswith(":setup"):
        return answer

    async def effect(tx: Transaction) -> Reply:
        await reply_of(tx, answer)
        return Reply(edit=await setup_screen(tx, chat, context))

    return effect


def _on_behalf(context: Context, chat: Chat) -> Context:
    return replace(context, chat=chat, home=context.chat)


async def _carry_out(
    request: Request, context: Context, chat: Chat, *, command_name: str, argument: str
) -> Reply | Effect:
    known = registry.commands().get(command_name)
    if known is None:
        raise CommandError(registry.unknown_command(command_name, context.t))
    if known.handler is None:
        return show(request, await setup_screen(context.database, chat, context))
    if known.need not in {Need.LOOK, Need.CHAT}:
        raise CommandError(
            context.t.gettext("/{command} is about all chats: send it without /for."), command=known.name
        )
    inner = replace(request, peer=chat.peer, command=command_name, argument=argument)
    return await _answered(inner, _on_behalf(context, chat), known.need, known.handler)


async def _answered(inner: Request, context: Context, need: Need, handler: Handler) -> Effect:
    """Let a handler answer in the name of a channel; its screens stay in the private chat, and name the channel."""
    if not context.may(need):
        raise CommandError(context.own.gettext(REFUSALS[need]))
    try:
        answer = await handler(inner, context)
    except CommandError as error:
        answer = error.reply(inner)

    async def effect(tx: Transaction) -> Reply:
        return _named_for(await reply_of(tx, answer), context.chat)

    return effect


def _named_for(reply: Reply, chat: Chat) -> Reply:
    """Let each message name its channel, and each button count for it."""
    return replace(
        reply,
        messages=tuple(_message_for(each, chat) for each in reply.messages),
        edit=None if reply.edit is None else _message_for(reply.edit, chat),
        buttons=None if reply.buttons is None else rows_for(reply.buttons, chat),
        menu=None,
    )


def _message_for(outgoing: Outgoing, chat: Chat) -> Outgoing:
    title = one_line(chat.title, _TITLE)
    heading = f"📣 {title}\n"
    shift = units(heading)
    back = (button(f"« {title[:_LABEL]}", "setup"),)
    leads_back = any(row[0].data == b"setup" for row in outgoing.buttons)
    rows = outgoing.buttons if leads_back else (*outgoing.buttons, back)
    outgoing = replace(outgoing, buttons=rows_for(rows, chat))
    if units(outgoing.text) + shift > LIMIT:
        return outgoing
    own = Entity(kind="bold", offset=units("📣 "), length=units(title), value="")
    moved = (replace(each, offset=each.offset + shift) for each in outgoing.entities)
    return replace(outgoing, text=heading + outgoing.text, entities=(own, *moved))


async def _broadcast(db: Reader, chat_id: int, context: Context) -> Chat:
    chat = await chats.get(db, chat_id)
    if chat is None or not chat.broadcast or (chat.is_target and not may_set_targets(context)):
        raise outdated(context)
    return chat


async def _named(context: Context, name: str) -> list[Chat]:
    """Return the channels, and for owners the targets, of a title, or whose titles begin so; of an empty name all."""
    db, wanted = context.database, spelt(name)
    every = [*await chats.broadcasts(db), *(await chats.targets(db) if may_set_targets(context) else ())]
    exact = [chat for chat in every if wanted in {spelt(chat.title), f"#{chat.id}"}]
    return exact or [chat for chat in every if spelt(chat.title).startswith(wanted)]


async def _overview(context: Context) -> tuple[Text, ButtonRows]:
    t, every = context.t, await chats.broadcasts(context.database)
    text = Text()
    if every:
        text.line(t.gettext("Our channels that I can post into:"))
    for chat in every:
        state = t.gettext("on") if chat.suspended is None else t.gettext("off")
        text.add(bold(one_line(chat.title, _TITLE)), ": ", state, "\n")
    text.line(t.gettext("To add one, make me an admin there with the right to post. I will then ask you here."))
    return text, tuple(_open_row(each) for each in every)


def _open_row(chat: Chat) -> tuple[Button, ...]:
    data = ("post_in", chat.id, "yes") if chat.suspended == chats.OFFERED else ("for", chat.id, "setup")
    return (button(one_line(chat.title, _LABEL), *data),)
