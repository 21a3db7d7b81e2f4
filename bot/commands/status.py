"""/status and /ping: whether all is well, in figures; and a real alert that times itself."""

import platform
import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.metadata import version
from operator import itemgetter
from zoneinfo import ZoneInfo

from bot import __version__
from bot.commands.channels import seen_states, show_delay
from bot.commands.context import Context, Reply, Request, say, writes
from bot.commands.registry import Section, command, example
from bot.commands.rights import Need
from bot.locales import N_, Translator
from bot.locales.locale import show_number, show_span
from bot.locales.refusals import refusal
from bot.models.notices import Pong
from bot.monitoring.channel_state import ChannelState, ChannelStatus
from bot.store import follows, media, outbox, posts, readers, stats
from bot.store.channels import Access, Channel
from bot.store.database import Transaction
from bot.store.follows import FollowState
from bot.text.markup import Text, bold, code, one_line

_TABLE = "channelwatch doctor --gaps"
_TITLE = 60  # UTF-16 units of a channel's title
_UNREAD = "unread"
_STATES = {
    Access.JOINED: N_("read the moment they are posted: {n}"),
    Access.POLLED: N_("read from outside, up to {delay} late: {n}"),
    Access.PENDING: N_("waiting for their admins: {n}"),
    Access.LOST: N_("no longer readable: {n}"),
    _UNREAD: N_("not read now, as my reader account can no longer read: {n}"),
}
_WORK = {  # for which Telegram lets a reader account wait, by its method
    **dict.fromkeys(("JoinChannel", "ImportChatInvite"), N_("joining channels")),
    **dict.fromkeys(("ResolveUsername", "CheckChatInvite"), N_("looking up names")),
}
_READING = N_("reading channels")  # whatever else a reader asks for


@command("status", Section.CHAT, 1, Need.LOOK, N_("what I watch and whether all is well"))
@example("/status", N_("channels, readers, posts and alerts: how they are, and what to do"))
async def status(_: Request, context: Context) -> Reply:
    """Say how channels, reader accounts, posts and alerts stand."""
    text = Text()
    states = await seen_states(context.database, context, since=_midnight(context))
    await _add_channels(text, states, context)
    _add_completeness(text, states, context)
    await _add_readers(text, context)
    await _add_posts(text, states, context)
    await _add_alerts(text, context)
    text.line().add(f"channelwatch {__version__} · Telethon {version('telethon')}")
    text.add(f" · Python {platform.python_version()} · SQLite {sqlite3.sqlite_version}")
    return say(text)


@command("ping", Section.CHAT, 7, Need.LOOK, N_("send a test alert and time it"))
@example("/ping", N_("a real alert that shows how long it took"))
@writes
async def ping(request: Request, context: Context, tx: Transaction) -> Reply:
    """Send a notice through the outbox as an alert goes; the notice says how long it took, so the reply is empty."""
    await context.notify(tx, Pong(event=request.key, asked_at=context.now))
    return Reply()


async def _add_channels(text: Text, states: Sequence[ChannelState], context: Context) -> None:
    t = context.t
    line = t.ngettext("I follow {n} channel.", "I follow {n} channels.", len(states))
    text.line(line, n=bold(show_number(len(states), t)))
    counts = Counter(_state_of(state.channel) for state in states)
    longest = max((s.delay for s in states if s.channel.access is Access.POLLED), default=timedelta())
    delay = show_delay(longest, t)
    facts = [
        t.gettext(words).format(n=counts[access], delay=delay) for access, words in _STATES.items() if counts[access]
    ]
    wishes = Counter(follow.state for follow in await follows.all_follows(context.database, context.viewer))
    if wishes[FollowState.WANTED]:
        facts.append(t.gettext("not checked yet: {n}").format(n=wishes[FollowState.WANTED]))
    if wishes[FollowState.REFUSED]:
        facts.append(t.gettext("could not be followed: {n}").format(n=wishes[FollowState.REFUSED]))
    if facts:
        text.line("{facts}", facts="; ".join([facts[0][:1].upper() + facts[0][1:], *facts[1:]]) + ".")


def _state_of(channel: Channel) -> str:
    """Return the key of a channel in `_STATES`."""
    if channel.reader_lost and channel.access is not Access.LOST:
        return _UNREAD
    return channel.access or Access.PENDING


def _add_completeness(text: Text, states: Sequence[ChannelState], context: Context) -> None:
    """Say when channels were checked, which are the worst, and where each can be looked at."""
    if not states:
        return
    t = context.t
    _add_checks(text, states, context)
    verified = [state.channel for state in states if state.is_verified]
    compared = [(channel.verified_at, channel) for channel in verified if channel.verified_at is not None]
    if not verified:
        one, many = t.gettext("It is not verified yet."), t.gettext("None of them has been verified yet.")
        text.line(one if len(states) == 1 else many)
    elif compared:
        line = t.gettext("Channels verified: {n} of {all}; longest ago «{channel}», {time}")
        time, oldest = min(compared, key=itemgetter(0))
        text.line(line, n=len(verified), all=len(states), channel=_title(oldest), time=context.date(time))
    else:
        text.line(t.gettext("Channels verified: {n} of {all}"), n=len(verified), all=len(states))
    if unchecked := [state for state in states if state.status is ChannelStatus.UNCHECKED]:
        line = t.gettext(
            "⚠️ Not checked for edits and deletions, because Telegram does not return them: {n} of {all}; "
            "longest «{channel}», since {time}"
        )
        longest = min(unchecked, key=lambda state: state.checked_at or context.now)
        since = context.date(longest.checked_at or context.now)
        text.line(line, n=len(unchecked), all=len(states), channel=_title(longest.channel), time=since)
    if holes := [state for state in states if state.stats.has_hole]:
        line = t.gettext("Channels with a gap being filled: {n}, the largest in «{channel}»")
        text.line(line, n=len(holes), channel=_title(max(holes, key=lambda state: state.stats.missing).channel))
    if unreadable := sum(state.stats.unreadable for state in states):
        line = t.gettext("⚠️ Posts that this version cannot read, because Telegram is newer: {n}. Update channelwatch.")
        text.line(line, n=unreadable)
    text.line(t.gettext("For details of each, run on the server: {command}"), command=code(_TABLE))


