"""/mute: no alerts in a chat from a channel, on a topic, or on a topic from one channel, for a while or for good."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.commands.context import CommandError, Context, Reply, Request, message, show, writes
from bot.commands.lookup import unknown_name
from bot.commands.mute_scope import SCOPE, MuteScope, find_scope, read_scope, scope_by_ids
from bot.commands.parsing import read_weekday, split_duration, tidy
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.rights import Need
from bot.commands.subscribing import log_setting
from bot.locales import N_, Translator
from bot.models.outgoing import Button, ButtonRows, Outgoing
from bot.store import subscriptions
from bot.store.database import Reader, Transaction
from bot.store.subscriptions import Mute
from bot.text.buttons import button
from bot.text.markup import Text, code
from bot.text.pages import page_of

_UNTIL = re.compile(r"(?:^|\s)(?:(?:un)?till?|до)\s+([^\W\d_][^\s\d]*)$", re.IGNORECASE)
MONDAY = 0  # the day of the week on which «until Monday» ends
_TOMORROW = {"tomorrow", "завтра"}
_BEGINS = time(9)  # a day's work
_PAGE = 15  # mutes
_LONGEST_LABEL = 40  # characters of a name on a button


def _split_end(argument: str, context: Context) -> tuple[str, datetime | None]:
    """Split a duration, «until Monday» or «until tomorrow» off the end of a text; return rest and end, or None."""
    named = _UNTIL.search(argument.strip())
    weekday = None if named is None else read_weekday(tidy(named[1]))
    if named is not None and (weekday is not None or tidy(named[1]) in _TOMORROW):
        day = next_day(context, weekday)
        return argument.strip()[: named.start()].strip(), work_begins(day, context)
    rest, duration = split_duration(argument)
    return rest, None if duration is None else context.now + duration


def next_day(context: Context, weekday: int | None = None) -> date:
    """Return tomorrow in the chat's time zone, or the next such day of the week: never today."""
    tomorrow = context.now.astimezone(ZoneInfo(context.chat.time_zone)).date() + timedelta(days=1)
    return tomorrow if weekday is None else tomorrow + timedelta(days=(weekday - tomorrow.weekday()) % 7)


def work_begins(day: date, context: Context) -> datetime:
    """Return when work begins on a day: at 9 in the chat's time zone."""
    return datetime.combine(day, _BEGINS, ZoneInfo(context.chat.time_zone)).astimezone(UTC)


@tap("mute", Need.CHAT, rf"({SCOPE})(:\d{{1,3}}[hd])?")
@command("mute", Section.ALERTS, 1, Need.CHAT, N_("no alerts from a channel, or on a topic"), usage=N_("@name 8h"))
@example(N_("/mute @name 8h"), N_("no alerts from a channel for a while; without a time, for good"))
@example(N_("/mute Regulators 8h"), N_("no alerts from a channel group"))
@example(N_("/mute outages @name until Monday"), N_("no alerts on a topic from one channel"))
@writes
async def mute(request: Request, context: Context, tx: Transaction) -> Reply:
    """Mute a topic or channel that is typed by name or stands in a button; without one, list the mutes."""
    typed, until = _split_end(request.argument.replace(":", " ") if request.tapped else request.argument, context)
    if not typed:
        return Reply(messages=(await _overview(tx, context),))
    t = context.t
    scope = await (read_scope if request.tapped else find_scope)(tx, typed, context)
    if scope is None and request.tapped:
        raise outdated(context)
    if scope is None:  # perhaps the time was written as nobody foresaw
        line = t.gettext("To mute a channel or a topic: {example}")
        unknown = await unknown_name(tx, typed, context)
        raise CommandError(unknown.say(line, example=code(t.gettext("/mute @name 8h"))))
    await mute_scope(tx, context, scope, until=until)
    hours = button(t.gettext("Only 8 hours"), "mute", scope.data, "8h")
    days = button(t.gettext("Only 7 days"), "mute", scope.data, "7d")
    reply = show(request, muted(scope, context, until=until, rows=((hours, days),)))
    return replace(reply, note=context.own.gettext("Muted")) if request.tapped else reply


