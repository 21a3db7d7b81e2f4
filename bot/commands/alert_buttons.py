"""The buttons under alerts and under groups of alerts: quote the post, snooze its topic or channel, turn pages.

«Snooze» asks twice, in place of the usual buttons: the topic, the channel, or the topic in this channel; and for how
long. «Quote» gives what one pastes into an article, in a block to copy at a touch.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from bot.commands.context import CommandError, Context, Effect, Reply, Request
from bot.commands.lookup import channel_by_id, topics_named
from bot.commands.mute import MONDAY, mute_scope, muted, next_day, show_end, work_begins
from bot.commands.mute_scope import SCOPE, MuteScope, read_scope
from bot.commands.registry import outdated, tap
from bot.commands.rights import Need
from bot.locales.zones import show_offset
from bot.models import Entity, StoredPost
from bot.models.outgoing import Button, ButtonRows, Outgoing
from bot.rendering.alert import alert_buttons
from bot.rendering.groups import render_page
from bot.rendering.post_text import channel_name, full_text, gone_sentence
from bot.store import feedback, groups, posts
from bot.store.database import Reader, Transaction
from bot.text.buttons import POST, button, rows_of
from bot.text.language import language_of
from bot.text.markup import LIMIT, Text, one_line, units

_SPANS = {"1h": timedelta(hours=1), "8h": timedelta(hours=8)}
_MOST_TOPICS = 8  # of one alert that are offered
_LABEL, _NOTE = 50, 120  # characters of a name on a button, and in a note, which Telegram allows 200
_LONGEST_NAME = 100  # UTF-16 units of a channel's title, and of an author's name
_ABOVE_ALL = 1 << 63  # numbers by which Telegram tells messages apart


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTap:
    """A button's data under an alert, taken apart."""

    channel_id: int
    message_id: int
    chosen: tuple[str, ...]  # what follows

    @classmethod
    def read(cls, argument: str) -> "AlertTap":
        """Read `channel:message:…`."""
        channel_id, message_id, *chosen = argument.split(":")
        return cls(channel_id=int(channel_id), message_id=int(message_id), chosen=tuple(chosen))

    def button(self, label: str, verb: str, *chosen: str | int) -> Button:
        """Make a button about the same post."""
        return button(label, verb, self.channel_id, self.message_id, *chosen)

    def back(self, context: Context) -> tuple[Button, ...]:
        """Make the row that leads back to the usual buttons."""
        return (self.button(context.t.gettext("Back"), "back"),)

    async def usual(self, db: Reader, context: Context) -> ButtonRows:
        """Return the usual buttons."""
        url = await posts.link_of(db, self.channel_id, self.message_id)
        alerted = await feedback.find_alerted(db, context.chat.id, self.channel_id, self.message_id)
        is_foreign = alerted is None or language_of(alerted.post.whole) != context.t.language
        return alert_buttons(self.channel_id, self.message_id, url, context.t, is_foreign=is_foreign)


@tap("back", Need.LOOK, POST)
async def back(request: Request, context: Context) -> Reply:
    """Put the usual buttons back."""
    return Reply(buttons=await AlertTap.read(request.argument).usual(context.database, context))


def forgotten(context: Context) -> CommandError:
    """Return the error for a tap under the alert of a post that is not stored any more."""
    return CommandError(context.own.gettext("I no longer know this post."))


@tap("snooze", Need.CHAT, rf"{POST}(:({SCOPE})(:(1h|8h|7\d{{5}}|ever))?)?")
async def snooze(request: Request, context: Context) -> Reply | Effect:
    """Ask which topic or channel shall be silent, and for how long; with both in the data, snooze."""
    tap = AlertTap.read(request.argument)
    if not tap.chosen:
        return Reply(buttons=await _scope_rows(tap, context))
    scope = await read_scope(context.database, tap.chosen[0], context)
    if scope is None:
        raise forgotten(context)
    if len(tap.chosen) == 1:
        return Reply(buttons=_time_rows(tap, scope, context))
    end, until = tap.chosen[1], None
    if end.isdigit():
        until = work_begins(date.fromordinal(int(end)), context)
    elif end in _SPANS:
        until = context.now + _SPANS[end]
    if until is not None and until <= context.now:
        raise outdated(context)

    async def effect(tx: Transaction) -> Reply:
        await mute_scope(tx, context, scope, until=until)
        named = await read_scope(tx, tap.chosen[0], context.for_speaker) or scope
        line = context.own.gettext("Muted in this chat {until}: {name}")
        note = line.format(until=show_end(until, context.for_speaker), name=named.name.text[:_NOTE])
        # A note is seen by who taps alone; in a group the others lose alerts, too.
        said = () if context.private else (muted(scope, context, until=until),)
        return Reply(messages=said, buttons=await tap.usual(tx, context), note=note)

    return effect


