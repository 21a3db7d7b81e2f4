"""A tap under an alert comes in; the post that the alert tells of, and its usual buttons, go out."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from bot.commands.context import Context, Reply, Request, Rows
from bot.commands.keyboards import button
from bot.commands.lookup import Scope, both_scope, channel_scope, find_topic, topic_scope
from bot.commands.mute import SUBJECT, next_monday, read_subject, show_end, silence, subject_of, work_begins
from bot.models import Button, Entity, Outgoing
from bot.rendering.post_text import full_text
from bot.store import channels, feedback, posts
from bot.store.channels import Channel
from bot.store.database import Reader, Transaction
from bot.store.posts import StoredPost
from bot.store.topics import Topic
from bot.text.markup import LIMIT, Text, alert_buttons, one_line, units

POST = r"\d{1,15}:\d{1,10}"  # how data names a post: channel and message


@dataclass(frozen=True, slots=True, kw_only=True)
class Tapped:
    """What the data of a button under an alert says."""

    channel_id: int
    message_id: int
    chosen: tuple[str, ...]  # what follows

    @classmethod
    def read(cls, argument: str) -> "Tapped":
        """Read `channel:message:…`."""
        channel_id, message_id, *chosen = argument.split(":")
        return cls(channel_id=int(channel_id), message_id=int(message_id), chosen=tuple(chosen))

    def button(self, label: str, verb: str, *chosen: str | int) -> Button:
        """Make a button about the same post."""
        return button(label, verb, self.channel_id, self.message_id, *chosen)

    def back(self, context: Context) -> tuple[Button, ...]:
        """Make the row that leads back to the usual buttons."""
        return (self.button(context.t.gettext("Back"), "back"),)

    async def usual(self, db: Reader, context: Context) -> Rows:
        """Return the usual buttons."""
        channel = await channels.get(db, self.channel_id)
        return alert_buttons(self.channel_id, channel.username if channel else None, self.message_id, context.t)


async def back(request: Request, context: Context) -> Reply:
    """Put the usual buttons back."""
    return Reply(buttons=await Tapped.read(request.argument).usual(context.database, context))


def forgotten(context: Context) -> Reply:
    """Say that a post under whose alert somebody tapped is not known any more."""
    return Reply(note=context.own.gettext("I no longer know this post."))


_SPANS = {"1h": timedelta(hours=1), "8h": timedelta(hours=8)}
ARGUMENT = rf"{POST}(:({SUBJECT})(:(1h|8h|7\d{{5}}|ever))?)?"
_MOST_TOPICS = 8  # of one alert that are offered
_LABEL, _NOTE = 50, 120  # characters of a name on a button, and in a note, which Telegram allows 200


async def snooze(request: Request, context: Context) -> Reply:
    """Ask what shall be silent, and for how long; then silence it."""
    tap = Tapped.read(request.argument)
    if not tap.chosen:
        return await _ask_what(tap, context)
    scope = await read_subject(context.database, tap.chosen[0], context.t)
    if scope is None:
        return forgotten(context)
    if len(tap.chosen) == 1:
        return Reply(buttons=_times(tap, scope, context))
    return await _snooze(request, context, tap, scope)


async def _ask_what(tap: Tapped, context: Context) -> Reply:
    channel = await channels.get(context.database, tap.channel_id)
    if channel is None:
        return forgotten(context)
    told = await feedback.alerted(context.database, context.chat.id, tap.channel_id, tap.message_id)
    found = [await find_topic(context.database, name) for name in (told.topics if told else ())]
    topics = [topic for topic in found if topic is not None][:_MOST_TOPICS]
    return Reply(buttons=_scopes(tap, channel, topics, context))


def _scopes(tap: Tapped, channel: Channel, topics: list[Topic], context: Context) -> Rows:
    t = context.t
    rows = [(_choice(tap, channel_scope(channel), t.gettext("Channel {name}")),)]
    for topic in topics:
        rows.append((_choice(tap, topic_scope(topic, t), t.gettext("Topic {name}")),))
        rows.append((_choice(tap, both_scope(topic, channel, t), "{name}"),))
    return (*rows, tap.back(context))


def _choice(tap: Tapped, scope: Scope, label: str) -> Button:
    return tap.button(label.format(name=scope.name.text[:_LABEL]), "snooze", subject_of(scope))


def _times(tap: Tapped, scope: Scope, context: Context) -> Rows:
    t, subject, monday = context.t, subject_of(scope), next_monday(context)
    until = t.gettext("Until Monday, {time}").format(time=context.date(work_begins(monday, context)))
    return (
        (
            tap.button(t.gettext("1 hour"), "snooze", subject, "1h"),
            tap.button(t.gettext("8 hours"), "snooze", subject, "8h"),
        ),
        (tap.button(until, "snooze", subject, monday.toordinal()),),  # as it says, also when it is tapped on Monday
        (tap.button(t.gettext("For good"), "snooze", subject, "ever"),),
        tap.back(context),
    )


def _end(choice: str, context: Context) -> datetime | None:
    if choice.isdigit():
        return work_begins(date.fromordinal(int(choice)), context)
    return context.now + _SPANS[choice] if choice in _SPANS else None


async def _snooze(request: Request, context: Context, tap: Tapped, scope: Scope) -> Reply:
    until = _end(tap.chosen[1], context)
    if until is not None and until <= context.now:
        return Reply(note=context.own.gettext("This button no longer works."))

    async def effect(tx: Transaction) -> Reply:
        await silence(tx, context, scope, until=until)
        named = await read_subject(tx, tap.chosen[0], context.own) or scope
        line = context.own.gettext("Muted here {until}: {name}")
        note = line.format(until=show_end(until, context.private), name=named.name.text[:_NOTE])
        return Reply(buttons=await tap.usual(tx, context), note=note)

    return await context.once(request, effect)


_LONGEST_NAME = 100  # UTF-16 units of a channel's title, and of an author's name
_MINUTE = 60


async def quote(request: Request, context: Context) -> Reply:
    """Quote a post as it stands, or as it last stood."""
    tap = Tapped.read(request.argument)
    versions = await posts.versions(context.database, tap.channel_id, tap.message_id)
    post = next((version for version in versions if version.is_current), None)
    if post is None:
        return forgotten(context)
    source = [_source(post, context, edited=len(versions) > 1), await _origin(post, context), _gone(post, context)]
    return Reply(messages=(_quote(post, "\n".join(filter(None, [*source, post.link])), context),))


def _quote(post: StoredPost, source: str, context: Context) -> Outgoing:
    """Write the text in quotation marks, who said it and when, and the link, all in one block."""
    t = context.t
    text = post.text.strip() or full_text("", post.parts, t)
    quoted = t.gettext("“{text}”")
    if text:
        room = LIMIT - units(source) - units(quoted.format(text="")) - len("\n\n")
        text = quoted.format(text=Text().add(text).cut(room).build()[0])
    else:
        text = t.gettext("(no text)")
    whole = f"{text}\n\n{source}"
    return Outgoing(text=whole, entities=(Entity(kind="pre", offset=0, length=units(whole), value=""),))


def _source(post: StoredPost, context: Context, *, edited: bool) -> str:
    title, author = (
        one_line(post.channel_title, _LONGEST_NAME) or str(post.channel_id),
        one_line(post.author or "", _LONGEST_NAME),
    )
    name = f"{title} ({author})" if author not in {"", title} else title
    facts = [name, _moment(post.date, context)]
    if edited and post.edit_date is not None:
        facts.append(context.t.gettext("edited {time}").format(time=_moment(post.edit_date, context)))
    elif edited:
        facts.append(context.t.gettext("edited"))
    return ", ".join(facts)


async def _origin(post: StoredPost, context: Context) -> str:
    """Say whose words a post passes on: they are not those of its channel."""
    forward, t = post.forward, context.t
    if forward is None:
        return ""
    channel = None if forward.channel_id is None else await channels.get(context.database, forward.channel_id)
    name = one_line(forward.name or (channel.title if channel else ""), _LONGEST_NAME)
    return t.gettext("Forwarded from {name}").format(name=name or t.gettext("another channel"))


def _gone(post: StoredPost, context: Context) -> str:
    if post.gone_at is None:
        return ""
    line = context.t.gettext("No longer visible to our reader since {time}")
    return line.format(time=_moment(post.gone_at, context))


def _moment(moment: datetime, context: Context) -> str:
    """Write a date in full, with its distance from UTC: whoever reads the article knows nothing of the chat."""
    local = moment.astimezone(ZoneInfo(context.chat.time_zone))
    minutes = int((local.utcoffset() or local - local).total_seconds()) // _MINUTE
    hours, rest = divmod(abs(minutes), _MINUTE)
    zone = f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
    written = format_datetime(local, "d MMMM yyyy, HH:mm", locale=context.t.language)
    return f"{written} ({zone if minutes else 'UTC'})"
