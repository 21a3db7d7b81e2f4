"""/channels and /unfollow: lists the followed channels with their delays and troubles, and stops following some."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from babel.dates import format_timedelta

from bot.commands.context import CommandError, Context, Reply, Request, message, remembered, say, show, writes
from bot.commands.follow import usage
from bot.commands.keyboards import button
from bot.commands.lookup import show_channel, show_reference
from bot.commands.parsing import read_references
from bot.commands.registry import Section, command, example, tap
from bot.commands.rights import Need
from bot.commands.undo import undo_button
from bot.locales import N_, Translator
from bot.locales.refusals import refusal
from bot.models import ButtonRows, Outgoing
from bot.models.acts import ChannelsUnfollowed
from bot.models.people import Viewer
from bot.monitoring.channel_state import ChannelState, ChannelStatus, channel_states
from bot.store import access, acts, channels, follows, subscriptions
from bot.store.access import Restrictable
from bot.store.acts import Rows
from bot.store.channels import Access, Channel
from bot.store.database import Reader, Transaction
from bot.store.follows import FollowRequest, FollowState
from bot.text.markup import Text, bold, code

_STATUSES = {
    ChannelStatus.PENDING: N_("its admins have to let my reader account in"),
    ChannelStatus.LOST: N_("⚠️ no longer readable"),
    ChannelStatus.UNREAD: N_("⚠️ not read now, as my reader account can no longer read"),
}
_MOST_NAMED = 5  # channels in a question
PAGE = 30  # channels on one page of the list


@tap("unfollow", Need.INSTANCE, r"[\w-]{1,40}")
@command("unfollow", Section.CHANNELS, 3, Need.INSTANCE, N_("stop following a channel"), usage=N_("@name"))
@example(N_("/unfollow @name"), N_("no longer followed; its posts stay searchable"))
@writes
async def unfollow(request: Request, context: Context, tx: Transaction) -> Reply:
    """Stop following channels, or withdraw follow requests; what ends alerts of other chats is asked first.

    The button of that question names the answer that remembers what was typed.
    """
    gone = context.own.gettext("This is too old. Please send the command again.")
    typed = await remembered(tx, request.argument, gone) if request.tapped else request.argument
    t = context.t
    if not typed:
        raise CommandError(t.gettext("For example: {example}"), example=code("/unfollow @name"))
    viewer = context.viewer
    names = {name: await channels.find(tx, name, viewer=viewer) for name in await _named(tx, typed, viewer)}
    found = {each.id: each for each in names.values() if each is not None and each.followed_at is not None}
    others = set(await subscriptions.chats_reached(tx, found)) - {context.chat.id}
    if others and not request.tapped:
        line = t.ngettext(
            "This also ends {names} for {n} other chat. Unfollow?",
            "This also ends {names} for {n} other chats. Unfollow?",
            len(others),
        )
        shown = ", ".join(each.title for each in list(found.values())[:_MOST_NAMED])
        more = f" +{len(found) - _MOST_NAMED}" if len(found) > _MOST_NAMED else ""
        row = (button(t.gettext("Unfollow"), "unfollow", request.key), button(t.gettext("Keep it"), "keep"))
        return replace(say(line, (row,), n=len(others), names=bold(shown + more)), memory=typed)
    act = await _unfollow(tx, list(found.values()), others, context)
    text = Text()
    for name, channel in names.items():
        if channel is not None and channel.id in found:
            line = t.gettext("I no longer follow {channel}. Its posts stay searchable.")
            text.line(line, channel=show_channel(channel.title, channel.username))
        elif await follows.withdraw(tx, channels.normalise_reference(name) or name):
            text.line(t.gettext("I have stopped trying to follow {name}."), name=show_reference(name))
        else:
            text.line(
                t.gettext("I do not follow a channel called «{name}». See /channels."), name=show_reference(name)[:100]
            )
    return show(request, message(text, () if act is None else ((undo_button(act, t),),)))


async def _unfollow(tx: Transaction, found: Sequence[Channel], others: Collection[int], context: Context) -> int | None:
    """Stop following channels, with a notice to the other chats that they reach; return the number of the act."""
    if not found:
        return None
    keys = (("channels", "id"), ("follows", "channel_id"))
    rows = [Rows(table, key, each.id) for each in found for table, key in keys]
    act = ChannelsUnfollowed(names=tuple(each.title for each in found))
    is_restricted = any(each.restricted for each in found)
    async with acts.recorded(
        tx, act, context.actor, *rows, now=context.now, restricted=is_restricted, concerned=others
    ) as recording:
        for each in found:
            await channels.unfollow(tx, each.id, now=context.now)
    return recording.id


@tap("list", Need.LOOK, r"\d{1,4}")
@command("channels", Section.CHANNELS, 1, Need.LOOK, N_("the channels I follow"))
@example("/channels", N_("what is followed, how late its posts may come, and what is wrong"))
async def list_channels(request: Request, context: Context) -> Reply:
    """List the channels: the first page, or the one that a button names."""
    return show(request, await _page(context, number=int(request.argument) if request.tapped else 0))


async def _named(db: Reader, argument: str, viewer: Viewer) -> Sequence[str]:
    """Return the channels that a text names: titles as they are, since they may hold spaces, else names and links."""
    names: dict[str, None] = {}
    for part in [argument] if await channels.find(db, argument, viewer=viewer) else re.split(r"[\n,;]+", argument):
        pasted = read_references(part)
        known = await channels.find(db, part, viewer=viewer)
        names |= dict.fromkeys([part.strip()] if known or not pasted.references else pasted.references)
    return [name for name in names if name]


async def _page(context: Context, *, number: int) -> Outgoing:
    db, t = context.database, context.t
    states = await seen_states(context, since=None)
    lines = [*(_show_state(state, context) for state in states), *await _request_lines(db, context)]
    if not lines:
        return message(usage(t))
    heading = t.ngettext("I follow {n} channel.", "I follow {n} channels.", len(states))
    text = Text().line(heading, n=bold(str(len(states))))
    joined = [s for s in states if s.channel.access is Access.JOINED and not s.channel.reader_lost]
    if joined:
        line = t.gettext("What Telegram does not push, I find within {delay}; Telegram is slow with large channels.")
        text.line(line, delay=show_delay(joined[0].delay, t))
    for shown_line in lines[number * PAGE : (number + 1) * PAGE]:
        text.add("\n").join(shown_line)
    return message(text, _page_buttons(number, last=(len(lines) - 1) // PAGE))


def _page_buttons(number: int, *, last: int) -> ButtonRows:
    """Return a row of buttons for the pages before and after one; no row where it is the only page."""
    turns = ((number - 1, f"‹ {number}"), (number + 1, f"{number + 2} ›"))
    row = tuple(button(label, "list", to) for to, label in turns if 0 <= to <= last)
    return (row,) if row else ()


async def seen_states(context: Context, *, since: datetime | None) -> list[ChannelState]:
    """Return the states of the followed channels that this chat sees, by title; posts are counted from `since` on."""
    hidden = await access.hidden(context.database, Restrictable.CHANNEL, context.viewer)
    states = await channel_states(context.database, context.now, since=since)
    return [state for state in states if state.channel.id not in hidden]


async def _request_lines(db: Reader, context: Context) -> list[Text]:
    """Return a line for each follow request that is not fulfilled."""
    wishes = [
        follow for follow in await follows.all_follows(db, context.viewer) if follow.state is not FollowState.FOLLOWED
    ]
    titles = {str(channel.id): channel.title for channel in await channels.by_ids(db, [w.reference for w in wishes])}
    return [_request_line(wish, titles.get(wish.reference), context.t) for wish in wishes]


def _request_line(wish: FollowRequest, title: str | None, t: Translator) -> Text:
    """Show a follow request; where it names a channel by number, by the title, if that is known."""
    waiting = wish.state is FollowState.WANTED
    state = t.gettext("waiting to be looked at") if waiting else t.gettext("could not be followed")
    name = show_channel(title, None) if title is not None else show_reference(wish.reference)
    text = Text().add(name, ": ", state)
    if waiting and (options := wish.options.typed()):
        text.add(" (", options, ")")
    return text.add(". ", refusal(wish.reason, t)) if wish.reason else text


def _show_state(state: ChannelState, context: Context) -> Text:
    """Show how a channel is read, how late its posts may come, and its troubles."""
    t, status, channel, silent_since = context.t, state.status, state.channel, state.stats.silent_since
    marks = [t.gettext(_STATUSES[status])] if status in _STATUSES else [_pace(state, t)]
    if status is ChannelStatus.FIRST:
        marks.append(t.gettext("its last posts are being read"))
    if not channel.may_join and channel.access is Access.POLLED:
        marks.append(t.gettext("never to be joined"))
    if status is ChannelStatus.LATE and channel.swept_at is None:
        marks.append(t.gettext("⚠️ not read yet"))
    elif status is ChannelStatus.LATE and channel.swept_at is not None:
        marks.append(t.gettext("⚠️ not read since {time}").format(time=context.date(channel.swept_at)))
    if status is ChannelStatus.UNCHECKED and state.checked_at is not None:
        line = t.gettext("⚠️ not checked for edits and deletions since {time}")
        marks.append(line.format(time=context.date(state.checked_at)))
    if state.stats.unreadable:
        line = t.ngettext("⚠️ {n} post cannot be read", "⚠️ {n} posts cannot be read", state.stats.unreadable)
        marks.append(line.format(n=state.stats.unreadable))
    if silent_since is not None and status is not ChannelStatus.LOST:
        marks.append(t.gettext("⚠️ unusually silent since {time}").format(time=context.date(silent_since)))
    text = Text().add("🔒 " if channel.restricted else "", show_channel(channel.title, channel.username), ": ")
    text.add("; ".join(marks))
    return text.add(". ", refusal(channel.reason, t)) if channel.reason else text


def show_delay(delay: timedelta, t: Translator) -> str:
    """Write a delay in one unit: «10 min»."""
    return format_timedelta(delay, threshold=1, format="short", locale=t.language)


def _pace(state: ChannelState, t: Translator) -> str:
    channel, delay = state.channel, show_delay(state.delay, t)
    if channel.access is Access.POLLED:
        fast, usual = t.gettext("fast, from outside, up to {delay} late"), t.gettext("from outside, up to {delay} late")
        return (fast if channel.fast else usual).format(delay=delay)
    return t.gettext("fast, seconds") if channel.fast else t.gettext("joined, seconds")
