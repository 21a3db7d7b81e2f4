"""Silence for a while: a channel, a topic, or a topic in a channel, and a time come in; a chat hears nothing of it."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.commands.context import Context, Reply, Request, Rows, message, say
from bot.commands.keyboards import button
from bot.commands.lookup import Scope, find_scope, scope_of
from bot.locales import Translator
from bot.models import Button, Outgoing
from bot.store import subscriptions
from bot.store.database import Reader, Transaction
from bot.store.subscriptions import Mute
from bot.text.markup import Text, code

_HOUR, _DAY = 60, 24 * 60  # minutes
_UNITS = {"m": 1, "h": _HOUR, "d": _DAY, "w": 7 * _DAY, "mo": 30 * _DAY}  # minutes
_RUSSIAN = {"м": "m", "ч": "h", "д": "d", "н": "w", "мес": "mo"}
_DURATION = re.compile(r"(?:^|\s)(?:(?:for|на)\s+)?0*([1-9]\d{0,3})\s*(mo|мес|[mhdwмчдн])[a-zа-яё]*\.?$", re.IGNORECASE)
_MONDAY = re.compile(r"(?:^|\s)(?:(?:un)?till?\s+mon(?:day)?|до\s+(?:понедельника|пн))\.?$", re.IGNORECASE)
_BEGINS = time(9)  # a week's work
_OFFERED = ("8h", "7d")
_MOST_LISTED = 50
_LONGEST_LABEL = 40  # characters of a name on a button
SUBJECT = r"(?:t\d{1,15})?c\d{1,15}|t\d{1,15}"  # what a button's data calls a topic, a channel, and one in the other


def split_duration(argument: str) -> tuple[str, timedelta | None]:
    """Take a time such as `8h`, `2 days` or `на 3 ч` off the end of what was typed; None means for good."""
    found = _DURATION.search(argument)
    if found is None:
        return argument.strip(), None
    unit = found[2].lower()
    minutes = int(found[1]) * _UNITS[_RUSSIAN.get(unit, unit)]
    return argument[: found.start()].strip(), timedelta(minutes=minutes)


def _split_end(argument: str, context: Context) -> tuple[str, datetime | None]:
    """Take a duration, or «until Monday», off the end of what was typed; return when it ends, None means never."""
    found = _MONDAY.search(argument.strip())
    if found is not None:
        return argument.strip()[: found.start()].strip(), work_begins(next_monday(context), context)
    rest, duration = split_duration(argument)
    return rest, None if duration is None else context.now + duration


def next_monday(context: Context) -> date:
    """Return the first day of the next week in the chat's time zone: never today."""
    today = context.now.astimezone(ZoneInfo(context.chat.time_zone)).date()
    return today + timedelta(days=7 - today.weekday())


def work_begins(day: date, context: Context) -> datetime:
    """Return when work begins on a day: at 9 in the chat's time zone."""
    return datetime.combine(day, _BEGINS, ZoneInfo(context.chat.time_zone)).astimezone(UTC)


async def mute(request: Request, context: Context) -> Reply:
    """Mute a channel, a topic, or one in the other by their names; without any, list what is muted."""
    typed, until = _split_end(request.argument, context)
    if not typed:
        return Reply(messages=(await _overview(context.database, context),))
    scope = await find_scope(context.database, typed, context.t)
    if scope is None:
        return _unknown(typed, context.t, hint=True)
    return await _mute(request, context, scope, until=until)


async def mute_tapped(request: Request, context: Context) -> Reply:
    """Mute what a button names, a subject or, under an alert of an earlier version, a bare channel id; and a time."""
    subject, _, typed = request.argument.partition(":")
    scope = await read_subject(context.database, subject, context.t)
    _, until = _split_end(typed, context)
    return await _mute(request, context, scope, until=until) if scope else Reply()


async def unmute(request: Request, context: Context) -> Reply:
    """End the mute of a channel or a topic by its name; without one, list what is muted."""
    if not request.argument:
        return Reply(messages=(await _overview(context.database, context),))
    scope = await find_scope(context.database, request.argument, context.t)
    return await _unmute(request, context, scope) if scope else _unknown(request.argument, context.t)


async def unmute_tapped(request: Request, context: Context) -> Reply:
    """End the mute that a button names."""
    scope = await read_subject(context.database, request.argument, context.t)
    return await _unmute(request, context, scope) if scope else Reply()


async def silence(tx: Transaction, context: Context, scope: Scope, *, until: datetime | None) -> None:
    """Let this chat hear nothing of something; what has ended by itself is cleared away."""
    await subscriptions.forget_ended(tx, now=context.now)
    chat_id = context.chat.id
    await subscriptions.mute(tx, chat_id, channel_id=scope.channel_id, topic_id=scope.topic_id, until=until)


