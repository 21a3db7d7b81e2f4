"""Replies under an alert: what an edit changed, what a post that is gone said, and that a second channel says the same.

Pure.
"""

from bot.locales.locale import Locale
from bot.locales.titles import topic_title
from bot.matching.similarity.diff import difference
from bot.models import Button, Outgoing
from bot.models.alerts import AlertChange
from bot.models.posts import StoredPost
from bot.rendering.alert import NAME_ROOM, TOPIC_ROOM, gone_line
from bot.rendering.post_text import channel_name, comparable_texts, full_text
from bot.text.markup import Text, link, one_line


def render_change(change: AlertChange, post: StoredPost, before: StoredPost | None, locale: Locale) -> Outgoing:
    """Write what an edit has changed from the version `before`, or the whole post where it is gone, with its link."""
    t = locale.t
    text = Text().add(link(channel_name(post, NAME_ROOM), post.link), " · ")
    if change.gone_at is not None:
        text.add(gone_line(change.gone_at, change.gone_items, locale, relative_to=locale.now), "\n")
        text.add(full_text(post.text, post.parts, t) or t.gettext("(no text)"))
    else:
        text.add(_edited(post, locale), "\n")
        if change.joined:
            titles = [one_line(topic_title(name, t), TOPIC_ROOM) for name in change.joined]
            text.line(t.gettext("Now also: {topics}"), topics=", ".join(titles))
        old = (before.text, before.parts) if before is not None else ("", ())
        text.join(difference(*comparable_texts(old, (post.text, post.parts), t)))
    written, entities = text.cut().build()
    history = Button(text=t.gettext("History"), data=f"post:{post.channel_id}:{post.message_id}".encode())
    return Outgoing(text=written, entities=entities, buttons=((history,),))


def render_confirmation(post: StoredPost, locale: Locale) -> Outgoing:
    """Write that the post of a second channel says what the alert says."""
    name = f"@{post.channel_username}" if post.channel_username else channel_name(post, NAME_ROOM)
    text, time = locale.t.gettext("Confirmed by {channel}, {time}"), locale.date(post.date, relative_to=locale.now)
    written, entities = Text().say(text, channel=link(name, post.link), time=time).build()
    return Outgoing(text=written, entities=entities)


def _edited(post: StoredPost, locale: Locale) -> str:
    if post.edit_date is None:
        return locale.t.gettext("edited")
    return locale.t.gettext("edited {time}").format(time=locale.date(post.edit_date, relative_to=locale.now))
