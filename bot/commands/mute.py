"""Silence for a while: a channel or a topic and a time come in, this chat hears nothing of it until then."""

import re
from datetime import datetime, timedelta

from bot.commands.context import Context
from bot.commands.keyboards import button
from bot.commands.naming import Scope, channel_scope, find_scope, topic_scope
from bot.commands.talk import Reply, Request, Rows, message, say
from bot.locales import Translator
from bot.markup import Text, code
from bot.models import Outgoing
from bot.store import channels, subscriptions, topics
from bot.store.database import Reader, Transaction
from bot.store.subscriptions import Mute

_HOUR, _DAY = 60, 24 * 60  # minutes
_UNITS = {"m": 1, "h": _HOUR, "d": _DAY, "w": 7 * _DAY, "mo": 30 * _DAY}  # minutes
_RUSSIAN = {"м": "m", "ч": "h", "д": "d", "н": "w", "мес": "mo"}
_DURATION = re.compile(r"(?:^|\s)(?:(?:for|на)\s+)?0*([1-9]\d{0,3})\s*(mo|мес|[mhdwмчдн])[a-zа-яё]*\.?$", re.IGNORECASE)
_OFFERED = ("8h", "7d")


def split_duration(argument: str) -> tuple[str, timedelta | None]:
    """Take a time such as `8h`, `2 days` or `на 3 ч` off the end of what was typed; None means for good."""
    found = _DURATION.search(argument)
    if found is None:
        return argument.strip(), None
    unit = found[2].lower()
    minutes = int(found[1]) * _UNITS[_RUSSIAN.get(unit, unit)]
    return argument[: found.start()].strip(), timedelta(minutes=minutes)


async def mute(request: Request, context: Context) -> Reply:
    """Mute a channel or a topic by its name; without one, list what is muted."""
    typed, duration = split_duration(request.argument)
    if not typed:
        return Reply(messages=(await _overview(context.database, context),))
    scope = await find_scope(context.database, typed, context.t)
    if scope is None:
        return _unknown(typed, context.t, hint=True)
    return await _mute(request, context, scope, until=_end(duration, context))


async def mute_tapped(request: Request, context: Context) -> Reply:
    """Mute what a button names: `c<channel>` or `t<topic>` or, under an alert, a bare channel id, and a time."""
    subject, _, time = request.argument.partition(":")
    scope = await _scope_of(context.database, subject, context.t)
    _, duration = split_duration(time)
    return await _mute(request, context, scope, until=_end(duration, context)) if scope else Reply()


async def unmute(request: Request, context: Context) -> Reply:
    """End the mute of a channel or a topic by its name; without one, list what is muted."""
    if not request.argument:
        return Reply(messages=(await _overview(context.database, context),))
    scope = await find_scope(context.database, request.argument, context.t)
    return await _unmute(request, context, scope) if scope else _unknown(request.argument, context.t)


async def unmute_tapped(request: Request, context: Context) -> Reply:
    """End the mute that a button names."""
    scope = await _scope_of(context.database, request.argument, context.t)
    return await _unmute(request, context, scope) if scope else Reply()


def _end(duration: timedelta | None, context: Context) -> datetime | None:
    return None if duration is None else context.now + duration


async def _mute(request: Request, context: Context, scope: Scope, *, until: datetime | None) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        chat_id = context.chat.id
        await subscriptions.mute(tx, chat_id, channel_id=scope.channel_id, topic_id=scope.topic_id, until=until)
        t = context.t
        if until is None:
            text = Text().say(t.gettext("Muted in this chat: {name}"), name=scope.name)
        else:
            text = Text().say(
                t.gettext("Muted in this chat until {time}: {name}"), name=scope.name, time=context.date(until)
            )
        return _settled(request, message(text, _choices(scope, t)), t.gettext("Muted"))

    return await context.once(request, effect)


async def _unmute(request: Request, context: Context, scope: Scope) -> Reply:
    async def effect(tx: Transaction) -> Reply:
        t, chat_id = context.t, context.chat.id
        ended = await subscriptions.unmute(tx, chat_id, channel_id=scope.channel_id, topic_id=scope.topic_id)
        line = t.gettext("No longer muted: {name}") if ended else t.gettext("It was not muted: {name}")
        return _settled(request, message(Text().say(line, name=scope.name)), None)

    return await context.once(request, effect)


def _settled(request: Request, answer: Outgoing, note: str | None) -> Reply:
    """Change our own message; an alert under which «Mute here» was tapped stays, and a new message answers."""
    if not request.tapped:
        return Reply(messages=(answer,))
    under_alert = request.argument.isdigit()
    return Reply(messages=(answer,), note=note) if under_alert else Reply(edit=answer, note=note)


def _choices(scope: Scope, t: Translator) -> Rows:
    names = {"8h": t.gettext("Only 8 hours"), "7d": t.gettext("Only 7 days")}
    times = tuple(button(names[time], "mute", _subject(scope), time) for time in _OFFERED)
    return (times, (button(t.gettext("Unmute"), "unmute", _subject(scope)),))


def _subject(scope: Scope) -> str:
    return f"t{scope.topic_id}" if scope.channel_id is None else f"c{scope.channel_id}"


async def _scope_of(db: Reader, subject: str, t: Translator) -> Scope | None:
    number = int(subject.lstrip("ct"))
    if subject.startswith("t"):
        return next((topic_scope(topic, t) for topic in await topics.all_topics(db) if topic.id == number), None)
    channel = await channels.get(db, number)
    return channel_scope(channel) if channel else None


async def _overview(db: Reader, context: Context) -> Outgoing:
    t = context.t
    mutes = await subscriptions.mutes_of(db, context.chat.id, context.now)
    text, rows = Text(), []
    if not mutes:
        text.line(t.gettext("Nothing is muted in this chat."))
    for mute in mutes:
        scope = await _scope_of_mute(db, mute, t)
        if scope is not None:
            until = (
                t.gettext("until {time}").format(time=context.date(mute.until)) if mute.until else t.gettext("for good")
            )
            text.line(t.gettext("Muted {until}: {name}"), name=scope.name, until=until)
            rows.append(
                (button(t.gettext("Unmute {name}").format(name=scope.name.text[:40]), "unmute", _subject(scope)),)
            )
    text.line().say(t.gettext("To mute a channel or a topic, write for example: {example}"), example=code(_example(t)))
    return message(text, tuple(rows[:50]))


async def _scope_of_mute(db: Reader, mute: Mute, t: Translator) -> Scope | None:
    subject = f"t{mute.topic_id}" if mute.channel_id is None else f"c{mute.channel_id}"
    return await _scope_of(db, subject, t)


def _unknown(typed: str, t: Translator, *, hint: bool = False) -> Reply:
    line = t.gettext("I know no channel or topic «{name}». See /channels and /topics.")
    text = Text().line(line, name=typed[:100])
    if hint:  # perhaps the time was written as nobody foresaw
        text.say(t.gettext("To mute a channel or a topic, write for example: {example}"), example=code(_example(t)))
    return say(text)


def _example(t: Translator) -> str:
    return t.gettext("/mute @name 8h")
