"""/media: on or off comes in, and from then on alerts bring the photo or document of their post, or not."""

from dataclasses import replace

from bot.commands.context import Context
from bot.commands.keyboards import CHOSEN, button
from bot.commands.talk import Reply, Request, message, say
from bot.models import Outgoing
from bot.store import chats
from bot.store.database import Transaction


async def media(request: Request, context: Context) -> Reply:
    """Show whether alerts bring files, or set it to what was written."""
    if not request.argument:
        return Reply(messages=(_screen(context),))
    typed, t = request.argument.strip().casefold(), context.t
    choices = {"on": True, "off": False, t.gettext("On").casefold(): True, t.gettext("Off").casefold(): False}
    if typed not in choices:
        return say(t.gettext("Write /media on or /media off."))
    return await _choose(request, context, wanted=choices[typed])


async def tapped(request: Request, context: Context) -> Reply:
    """Set it to what a button says."""
    return await _choose(request, context, wanted=request.argument == "on")


async def _choose(request: Request, context: Context, *, wanted: bool) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        await chats.set_media(tx, context.chat.id, wanted=wanted)
        screen = _screen(replace(context, chat=replace(context.chat, media=wanted)))
        return Reply(edit=screen) if request.tapped else Reply(messages=(screen,))

    return await context.once(request, effect)


def _screen(context: Context) -> Outgoing:
    t, now = context.t, context.chat.media
    text = t.gettext(
        "Shall alerts bring the photo or document of their post along? If it takes longer than five seconds, the text "
        "comes alone."
    )
    labels = {"on": t.gettext("On"), "off": t.gettext("Off")}
    row = tuple(button(f"{CHOSEN} " * (now == (data == "on")) + label, "media", data) for data, label in labels.items())
    return message(text, (row,))
