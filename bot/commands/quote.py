"""«Quote» under an alert: a tap comes in; what one pastes into an article goes out, in a block to copy at a touch."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from bot.commands.alert_buttons import Tapped, forgotten
from bot.commands.context import Context
from bot.commands.talk import Reply, Request
from bot.locales.titles import in_full
from bot.models import Entity, Outgoing
from bot.store import channels, posts
from bot.store.posts import StoredPost
from bot.text.markup import LIMIT, Text, one_line, units

_NAME = 100  # UTF-16 units of a channel's title, and of an author's name
_MINUTE = 60


async def tapped(request: Request, context: Context) -> Reply:
    """Quote a post as it stands, or as it last stood."""
    tap = Tapped.read(request.argument)
    versions = await posts.versions(context.database, tap.channel_id, tap.message_id)
    post = next((version for version in versions if version.current), None)
    if post is None:
        return forgotten(context)
    source = [_source(post, context, edited=len(versions) > 1), await _origin(post, context), _gone(post, context)]
    return Reply(messages=(_quote(post, "\n".join(filter(None, [*source, post.link])), context),))


def _quote(post: StoredPost, source: str, context: Context) -> Outgoing:
    """Write the text in quotation marks, who said it and when, and the link, all in one block."""
    t = context.t
    text = post.text.strip() or in_full("", post.asides, t)
    quoted = t.gettext("“{text}”")
    if text:
        room = LIMIT - units(source) - units(quoted.format(text="")) - len("\n\n")
        text = quoted.format(text=Text().add(text).cut(room).build()[0])
    else:
        text = t.gettext("(no text)")
    whole = f"{text}\n\n{source}"
    return Outgoing(text=whole, entities=(Entity(kind="pre", offset=0, length=units(whole), value=""),))


def _source(post: StoredPost, context: Context, *, edited: bool) -> str:
    title, author = one_line(post.channel_title, _NAME) or str(post.channel_id), one_line(post.author or "", _NAME)
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
    name = one_line(forward.name or (channel.title if channel else ""), _NAME)
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
