"""/storms: how many alerts in how many minutes are too many comes in; what is more becomes one message that grows."""

import re
from dataclasses import replace

from bot.commands.context import Context, Reply, Request, message, say, show
from bot.commands.keyboards import choice
from bot.commands.settings import read_switch
from bot.locales import Translator
from bot.models import Outgoing
from bot.schedule import Storms
from bot.store import chats
from bot.store.chats import Chat
from bot.store.database import Transaction
from bot.text.markup import Text, code

USUAL = Storms(count=10, minutes=5)
MOST_COUNT, MOST_MINUTES = 100, 60
_PAIR = re.compile(r"(\d{1,3})\s*(?:[/,:–-]|in|per|за|в)?\s*(\d{1,3})(?:\s*(?:m|м)[a-zа-я]*\.?)?")
_OFFERED = (Storms(count=5, minutes=5), USUAL, Storms(count=20, minutes=10))


async def storms(request: Request, context: Context) -> Reply:
    """Show from when on alerts on a topic become one message here, set it, or switch it off."""
    typed, t = request.argument.strip().casefold(), context.t
    if not typed:
        return Reply(messages=(_screen(context.chat, t),))
    switch = read_switch(typed)
    if switch is not None:
        return await _choose(request, context, USUAL if switch else None)
    found = _PAIR.fullmatch(typed)
    chosen = Storms(count=int(found[1]), minutes=int(found[2])) if found else None
    if chosen is None or not _is_sound(chosen):
        line = t.gettext("Write how many alerts, {most} at most, in how many minutes, {longest} at most: {example}")
        return say(Text().say(line, most=MOST_COUNT, longest=MOST_MINUTES, example=code("/storms 10 5")))
    return await _choose(request, context, chosen)


async def tapped(request: Request, context: Context) -> Reply:
    """Set it to what a button says, or switch it off."""
    if request.argument == "off":
        return await _choose(request, context, None)
    count, minutes = map(int, request.argument.split(":"))
    chosen = Storms(count=count, minutes=minutes)
    if not _is_sound(chosen):
        return Reply(note=context.own.gettext("This button no longer works."))
    return await _choose(request, context, chosen)


def _is_sound(chosen: Storms) -> bool:
    return 1 <= chosen.count <= MOST_COUNT and 1 <= chosen.minutes <= MOST_MINUTES


async def _choose(request: Request, context: Context, chosen: Storms | None) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        await chats.set_storms(tx, context.chat.id, chosen)
        screen = _screen(replace(context.chat, storms=chosen), context.t)
        return show(request, screen)

    return await context.once(request, effect)


def _screen(chat: Chat, t: Translator) -> Outgoing:
    now = chat.storms
    text = Text()
    if now is None:
        text.line(t.gettext("Each alert comes by itself here, however many there are."))
    else:
        line = t.ngettext(
            "More than {n} alert on a topic within {minutes} min become one message here that grows.",
            "More than {n} alerts on a topic within {minutes} min become one message here that grows.",
            now.count,
        )
        text.line(line, n=now.count, minutes=now.minutes)
    text.say(t.gettext("To set it, write for example: {example}"), example=code("/storms 10 5"))
    row = tuple(
        choice(
            t.gettext("{n} in {minutes} min").format(n=each.count, minutes=each.minutes),
            *("storms", each.count, each.minutes),
            chosen=each == now,
        )
        for each in _OFFERED
    )
    return message(text, (row, (choice(t.gettext("Never"), "storms", "off", chosen=now is None),)))
