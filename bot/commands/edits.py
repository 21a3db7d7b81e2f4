"""/edits: a choice comes in, and from then on replies tell this chat of those changes of posts only."""

from dataclasses import replace

from bot.commands.context import Context, Reply, Request, message, say, show
from bot.commands.keyboards import choice
from bot.locales import N_
from bot.models import Outgoing
from bot.store import chats
from bot.store.chats import Edits
from bot.store.database import Transaction
from bot.text.markup import Text

_LABELS = {Edits.ALL: N_("All"), Edits.WORDS: N_("Words"), Edits.NONE: N_("None")}
_MEANINGS = {
    Edits.ALL: N_("of every change; of punctuation and typos without a sound"),
    Edits.WORDS: N_("where words were changed, or the post is no longer visible"),
    Edits.NONE: N_("never"),
}


async def edits(request: Request, context: Context) -> Reply:
    """Show which changes this chat is told of, or set it to what was written."""
    if not request.argument:
        return Reply(messages=(_screen(context),))
    typed, t = request.argument.strip().casefold(), context.t
    chosen = next((e for e in Edits if typed in {e.value, t.gettext(_LABELS[e]).casefold()}), None)
    if chosen is None:
        return say(t.gettext("Write /edits all, /edits words or /edits none."))
    return await _choose(request, context, chosen)


async def tapped(request: Request, context: Context) -> Reply:
    """Set it to what a button says."""
    return await _choose(request, context, Edits(request.argument))


async def _choose(request: Request, context: Context, chosen: Edits) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        await chats.set_edits(tx, context.chat.id, chosen)
        screen = _screen(replace(context, chat=replace(context.chat, edits=chosen)))
        return show(request, screen)

    return await context.once(request, effect)


def _screen(context: Context) -> Outgoing:
    t, now = context.t, context.chat.edits
    text = Text().line(t.gettext("When a post is changed, I edit its alert here. I also reply to the alert:"))
    for each, meaning in _MEANINGS.items():
        text.bold(t.gettext(_LABELS[each])).add(": ", t.gettext(meaning), "\n")
    row = tuple(choice(t.gettext(label), "edits", each, chosen=each == now) for each, label in _LABELS.items())
    return message(text, (row,))
