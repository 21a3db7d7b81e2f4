"""The channels: the list of them goes out, and channels that nobody wants any more go out of the store."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from babel.dates import format_timedelta
from babel.numbers import format_decimal

from bot.commands.context import CommandError, Context, Effect, Need, Reply, Request, Rows, change, message, say
from bot.commands.keyboards import button
from bot.commands.lookup import show_channel, show_reference
from bot.commands.parsing import (
    MOST_HISTORY,
    OPTION_MESSAGES,
    OptionError,
    PastedChannels,
    read_options,
    read_references,
)
from bot.commands.parsing import ChannelList as Part
from bot.commands.registry import Section, command, tap
from bot.locales import N_, Translator
from bot.locales.refusals import refusal
from bot.models import Outgoing
from bot.monitoring.channel_state import ChannelState, ChannelStatus, channel_states
from bot.store import channels, follows, readers
from bot.store.channels import MOST_FAST, Access, Channel, Options
from bot.store.database import Reader, Transaction
from bot.store.follows import Asked, Follow, FollowState
from bot.store.references import ALL, ALL_ASKED, FOLDER
from bot.text.markup import Text, bold, code

_STATUSES = {
    ChannelStatus.PENDING: N_("its admins have to let my reader account in"),
    ChannelStatus.LOST: N_("⚠️ no longer readable"),
    ChannelStatus.UNREAD: N_("⚠️ not read now, as my reader account cannot read any more"),
}


def _show_state(state: ChannelState, context: Context) -> Text:
    """Say how a channel is read, how late its posts may come, and what is wrong with it."""
    t, status, channel, silent_since = context.t, state.status, state.channel, state.stats.silent_since
    marks = [t.gettext(_STATUSES[status])] if status in _STATUSES else [_pace(state, t)]
    if status is ChannelStatus.FIRST:
        marks.append(t.gettext("its last posts are being read"))
    if not channel.may_join and channel.access is Access.POLLED:
        marks.append(t.gettext("never to be joined"))
    if status is ChannelStatus.LATE:
        marks.append(_late(channel, context))
    if silent_since is not None and status is not ChannelStatus.LOST:
        marks.append(t.gettext("⚠️ unusually silent since {time}").format(time=context.date(silent_since)))
    text = Text().add(show_channel(channel.title, channel.username), ": ", "; ".join(marks))
    return text.add(". ", refusal(channel.reason, t)) if channel.reason else text


def show_delay(delay: timedelta, t: Translator) -> str:
    """Write a delay in one unit: «10 min»."""
    return format_timedelta(delay, threshold=1, format="short", locale=t.language)


def _pace(state: ChannelState, t: Translator) -> str:
    channel, delay = state.channel, show_delay(state.delay, t)
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


MOST_AT_ONCE = 500  # as many as one account can be in
_EVERYTHING = {"all", "все", "всё"}
_SHOWN_NAMES = 60  # of one kind in an answer

_OUTCOMES = {
    Asked.NEW: N_("I look at these now and tell you how each went: {names}"),
    Asked.AGAIN: N_("Could not be followed before; I try again: {names}"),
    Asked.LOST: N_("Not readable until now; I look for these anew and tell you how each went: {names}"),
    Asked.WAITING: N_("Asked for already, I am at it: {names}"),
    Asked.FOLLOWED: N_("Followed already: {names}"),
}
_HOW = {
    "fast": N_("asked for new posts every few seconds"),
    "slow": N_("no longer fast"),
    "join:no": N_("never joined, read from outside where my reader account is not in yet"),
    "join:yes": N_("joined when their turn comes"),
}


@tap("follow", need=Need.INSTANCE, argument=r"@\w{1,40}|\d{1,15}|\+[\w-]{10,50}|addlist/[\w-]{8,48}")
@command(
    "follow",
    section=Section.CHANNELS,
    place=2,
    need=Need.INSTANCE,
    usage=N_("@name"),
    summary=N_("follow channels, one or a whole list"),
    examples=(
        (N_("/follow @name t.me/name"), N_("names, links, invite links, the link of a folder, or a whole list")),
        ("/follow all", N_("all that the reader account is in, once you have seen how many")),
        (
            N_("/follow @name fast"),
            N_("ask for new posts every few seconds, as Telegram is late with large ones; at most 20; slow ends it"),
        ),
        (
            N_("/follow @name join:no history:5000"),
            N_("read it from outside, and so much of its past; on a line of its own for a list"),
        ),
    ),
)
async def follow(request: Request, context: Context) -> Effect:
    """Ask for the channels of a pasted list, and say for each what happens."""
    try:
        parts = read_options(request.argument)
    except OptionError as error:
        raise CommandError(_refused(error, context.t)) from None
    if parts[0].names.casefold() in _EVERYTHING:
        return _count_all(context, parts[0].options)
    pasted = _read(parts, request.links)
    if not any(found.references for found in pasted):
        unclear = next((found for found in pasted if found.unclear), None)
        raise CommandError(usage(context.t) if unclear is None else _not_understood(unclear, context.t))

    async def effect(tx: Transaction) -> Reply:
        text = Text()
        for found, part in zip(pasted, parts, strict=True):
            text.add("\n" if len(text) else "").join(await _ask(tx, found, part.options, context))
        return say(text)

    return effect


@tap("all", need=Need.INSTANCE, argument=r"[a-z0-9: ]{0,40}")
async def follow_all(request: Request, context: Context) -> Effect:
    """Follow all that the reader account is in; the button carries how."""
    try:
        options = read_options(request.argument)[0].options
    except OptionError:
        raise CommandError(context.own.gettext("This button no longer works.")) from None

    async def effect(tx: Transaction) -> Reply:
        await follows.ask(tx, ALL, chat_id=context.chat.id, now=context.now, options=options)
        return change(context.t.gettext("I look at all that my reader account is in, one channel after another."))

    return effect


def _read(parts: Sequence[Part], links: Sequence[str]) -> list[PastedChannels]:
    """Read each part; what is hidden behind words goes with the last one, and makes words of no part a mistake."""
    read = [read_references(part.names, links) for part in parts]
    named = [read_references(part.names).references for part in parts[:-1]]
    return [replace(found, references=own) for found, own in zip(read, named, strict=False)] + read[-1:]


def _count_all(context: Context, options: Options) -> Effect:
    async def effect(tx: Transaction) -> Reply:
        await follows.ask(tx, ALL_ASKED, chat_id=context.chat.id, now=context.now, options=options)
        return say(context.t.gettext("I count what my reader account is in, and ask you before I follow it."))

    return effect


async def _ask(tx: Transaction, pasted: PastedChannels, options: Options, context: Context) -> Text:
    references = pasted.references[:MOST_AT_ONCE]
    if options.fast:
        fast = await channels.fast_ones(tx) + len(await _not_fast(tx, references))
        if fast > MOST_FAST:
            line = OPTION_MESSAGES["fast"]
            return Text().say(
                context.t.gettext(line), most=str(MOST_FAST), n=str(fast), example=code("/follow @name slow")
            )
    asked: dict[Asked, list[str]] = {}
    for reference in references:
        outcome = await follows.ask(tx, reference, chat_id=context.chat.id, now=context.now, options=options)
        asked.setdefault(outcome, []).append(show_reference(reference))
    inside = await _inside(tx, references) if options.may_join is False else []
    told = _answer(asked, pasted, options, context.t, inside=inside)
    if asked.keys() - {Asked.FOLLOWED} and not await readers.any_reads(tx):
        told.line(context.t.gettext("My reader account cannot read now; I look at these once it can."))
    return told


async def _inside(db: Reader, references: Sequence[str]) -> list[str]:
    """Return those that a reader has joined."""
    joined = {channel.id: channel for channel in await channels.followed(db) if channel.access is Access.JOINED}
    names = {f"@{channel.username}".lower() for channel in joined.values() if channel.username} | set(map(str, joined))
    names |= {wish.reference for wish in await follows.all_follows(db) if wish.channel_id in joined}
    return [reference for reference in references if reference in names]


async def _not_fast(db: Reader, references: Sequence[str]) -> list[str]:
    """Return those that would become fast; of a folder it is not known yet how many that are."""
    if len(references) > MOST_FAST:
        return list(references)
    known = {reference: await channels.find(db, reference) for reference in references}
    wishes = {wish.reference for wish in await follows.all_follows(db) if wish.options.fast and not wish.channel_id}
    fast = {
        reference
        for reference, channel in known.items()
        if channel is not None and channel.fast and channel.access is not Access.LOST
    }
    return [reference for reference in known if not reference.startswith(FOLDER) and reference not in wishes | fast]


def _answer(
    asked: dict[Asked, list[str]], pasted: PastedChannels, options: Options, t: Translator, *, inside: Sequence[str]
) -> Text:
    text = Text()
    for outcome, template in _OUTCOMES.items():
        if outcome in asked:
            text.line(t.gettext(template), names=_listed(asked[outcome]))
    if options != Options():
        text.line(t.gettext("How: {how}."), how=_how(options, t))
    if inside:
        line = t.gettext("My reader account is in these already and stays there: {names}")
        text.line(line, names=_listed([show_reference(reference) for reference in inside]))
    left = len(pasted.references) - MOST_AT_ONCE
    if left > 0:
        line = t.ngettext(
            "{n} more was too many at once; send it again later.",
            "{n} more were too many at once; send them again later.",
            left,
        )
        text.line(line, n=left)
    return text.join(_not_understood(pasted, t)) if pasted.unclear else text


def _how(options: Options, t: Translator) -> str:
    said = [t.gettext(_HOW[word]) for word in options.typed().split() if word in _HOW]
    if options.history is not None:
        line = t.ngettext("{n} post of the past is read", "{n} posts of the past are read", options.history)
        said.append(line.format(n=_number(options.history, t)))
    return "; ".join(said)


def _refused(error: OptionError, t: Translator) -> Text:
    return Text().say(t.gettext(OPTION_MESSAGES[error.code]), value=error.value[:60], most=_number(MOST_HISTORY, t))


def _not_understood(pasted: PastedChannels, t: Translator) -> Text:
    line = t.gettext("No channel: {names}\nWrite @name or a link such as t.me/name.")
    return Text().say(line, names=_listed([word[:60] for word in pasted.unclear]))


def usage(t: Translator) -> Text:
    """Show how channels are named."""
    text = Text().line(t.gettext("Write the channels after the command, one or a whole list:"))
    text.line("{example}", example=code("/follow @MID_Russia t.me/rkn_tg"))
    text.line(t.gettext("For a private channel send its invite link; or forward me a post of any channel."))
    text.line(t.gettext("A folder's link t.me/addlist/… works too, and {example}."), example=code("/follow all"))
    line = t.gettext("Behind them may stand: {options}.")
    return text.say(line, options=code(t.gettext("fast, slow, join:no, join:yes, history:5000")))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" +{more}" if more > 0 else "")


def _number(number: int, t: Translator) -> str:
    return str(format_decimal(number, locale=t.language))


PAGE = 30  # channels on one page of the list


@command(
    "unfollow",
    section=Section.CHANNELS,
    place=3,
    need=Need.INSTANCE,
    usage=N_("@name"),
    summary=N_("stop following a channel"),
    examples=((N_("/unfollow @name"), N_("no longer followed; its posts stay searchable")),),
)
async def unfollow(request: Request, context: Context) -> Effect:
    """Stop following channels, or withdraw wishes that are not fulfilled."""
    if not request.argument:
        line = context.t.gettext("Write for example: {example}")
        raise CommandError(Text().say(line, example=code("/unfollow @name")))
    names = await _named(context.database, request.argument)

    async def effect(tx: Transaction) -> Reply:
        text = Text()
        for name in names:
            await _unfollow(tx, name, text, context.t)
        return say(text)

    return effect


@command(
    "channels",
    section=Section.CHANNELS,
    place=1,
    need=Need.LOOK,
    summary=N_("the channels I follow"),
    examples=(("/channels", N_("what is followed, how late its posts may come, and what is wrong")),),
)
async def show(request: Request, context: Context) -> Reply:
    """List the channels, first page."""
    del request
    return Reply(messages=(await _page(context, number=0),))


@tap("list", need=Need.LOOK, argument=r"\d{1,4}")
async def show_page(request: Request, context: Context) -> Reply:
    """Turn to another page of the list."""
    return Reply(edit=await _page(context, number=int(request.argument)))


async def _named(db: Reader, argument: str) -> Sequence[str]:
    """Take apart what names channels: titles as they are, since they may hold spaces, else names and links."""
    names: dict[str, None] = {}
    for part in [argument] if await channels.find(db, argument) else re.split(r"[\n,;]+", argument):
        pasted = read_references(part)
        known = await channels.find(db, part)
        names |= dict.fromkeys([part.strip()] if known or not pasted.references else pasted.references)
    return [name for name in names if name]


async def _unfollow(tx: Transaction, name: str, text: Text, t: Translator) -> None:
    channel = await channels.find(tx, name)
    if channel is not None and await channels.unfollow(tx, channel.id):
        line = t.gettext("I no longer follow {channel}. Its posts stay searchable.")
        text.line(line, channel=show_channel(channel.title, channel.username))
    elif await follows.withdraw(tx, channels.normalise_reference(name) or name):
        text.line(t.gettext("I no longer try to follow {name}."), name=show_reference(name))
    else:
        text.line(t.gettext("I follow no channel «{name}». See /channels."), name=show_reference(name)[:100])


async def _page(context: Context, *, number: int) -> Outgoing:
    db, t = context.database, context.t
    states = await channel_states(db, context.now)
    wishes = [follow for follow in await follows.all_follows(db) if follow.state is not FollowState.FOLLOWED]
    titles = {str(channel.id): channel.title for channel in await channels.known(db, [w.reference for w in wishes])}
    shown = (_show_state(state, context) for state in states)
    lines = [*shown, *(_wish_line(wish, titles.get(wish.reference), t) for wish in wishes)]
    if not lines:
        return message(usage(t))
    heading = t.ngettext("I follow {n} channel.", "I follow {n} channels.", len(states))
    text = Text().line(heading, n=bold(str(len(states))))
    joined = [s for s in states if s.channel.access is Access.JOINED and not s.channel.reader_lost]
    if joined:
        line = t.gettext("What Telegram does not push I find within {delay}; it is slow with large channels.")
        text.line(line, delay=show_delay(joined[0].delay, t))
    for shown_line in lines[number * PAGE : (number + 1) * PAGE]:
        text.add("\n").join(shown_line)
    return message(text, _turning(number, len(lines)))


def _turning(number: int, total: int) -> Rows:
    last = (total - 1) // PAGE
    back = (button(f"‹ {number}", "list", number - 1),) if number > 0 else ()
    forth = (button(f"{number + 2} ›", "list", number + 1),) if number < last else ()
    return (back + forth,) if back + forth else ()


def _wish_line(wish: Follow, title: str | None, t: Translator) -> Text:
    """Show a wish; what was named by a number is shown by the title that it is known to have."""
    waiting = wish.state is FollowState.WANTED
    state = t.gettext("waiting to be looked at") if waiting else t.gettext("could not be followed")
    name = show_channel(title, None) if title is not None else show_reference(wish.reference)
    text = Text().add(name, ": ", state)
    if waiting and (options := wish.options.typed()):
        text.add(" (", options, ")")
    return text.add(". ", refusal(wish.reason, t)) if wish.reason else text