async def read_subject(db: Reader, subject: str, t: Translator) -> Scope | None:
    """Return what a button's data names; None where it is no more."""
    topic, _, channel = subject.rpartition("c")
    if subject.startswith("t") and not topic:
        topic, channel = subject, ""
    numbers = (int(channel) if channel else None, int(topic[1:]) if topic else None)
    return await scope_of(db, channel_id=numbers[0], topic_id=numbers[1], t=t)


def subject_of(scope: Scope) -> str:
    """Name something in a button's data."""
    topic = "" if scope.topic_id is None else f"t{scope.topic_id}"
    return topic if scope.channel_id is None else f"{topic}c{scope.channel_id}"


def show_end(until: datetime | None, context: Context) -> str:
    """Write until when something is muted."""
    t = context.t
    return t.gettext("until {time}").format(time=context.date(until)) if until else t.gettext("for good")


async def muted(db: Reader, context: Context) -> list[tuple[Mute, Scope]]:
    """Return the mutes of this chat, and what each is about."""
    found = []
    for each in await subscriptions.mutes_of(db, context.chat.id, context.now):
        scope = await scope_of(db, channel_id=each.channel_id, topic_id=each.topic_id, t=context.t)
        if scope is not None:
            found.append((each, scope))
    return found


def end_button(scope: Scope, verb: str, t: Translator) -> Button:
    """Offer to end a mute."""
    label = t.gettext("Unmute {name}").format(name=scope.name.text[:_LONGEST_LABEL])
    return button(label, verb, subject_of(scope))


async def _mute(request: Request, context: Context, scope: Scope, *, until: datetime | None) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        await silence(tx, context, scope, until=until)
        t = context.t
        if until is None:
            text = Text().say(t.gettext("Muted in this chat: {name}"), name=scope.name)
        else:
            text = Text().say(
                t.gettext("Muted in this chat until {time}: {name}"), name=scope.name, time=context.date(until)
            )
        return _settled(request, message(text, _choices(scope, t)), context.own.gettext("Muted"))

    return await context.once(request, effect)


async def _unmute(request: Request, context: Context, scope: Scope) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        t, chat_id = context.t, context.chat.id
        ended = await subscriptions.unmute(tx, chat_id, channel_id=scope.channel_id, topic_id=scope.topic_id)
        line = t.gettext("No longer muted: {name}") if ended else t.gettext("It was not muted: {name}")
        return _settled(request, message(Text().say(line, name=scope.name)), None)

    return await context.once(request, effect)


def _settled(request: Request, answer: Outgoing, note: str | None) -> Reply:
    """Change our own message; an alert of an earlier version, with «Mute here», stays, and a new message answers."""
    if not request.tapped:
        return Reply(messages=(answer,))
    under_alert = request.argument.isdigit()
    return Reply(messages=(answer,), note=note) if under_alert else Reply(edit=answer, note=note)


def _choices(scope: Scope, t: Translator) -> Rows:
    names = {"8h": t.gettext("Only 8 hours"), "7d": t.gettext("Only 7 days")}
    times = tuple(button(names[time], "mute", subject_of(scope), time) for time in _OFFERED)
    return (times, (button(t.gettext("Unmute"), "unmute", subject_of(scope)),))


async def _overview(db: Reader, context: Context) -> Outgoing:
    t = context.t
    text, rows = Text(), []
    mutes = await muted(db, context)
    if not mutes:
        text.line(t.gettext("Nothing is muted in this chat."))
    for each, scope in mutes:
        text.line(t.gettext("Muted {until}: {name}"), name=scope.name, until=show_end(each.until, context))
        rows.append((end_button(scope, "unmute", t),))
    text.line().line(t.gettext("To mute a channel or a topic, write for example: {example}"), example=code(_example(t)))
    text.say(t.gettext("A topic in one channel, until Monday: {example}"), example=code(_longer_example(t)))
    return message(text, tuple(rows[:_MOST_LISTED]))


def _unknown(typed: str, t: Translator, *, hint: bool = False) -> Reply:
    line = t.gettext("I know no channel or topic «{name}». See /channels and /topics.")
    text = Text().line(line, name=typed[:100])
    if hint:  # perhaps the time was written as nobody foresaw
        text.say(t.gettext("To mute a channel or a topic, write for example: {example}"), example=code(_example(t)))
    return say(text)


def _example(t: Translator) -> str:
    return t.gettext("/mute @name 8h")


def _longer_example(t: Translator) -> str:
    return t.gettext("/mute outages @name until Monday")
