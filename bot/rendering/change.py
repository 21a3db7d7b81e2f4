"""A change of a post comes in, the reply that tells a chat of it, under its alert, goes out. Pure."""

from dataclasses import dataclass
from datetime import datetime

from bot.locales.locale import Locale
from bot.locales.titles import topic_title
from bot.matching.similarity.diff import difference
from bot.models import Button, Outgoing, post_link
from bot.parts import Part
from bot.rendering.alert import TITLE_ROOM, TOPIC_ROOM, no_longer_visible
from bot.rendering.post_text import comparable_texts, full_text
from bot.text.markup import Text, link, one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class PostChange:
    """All that the reply says."""

    channel_id: int
    title: str
    username: str | None
    message_id: int
    date: datetime
    text: str
    parts: tuple[Part, ...] = ()
    before: str | None  # the text before an edit; None where the post is no longer visible
    parts_before: tuple[Part, ...] = ()
    edited_at: datetime | None = None
    joined: tuple[str, ...] = ()  # topics that it fits only now
    gone_at: datetime | None = None
    part: tuple[int, int] | None = None  # of an album: how many of its items are gone, where others are left


def render_change(change: PostChange, locale: Locale) -> Outgoing:
    """Write what an edit has changed, or what a post that is gone had said; the link stays however long that is."""
    gettext = locale.t.gettext
    url = post_link(change.channel_id, change.username, change.message_id)
    title = one_line(change.title, TITLE_ROOM) or change.username or str(change.channel_id)
    text = Text().add(link(title, url), " · ")
    if change.gone_at is not None:
        text.add(no_longer_visible(change.gone_at, locale, relative_to=locale.now, part=change.part), "\n")
        text.add(full_text(change.text, change.parts, locale.t) or gettext("(no text)"))
    else:
        text.add(_edited(change, locale), "\n")
        if change.joined:
            titles = [one_line(topic_title(name, locale.t), TOPIC_ROOM) for name in change.joined]
            text.line(gettext("Now also: {topics}"), topics=", ".join(titles))
        before, after = (change.before or "", change.parts_before), (change.text, change.parts)
        text.join(difference(*comparable_texts(before, after, locale.t)))
    written, entities = text.cut().build()
    history = Button(text=gettext("History"), data=f"post:{change.channel_id}:{change.message_id}".encode())
    return Outgoing(text=written, entities=entities, buttons=((history,),))


def render_confirmation(change: PostChange, locale: Locale) -> Outgoing:
    """Write that a second channel says what the alert says."""
    name = f"@{change.username}" if change.username else one_line(change.title, TITLE_ROOM) or str(change.channel_id)
    url = post_link(change.channel_id, change.username, change.message_id)
    time = locale.date(change.date, relative_to=locale.now)
    text = Text().say(locale.t.gettext("Confirmed by {channel}, {time}"), channel=link(name, url), time=time)
    written, entities = text.build()
    return Outgoing(text=written, entities=entities)


def _edited(change: PostChange, locale: Locale) -> str:
    gettext = locale.t.gettext
    if change.edited_at is None:
        return gettext("edited")
    return gettext("edited {time}").format(time=locale.date(change.edited_at, relative_to=locale.now))
