"""What is written without a command in private: a search; a forwarded post or a link to one is looked up."""

from collections.abc import Sequence
from dataclasses import replace

from bot.commands import post, search, setup, spread
from bot.commands.context import Context, ForwardOrigin, Reply, Request, say
from bot.commands.follow import SHOWN_NAMES
from bot.commands.lookup import offer_following, show_channel
from bot.commands.parsing import find_zone, read_references
from bot.commands.rights import USES, Need
from bot.commands.targets import is_address, no_target
from bot.commands.verdict import verdict_of_text
from bot.store import channels
from bot.text.buttons import button
from bot.text.markup import Text, code, join_names
from bot.text.references import any_reference, show_reference

_LONG = 200  # characters; more is a text that somebody pasted, and no search


async def answer(request: Request, context: Context) -> Reply:
    """Look up what was forwarded or pasted, offer what else may be meant, or else search for the words."""
    if request.origin is not None:
        return await _forwarded(request, request.origin, context)
    if is_address(request.argument):
        return no_target(request.argument, context)
    return await _typed(request, context)


async def _typed(request: Request, context: Context) -> Reply:
    if find_zone(request.argument):
        return _or_search(setup.offer_zone(request, context), request, context)
    address = any_reference(request.argument)
    if address is not None and address.startswith("http"):
        return await _linked(address, request, context)
    named = read_references(request.argument, request.links, explicit_only=True).references
    if named:
        return await _named(named, request, context)
    if len(request.argument) > _LONG:
        return _or_search(await spread.like_text(request.argument, context), request, context)
    line = context.t.gettext(USES)
    return await search.answer(request, context, request.argument, comfort=line) if request.argument else say(line)


async def _linked(address: str, request: Request, context: Context) -> Reply:
    """Look up the post of a site's link, or say how the site is followed."""
    stored = await post.find_linked(request.argument, context)
    if stored:
        return Reply(messages=(await post.show(stored, context),))
    line = context.t.gettext("To follow the site, write: {command}")
    return _or_search(say(line, command=code(f"/follow {address}")), request, context)


async def _named(named: Sequence[str], request: Request, context: Context) -> Reply:
    """Look up the post of a link, or offer to follow the channels that were named."""
    link, t, names = post.find_link(request.argument, request.links), context.t, list(map(show_reference, named))
    if len(named) > 1:
        return _pasted(names, context, request)
    stored = await post.find_linked(link, context) if link else []
    if stored:
        return Reply(messages=(await post.show(stored, context),))
    offer = offer_following(named[0], names[0], context)
    if not link:
        line = t.gettext("To follow it, write: {command}")
        return _or_search(say(line, offer, command=code(f"/follow {' '.join(names)}")), request, context)
    channel = await channels.find(context.database, link, viewer=context.viewer)
    if channel is not None and channel.followed_at is not None:
        return say(t.gettext("This post is not stored."))
    return say(t.gettext("I do not follow the channel of this post."), offer)


def _pasted(names: Sequence[str], context: Context, request: Request) -> Reply:
    """Offer to follow all channels of a pasted list, to those who may."""
    t, n = context.t, len(names)
    line = t.ngettext("You named {n} channel: {names}", "You named {n} channels: {names}", n)
    text = Text().line(line, n=n, names=join_names(names, SHOWN_NAMES))
    if not context.may(Need.INSTANCE):
        return say(text.add(t.gettext("Only owners and editors can follow channels.")))
    label = t.ngettext("Follow {n} channel", "Follow {n} channels", n).format(n=n)
    return replace(say(text, ((button(label, "paste", request.key),),)), memory="\n".join(names))


def _or_search(reply: Reply, request: Request, context: Context) -> Reply:
    """Offer to search for what was written, too."""
    (offer,) = reply.messages
    row = (button(context.t.gettext("Search for these words"), "more", request.key),)
    return replace(reply, messages=(replace(offer, buttons=(*offer.buttons, row)),), memory=request.argument)


async def _forwarded(request: Request, origin: ForwardOrigin, context: Context) -> Reply:
    """Show a stored post; of another one say whether its channel is followed, and which topics it fits."""
    stored = await post.find_origin(origin, context)
    if stored:
        return Reply(messages=(await post.show(stored, context),))
    t, reference = context.t, f"@{origin.username}" if origin.username else str(origin.channel_id)
    title = origin.title or reference
    channel = await channels.find(context.database, str(origin.channel_id), viewer=context.viewer)
    is_followed = channel is not None and channel.followed_at is not None
    line = t.gettext("This is from {channel}, which I do not follow.")
    if is_followed:
        line = t.gettext("This is from {channel}. I have not stored this post.")
    rows = () if is_followed else offer_following(reference, reference if origin.username else title, context)
    text = Text().line(line, channel=show_channel(title, origin.username))
    if request.argument:
        rows = (*rows, (button(t.gettext("More like this"), "alike", request.key),))
    return replace(say(text.join(await verdict_of_text(request.argument, context)), rows), memory=request.argument)
