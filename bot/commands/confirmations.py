"""/confirmations: on or off comes in; from then on this chat hears the second channel that says the same, or not."""

from dataclasses import replace

from bot.commands.context import Context
from bot.commands.keyboards import CHOSEN, button
from bot.commands.talk import Reply, Request, message, say
from bot.models import Outgoing
from bot.store import chats
from bot.store.database import Transaction


async def confirmations(request: Request, context: Context) -> Reply:
    """Show whether a second channel is heard, or set it to what was written."""
    if not request.argument:
        return Reply(messages=(_screen(context),))
    typed, t = request.argument.strip().casefold(), context.t
    choices = {"on": True, "off": False, t.gettext("On").casefold(): True, t.gettext("Off").casefold(): False}
    if typed not in choices:
        return say(t.gettext("Write /confirmations on or /confirmations off."))
    return await _choose(request, context, heard=choices[typed])


async def tapped(request: Request, context: Context) -> Reply:
    """Set it to what a button says."""
    return await _choose(request, context, heard=request.argument == "on")


async def _choose(request: Request, context: Context, *, heard: bool) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        await chats.set_confirmations(tx, context.chat.id, heard=heard)
        screen = _screen(replace(context, chat=replace(context.chat, confirmations=heard)))
        return Reply(edit=screen) if request.tapped else Reply(messages=(screen,))

    return await context.once(request, effect)


def _screen(context: Context) -> Outgoing:
    t, now = context.t, context.chat.confirmations
    text = t.gettext(
        "When other channels say what an alert says, I add them to it without a sound. Shall I also reply, with a "
        "sound, when the second channel does?"
    )
    labels = {"on": t.gettext("On"), "off": t.gettext("Off")}
    row = tuple(
        button(f"{CHOSEN} " * (now == (data == "on")) + label, "confirmations", data) for data, label in labels.items()
    )
    return message(text, (row,))
