"""/digest: how often comes in, and digests come to this chat then; and the pages of what notices sum up, at a tap."""

from collections.abc import Mapping
from dataclasses import replace

from babel.dates import get_day_names

from bot.commands.context import Context, Reply, Request, message, say, show
from bot.commands.keyboards import choice, rows_of
from bot.commands.parsing import city, read_time, show_time, words
from bot.locales import Translator
from bot.models import Outgoing
from bot.rendering.groups import render_page
from bot.schedule import Digests, Every
from bot.store import chats, digests, group_contents, subscriptions
from bot.store.chats import Chat
from bot.store.database import Reader, Transaction
from bot.store.group_contents import Summary
from bot.store.subscriptions import Priority
from bot.text.markup import Text, bold, code

_EVERY: Mapping[str, Every] = {
    **dict.fromkeys(("hourly", "hour", "ежечасно", "час"), Every.HOUR),
    **dict.fromkeys(("daily", "day", "ежедневно", "день"), Every.DAY),
    **dict.fromkeys(("weekly", "week", "еженедельно", "неделю", "неделя"), Every.WEEK),
}
_DAYS = (("mon", "пн", "пон"), ("tue", "вт"), ("wed", "ср"), ("thu", "чт", "чет"))
_WEEKDAYS = (*_DAYS, ("fri", "пт", "пят"), ("sat", "сб", "суб"), ("sun", "вс", "вос"))  # how their names begin
_FILLERS = {"at", "on", "every", "a", "once", "в", "во", "по", "каждый", "каждую", "раз"}
_ABOVE_ALL = 1 << 63  # numbers by which Telegram tells messages apart
_OFFERED = (
    Digests(every=Every.HOUR),
    Digests(),
    Digests(minute=18 * 60),
    Digests(every=Every.WEEK),
)


def read_digests(typed: str) -> Digests | None:
    """Read `hourly`, `daily 9:00`, `weekly Mon 9:00` or the like; None for anything else."""
    every, minute, weekday = None, None, None
    for word in words(typed):
        at, day = read_time(word), _weekday(word)
        if word in _FILLERS:
            continue
        if word in _EVERY and every is None:
            every = _EVERY[word]
        elif at is not None and minute is None:
            minute = at
        elif day is not None and weekday is None:
            weekday = day
        else:
            return None
    if every is None:
        if minute is None and weekday is None:
            return None
        every = Every.DAY if weekday is None else Every.WEEK
    if (weekday is not None and every is not Every.WEEK) or (minute is not None and every is Every.HOUR):
        return None
    usual = Digests()
    return Digests(
        every=every,
        minute=usual.minute if minute is None else minute,
        weekday=usual.weekday if weekday is None else weekday,
    )


def _weekday(word: str) -> int | None:
    return next((number for number, stems in enumerate(_WEEKDAYS) if word.startswith(stems)), None)


async def digest(request: Request, context: Context) -> Reply:
    """Show when the digests of this chat come, or set it."""
    if not request.argument:
        return Reply(messages=(await _screen(context.database, context.chat, context.t),))
    chosen = read_digests(request.argument)
    if chosen is None:
        line = context.t.gettext("I do not understand «{value}». Write for example {hourly}, {daily} or {weekly}.")
        text = Text().say(line, value=request.argument[:40], **_examples(context.t))
        return say(text)
    return await _choose(request, context, chosen)


async def tapped(request: Request, context: Context) -> Reply:
    """Set it to what a button says: `<every>:<minute>:<weekday>`."""
    every, minute, weekday = request.argument.split(":")
    if int(minute) >= 24 * 60:
        return Reply(note=context.own.gettext("This button no longer works."))
    return await _choose(request, context, Digests(every=Every(every), minute=int(minute), weekday=int(weekday)))


async def turn(request: Request, context: Context) -> Reply:
    """Show a page of what a notice sums up in its place, or first in a message of its own."""
    number, page, *new = request.argument.split(":")
    is_possible = abs(int(number)) < _ABOVE_ALL
    found = await group_contents.find(context.database, context.chat.id, random_id=int(number)) if is_possible else None
    return _page(found, int(page), context, is_new=bool(new))


async def counted(notice: str, request: Request, context: Context) -> Reply:
    """Show what a notice counts, of which buttons of earlier versions name the rest of the subject, and maybe a row."""
    subject = f"{notice}:{request.argument.partition(':')[0]}"
    found = await group_contents.find(context.database, context.chat.id, subject=subject)
    return _page(found, 0, context, is_new=True)


def _page(found: Summary | None, number: int, context: Context, *, is_new: bool) -> Reply:
    if found is None:
        return Reply(note=context.own.gettext("This button no longer works."))
    shown = render_page(found, number, context.locale)
    return Reply(messages=(shown,)) if is_new else Reply(edit=shown)


async def _choose(request: Request, context: Context, chosen: Digests) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        await chats.set_digests(tx, context.chat.id, chosen)
        chat = replace(context.chat, digests=chosen)
        await digests.reschedule(tx, chat, now=context.now)
        screen = await _screen(tx, chat, context.t)
        return show(request, screen)

    return await context.once(request, effect)


async def _screen(db: Reader, chat: Chat, t: Translator) -> Outgoing:
    now, wanted = chat.digests, await subscriptions.of_chat(db, chat.id)
    count = sum(each.priority is Priority.DIGEST for each in wanted)
    text = Text().line(
        t.gettext("Digests come here: {when} ({city}). An empty one does not come."),
        when=bold(told(now, t)),
        city=city(chat.time_zone, t.language),
    )
    line = t.ngettext("{n} topic of this chat waits for them.", "{n} topics of this chat wait for them.", count)
    text.line(line, n=count) if count else text.line(t.gettext("No topic waits for them: see /priority."))
    text.say(t.gettext("You can also write: {hourly}, {daily}, {weekly}"), **_examples(t))
    choices = (
        choice(told(each, t), "digest", each.every, each.minute, each.weekday, chosen=each == now) for each in _OFFERED
    )
    return message(text, rows_of(choices, 2))


def told(shown: Digests, t: Translator) -> str:
    """Say how often digests come."""
    if shown.every is Every.HOUR:
        return t.gettext("every hour")
    if shown.every is Every.DAY:
        return t.gettext("daily at {time}").format(time=show_time(shown.minute))
    day = get_day_names("abbreviated", locale=t.language)[shown.weekday]
    return t.gettext("weekly, {day} {time}").format(day=day, time=show_time(shown.minute))


def _examples(t: Translator) -> dict[str, object]:
    commands = {
        "hourly": t.gettext("/digest hourly"),
        "daily": t.gettext("/digest daily 9:00"),
        "weekly": t.gettext("/digest weekly Mon 9:00"),
    }
    return {name: code(command) for name, command in commands.items()}