async def _scope_rows(tap: AlertTap, context: Context) -> ButtonRows:
    """Offer the channel, each topic of the alert, and the topic in the channel."""
    t, db = context.t, context.database
    channel = await channel_by_id(db, tap.channel_id, context.viewer)
    if channel is None:
        raise forgotten(context)
    alerted = await feedback.find_alerted(db, context.chat.id, tap.channel_id, tap.message_id)
    scopes = [(t.gettext("Channel {name}"), MuteScope.of(None, channel, t))]
    for topic in (await topics_named(db, alerted.topics if alerted else (), context.viewer))[:_MOST_TOPICS]:
        scopes.append((t.gettext("Topic {name}"), MuteScope.of(topic, None, t)))
        scopes.append(("{name}", MuteScope.of(topic, channel, t)))
    buttons = (tap.button(line.format(name=each.name.text[:_LABEL]), "snooze", each.data) for line, each in scopes)
    return (*rows_of(buttons, 1), tap.back(context))


def _time_rows(tap: AlertTap, scope: MuteScope, context: Context) -> ButtonRows:
    t, data, monday = context.t, scope.data, next_day(context, MONDAY)
    until = t.gettext("Until Monday, {time}").format(time=context.date(work_begins(monday, context)))
    return (
        (tap.button(t.gettext("1 hour"), "snooze", data, "1h"), tap.button(t.gettext("8 hours"), "snooze", data, "8h")),
        (tap.button(until, "snooze", data, monday.toordinal()),),  # as it says, also when it is tapped on Monday
        (tap.button(t.gettext("For good"), "snooze", data, "ever"),),
        tap.back(context),
    )


@tap("quote", Need.LOOK, POST)
async def quote(request: Request, context: Context) -> Reply:
    """Quote a post as it stands, or last stood: its text in quotation marks and its source, all in one block."""
    tap = AlertTap.read(request.argument)
    if await channel_by_id(context.database, tap.channel_id, context.viewer) is None:
        raise forgotten(context)
    versions = await posts.versions(context.database, tap.channel_id, tap.message_id)
    post = next((version for version in versions if version.is_current), None)
    if post is None:
        raise forgotten(context)
    source, t = await _source(post, context, is_edited=len(versions) > 1), context.t
    text = post.text.strip() or full_text("", post.parts, t)
    quoted = t.gettext("“{text}”")
    if text:
        room = LIMIT - units(source) - units(quoted.format(text="")) - len("\n\n")
        text = quoted.format(text=Text().add(text).cut(room).build()[0])
    else:
        text = t.gettext("(no text)")
    whole = f"{text}\n\n{source}"
    block = Entity(kind="pre", offset=0, length=units(whole), value="")
    return Reply(messages=(Outgoing(text=whole, entities=(block,)),))


async def _source(post: StoredPost, context: Context, *, is_edited: bool) -> str:
    """Write in lines who posted when, whose words they are, since when the post is gone, and its link."""
    t = context.t
    title = channel_name(post, _LONGEST_NAME)
    author = one_line(post.author or "", _LONGEST_NAME)
    facts = [f"{title} ({author})" if author not in {"", title} else title, _moment(post.date, context)]
    if is_edited and post.edit_date is not None:
        facts.append(t.gettext("edited {time}").format(time=_moment(post.edit_date, context)))
    elif is_edited:
        facts.append(t.gettext("edited"))
    lines = [", ".join(facts)]
    if post.forward is not None:
        origin_id = post.forward.channel_id
        channel = None if origin_id is None else await channel_by_id(context.database, origin_id, context.viewer)
        name = one_line(post.forward.name or (channel.title if channel else ""), _LONGEST_NAME)
        lines.append(t.gettext("Forwarded from {name}").format(name=name or t.gettext("another channel")))
    if post.gone_at is not None:
        lines.append(gone_sentence(post, t).format(time=_moment(post.gone_at, context)))
    return "\n".join(filter(None, [*lines, post.link]))


def _moment(moment: datetime, context: Context) -> str:
    """Write a date in full, with its distance from UTC: whoever reads the article knows nothing of the chat."""
    local = moment.astimezone(ZoneInfo(context.chat.time_zone))
    shown = format_datetime(local, "d MMMM yyyy, HH:mm", locale=context.t.language)
    return f"{shown} ({show_offset(local) if local.utcoffset() else 'UTC'})"


@tap("sum", Need.LOOK, r"-?\d{1,19}:\d{1,4}(:new)?")
async def turn_group(request: Request, context: Context) -> Reply:
    """Show a page of a group of alerts: the first in a message of its own, the others in its place."""
    number, page, *new = request.argument.split(":")
    is_possible = abs(int(number)) < _ABOVE_ALL
    if not is_possible:
        raise outdated(context)
    summary = await groups.find(context.database, context.chat.id, int(number), context.viewer)
    if summary is None:
        raise outdated(context)
    shown = render_page(summary, int(page), context.locale)
    return Reply(messages=(shown,)) if new else Reply(edit=shown)