def muted(scope: MuteScope, context: Context, *, until: datetime | None, rows: ButtonRows = ()) -> Outgoing:
    """Say to a chat what is muted there, with the way back."""
    t = context.t
    line, time = t.gettext("Muted in this chat: {name}"), ""
    if until is not None:
        line, time = t.gettext("Muted in this chat until {time}: {name}"), context.date(until)
    back = (button(t.gettext("Unmute"), "unmute", scope.data),)
    return message(line, (*rows, back), name=scope.name, time=time)


@tap("unmute", Need.CHAT, SCOPE)
@command("unmute", Section.ALERTS, 2, Need.CHAT, N_("end a mute"), usage=N_("@name"))
@example(N_("/unmute @name"), N_("its alerts are sent again"))
@writes
async def unmute(request: Request, context: Context, tx: Transaction) -> Reply:
    """Unmute a topic or channel that is typed by name or stands in a button; without one, list the mutes."""
    typed, t = request.argument, context.t
    if not typed:
        return Reply(messages=(await _overview(tx, context),))
    scope = await (read_scope if request.tapped else find_scope)(tx, typed, context)
    if scope is None and request.tapped:
        raise outdated(context)
    if scope is None:
        raise CommandError(await unknown_name(tx, typed, context))
    ended = await unmute_scope(tx, context, scope)
    line = t.gettext("No longer muted: {name}") if ended else t.gettext("{name} was not muted.")
    return show(request, message(line, name=scope.name))


async def mute_scope(tx: Transaction, context: Context, scope: MuteScope, *, until: datetime | None) -> None:
    """Mute a scope in this chat; mutes that have ended by themselves are deleted."""
    await subscriptions.forget_ended(tx, now=context.now)
    chat_id = context.chat.id
    await subscriptions.mute(tx, chat_id, **scope.ids, until=until)
    await log_setting(tx, context, f"/mute {scope.name.text}{'' if until is None else f' {context.date(until)}'}")


async def unmute_scope(tx: Transaction, context: Context, scope: MuteScope) -> bool:
    """Unmute a scope in this chat; False where it was not muted."""
    ended = await subscriptions.unmute(tx, context.chat.id, **scope.ids)
    await log_setting(tx, context, f"/unmute {scope.name.text}")
    return ended


def show_end(until: datetime | None, context: Context) -> str:
    """Write until when something is muted."""
    t = context.t
    return t.gettext("until {time}").format(time=context.date(until)) if until else t.gettext("for good")


async def mutes_of(db: Reader, context: Context) -> list[tuple[Mute, MuteScope]]:
    """Return the mutes of this chat, each with its scope."""
    mutes = []
    for each in await subscriptions.mutes_of(db, context.chat.id, context.now):
        ids = {"channel_id": each.channel_id, "channel_group_id": each.channel_group_id, "topic_id": each.topic_id}
        scope = await scope_by_ids(db, context, **ids)
        if scope is not None:
            mutes.append((each, scope))
    return mutes


def end_button(scope: MuteScope, verb: str, t: Translator) -> Button:
    """Offer to end a mute."""
    label = t.gettext("Unmute {name}").format(name=scope.name.text[:_LONGEST_LABEL])
    return button(label, verb, scope.data)


@tap("mutes", Need.CHAT, r"\d{1,3}")
async def turn(request: Request, context: Context) -> Reply:
    """Show a page of the mutes."""
    return Reply(edit=await _overview(context.database, context, int(request.argument)))


async def _overview(db: Reader, context: Context, number: int = 0) -> Outgoing:
    t = context.t
    text, rows = Text(), []
    page = page_of(await mutes_of(db, context), number, _PAGE)
    if not page.items:
        text.line(t.gettext("Nothing is muted in this chat."))
    for each, scope in page.items:
        text.line(t.gettext("Muted {until}: {name}"), name=scope.name, until=show_end(each.until, context))
        rows.append((end_button(scope, "unmute", t),))
    text.line().line(
        t.gettext("To mute a channel or a topic: {example}"),
        example=code(t.gettext("/mute @name 8h")),
    )
    longer = code(t.gettext("/mute outages @name until Monday"))
    text.say(t.gettext("A topic in one channel only, until Monday: {example}"), example=longer)
    return message(text, (*rows, *page.turns("mutes")))
