"""Targets, for owners: list, add, pause, remove, and which one is the fallback of a chat.

The address is a secret: the message that held it is deleted where Telegram lets us, and nothing repeats it.
"""

import asyncio
import re
from dataclasses import replace

from bot.commands.broadcast import owners_of
from bot.commands.context import (
    CommandError,
    Context,
    Effect,
    Reply,
    Request,
    change,
    forgetting,
    message,
    say,
    show,
    writes,
)
from bot.commands.parsing import read_switch
from bot.commands.questions import ask
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.rights import Need
from bot.commands.setup_screen import describe_target, setup_screen
from bot.commands.undo import undo_button
from bot.locales import N_
from bot.models.acts import FallbackSet, TargetChange, TargetChanged
from bot.models.outgoing import ButtonRows, Outgoing
from bot.store import acts, chats, targets
from bot.store.acts import Rows
from bot.store.database import Reader, Subject, Transaction
from bot.store.targets import PAUSED, Target
from bot.targets.address import TYPED, Address, AddressError, hide_addresses, read_address
from bot.text.buttons import button, choice, rows_of
from bot.text.markup import Text, bold, code, one_line

_TITLE, _LABEL, _LONGEST_NAME = 60, 30, 40  # UTF-16 units in a line and on a button; characters
_ADD = re.compile(r"(?:add|добавить|додати)\b\s*(?P<rest>.*)", re.DOTALL | re.IGNORECASE)
_LIKE_ADDRESS = re.compile(r"\S*[/@:]\S*")  # a secret already, though nobody can use it


_NO_TARGET = N_("There is no target «{name}»: owners see and add them with /targets.")


@command(
    "targets",
    Section.TEAM,
    3,
    Need.TEAM,
    N_("where else alerts go: e-mail, ntfy, webhooks"),
    usage=N_("add name address"),
)
@example("/targets", N_("e-mail, ntfy, Slack, webhooks and so on: state, topics, test, pause"))
@example(N_("/targets add Duty ntfy://ntfy.sh/topic"), N_("a new one, by an address of Apprise; I delete your message"))
@example(N_("/targets add Desk https://example.org/hook"), N_("a signed webhook; I show its secret once"))
async def targets_(request: Request, context: Context) -> Reply | Effect:
    """List the targets, or add one."""
    adding = _ADD.fullmatch(request.argument.strip())
    if adding is None and TYPED.search(request.argument) is None:
        return show(request, await _overview(context.database, context))
    typed = request.argument if adding is None else adding["rest"]
    found = TYPED.search(typed)
    if found is None:
        return _ask_address(request, context, typed.strip())
    name = f"{typed[: found.start()]} {typed[found.end() :]}"
    try:
        address = await asyncio.to_thread(read_address, found[0])
    except AddressError as error:
        return forgetting(say(Text().say(context.t.gettext(error.template), **error.values)))
    return _add(context, one_line(name, _LONGEST_NAME) or address.service, address)


def _ask_address(request: Request, context: Context, typed: str) -> Effect:
    """Ask for an address; what was typed is the name, but for what may have been meant for an address."""
    name = " ".join(_LIKE_ADDRESS.sub(" ", typed).split())

    async def effect(tx: Transaction) -> Reply:
        t = context.t
        before = f"add {name} ".replace("  ", " ")
        text = Text()
        if _LIKE_ADDRESS.search(typed):
            text.line(t.gettext("That is no address: write it whole, such as ntfy://… or https://… for a webhook."))
        text.line(
            t.gettext("Send me the address, such as {ntfy}, {mail}, or {hook} for a signed webhook."),
            ntfy=code("ntfy://ntfy.sh/topic"),
            mail=code("mailtos://user:password@example.org"),
            hook=code("https://example.org/hook"),
        )
        text.line(t.gettext("It is a secret: I delete your message and never show it again."))
        reply = say(text.join(await ask(tx, request, context, "targets", before=before, subject=t.gettext("Targets"))))
        return forgetting(reply) if _LIKE_ADDRESS.search(typed) else reply

    return effect


