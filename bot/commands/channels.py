"""Channels: names and links that people paste come in, wishes to follow go into the store; the list goes out."""

import re
from collections.abc import Sequence

from bot.commands.context import Context
from bot.commands.keyboards import button
from bot.commands.naming import show_channel, show_reference
from bot.commands.references import Pasted, read_list
from bot.commands.talk import Reply, Request, Rows, message, say
from bot.locales import N_, Translator
from bot.locales.refusals import refusal
from bot.markup import Text, bold, code
from bot.models import Outgoing
from bot.store import channels
from bot.store.channels import Access, Asked, Channel, Follow, FollowState
from bot.store.database import Reader, Transaction

PAGE = 30  # channels on one page of the list
MOST_AT_ONCE = 500  # as many as one account can be in
_SHOWN_NAMES = 60  # of one kind in an answer

_OUTCOMES = {
    Asked.NEW: N_("I look at these now and tell you how each went: {names}"),
    Asked.AGAIN: N_("Could not be followed before; I try again: {names}"),
    Asked.WAITING: N_("Asked for already, I am at it: {names}"),
    Asked.FOLLOWED: N_("Followed already: {names}"),
}
_ACCESS = {
    Access.POLLED: N_("not joined yet, read about once a minute"),
    Access.PENDING: N_("its admins have to let my reader account in"),
    Access.LOST: N_("no longer readable"),
}


async def follow(request: Request, context: Context) -> Reply:
    """Ask for the channels of a pasted list, and say for each what happens."""
    pasted = read_list(request.argument, request.links)
    if not pasted.references:
        return say(_not_understood(pasted, context.t) if pasted.unclear else _usage(context.t))

    async def effect(tx: Transaction) -> Reply:
        asked: dict[Asked, list[str]] = {}
        for reference in pasted.references[:MOST_AT_ONCE]:
            outcome = await channels.ask(tx, reference, chat_id=context.chat.id, now=context.now)
            asked.setdefault(outcome, []).append(show_reference(reference))
        return say(_told(asked, pasted, context.t))

    return await context.once(request, effect)


async def unfollow(request: Request, context: Context) -> Reply:
    """Stop following channels, or withdraw wishes that are not fulfilled."""
    if not request.argument:
        return say(Text().say(context.t.gettext("Write for example: {example}"), example=code("/unfollow @name")))
    names = await _named(context.database, request.argument)

    async def effect(tx: Transaction) -> Reply:
        text = Text()
        for name in names:
            await _unfollow(tx, name, text, context.t)
        return say(text)

    return await context.once(request, effect)


async def show(request: Request, context: Context) -> Reply:
    """List the channels, first page."""
    del request
    return Reply(messages=(await _page(context.database, context.t, number=0),))


async def show_page(request: Request, context: Context) -> Reply:
    """Turn to another page of the list."""
    return Reply(edit=await _page(context.database, context.t, number=int(request.argument)))


async def _named(db: Reader, argument: str) -> Sequence[str]:
    """Take apart what names channels: titles as they are, since they may hold spaces, else names and links."""
    names: dict[str, None] = {}
    for part in [argument] if await channels.find(db, argument) else re.split(r"[\n,;]+", argument):
        pasted = read_list(part)
        known = await channels.find(db, part)
        names |= dict.fromkeys([part.strip()] if known or not pasted.references else pasted.references)
    return [name for name in names if name]


async def _unfollow(tx: Transaction, name: str, text: Text, t: Translator) -> None:
    channel = await channels.find(tx, name)
    if channel is not None and await channels.unfollow(tx, channel.id):
        line = t.gettext("I no longer follow {channel}. Its posts stay searchable.")
        text.line(line, channel=show_channel(channel.title, channel.username))
    elif await channels.withdraw(tx, channels.normalise_reference(name) or name):
        text.line(t.gettext("I no longer try to follow {name}."), name=show_reference(name))
    else:
        text.line(t.gettext("I follow no channel «{name}». See /channels."), name=show_reference(name)[:100])


def _told(asked: dict[Asked, list[str]], pasted: Pasted, t: Translator) -> Text:
    text = Text()
    for outcome, template in _OUTCOMES.items():
        if outcome in asked:
            text.line(t.gettext(template), names=_listed(asked[outcome]))
    left = len(pasted.references) - MOST_AT_ONCE
    if left > 0:
        line = t.ngettext(
            "{n} more was too many at once; send it again later.",
            "{n} more were too many at once; send them again later.",
            left,
        )
        text.line(line, n=left)
    return text.join(_not_understood(pasted, t)) if pasted.unclear else text


def _not_understood(pasted: Pasted, t: Translator) -> Text:
    line = t.gettext("No channel: {names}\nWrite @name or a link such as t.me/name.")
    return Text().say(line, names=_listed([word[:60] for word in pasted.unclear]))


def _usage(t: Translator) -> Text:
    text = Text().line(t.gettext("Write the channels after the command, one or a whole list:"))
    text.line("{example}", example=code("/follow @MID_Russia t.me/rkn_tg"))
    return text.add(t.gettext("For a private channel send its invite link; or forward me a post of any channel."))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" +{more}" if more > 0 else "")


async def _page(db: Reader, t: Translator, *, number: int) -> Outgoing:
    followed = await channels.followed(db)
    wishes = [follow for follow in await channels.all_follows(db) if follow.state is not FollowState.FOLLOWED]
    lines = [*(_channel_line(channel, t) for channel in followed), *(_wish_line(wish, t) for wish in wishes)]
    if not lines:
        return message(_usage(t))
    heading = t.ngettext("I follow {n} channel.", "I follow {n} channels.", len(followed))
    text = Text().line(heading, n=bold(str(len(followed))))
    for line in lines[number * PAGE : (number + 1) * PAGE]:
        text.add("\n").join(line)
    return message(text, _turning(number, len(lines)))


def _turning(number: int, total: int) -> Rows:
    last = (total - 1) // PAGE
    back = (button(f"‹ {number}", "list", number - 1),) if number > 0 else ()
    forth = (button(f"{number + 2} ›", "list", number + 1),) if number < last else ()
    return (back + forth,) if back + forth else ()


def _channel_line(channel: Channel, t: Translator) -> Text:
    text = Text().add(show_channel(channel.title, channel.username))
    state = _ACCESS.get(channel.access or Access.PENDING)
    if state is not None:
        text.add(": ", t.gettext(state))
    return text.add(". ", refusal(channel.reason, t)) if channel.reason else text


def _wish_line(wish: Follow, t: Translator) -> Text:
    waiting = wish.state is FollowState.WANTED
    state = t.gettext("waiting to be looked at") if waiting else t.gettext("could not be followed")
    text = Text().add(show_reference(wish.reference), ": ", state)
    return text.add(". ", refusal(wish.reason, t)) if wish.reason else text
