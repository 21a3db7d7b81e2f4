"""How a channel stands comes in; the words that the list of channels and the status show for it go out."""

from datetime import datetime, timedelta

from babel.dates import format_timedelta

from bot.commands.context import Context
from bot.locales import N_, Translator
from bot.locales.refusals import refusal
from bot.monitoring.channel_state import Delays, State
from bot.store.channels import Access, Channel
from bot.text.markup import Text

_STATES = {
    State.PENDING: N_("its admins have to let my reader account in"),
    State.LOST: N_("⚠️ no longer readable"),
    State.UNREAD: N_("⚠️ not read now, as my reader account cannot read any more"),
}


def show_marks(channel: Channel, delays: Delays, silent_since: datetime | None, context: Context) -> Text:
    """Say how a channel is read, how late its posts may come, and what is wrong with it."""
    t, state = context.t, delays.state_of(channel, context.now)
    marks = [t.gettext(_STATES[state])] if state in _STATES else [_pace(channel, delays, t)]
    if state is State.FIRST:
        marks.append(t.gettext("its last posts are being read"))
    if not channel.may_join and channel.access is Access.POLLED:
        marks.append(t.gettext("never to be joined"))
    if state is State.LATE:
        marks.append(_late(channel, context))
    if silent_since is not None and state is not State.LOST:
        marks.append(t.gettext("⚠️ unusually silent since {time}").format(time=context.date(silent_since)))
    text = Text().add("; ".join(marks))
    return text.add(". ", refusal(channel.reason, t)) if channel.reason else text


def show_delay(delay: timedelta, t: Translator) -> str:
    """Write a delay in one unit: «10 min»."""
    return format_timedelta(delay, threshold=1, format="short", locale=t.language)


def _pace(channel: Channel, delays: Delays, t: Translator) -> str:
    delay = show_delay(delays.of_channel(channel), t)
    if channel.access is Access.POLLED:
        words = t.gettext("fast, from outside, up to {delay} late") if channel.fast else _from_outside(t)
        return words.format(delay=delay)
    return t.gettext("fast, seconds") if channel.fast else t.gettext("joined, seconds")


def _from_outside(t: Translator) -> str:
    return t.gettext("from outside, up to {delay} late")


def _late(channel: Channel, context: Context) -> str:
    if channel.swept_at is None:
        return context.t.gettext("⚠️ not read yet")
    return context.t.gettext("⚠️ not read since {time}").format(time=context.date(channel.swept_at))
