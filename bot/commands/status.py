"""/status and /ping: whether all is well, and what to do where it is not; and a real alert that times itself."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from statistics import median
from zoneinfo import ZoneInfo

from bot.commands.channels import seen_states
from bot.commands.context import Context, Reply, Request, say, writes
from bot.commands.registry import Section, command, example
from bot.commands.rights import Need
from bot.locales import N_
from bot.locales.locale import show_number, show_span
from bot.locales.refusals import refusal
from bot.models.notices import Pong
from bot.monitoring.channel_state import ChannelState, ChannelStatus
from bot.store import follows, outbox, readers, stats
from bot.store.database import Transaction
from bot.store.follows import FollowState
from bot.text.markup import Text, bold, code, join_names, one_line

_FIGURES = "channelwatch status"
_TITLE = 60  # UTF-16 units of a channel's title
_NAMED = 3  # channels in one line
_BEING_CHECKED = {ChannelStatus.COMPLETE, ChannelStatus.FIRST}
_TROUBLES = {  # by how the reading of a channel goes
    ChannelStatus.LOST: N_("⚠️ No longer readable: {names}. /channels says why."),
    ChannelStatus.UNREAD: N_("⚠️ Not read until a reader account can read: {names}."),
    ChannelStatus.LATE: N_("⚠️ Not read for too long: {names}. Their posts may arrive late; I keep trying."),
    ChannelStatus.UNCHECKED: N_("⚠️ Edits and deletions not checked: {names}. Telegram fails there; I keep trying."),
}
_WORK = {  # for which Telegram lets a reader account wait, by its method
    **dict.fromkeys(("JoinChannel", "ImportChatInvite"), N_("joining channels")),
    **dict.fromkeys(("ResolveUsername", "CheckChatInvite"), N_("looking up names")),
}
_READING = N_("reading channels")  # whatever else a reader asks for


@command("status", Section.CHAT, 1, Need.LOOK, N_("whether all is well, and what to do"))
@example("/status", N_("whether anything is missing, the last post, what is wrong and what to do"))
async def status(_: Request, context: Context) -> Reply:
    """Say how the channels that this chat sees, the reader accounts and the alerts of this chat are."""
    t, db, text = context.t, context.database, Text()
    states = await seen_states(db, context, since=None)
    troubles = Text()
    await _add_readers(troubles, context)
    _add_troubles(troubles, states, context)
    if not states:
        text.line(t.gettext("No channels are followed yet."))
    elif not len(troubles):
        text.line(t.gettext("✅ All is well."))
    _add_completeness(text, states, context)
    _add_pages(text, states, context)
    text.lines(troubles)
    await _add_waits(text, states, context)
    await _add_posts(text, states, context)
    if context.may(Need.TEAM):
        text.line(t.gettext("Figures, on the server: {command}"), command=code(_FIGURES))
    return say(text)


@command("ping", Section.CHAT, 9, Need.LOOK, N_("send a test alert and time it"))
@example("/ping", N_("a real alert that shows how long it took"))
@writes
async def ping(request: Request, context: Context, tx: Transaction) -> Reply:
    """Send a notice through the outbox as an alert goes; the notice says how long it took, so the reply is empty."""
    await context.notify(tx, Pong(event=request.key, asked_at=context.now))
    return Reply()


def _add_completeness(text: Text, states: Sequence[ChannelState], context: Context) -> None:
    """Say how many channels there are, in how many nothing is missing, and how many are still being checked."""
    if not states:
        return
    t, total = context.t, len(states)
    text.line(t.ngettext("I follow {n} channel.", "I follow {n} channels.", total), n=bold(show_number(total, t)))
    complete = sum(state.is_verified for state in states)
    checked = sum(
        not state.is_verified and not state.stats.unreadable and state.status in _BEING_CHECKED for state in states
    )
    facts = []
    if complete:
        line = t.ngettext("Nothing is missing in {n} channel", "Nothing is missing in {n} channels", complete)
        facts.append(line.format(n=show_number(complete, t)))
    if checked:
        line = t.ngettext("{n} channel is still being checked", "{n} channels are still being checked", checked)
        if complete:
            line = t.ngettext("{n} is still being checked", "{n} are still being checked", checked)
        facts.append(line.format(n=show_number(checked, t)))
    if facts:
        text.add(", ".join(facts), ".\n")


def _add_troubles(text: Text, states: Sequence[ChannelState], context: Context) -> None:
    """Name the channels that are not read as they should be, and the posts that cannot be read."""
    t = context.t
    for status_, words in _TROUBLES.items():
        if found := [state for state in states if state.status is status_]:
            text.line(t.gettext(words), names=_names(found))
    if hidden := [state for state in states if state.channel.withholdings]:
        line = t.gettext("⚠️ Telegram hides these in some apps or countries: {names}. /channels says where and why.")
        text.line(line, names=_names(hidden))
    if unreadable := sum(state.stats.unreadable - state.stats.hidden for state in states):
        line = t.gettext("⚠️ Posts that this version cannot read, because Telegram is newer: {n}. Update channelwatch.")
        text.line(line, n=unreadable)


def _add_pages(text: Text, states: Sequence[ChannelState], context: Context) -> None:
    """Say how many channels are read through their web pages, since when, and what is missing there."""
    t, pages = context.t, [state.stats for state in states if state.status is ChannelStatus.PAGE]
    since = min((each.page.since for each in pages if each.page is not None), default=None)
    if since is None:
        return
    line = t.ngettext(
        "🌐 Since {time} {n} channel is read through its web page, as no reader account can read it.",
        "🌐 Since {time} {n} channels are read through their web pages, as no reader account can read them.",
        len(pages),
    )
    text.line(line, n=show_number(len(pages), t), time=context.date(since))
    if hidden := sum(each.hidden for each in pages):
        line = t.ngettext("{n} post is not shown there.", "{n} posts are not shown there.", hidden)
        text.line(line, n=show_number(hidden, t))


def _names(states: Sequence[ChannelState]) -> str:
    return join_names([f"«{one_line(state.channel.title, _TITLE)}»" for state in states], _NAMED)


async def _add_readers(text: Text, context: Context) -> None:
    """Name lost reader accounts with the remedy."""
    t = context.t
    for number, reason in (await readers.lost(context.database)).items():
        line = t.gettext("⚠️ Reader account {n} can no longer read. {why}")
        text.line(line, n=number, why=refusal(reason, t))


async def _add_waits(text: Text, states: Sequence[ChannelState], context: Context) -> None:
    """Say what takes its time without being wrong: admins, follow requests and the pauses that Telegram asks for."""
    t, db = context.t, context.database
    if pending := [state for state in states if state.status is ChannelStatus.PENDING]:
        text.line(t.gettext("Their admins still have to let me in: {names}."), names=_names(pending))
    wishes = Counter(follow.state for follow in await follows.all_follows(db, context.viewer))
    if wishes[FollowState.WANTED]:
        text.line(t.gettext("Not checked yet: {n}."), n=wishes[FollowState.WANTED])
    if wishes[FollowState.REFUSED]:
        text.line(t.gettext("Could not be followed: {n}. /channels says why."), n=wishes[FollowState.REFUSED])
    waits: dict[str, datetime] = {}
    for method, until in (await readers.flood_waits(db, context.now)).items():
        work = _WORK.get(method, _READING)
        waits[work] = max(until, waits.get(work, until))
    for work, until in waits.items():
        line = t.gettext(
            "⏳ Telegram asks me to pause {work} until {time}. I will continue automatically; you need not do anything."
        )
        text.line(line, work=t.gettext(work), time=context.date(until))


async def _add_posts(text: Text, states: Sequence[ChannelState], context: Context) -> None:
    """Say when the last post came, how long posts take, and what this chat was sent."""
    t, db, since = context.t, context.database, _midnight(context)
    dated = [(state.stats.last_post_at, state.channel) for state in states if state.stats.last_post_at is not None]
    if dated:
        time, channel = max(dated, key=itemgetter(0))
        line = t.gettext("Last post: {time}, «{channel}»")
        text.line(line, time=context.date(time), channel=one_line(channel.title, _TITLE))
    if took := await stats.seen_latencies(db, since):
        text.line(t.gettext("Posts usually reach me within {time}."), time=show_span(median(took), t))
    counts = await outbox.statistics(db, since=since, chat_id=context.chat.id)
    text.line(t.gettext("Alerts in this chat today: {n}"), n=bold(show_number(counts.sent, t)))
    if counts.due:
        text.line(t.gettext("Waiting to be sent: {n}"), n=counts.due)
    if counts.dead:
        text.line(t.gettext("Refused by Telegram today: {n}"), n=counts.dead)


def _midnight(context: Context) -> datetime:
    local = context.now.astimezone(ZoneInfo(context.chat.time_zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)