def is_address(typed: str) -> bool:
    """Tell whether a message is the address of a target alone."""
    scheme = typed.partition("://")[0].lower()
    return TYPED.fullmatch(typed) is not None and scheme not in {"http", "https", "tg", "ton"}


def no_target(typed: str, context: Context) -> Reply:
    """Answer an address that stands where none is read; the message is deleted, and the answer has the service only."""
    return forgetting(say(context.t.gettext(_NO_TARGET), name=one_line(hide_addresses(typed), _LONGEST_NAME)))


def _add(context: Context, name: str, address: Address) -> Effect:
    """Add a target under a free name, and show it; of a webhook its secret, once."""

    async def effect(tx: Transaction) -> Reply:
        t, taken = context.t, {chat.title.casefold() for chat in await chats.targets(tx)}
        if name.casefold() in taken:
            line = t.gettext("There is a target «{name}» already: send it again with another name.")
            return forgetting(say(line, name=name))
        chat = await targets.add(
            tx,
            name=name,
            kind=address.kind.value,
            service=address.service,
            url=address.url.get_secret_value(),
            like=context.chat,
            now=context.now,
        )
        act = TargetChanged(target=name, service=address.service, change=TargetChange.ADDED)
        await acts.record(tx, act, context.actor, now=context.now, concerned=await owners_of(tx))
        reply = say(t.gettext("Added. I have deleted your message with the address, if Telegram let me."))
        if address.made_secret is not None:
            line = t.gettext("The secret with which its messages are signed, shown this once: {secret}")
            reply = say(line, secret=code(address.made_secret.get_secret_value()))
        screen = await setup_screen(tx, chat, context)
        return forgetting(replace(reply, messages=(*reply.messages, screen)))

    return effect


@tap("targets", Need.TEAM, "|add")
@writes
async def tapped_targets(request: Request, context: Context, tx: Transaction) -> Reply:
    """Show the list, or wait for the address of a new target."""
    if request.argument == "add":
        asked = await _ask_address(request, context, "")(tx)
        return Reply(edit=asked.messages[0])
    return Reply(edit=await _overview(tx, context))


async def _overview(db: Reader, context: Context) -> Outgoing:
    t, every = context.t, await targets.everyone(db, context.now)
    text = Text()
    if not every:
        text.line(t.gettext("Alerts go to Telegram only so far."))
    for each in every:
        text.add(bold(one_line(each.chat.title, _TITLE)), f" · {each.service}\n")
        text.line(describe_target(each, context))
    text.line()
    text.line(t.gettext("A target gets alerts on topics of its own, and can be the fallback of a chat: /fallback"))
    buttons = [button(one_line(each.chat.title, _LABEL), "for", each.chat.id, "setup") for each in every]
    return message(text, (*rows_of(buttons, 2), (button(t.gettext("Add a target"), "targets", "add"),)))


@tap("target", Need.TEAM, r"\d{1,15}:(pause|on|remove(:sure)?)")
@writes
async def set_target(request: Request, context: Context, tx: Transaction) -> Reply:
    """Pause a target, switch it on again, or remove it."""
    number, _, what = request.argument.partition(":")
    t, target = context.t, await targets.get(tx, int(number), context.now)
    if target is None:
        raise outdated(context)
    name = bold(one_line(target.chat.title, _TITLE))
    if what == "remove":
        sure = button(t.gettext("Remove"), "target", target.chat.id, "remove", "sure")
        row = (sure, button(t.gettext("No"), "keep"))
        return change(t.gettext("Remove the target {name}? What waits for it is lost."), (row,), name=name)
    act_id = await _change(tx, target, what, context)
    if what == "remove:sure":
        return change(t.gettext("Removed: {name}."), ((undo_button(act_id, t),),), name=name)
    return Reply(edit=await setup_screen(tx, target.chat, context))


_CHANGES = {
    "pause": TargetChange.PAUSED,
    "on": TargetChange.RESUMED,
    "remove:sure": TargetChange.REMOVED,
}


