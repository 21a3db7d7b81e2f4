"""The screen of one channel: its state, what it brought to this chat, and what can be done with it, each at a tap."""

from datetime import timedelta

from bot.commands.channels import seen_states, show_state
from bot.commands.context import CommandError, Context, Reply, Request, message, writes
from bot.commands.enlistment import feed_button, has_feed, set_feed
from bot.commands.follow import NO_OCR, setting_options
from bot.commands.lookup import need_channel
from bot.commands.mute import mute_scope, mutes_of, show_end, unmute_scope
from bot.commands.mute_scope import MuteScope
from bot.commands.past import describe_past
from bot.commands.registry import tap
from bot.commands.rights import Need
from bot.locales import Translator
from bot.models import Network
from bot.models.outgoing import ButtonRows, Outgoing
from bot.monitoring.channel_state import ChannelState
from bot.rendering.withheld import show_withholdings
from bot.runtime import tesseract
from bot.search.coverage import coverage_of
from bot.store import channels, readers, stats
from bot.store.channel_groups import Directory
from bot.store.channels import MOST_FAST, Channel, Options
from bot.store.database import Reader, Transaction
from bot.text.buttons import CHANNEL, button, rows_of, switch
from bot.text.markup import Text, bold, one_line

_NAME = 40  # UTF-16 units of a group's name
_SPANS = {"8h": timedelta(hours=8), "7d": timedelta(days=7), "on": None}  # of a mute; None: for good
_COUNTED = (timedelta(days=7), timedelta(days=30))
_OPTIONS = {
    "fast": Options(fast=True),
    "slow": Options(fast=False),
    "join": Options(may_join=True),
    "stay": Options(may_join=False),
    "comments": Options(comments=True),
    "nocomments": Options(comments=False),
    "ocr": Options(ocr=True),
    "noocr": Options(ocr=False),
    "compare": Options(witness=True),
    "trust": Options(witness=False),
}


@tap("channel", Need.LOOK, CHANNEL)
async def show_screen(request: Request, context: Context) -> Reply:
    """Show the screen of a channel."""
    return Reply(edit=await _screen(context.database, context, request.argument))


@tap("hush", Need.CHAT, rf"{CHANNEL}:(8h|7d|on|off)")
@writes
async def hush(request: Request, context: Context, tx: Transaction) -> Reply:
    """Mute the channel in this chat for a while or for good, or unmute it."""
    number, _, span = request.argument.partition(":")
    scope = MuteScope.of(None, await _channel(tx, number, context), context.t)
    if span == "off":
        await unmute_scope(tx, context, scope)
    else:
        length = _SPANS[span]
        await mute_scope(tx, context, scope, until=None if length is None else context.now + length)
    return Reply(edit=await _screen(tx, context, number))


@tap("how", Need.INSTANCE, rf"{CHANNEL}:({'|'.join(_OPTIONS)})")
@writes
async def set_option(request: Request, context: Context, tx: Transaction) -> Reply:
    """Change how the channel is followed."""
    number, _, option = request.argument.partition(":")
    channel = await _channel(tx, number, context)
    if option == "fast" and not channel.fast and await channels.count_fast(tx) >= MOST_FAST:
        line = context.own.gettext("At most {most} channels can be fast. Make another one slow first.")
        raise CommandError(line, most=MOST_FAST)
    options = _OPTIONS[option]
    if options.comments and not await readers.any_reads(tx):
        raise CommandError(
            context.own.gettext("Only a reader account can ask that, and none can read now: /status says why.")
        )
    async with setting_options(tx, context, [channel], options):
        await channels.apply_options(tx, channel.id, options, chat_id=context.chat.id, asked_at=context.now)
    note = context.own.gettext("I am looking for its comments and will report.") if options.comments else None
    return Reply(edit=await _screen(tx, context, number), note=note)


@tap("every", Need.CHAT, rf"{CHANNEL}:(on|off)")
@writes
async def switch_feed(request: Request, context: Context, tx: Transaction) -> Reply:
    """Let this chat get every post of the channel, or no longer."""
    number, _, state = request.argument.partition(":")
    channel = await _channel(tx, number, context)
    await set_feed(tx, context, str(channel.id), channel.title, is_on=state == "on")
    return Reply(edit=await _screen(tx, context, number))


async def _channel(db: Reader, number: str, context: Context) -> Channel:
    """Return the followed channel that a button names. Raises CommandError where there is none any more."""
    channel = await need_channel(db, int(number), context)
    if channel.followed_at is None:
        raise CommandError(context.own.gettext("I no longer follow this channel."))
    return channel


async def _screen(db: Reader, context: Context, number: str) -> Outgoing:
    channel = await _channel(db, number, context)
    state = next(each for each in await seen_states(db, context, since=None) if each.channel.id == channel.id)
    muted = [
        each for each, scope in await mutes_of(db, context) if (scope.channel_id, scope.topic_id) == (channel.id, None)
    ]
    until = show_end(muted[0].until, context) if muted else ""
    coverage = await coverage_of(db, [channel.id], now=context.now)
    past = describe_past(coverage, context, [channel.id], since=None)
    text = await _facts(db, state, past.line, context)
    if channel.ocr and not tesseract.is_installed():
        text.line(context.t.gettext(NO_OCR))
    if muted:
        text.line(context.t.gettext("Muted in this chat {until}."), until=until)
    is_fed = await has_feed(db, str(channel.id), context.chat.id)
    return message(
        text,
        (
            *_actions(channel, context, is_muted=bool(muted), is_fed=is_fed),
            *past.rows,
            *_last(channel, context),
        ),
    )


