"""The screen on which owners and editors set up a channel of the team's own, and owners a target."""

from dataclasses import replace

from bot.commands.context import Context, message
from bot.commands.keyboards import MOST_SWITCHES, topic_rows
from bot.commands.lookup import listed
from bot.commands.registry import outdated
from bot.commands.rights import Need, allows
from bot.locales import LANGUAGE_NAMES
from bot.locales.locale import topic_title
from bot.locales.refusals import target_trouble
from bot.locales.zones import show_zone
from bot.models.outgoing import Button, ButtonRows, Outgoing, PeerKind
from bot.models.people import Viewer
from bot.store import channels, subscriptions, targets, topics
from bot.store.chats import Chat
from bot.store.database import Reader
from bot.store.targets import PAUSED, Target
from bot.text.buttons import button
from bot.text.markup import Text, bold, code, one_line

_MAX_DATA = 64  # bytes, Telegram's limit
_LABEL, _TITLE = 30, 60  # UTF-16 units of a title on a button, and in a line


def may_set_targets(context: Context) -> bool:
    """Tell whether who speaks may see and set targets: owners, in private."""
    return allows(context.role, Need.TEAM, private=(context.home or context.chat).peer.kind is PeerKind.USER)


async def setup_screen(db: Reader, chat: Chat, context: Context) -> Outgoing:
    """Draw what a channel or target gets and how it is set, in the language of who sets it up."""
    return await (_target_screen if chat.is_target else _channel_screen)(db, chat, context)


async def _channel_screen(db: Reader, chat: Chat, context: Context) -> Outgoing:
    """Draw what a channel gets, in the language of who sets it up; one that is followed as a source alerts nobody."""
    t, source = context.t, await channels.get(db, chat.peer.id)
    text = Text().line(t.gettext("I post alerts in our channel {chat}."), chat=bold(one_line(chat.title, _TITLE)))
    if chat.suspended is not None:
        text.line(
            t.gettext(
                "⚠️ I cannot post there right now. Make me an admin with the right to post, and its alerts will resume."
            )
        )
    if source is not None and source.followed_at is not None:
        text.line(t.gettext("⚠️ I also follow this channel. Its posts bring no alerts, as my own are among them."))
    rows = await _add_settings(db, chat, context, text)
    return message(text, (*rows, (button(t.gettext("Stop posting there"), "post_in", chat.id, "stop"),)))


async def _target_screen(db: Reader, chat: Chat, context: Context) -> Outgoing:
    """Draw a target: how it is doing, but never its address."""
    t, target = context.t, await targets.get(db, chat.id, context.now)
    if target is None:
        raise outdated(context)
    text = Text().add(bold(one_line(chat.title, _TITLE)), f" · {target.service}\n")
    text.line(describe_target(target, context))
    if target.dead:
        text.line(t.ngettext("{n} message never arrived.", "{n} messages never arrived.", target.dead), n=target.dead)
    rows = await _add_settings(db, chat, context, text)
    switch = (t.gettext("Pause"), "pause") if target.chat.suspended is None else (t.gettext("Switch on"), "on")
    last = (button(switch[0], "target", chat.id, switch[1]), button(t.gettext("Remove"), "target", chat.id, "remove"))
    return message(text, (*rows, last, (button(t.gettext("All targets"), "targets"),)))


def describe_target(target: Target, context: Context) -> str:
    """Say in one line how a target is doing."""
    t = context.t
    if target.chat.suspended == PAUSED:
        return t.gettext("⏸ paused")
    if target.chat.suspended is not None:
        return t.gettext("⛔ stopped ({reason})").format(reason=target_trouble(target.chat.suspended, t))
    if target.failing_since is not None:
        line = t.gettext("⚠️ has taken nothing since {time}; waiting: {n}")
        return line.format(time=context.date(target.failing_since), n=target.waiting)
    if target.taken_at is None:
        return t.gettext("not used yet")
    return t.gettext("✅ last message taken: {time}").format(time=context.date(target.taken_at))


async def _add_settings(db: Reader, chat: Chat, context: Context, text: Text) -> ButtonRows:
    """Add what a chat gets and how it is set; return the buttons that change it."""
    t, on = context.t, await subscriptions.priorities(db, chat.id)
    all_topics = listed(await topics.all_topics(db, Viewer(chat_id=chat.id)), on)
    names = ", ".join(topic_title(each.name, t) for each in all_topics if each.id in on)
    text.line(t.gettext("Topics: {topics}"), topics=bold(names or t.gettext("none yet, tap to choose")))
    text.line(t.gettext("Language: {language}"), language=bold(LANGUAGE_NAMES[chat.language]))
    zone = show_zone(chat.time_zone, t.language, context.now)
    text.line(t.gettext("Time zone: {zone}"), zone=bold(zone))
    ask_zone: ButtonRows = ()
    if not chat.zone_chosen:
        text.line(t.gettext("No time zone has been chosen here yet."))
        ask_zone = ((button(t.gettext("Time zone"), "settings", "zone"),),)
    text.line()
    line = t.gettext("What you tap here applies there, and so does any other command: {example}")
    text.say(line, example=code(f"/for {one_line(chat.title, _LABEL)} /quiet 23:00-07:00"))
    rows = (
        *ask_zone,
        (button(t.gettext("Settings"), "settings"), button(t.gettext("Test alert"), "test")),
        (button(t.gettext("Priorities"), "/priority"), button(t.gettext("Muted"), "/mute")),
        *topic_rows(all_topics[:MOST_SWITCHES], on, t, screen="setup"),
    )
    return rows_for(rows, chat)


def rows_for(rows: ButtonRows, chat: Chat) -> ButtonRows:
    """Let buttons count for a channel; one whose data grow too long by that is left out."""
    wrapped = (tuple(_for(each, chat) for each in row) for row in rows)
    fitting = (tuple(each for each in row if each.data is None or len(each.data) <= _MAX_DATA) for row in wrapped)
    return tuple(filter(None, fitting))


def _for(each: Button, chat: Chat) -> Button:
    data = each.data
    return each if data is None else replace(each, data=f"for:{chat.id}:".encode() + data)
