"""/channels: the followed channels with their delays and troubles, in pages; each opens at a tap."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from babel.dates import format_timedelta

from bot.commands.context import Context, Reply, Request, change, message, show, writes
from bot.commands.follow import usage
from bot.commands.lookup import show_channel
from bot.commands.questions import ask
from bot.commands.registry import Section, command, example, tap
from bot.commands.rights import Need
from bot.locales import N_, Translator
from bot.locales.refusals import refusal
from bot.models import Network
from bot.models.outgoing import Outgoing
from bot.monitoring.channel_state import ChannelState, ChannelStatus, channel_states
from bot.rendering.follow_list import typed_options
from bot.store import access, channels, follows
from bot.store.access import Restrictable
from bot.store.channels import Access, Channel
from bot.store.database import Reader, Transaction
from bot.store.follows import FollowRequest, FollowState
from bot.text.buttons import button, rows_of
from bot.text.markup import Text, bold, one_line
from bot.text.pages import page_of
from bot.text.references import show_reference

_STATUSES = {
    ChannelStatus.PENDING: N_("its admins have to let my reader account in"),
    ChannelStatus.LOST: N_("⚠️ no longer readable"),
    ChannelStatus.UNREAD: N_("⚠️ not read now, as no reader account can read it"),
}
PAGE = 10  # channels on one page of the list
_LABEL = 30  # UTF-16 units of a title on a button
_WORD = 40  # bytes of a word that is looked for: a button's data hold 64


@tap("list", Need.LOOK, rf"\d{{1,4}}(:[^:]{{1,{_WORD}}})?")
@command("channels", Section.CHANNELS, 1, Need.LOOK, N_("the channels I follow"), usage=N_("word"))
@example("/channels", N_("what is followed; a tap on one shows its state, its alerts here and what can be done"))
@example(N_("/channels ministry"), N_("those with this word in the title or name"))
async def list_channels(request: Request, context: Context) -> Reply:
    """List the channels, or those with a word: the first page, or the one that a button names."""
    number, _, word = request.argument.partition(":") if request.tapped else ("0", "", request.argument)
    return show(request, await _screen(context, int(number), _tidy(word)))


@tap("find", Need.LOOK)
@writes
async def find_channels(request: Request, context: Context, tx: Transaction) -> Reply:
    """Wait for a word of the titles that are looked for."""
    t = context.t
    text = Text().line(t.gettext("Which word is in the title or name?"))
    text.join(await ask(tx, request, context, "channels", subject=t.gettext("Find a channel")))
    return change(text, ((button(t.gettext("Back"), "list", 0),),))


def _tidy(word: str) -> str:
    return (
        " ".join(word.replace(":", " ").split()).removeprefix("@").casefold().encode()[:_WORD].decode(errors="ignore")
    )


async def _screen(context: Context, number: int, word: str) -> Outgoing:
    """Draw a page: a line for each channel and each request that is open, and a button for each channel."""
    db, t = context.database, context.t
    states = [each for each in await seen_states(db, context, since=None) if _fits(each.channel, word)]
    lines = [(show_state(state, context), state.channel) for state in states]
    listed = [*lines, *((line, None) for line in await _request_lines(db, context, word))]
    if not listed and not word and context.may(Need.INSTANCE):
        return message(usage(t))
    page = page_of(listed, number, PAGE)
    text = _heading(states, word, context)
    for line, _ in page.items:
        text.add("\n").join(line)
    open_one = [button(one_line(each.title, _LABEL), "channel", each.id) for _, each in page.items if each is not None]
    after = (word,) if word else ()
    last = [button(t.gettext("All channels"), "list", 0)] if word else []
    if page.last or word:
        last.append(button(t.gettext("Find a channel"), "find"))
    rows = (*rows_of(open_one, 2), *page.turns("list", after=after), *((tuple(last),) if last else ()))
    return message(text, rows)


def _fits(channel: Channel, word: str) -> bool:
    return any(word in (name or "").casefold() for name in (channel.title, channel.username, channel.address))


def _heading(states: Sequence[ChannelState], word: str, context: Context) -> Text:
    t, n = context.t, len(states)
    if word:
        line = t.ngettext("{n} channel with «{word}»", "{n} channels with «{word}»", n)
        return Text().line(line, n=bold(str(n)), word=word)
    text = Text().line(t.ngettext("I follow {n} channel.", "I follow {n} channels.", n), n=bold(str(n)))
    joined = [s for s in states if s.channel.access is Access.JOINED and not s.channel.reader_lost and not s.stats.page]
    if joined:
        line = t.gettext("What Telegram does not push, I find within {delay}; Telegram is slow with large channels.")
        text.line(line, delay=show_delay(joined[0].delay, t))
    return text


async def seen_states(db: Reader, context: Context, *, since: datetime | None) -> list[ChannelState]:
    """Return the states of the followed channels that this chat sees, by title; posts are counted from `since` on."""
    hidden = await access.hidden(db, Restrictable.CHANNEL, context.viewer)
    states = await channel_states(db, context.now, since=since)
    return [state for state in states if state.channel.id not in hidden]


async def _request_lines(db: Reader, context: Context, word: str) -> list[Text]:
    """Return a line for each follow request that is not fulfilled and has a word in its name."""
    wishes = [
        follow for follow in await follows.all_follows(db, context.viewer) if follow.state is not FollowState.FOLLOWED
    ]
    titles = {str(channel.id): channel.title for channel in await channels.by_ids(db, [w.reference for w in wishes])}
    return [
        _request_line(wish, titles.get(wish.reference), context.t)
        for wish in wishes
        if word in titles.get(wish.reference, wish.reference).casefold()
    ]


def _request_line(wish: FollowRequest, title: str | None, t: Translator) -> Text:
    """Show a follow request; where it names a channel by number, by the title, if that is known."""
    waiting = wish.state is FollowState.WANTED
    state = t.gettext("waiting to be looked at") if waiting else t.gettext("could not be followed")
    name = show_channel(title, None) if title is not None else show_reference(wish.reference)
    text = Text().add(name, ": ", state)
    if waiting and (options := wish.options.typed()):
        text.add(" (", typed_options(options, t), ")")
    return text.add(". ", refusal(wish.reason, t)) if wish.reason else text


def show_state(state: ChannelState, context: Context) -> Text:
    """Show how a channel is read, how late its posts may come, and its troubles."""
    t, status, channel, silent_since = context.t, state.status, state.channel, state.stats.silent_since
    marks = [t.gettext(_STATUSES[status])] if status in _STATUSES else [_pace(state, t)]
    if channel.comments_of is not None:
        marks.insert(0, t.gettext("comments on a channel"))
    marks += _page_marks(state, t)
    if status is ChannelStatus.FIRST:
        marks.append(t.gettext("its last posts are being read"))
    is_never_joined = not channel.may_join and channel.access is Access.POLLED and channel.comments_of is None
    if is_never_joined and state.stats.page is None:
        marks.append(t.gettext("never to be joined"))
    if status is ChannelStatus.LATE and channel.swept_at is None:
        marks.append(t.gettext("⚠️ not read yet"))
    elif status is ChannelStatus.LATE and channel.swept_at is not None:
        marks.append(t.gettext("⚠️ not read since {time}").format(time=context.date(channel.swept_at)))
    if status is ChannelStatus.UNCHECKED and state.checked_at is not None:
        line = t.gettext("⚠️ not checked for edits and deletions since {time}")
        marks.append(line.format(time=context.date(state.checked_at)))
    marks += _unreadable_marks(state, t)
    if silent_since is not None and status is not ChannelStatus.LOST:
        marks.append(t.gettext("⚠️ unusually silent since {time}").format(time=context.date(silent_since)))
    text = Text().add("🔒 " if channel.restricted else "", show_channel(channel.title, channel.username), ": ")
    text.add("; ".join(marks))
    return text.add(". ", refusal(channel.reason, t)) if channel.reason else text


def _page_marks(state: ChannelState, t: Translator) -> Iterator[str]:
    """Yield what troubles the reading of a channel's web page."""
    page = state.stats.page
    if page is not None and page.trouble and state.status is not ChannelStatus.PAGE:
        yield refusal(page.trouble, t).rstrip(".")
    if page is not None and page.gap_below is not None:
        yield t.gettext("older posts are still being read")