def _add_checks(text: Text, states: Sequence[ChannelState], context: Context) -> None:
    """Say since which moment no channel has gone unchecked, and of how many that is true."""
    checks = [state.checked_at for state in states if state.checked_at is not None]
    if not checks:
        return
    t, since = context.t, context.date(min(checks))
    if len(checks) == len(states):
        one = t.gettext("Last checked for missed posts: {time}")
        many = t.gettext("All of them last checked for missed posts: {time}")
        text.line(one if len(states) == 1 else many, time=since)
        return
    line = t.ngettext(
        "{n} of {all} was last checked for missed posts: {time}. The others are lost or not read yet.",
        "{n} of {all} were last checked for missed posts: {time}. The others are lost or not read yet.",
        len(checks),
    )
    text.line(line, n=len(checks), all=len(states), time=since)


def _title(channel: Channel) -> str:
    return one_line(channel.title, _TITLE)


async def _add_readers(text: Text, context: Context) -> None:
    """Name lost reader accounts and flood waits with the remedy, and count the requests to Telegram."""
    t, db = context.t, context.database
    for number, reason in (await readers.lost(db)).items():
        line = t.gettext("⚠️ Reader account {n} can no longer read. {why}")
        text.line(line, n=number, why=refusal(reason, t))
    waits: dict[str, datetime] = {}
    for method, until in (await readers.flood_waits(db, context.now)).items():
        work = _WORK.get(method, _READING)
        waits[work] = max(until, waits.get(work, until))
    for work, until in waits.items():
        line = t.gettext(
            "⚠️ Telegram asks me to pause {work} until {time}. I will continue automatically; you need not do anything."
        )
        text.line(line, work=t.gettext(work), time=context.date(until))
    requests = await readers.requests_last_hour(db, context.now)
    if requests:  # they are written down some seconds after a start
        text.line(t.gettext("Requests to Telegram in the last hour: {n}"), n=show_number(requests, t))


async def _add_posts(text: Text, states: Sequence[ChannelState], context: Context) -> None:
    t, db, since = context.t, context.database, _midnight(context)
    stored = await posts.archive_stats(db, since=since)
    line = t.gettext("Posts stored: {total}; of today: {today}")
    text.line(line, total=bold(show_number(stored.messages, t)), today=bold(show_number(stored.recent, t)))
    if pruned := await media.count_pruned(db):
        line = t.ngettext("I removed {n} old file to make room.", "I removed {n} old files to make room.", pruned)
        text.line(line, n=show_number(pruned, t))
    if stored.last_seen_at is not None:
        text.line(t.gettext("Latest one received: {time}"), time=context.date(stored.last_seen_at))
    line = t.gettext("Half of today's posts were stored within {half} of being published, 95% within {most}.")
    _add_latencies(text, line, await stats.seen_latencies(db, since), t)
    channel_stats = [state.stats for state in states]
    if unpushed := sum(each.unpushed for each in channel_stats):
        line = t.gettext(
            "Of today's {total} posts in joined channels, Telegram did not push {n}; I found them by checking. "
            "Most in «{channel}»: {some} of {all}."
        )
        worst = max(channel_stats, key=lambda each: each.unpushed)
        counts = {"total": show_number(sum(each.posts for each in channel_stats), t), "n": show_number(unpushed, t)}
        text.line(line, **counts, channel=_title(worst.channel), some=worst.unpushed, all=worst.posts)


async def _add_alerts(text: Text, context: Context) -> None:
    t, db, since = context.t, context.database, _midnight(context)
    counts = await outbox.statistics(db, since=since)
    text.line(t.gettext("Alerts sent today: {n}"), n=bold(show_number(counts.sent, t)))
    line = t.gettext("Half of them were sent within {half} of the post reaching me, 95% within {most}.")
    _add_latencies(text, line, await stats.alert_latencies(db, since), t)
    if counts.due:
        text.line(t.gettext("Waiting to be sent: {n}"), n=counts.due)
    if counts.dead:
        text.line(t.gettext("Refused by Telegram today: {n}"), n=counts.dead)


def _add_latencies(text: Text, line: str, ascending: Sequence[float], t: Translator) -> None:
    if ascending:
        half, most = (show_span(_quantile(ascending, share), t) for share in (0.5, 0.95))
        text.line(line, half=half, most=most)


def _midnight(context: Context) -> datetime:
    local = context.now.astimezone(ZoneInfo(context.chat.time_zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def _quantile(ascending: Sequence[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
