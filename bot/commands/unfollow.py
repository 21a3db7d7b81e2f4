"""/unfollow: stops following channels, after a question where that ends alerts of other chats."""

import re
from collections.abc import Collection, Iterable, Sequence

from bot.commands.context import CommandError, Context, Reply, Request, message, remembered, show, writes
from bot.commands.lookup import name_chats, need_channel, show_channel, similar_channels
from bot.commands.parsing import read_references
from bot.commands.registry import Section, command, example, outdated, tap
from bot.commands.rights import Need
from bot.commands.undo import undo_button
from bot.locales import N_
from bot.models.acts import ChannelsUnfollowed
from bot.models.outgoing import Outgoing
from bot.store import acts, channels, chats, follows, subscriptions
from bot.store.acts import Rows
from bot.store.channel_groups import Directory
from bot.store.channels import Channel
from bot.store.database import Reader, Transaction
from bot.store.follows import FollowRequest, FollowState
from bot.text.buttons import CHANNEL, button
from bot.text.markup import Text, bold, code, join_names
from bot.text.references import any_reference, show_reference

_MOST_NAMED = 5  # channels in a question


@tap("unfollow", Need.INSTANCE, r"[\w-]{1,40}")
@command("unfollow", Section.CHANNELS, 3, Need.INSTANCE, N_("stop following a channel"), usage=N_("@name"))
@example(N_("/unfollow @name"), N_("no longer followed; its posts stay searchable"))
@writes
async def unfollow(request: Request, context: Context, tx: Transaction) -> Reply:
    """Stop following channels, or withdraw follow requests; what ends alerts of other chats is asked first.

    The button of that question names the answer that remembers what was typed.
    """
    typed = await remembered(tx, context, request.argument) if request.tapped else request.argument
    t = context.t
    if not typed:
        raise CommandError(t.gettext("For example: {example}"), example=code(t.gettext("/unfollow @name")))
    viewer = context.viewer
    directory = await Directory.load(tx, viewer)
    listed = {name: directory.channel(name) for name in _named(directory, typed)}
    names = {name: None if each is None else await channels.get(tx, each.id) for name, each in listed.items()}
    found = {each.id: each for each in names.values() if each is not None and each.followed_at is not None}
    references = {any_reference(name) or name: name for name in names}
    wishes = [
        each
        for each in await follows.all_follows(tx, viewer)
        if each.state is not FollowState.FOLLOWED and each.reference in references and each.channel_id not in found
    ]
    others = await _others(tx, found, wishes, context)
    if others and not request.tapped:
        question = await _question(tx, _called(found.values(), wishes), others, request, context)
        return Reply(messages=(question,), memory=typed)
    act = await _unfollow(tx, list(found.values()), wishes, others, context)
    withdrawn, text = {references[each.reference] for each in wishes}, Text()
    for name, channel in names.items():
        if channel is not None and channel.id in found:
            line = t.gettext("I no longer follow {channel}. Its posts stay searchable.")
            text.line(line, channel=show_channel(channel.title, channel.username))
        elif name in withdrawn:
            text.line(t.gettext("I have stopped trying to follow {name}."), name=show_reference(name))
        else:
            text.line(
                t.gettext("I do not follow a channel called «{name}». See /channels."), name=show_reference(name)[:100]
            ).join(await similar_channels(tx, name, context))
    return show(request, message(text, () if act is None else ((undo_button(act, t),),)))


@tap("stop", Need.INSTANCE, CHANNEL)
@writes
async def ask(request: Request, context: Context, tx: Transaction) -> Reply:
    """Ask whether the channel of a screen is to be unfollowed, and say for how many chats that ends it."""
    channel = await need_channel(tx, int(request.argument), context)
    if channel.followed_at is None:
        raise outdated(context)
    others = await _others(tx, [channel.id], [], context)
    question = await _question(tx, [channel.title], others, request, context, keep=("channel", channel.id))
    return Reply(edit=question, memory=str(channel.id))


async def _others(
    db: Reader, channel_ids: Iterable[int], wishes: Iterable[FollowRequest], context: Context
) -> set[int]:
    """Return the ids of the other chats that get alerts from channels, or wait for one to be followed."""
    waiting = [each for each in wishes if each.state is FollowState.WANTED]
    reached = await subscriptions.chats_reached(db, channel_ids)
    return {*reached, *await follows.asking(db, waiting)} - {context.chat.id}


async def _question(  # noqa: PLR0913 - what ends, for whom, and what leaves it as it is
    db: Reader,
    names: Sequence[str],
    others: Collection[int],
    request: Request,
    context: Context,
    *,
    keep: tuple[str | int, ...] = ("keep",),
) -> Outgoing:
    t, line = context.t, context.t.gettext("Only this chat gets {names}. Unfollow?")
    if others:
        line = t.ngettext(
            "This also ends {names} for {n} other chat. Unfollow?",
            "This also ends {names} for {n} other chats. Unfollow?",
            len(others),
        )
    row = (button(t.gettext("Unfollow"), "unfollow", request.key), button(t.gettext("Keep it"), *keep))
    text = Text().line(line, n=len(others), names=bold(join_names(names, _MOST_NAMED)))
    return message(text.add(name_chats(await chats.by_ids(db, others))), (row,))


def _called(found: Iterable[Channel], wishes: Iterable[FollowRequest]) -> list[str]:
    return [*(each.title for each in found), *(show_reference(each.reference) for each in wishes)]


async def _unfollow(
    tx: Transaction,
    found: Sequence[Channel],
    wishes: Sequence[FollowRequest],
    others: Collection[int],
    context: Context,
) -> int | None:
    """Stop following channels, and withdraw requests, with a notice to the others; return the number of the act."""
    if not found and not wishes:
        return None
    keys = (("channels", "id"), ("follows", "channel_id"))
    rows = [Rows(table, key, each.id) for each in found for table, key in keys]
    rows += [Rows("channels", "id", each.comments_in) for each in found if each.comments_in is not None]
    rows += [Rows("follows", "id", each.id) for each in wishes]
    act = ChannelsUnfollowed(names=tuple(_called(found, wishes)))
    is_restricted = any(each.restricted for each in found) or any(each.access is not None for each in wishes)
    async with acts.recorded(
        tx, act, context.actor, *rows, now=context.now, restricted=is_restricted, concerned=others
    ) as recording:
        for channel in found:
            await channels.unfollow(tx, channel.id, now=context.now)
        for wish in wishes:
            await follows.withdraw(tx, wish.reference)
    return recording.id


def _named(directory: Directory, argument: str) -> Sequence[str]:
    """Return the channels that a text names: titles as they are, since they may hold spaces, else names and links."""
    names: dict[str, None] = {}
    for part in [argument] if directory.channel(argument) else re.split(r"[\n,;]+", argument):
        pasted = read_references(part, sites=True)
        is_known = directory.channel(part) is not None
        names |= dict.fromkeys([part.strip()] if is_known or not pasted.references else pasted.references)
    return [name for name in names if name]