def _unreadable_marks(state: ChannelState, t: Translator) -> Iterator[str]:
    hidden, unreadable = state.stats.hidden, state.stats.unreadable - state.stats.hidden
    if hidden:
        line = t.ngettext("{n} post is not shown on its page", "{n} posts are not shown on its page", hidden)
        yield line.format(n=hidden)
    if unreadable:
        line = t.ngettext("⚠️ {n} post cannot be read", "⚠️ {n} posts cannot be read", unreadable)
        yield line.format(n=unreadable)


def show_delay(delay: timedelta, t: Translator) -> str:
    """Write a delay in one unit: «10 min»."""
    return format_timedelta(delay, threshold=1, format="short", locale=t.language)


def _pace(state: ChannelState, t: Translator) -> str:
    channel, delay = state.channel, show_delay(state.delay, t)
    if channel.network is Network.SITE:
        return t.gettext("a site, up to {delay} late").format(delay=delay)
    if state.status is ChannelStatus.PAGE:
        return t.gettext("🌐 through its web page, up to {delay} late").format(delay=delay)
    if channel.access is Access.POLLED:
        fast, usual = t.gettext("fast, from outside, up to {delay} late"), t.gettext("from outside, up to {delay} late")
        return (fast if channel.fast else usual).format(delay=delay)
    return t.gettext("fast, seconds") if channel.fast else t.gettext("joined, seconds")
