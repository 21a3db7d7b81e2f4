"""«Snooze» under an alert: taps come in, choices take its buttons' place, and a chat hears nothing of it for a while.

The first tap asks what: the topic, the channel, or the topic in this channel; the second one for how long.
"""

from datetime import date, datetime, timedelta

from bot.commands.alert_buttons import POST, Tapped, forgotten
from bot.commands.context import Context
from bot.commands.lookup import Scope, both_scope, channel_scope, find_topic, topic_scope
from bot.commands.mute import SUBJECT, next_monday, read_subject, show_end, silence, subject_of, work_begins
from bot.commands.talk import Reply, Request, Rows
from bot.models import Button
from bot.store import channels, feedback
from bot.store.channels import Channel
from bot.store.database import Transaction
from bot.store.topics import Topic

_SPANS = {"1h": timedelta(hours=1), "8h": timedelta(hours=8)}
ARGUMENT = rf"{POST}(:({SUBJECT})(:(1h|8h|7\d{{5}}|ever))?)?"
_MOST_TOPICS = 8  # of one alert that are offered
_LABEL, _NOTE = 50, 120  # characters of a name on a button, and in a note, which Telegram allows 200


async def tapped(request: Request, context: Context) -> Reply:
    """Ask what shall be silent, and for how long; then silence it."""
    tap = Tapped.read(request.argument)
    if not tap.chosen:
        return await _ask_what(tap, context)
    scope = await read_subject(context.database, tap.chosen[0], context.t)
    if scope is None:
        return forgotten(context)
    if len(tap.chosen) == 1:
        return Reply(buttons=_times(tap, scope, context))
    return await _snooze(request, context, tap, scope)


async def _ask_what(tap: Tapped, context: Context) -> Reply:
    channel = await channels.get(context.database, tap.channel_id)
    if channel is None:
        return forgotten(context)
    told = await feedback.alerted(context.database, context.chat.id, tap.channel_id, tap.message_id)
    found = [await find_topic(context.database, name) for name in (told.topics if told else ())]
    topics = [topic for topic in found if topic is not None][:_MOST_TOPICS]
    return Reply(buttons=_scopes(tap, channel, topics, context))


def _scopes(tap: Tapped, channel: Channel, topics: list[Topic], context: Context) -> Rows:
    t = context.t
    rows = [(_choice(tap, channel_scope(channel), t.gettext("Channel {name}")),)]
    for topic in topics:
        rows.append((_choice(tap, topic_scope(topic, t), t.gettext("Topic {name}")),))
        rows.append((_choice(tap, both_scope(topic, channel, t), "{name}"),))
    return (*rows, tap.back(context))


def _choice(tap: Tapped, scope: Scope, label: str) -> Button:
    return tap.button(label.format(name=scope.name.text[:_LABEL]), "snooze", subject_of(scope))


def _times(tap: Tapped, scope: Scope, context: Context) -> Rows:
    t, subject, monday = context.t, subject_of(scope), next_monday(context)
    until = t.gettext("Until Monday, {time}").format(time=context.date(work_begins(monday, context)))
    return (
        (
            tap.button(t.gettext("1 hour"), "snooze", subject, "1h"),
            tap.button(t.gettext("8 hours"), "snooze", subject, "8h"),
        ),
        (tap.button(until, "snooze", subject, monday.toordinal()),),  # as it says, also when it is tapped on Monday
        (tap.button(t.gettext("For good"), "snooze", subject, "ever"),),
        tap.back(context),
    )


def _end(choice: str, context: Context) -> datetime | None:
    if choice.isdigit():
        return work_begins(date.fromordinal(int(choice)), context)
    return context.now + _SPANS[choice] if choice in _SPANS else None


async def _snooze(request: Request, context: Context, tap: Tapped, scope: Scope) -> Reply:
    until = _end(tap.chosen[1], context)
    if until is not None and until <= context.now:
        return Reply(note=context.own.gettext("This button no longer works."))

    async def effect(tx: Transaction) -> Reply:
        await silence(tx, context, scope, until=until)
        named = await read_subject(tx, tap.chosen[0], context.own) or scope
        line = context.own.gettext("Muted here {until}: {name}")
        note = line.format(until=show_end(until, context.private), name=named.name.text[:_NOTE])
        return Reply(buttons=await tap.usual(tx, context), note=note)

    return await context.once(request, effect)
