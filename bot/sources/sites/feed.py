"""Reads a site's feed, RSS or Atom, or finds the feed that a page of the site names. Pure, and slow with large ones."""

import calendar
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin
from xml.sax import SAXParseException

from selectolax.lexbor import LexborHTMLParser

from bot.models import Entity
from bot.search.deadline import Deadline
from bot.sources.page_text import BLOCKS, PageText, read_text
from bot.store.database import Reader
from bot.text.markup import units

if TYPE_CHECKING:
    from feedparser import FeedParserDict

MOST_ENTRIES = 5000  # of a feed; real ones list 10 to 100
LONGEST_LINK = 2000  # characters
LONGEST = 50_000  # characters of an entry
_LONGEST_TITLE = 128  # characters of a title or an author, as on Telegram: they stand in every message
LONGEST_GUID = 500  # characters
_FEEDS = frozenset({"application/rss+xml", "application/atom+xml"})
_CHARACTER = re.compile(rb"&#([xX][0-9a-fA-F]{1,8}|[0-9]{1,8});")
_SURROGATES = range(0xD800, 0xE000)
_YEARS = range(1990, 2100)  # of a date that means something
_NO_TEXT = PageText(text="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a feed."""

    guid: str  # names it within the feed
    link: str | None
    text: str  # the title is its first paragraph
    entities: tuple[Entity, ...]
    published: datetime | None
    author: str | None
    raw: bytes  # what the feed says of it, as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFeed:
    """A feed as it was read."""

    title: str
    entries: tuple[Entry, ...]  # as listed: as a rule the newest first


async def find_feed(
    _: Reader, body: bytes, url: str, content_type: str, *, deadline: Deadline
) -> SiteFeed | str | None:
    """Read an answer in a search process, which may be killed: a broken feed may take very long.

    Return a feed, or the address of the one that a page names, or None for what is neither.
    """
    del deadline
    try:
        return read_feed(body, url, content_type) or linked_feed(body, url)
    except RecursionError:  # elements in elements without end
        return None


def read_feed(body: bytes, url: str, content_type: str = "") -> SiteFeed | None:
    """Read a feed as it came from an address; None where it is none."""
    import feedparser  # noqa: PLC0415 - a tenth of a second, which only sites pay

    headers = {"content-type": content_type or "application/xml", "content-location": url}
    # A file, since of bytes feedparser would try whether they are the name of one.
    sound = _CHARACTER.sub(_whole, body)
    found = feedparser.parse(BytesIO(sound), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    if not found.get("version"):
        return None
    given = found.entries[:MOST_ENTRIES]
    if isinstance(found.get("bozo_exception"), SAXParseException):  # what is cut off may have lost its name
        given = [each for each in given if each.get("id") or each.get("link")]
    listed = [_entry(each, url) for each in given]
    return SiteFeed(
        title=_name(_words(found.feed.get("title_detail"), url).text),
        entries=tuple(_each_once([each for each in listed if each.text])),
    )


def _whole(character: re.Match[bytes]) -> bytes:
    """Replace half a pair of UTF-16 that is named by its number: no text may hold it, and feedparser fails at it."""
    digits, is_hex = character[1].lower().lstrip(b"x"), character[1][:1] in b"xX"
    return b"&#xFFFD;" if int(digits, 16 if is_hex else 10) in _SURROGATES else character[0]


def linked_feed(body: bytes, url: str) -> str | None:
    """Return the address of the feed that a page names first; None where it names none."""
    for node in LexborHTMLParser(body).css("link[rel~=alternate][href]"):
        if (node.attributes.get("type") or "").strip().lower() in _FEEDS:
            return _address(node.attributes.get("href"), url)
    return None


def _entry(given: "FeedParserDict", base: str) -> Entry:
    link = _address(given.get("link"), base)
    title, body = _words(given.get("title_detail"), base), _body(given, link or base)
    if title.text:
        bold = Entity(kind="bold", offset=0, length=units(title.text))
        title = PageText(text=title.text, entities=(bold,))
    shown = PageText.joined(each for each in (title, body) if each.text and (each is title or each.text != title.text))
    digest = hashlib.sha256(shown.text.encode("utf-8", "replace")).hexdigest()
    guid = given.get("id") or link or digest
    return Entry(
        guid=guid if len(guid) <= LONGEST_GUID else hashlib.sha256(guid.encode("utf-8", "replace")).hexdigest(),
        link=link,
        text=shown.text,
        entities=shown.entities,
        published=_date(given, "published_parsed") or _date(given, "updated_parsed"),
        author=_name(str(given.get("author") or "")) or None,
        raw=json.dumps({"feed": base, "entry": given}, ensure_ascii=False, sort_keys=True, default=_plain).encode(),
    )


def _each_once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Leave out what is listed twice; of different entries with one guid, each has its link in it."""
    listed = {(each.guid, each.link): each for each in reversed(list(entries))}
    count = Counter(guid for guid, _ in listed)
    for each in reversed(listed.values()):
        yield each if count[each.guid] == 1 else replace(each, guid=f"{each.guid}\n{each.link}")


def _body(given: "FeedParserDict", base: str) -> PageText:
    """Return the longest of the texts that an entry has: some give a summary, some all of it, some both."""
    details = [given.get("summary_detail"), *(given.get("content") or ())]
    return max((_words(each, base) for each in details), key=lambda each: len(each.text), default=_NO_TEXT)


def _words(detail: Mapping[str, Any] | None, base: str) -> PageText:
    """Read a text, which is HTML or plain, with whole addresses in its links."""
    value = str((detail or {}).get("value") or "")
    if "html" not in str((detail or {}).get("type")):
        return _tidy(PageText(text=value), base)
    return _tidy(read_text(LexborHTMLParser(value).body, BLOCKS), base)


def _tidy(given: PageText, base: str) -> PageText:
    text = given.text.strip()[:LONGEST]
    before, end = units(given.text[: len(given.text) - len(given.text.lstrip())]), units(text)
    entities = []
    for entity in given.entities:
        value = entity.value if entity.kind != "text_url" else _address(entity.value, base)
        placed = replace(entity, offset=entity.offset - before, value=value)
        if placed.offset >= 0 and placed.offset + placed.length <= end and (value or entity.kind != "text_url"):
            entities.append(placed)
    return PageText(text=text, entities=tuple(entities))


def _address(link: str | None, base: str) -> str | None:
    """Return the whole address of a link on the web, as buttons may have it; None for any other."""
    from yarl import URL  # noqa: PLC0415 - with aiohttp, which only sites need

    if not link:
        return None
    try:
        whole = URL(urljoin(base, link.strip()))
    except ValueError:
        return None
    return str(whole) if whole.scheme in {"http", "https"} and whole.host and len(str(whole)) <= LONGEST_LINK else None


def _name(given: str) -> str:
    return " ".join(given.split())[:_LONGEST_TITLE].strip()


def _date(given: "FeedParserDict", field: str) -> datetime | None:
    moment = dict.get(given, field)  # its own `get` warns of what is not there
    return datetime.fromtimestamp(calendar.timegm(moment), UTC) if moment and moment[0] in _YEARS else None


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else str(value)
