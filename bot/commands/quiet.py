"""/quiet: hours, and perhaps a city, come in; from then on alerts wait for the end of these hours of each day."""

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.commands.context import Context, Reply, Request, Rows, message, say, show
from bot.commands.keyboards import choice, rows_of
from bot.commands.parsing import TIME, city, find_zone, read_time, show_time, tidy
from bot.commands.settings import read_switch
from bot.locales import Translator
from bot.models import Outgoing
from bot.schedule import Quiet
from bot.store import chats, groups
from bot.store.chats import Chat
from bot.store.database import Transaction
from bot.text.markup import Text, bold, code

_HOURS = re.compile(
    rf"(?:from |[сзc] )?({TIME})(?: ?- ?| (?:to|until|till|до|по) | )({TIME})(?:[ ,(]+([^)]+)\)?)?", re.DOTALL
)
_OFFERED = (Quiet(start=22 * 60, end=7 * 60), Quiet(start=23 * 60, end=7 * 60), Quiet(start=23 * 60, end=8 * 60))
_EXAMPLE = "/quiet 23:00-07:00"
_MIDNIGHT = {"24", "24:00", "24.00"}


async def quiet(request: Request, context: Context) -> Reply:
    """Show the quiet hours of this chat, set them, or end them."""
    typed, t = tidy(request.argument), context.t
    if not typed:
        return Reply(messages=(_screen(context.chat, t),))
    if read_switch(typed) is False:
        return await _choose(request, context, None)
    found = _HOURS.fullmatch(typed)
    start, end = (_minute(found[1]), _minute(found[2])) if found else (None, None)
    if found is None or start is None or end is None:
        line = t.gettext("I do not understand «{value}». Write the hours so: {example}")
        return say(Text().say(line, value=request.argument[:40], example=code(_EXAMPLE)))
    if start == end:
        return say(t.gettext("They begin and end at the same time. To hear nothing by day either, mute topics: /mute"))
    zone = find_zone(found[3]) if found[3] else None
    if found[3] and zone is None:
        line = t.gettext("I know no city «{value}». Write a large one in your time zone, or a name such as {example}.")
        return say(Text().say(line, value=found[3][:40], example=code("Europe/Moscow")))
    return await _choose(request, context, Quiet(start=start, end=end), zone=zone)


async def tapped(request: Request, context: Context) -> Reply:
    """Set or end them as a button says."""
    if request.argument == "off":
        return await _choose(request, context, None)
    start, end = map(int, request.argument.split("-"))
    if start == end or max(start, end) >= 24 * 60:
        return Reply(note=context.own.gettext("This button no longer works."))
    return await _choose(request, context, Quiet(start=start, end=end))


async def _choose(request: Request, context: Context, chosen: Quiet | None, *, zone: str | None = None) -> Reply:
    chat = replace(context.chat, quiet=chosen, time_zone=zone or context.chat.time_zone)

    async def effect(tx: Transaction) -> Reply:
        await chats.set_quiet(tx, chat.id, chosen)
        if zone is not None:
            await chats.set_time_zone(tx, chat.id, zone)
        waited = await groups.reschedule(tx, chat, now=context.now)
        screen = _screen(chat, context.t, zone=zone, waited=waited)
        return show(request, screen)

    return await context.once(request, effect)


def _minute(typed: str) -> int | None:
    return 0 if typed in _MIDNIGHT else read_time(typed)


def _screen(chat: Chat, t: Translator, *, zone: str | None = None, waited: int = 0) -> Outgoing:
    now, where = chat.quiet, city(chat.time_zone, t.language)
    text = Text()
    if zone is not None:
        text.line(t.gettext("The time zone of this chat is that of {city} now."), city=bold(where))
    if now is None:
        text.line(t.gettext("No quiet hours here: alerts come at any time."))
    else:
        line = t.gettext("Quiet hours here: {hours} ({city}). Alerts wait, and come together when they end.")
        text.line(line, hours=bold(_hours(now)), city=where)
        text.line(t.gettext("Topics with the priority loud! come at once: see /priority."))
    if waited:
        line = t.ngettext("{n} post that waited comes now.", "{n} posts that waited come now.", waited)
        text.line(line, n=waited)
    text.say(t.gettext("To set them, write for example: {example}"), example=code(f"{_EXAMPLE} {chat.time_zone}"))
    return message(text, _rows(_OFFERED, now, t))


def _rows(offered: Iterable[Quiet], now: Quiet | None, t: Translator) -> Rows:
    choices = [choice(_hours(each), "quiet", f"{each.start}-{each.end}", chosen=each == now) for each in offered]
    return (*rows_of(choices, 3), (choice(t.gettext("No quiet hours"), "quiet", "off", chosen=now is None),))


def _hours(shown: Quiet) -> str:
    """Write from when to when: «23:00–07:00»."""
    return f"{show_time(shown.start)}–{show_time(shown.end)}"