async def _change(tx: Transaction, target: Target, what: str, context: Context) -> int:
    act = TargetChanged(target=target.chat.title, service=target.service, change=_CHANGES[what])
    rows, concerned = Rows("chats", "id", target.chat.id), await owners_of(tx)
    async with acts.recorded(tx, act, context.actor, rows, now=context.now, concerned=concerned) as recording:
        if what == "pause":
            await chats.suspend(tx, target.chat.id, PAUSED)
        elif what == "on":
            await targets.resume(tx, target.chat.id)
        else:
            await targets.remove(tx, target.chat.id, now=context.now)
        tx.announce(Subject.TOPICS)
    return recording.id


# The fallback of a chat


@command("fallback", Section.ALERTS, 12, Need.CHAT, N_("where alerts go while Telegram is down"), usage=N_("name"))
@example("/fallback", N_("the target that alerts of this chat go to while Telegram is down"))
@example(N_("/fallback Duty"), N_("another one; owners choose it"))
@example(N_("/fallback off"), N_("none: alerts wait until Telegram is back"))
async def fallback(request: Request, context: Context) -> Reply | Effect:
    """Show the fallback of this chat, or choose it."""
    if not request.argument:
        return show(request, await _fallback_screen(context.database, context))
    every, typed = await chats.targets(context.database), request.argument.strip().casefold()
    if read_switch(typed) is False:
        return _choose(request, context, None)
    found = next((chat for chat in every if chat.title.casefold() == typed), None)
    if found is None and TYPED.search(request.argument):
        return no_target(request.argument, context)
    if found is None:
        raise CommandError(context.t.gettext(_NO_TARGET), name=request.argument[:_LONGEST_NAME])
    return _choose(request, context, found.id)


@tap("fallback", Need.CHAT, r"|\d{1,15}|off")
async def tapped_fallback(request: Request, context: Context) -> Reply | Effect:
    """Show the fallback of this chat, or choose one."""
    if not request.argument:
        return Reply(edit=await _fallback_screen(context.database, context))
    return _choose(request, context, None if request.argument == "off" else int(request.argument))


def _choose(request: Request, context: Context, target_id: int | None) -> Effect:
    if not context.is_owner:
        raise CommandError(context.own.gettext("Only owners choose the fallback: ask one of them."))
    if context.chat.is_target:
        raise CommandError(context.own.gettext("A target has no fallback: write this in the chat that shall have one."))

    async def effect(tx: Transaction) -> Reply:
        target = None if target_id is None else await targets.get(tx, target_id, context.now)
        if target is None and target_id is not None:
            raise outdated(context)
        name = None if target is None else target.chat.title
        act = FallbackSet(chat=context.chat.title, target=name)
        await acts.record(tx, act, context.actor, now=context.now, concerned=await owners_of(tx))
        await targets.set_fallback(tx, context.chat.id, target_id)
        return show(request, await _fallback_screen(tx, context))

    return effect


async def _fallback_screen(db: Reader, context: Context) -> Outgoing:
    t, chosen = context.t, await targets.fallback_of(db, context.chat.id)
    text = Text().line(
        t.gettext("When Telegram takes nothing from me for a while, alerts of this chat go to: {target}"),
        target=bold(t.gettext("nowhere, they wait") if chosen is None else one_line(chosen.title, _TITLE)),
    )
    text.line(t.gettext("Once Telegram is back, this chat gets one message about them."))
    rows: ButtonRows = ((button(t.gettext("All settings"), "settings"),),)
    if context.is_owner and not context.chat.is_target:
        every = await chats.targets(db)
        offered: list[tuple[str, str | int]] = [(one_line(each.title, _LABEL), each.id) for each in every]
        offered += [(t.gettext("Off"), "off")] if every else []
        marked = chosen.id if chosen is not None else "off"
        buttons = [choice(label, "fallback", data, chosen=data == marked) for label, data in offered]
        rows = (*rows_of(buttons, 2), *rows)
        if not every:
            text.line(t.gettext("There is no target yet: /targets"))
    return message(text, rows)
