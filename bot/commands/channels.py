"""The channels: the list of them goes out, and channels that nobody wants any more go out of the store."""

import re
from collections.abc import Sequence
from datetime import timedelta

from bot.commands.context import Context
from bot.commands.following import usage
from bot.commands.keyboards import button
from bot.commands.lookup import show_channel, show_reference
from bot.commands.marks import show_delay, show_marks
from bot.commands.references import read_list
from bot.commands.talk import Reply, Request, Rows, message, say
from bot.locales import Translator
from bot.locales.refusals import refusal
from bot.models import Outgoing
from bot.monitoring.channel_state import Delays
from bot.store import channels, follows, pace, silences
from bot.store.channels import Access
from bot.store.database import Reader, Transaction
from bot.store.follows import Follow, FollowState
from bot.text.markup import Text, bold, code

PAGE = 30  # channels on one page of the list


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
    return Reply(messages=(await _page(context, number=0),))


async def show_page(request: Request, context: Context) -> Reply:
    """Turn to another page of the list."""
    return Reply(edit=await _page(context, number=int(request.argument)))


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
    elif await follows.withdraw(tx, channels.normalise_reference(name) or name):
        text.line(t.gettext("I no longer try to follow {name}."), name=show_reference(name))
    else:
        text.line(t.gettext("I follow no channel «{name}». See /channels."), name=show_reference(name)[:100])


async def _page(context: Context, *, number: int) -> Outgoing:
    db, t = context.database, context.t
    followed = await channels.followed(db)
    wishes = [follow for follow in await follows.all_follows(db) if follow.state is not FollowState.FOLLOWED]
    delays, silent = Delays.of(followed, await pace.get(db)), await silences.present(db)
    shown = (
        Text().add(show_channel(c.title, c.username), ": ").join(show_marks(c, delays, silent.get(c.id), context))
        for c in followed
    )
    titles = {str(channel.id): channel.title for channel in await channels.known(db, [w.reference for w in wishes])}
    lines = [*shown, *(_wish_line(wish, titles.get(wish.reference), t) for wish in wishes)]
    if not lines:
        return message(usage(t))
    heading = t.ngettext("I follow {n} channel.", "I follow {n} channels.", len(followed))
    text = Text().line(heading, n=bold(str(len(followed))))
    if any(channel.access is Access.JOINED and not channel.reader_lost for channel in followed):
        line = t.gettext("What Telegram does not push I find within {delay}; it is slow with large channels.")
        text.line(line, delay=show_delay(timedelta(seconds=delays.pace.round), t))
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
