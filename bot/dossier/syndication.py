"""The newest posts of a topic or a search for readers of RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from xml.etree.ElementTree import Element, SubElement, tostring

from bot.locales import Translator
from bot.models import StoredPost
from bot.rendering.post_text import channel_name, full_text, gone_sentence
from bot.text.markup import one_line

MOST = 100  # posts
_TITLE, _NAME = 120, 80  # UTF-16 units
_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 has no place for


class SyndicationFormat(StrEnum):
    """Formats that readers of news take."""

    RSS = "rss"
    ATOM = "atom"
    JSON_FEED = "jsonfeed"


MIME = {
    SyndicationFormat.RSS: "application/rss+xml",
    SyndicationFormat.ATOM: "application/atom+xml",
    SyndicationFormat.JSON_FEED: "application/feed+json",
}


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


def write_syndication(
    how: SyndicationFormat, name: str, found: Sequence[StoredPost], t: Translator, *, now: datetime
) -> bytes:
    """Write posts, newest first, under the name of a topic or a search; it says what was deleted since."""
    items = [_item(post, t) for post in found]
    updated = max((item.updated for item in items), default=now)
    if how is SyndicationFormat.JSON_FEED:
        return _json_feed(name, items)
    return _rss(name, items, updated) if how is SyndicationFormat.RSS else _atom(name, items, updated)


def _item(post: StoredPost, t: Translator) -> NewsItem:
    text = full_text(post.text, post.parts, t) or t.gettext("(no text)")
    first = next((line for line in text.splitlines() if line.strip()), text)
    if post.gone_at is not None:
        time = f"{post.gone_at:%Y-%m-%d %H:%M} UTC"
        text = f"{gone_sentence(post, t).format(time=time)}\n\n{text}"
    return NewsItem(
        id=f"tag:channelwatch,2026:{post.channel_id}/{post.message_id}",
        title=one_line(first, _TITLE),
        link=post.link if post.link.startswith(("https://", "http://")) else "",
        author=channel_name(post, _NAME),
        text=text,
        published=post.date,
        updated=max(filter(None, (post.date, post.edit_date, post.gone_at))),
    )


def _rss(name: str, items: Sequence[NewsItem], updated: datetime) -> bytes:
    root = Element("rss", version="2.0")
    channel = SubElement(root, "channel")
    _add(channel, "title", name)
    _add(channel, "link", "https://telegram.org/")
    _add(channel, "description", name)
    _add(channel, "lastBuildDate", format_datetime(updated))
    for each in items:
        item = SubElement(channel, "item")
        _add(item, "title", f"{each.author}: {each.title}")
        if each.link:
            _add(item, "link", each.link)
        _add(item, "guid", each.id, isPermaLink="false")
        _add(item, "pubDate", format_datetime(each.published))
        _add(item, "description", _escaped(each.text))
    return _document(root)


def _atom(name: str, items: Sequence[NewsItem], updated: datetime) -> bytes:
    root = Element("feed", xmlns=_ATOM)
    _add(root, "id", f"tag:channelwatch,2026:{name}")
    _add(root, "title", name)
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


def _json_feed(name: str, items: Sequence[NewsItem]) -> bytes:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": name,
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