async def _facts(db: Reader, state: ChannelState, past: str, context: Context) -> Text:
    """Write the state of a channel, up to when it was checked, its last post, and the alerts that it brought here."""
    t, channel = context.t, state.channel
    text = show_state(state, context).add("\n\n")
    if state.checked_at is not None:
        text.line(t.gettext("Nothing is missing up to {time}."), time=context.date(state.checked_at))
    if state.stats.page is not None:
        line = t.gettext("No reader account reads it, so I have read its web page since {time}.")
        text.line(line, time=context.date(state.stats.page.since))
        text.line(
            t.gettext("Pages show no long formatted posts and no edits of older ones; deletions are noticed late.")
        )
    elif channel.is_witnessed:
        text.line(t.gettext("Each hour I compare it with its web page; what was missed is reported to the owners."))
    if channel.withholdings:
        line = t.gettext("⚠️ Telegram hides this channel: {where}. Seen so since {date}.")
        where = show_withholdings(channel.withholdings, t, quoted=True)
        text.line(line, where=where, date=context.date(channel.withheld_at or context.now))
    text.add(past, "\n")
    last = state.stats.last_post_at
    text.line(t.gettext("Last post: {time}"), time=t.gettext("none stored") if last is None else context.date(last))
    counts = [await stats.count_alerts(db, context.chat.id, channel.id, context.now - span) for span in _COUNTED]
    if groups := (await Directory.load(db, context.viewer)).groups_of(channel.id):
        names = ", ".join(one_line(each.name, _NAME) for each in groups)
        text.line(t.gettext("In the groups: {names}"), names=names)
    line = t.gettext("Alerts in this chat: {week} in 7 days, {month} in 30 days")
    return text.line(line, week=bold(str(counts[0])), month=bold(str(counts[1])))


def _actions(channel: Channel, context: Context, *, is_muted: bool, is_fed: bool) -> ButtonRows:
    """Offer what can be done with a channel here; a new action is one more row here."""
    t, number = context.t, channel.id
    first = [button(t.gettext("Newest posts"), "latest", number, 0)]
    if _is_broadcast(channel):
        first.append(button(t.gettext("Similar channels"), "similar", number))
    rows = [tuple(first)]
    if context.offers(Need.CHAT) and is_muted:
        rows.append((button(t.gettext("Unmute"), "hush", number, "off"),))
    elif context.offers(Need.CHAT):
        labels = {"8h": t.gettext("Mute 8 h"), "7d": t.gettext("7 days"), "on": t.gettext("For good")}
        rows.append(tuple(button(label, "hush", number, span) for span, label in labels.items()))
    if context.offers(Need.CHAT):
        rows.append((feed_button("every", number, t, is_on=is_fed),))
    if context.offers(Need.INSTANCE):
        rows.append((button(t.gettext("Groups"), "groups_of", number),))
        rows += _ways(channel, t)
    return tuple(rows)


def _is_broadcast(channel: Channel) -> bool:
    return channel.network is Network.TELEGRAM and channel.kind == "broadcast"


def _ways(channel: Channel, t: Translator) -> ButtonRows:
    """Offer other ways to follow a channel; all sites are read in one way."""
    if channel.network is not Network.TELEGRAM:
        return ()
    choices = [
        ("slow", t.gettext("No longer fast")) if channel.fast else ("fast", t.gettext("Fast")),
        ("stay", t.gettext("Never join")) if channel.may_join else ("join", t.gettext("May join")),
        ("noocr", t.gettext("No longer read pictures")) if channel.ocr else ("ocr", t.gettext("Read pictures")),
    ]
    buttons = [button(label, "how", channel.id, option) for option, label in choices]
    if _is_broadcast(channel):
        has_comments = channel.comments_in is not None
        option = "nocomments" if has_comments else "comments"
        buttons.append(switch(t.gettext("Comments"), "how", channel.id, option, is_on=has_comments))
    rows = [*rows_of(buttons, 2)]
    if channel.has_page:
        page = ("compare", t.gettext("Compare with web page"))
        if channel.is_witnessed:
            page = ("trust", t.gettext("No longer compare"))
        rows.append((button(page[1], "how", channel.id, page[0]),))
    return tuple(rows)


def _last(channel: Channel, context: Context) -> ButtonRows:
    t, row = context.t, [button(context.t.gettext("All channels"), "list", 0)]
    if not context.offers(Need.INSTANCE):
        return (tuple(row),)
    private = t.gettext("Who can find it") if channel.restricted else t.gettext("Keep it to this chat")
    return (
        (button(private, "only", f"c{channel.id}"), button(t.gettext("Unfollow"), "stop", channel.id)),
        tuple(row),
    )
