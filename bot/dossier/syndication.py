"""The newest posts of a topic or a search for readers of RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from bot.dossier.formats import FileFormat
from bot.locales import Translator, translator
from bot.models import StoredPost
from bot.rendering.post_text import channel_name, full_text, gone_sentence
from bot.text.markup import one_line

_TITLE, _NAME = 120, 80  # UTF-16 units
_ATOM = "http://www.w3.org/2005/Atom"
_TAG = "tag:channelwatch,2026:"  # RFC 4151: ids that stay, of whatever address the posts are fetched
_NEVER = datetime(2026, 1, 1, tzinfo=UTC)  # when nothing was updated that nothing was found for: Atom wants a time
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 has no place for


class SyndicationFormat(FileFormat):
    """Formats that readers of news take, each with its media type."""

    RSS = "rss", "application/rss+xml"
    ATOM = "atom", "application/atom+xml"
    JSON_FEED = "jsonfeed", "application/feed+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsHeading:
    """What stands above the posts."""

    id: str  # the same for ever, as long as it is asked the same
    name: str  # of the topic, or the search
    language: str
    reached: datetime | None = None  # how far back posts were looked for, where that is not the whole archive


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsItem:
    """A post as such a reader shows it."""

    id: str  # the same for every edit of it
    title: str
    link: str
    author: str
    text: str
    published: datetime
    updated: datetime


def news_item(post: StoredPost, t: Translator, *, is_found: bool = True) -> NewsItem:
    """Show a post as it is now; it says what was deleted, and what an edit has taken out that was found in it."""
    text = full_text(post.text, post.parts, t) or t.gettext("(no text)")
    lines = (one_line(line, _TITLE) for line in text.splitlines())
    notes = []
    if post.gone_at is not None:
        notes.append(gone_sentence(post, t).format(time=f"{post.gone_at:%Y-%m-%d %H:%M} UTC"))
    if not is_found:
        notes.append(t.gettext("Edited since: what was found in it is gone."))
    seen_at = post.seen_at if post.number > 1 else None  # not each path tells when a post was edited
    return NewsItem(
        id=f"{_TAG}{post.channel_id}/{post.message_id}",
        title=next(filter(None, lines), t.gettext("(no text)")),
        link=post.link if post.link.startswith(("https://", "http://")) else "",
        author=channel_name(post, _NAME),
        text="\n\n".join(("\n".join(notes), text)) if notes else text,
        published=post.date,
        updated=max(filter(None, (post.date, post.edit_date, seen_at, post.gone_at))),
    )


def write_syndication(how: SyndicationFormat, heading: NewsHeading, items: Sequence[NewsItem]) -> bytes:
    """Write items, newest first, under a heading; the same ones are always the same bytes."""
    if how is SyndicationFormat.JSON_FEED:
        return _json_feed(heading, items)
    updated = max((item.updated for item in items), default=_NEVER)
    return _rss(heading, items, updated) if how is SyndicationFormat.RSS else _atom(heading, items, updated)


def _about(heading: NewsHeading) -> str:
    """Return a line about all posts: what was not looked through is not passed over."""
    if heading.reached is None:
        return heading.name
    line = translator(heading.language).gettext("Posts back to {date}. There may be older ones.")
    return line.format(date=f"{heading.reached:%Y-%m-%d}")


def _rss(heading: NewsHeading, items: Sequence[NewsItem], updated: datetime) -> bytes:
    root = Element("rss", {"version": "2.0", "xmlns:atom": _ATOM})
    channel = SubElement(root, "channel")
    _add(channel, "title", heading.name)
    _add(channel, "link", "https://telegram.org/")
    _add(channel, "description", _about(heading))
    _add(channel, "language", heading.language)
    _add(channel, "lastBuildDate", format_datetime(updated))
    for each in items:
        item = SubElement(channel, "item")
        _add(item, "title", f"{each.author}: {each.title}")
        if each.link:
            _add(item, "link", each.link)
        _add(item, "guid", each.id, isPermaLink="false")
        _add(item, "pubDate", format_datetime(each.published))
        _add(item, "atom:updated", each.updated.isoformat())  # RSS has no word for it
        _add(item, "description", _escaped(each.text))
    return _document(root)


def _atom(heading: NewsHeading, items: Sequence[NewsItem], updated: datetime) -> bytes:
    root = Element("feed", {"xmlns": _ATOM, "xml:lang": heading.language})
    _add(root, "id", _TAG + quote(heading.id))
    _add(root, "title", heading.name)
    _add(root, "subtitle", _about(heading))
    _add(root, "updated", updated.isoformat())
    for each in items:
        entry = SubElement(root, "entry")
        _add(entry, "id", each.id)
        _add(entry, "title", each.title)
        _add(entry, "published", each.published.isoformat())
        _add(entry, "updated", each.updated.isoformat())
        if each.link:
            SubElement(entry, "link", href=each.link)
        _add(SubElement(entry, "author"), "name", each.author)
        _add(entry, "content", each.text, type="text")
    return _document(root)


def _json_feed(heading: NewsHeading, items: Sequence[NewsItem]) -> bytes:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": heading.name,
        "description": _about(heading),
        "language": heading.language,
        "items": [
            {
                "id": each.id,
                **({"url": each.link} if each.link else {}),
                "title": each.title,
                "content_text": each.text,
                "date_published": each.published.isoformat(),
                "date_modified": each.updated.isoformat(),
                "authors": [{"name": each.author}],
            }
            for each in items
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _add(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = _NO_XML.sub("\ufffd", text)


def _escaped(text: str) -> str:
    """Return a text for a description of RSS, which readers take for HTML."""
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\n", "<br>")):
        text = text.replace(sign, name)
    return text


def _document(root: Element) -> bytes:
    written: bytes = tostring(root, "utf-8", xml_declaration=True)
    return written
