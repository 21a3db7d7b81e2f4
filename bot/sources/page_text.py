"""Reads the text of a web page's element with its formatting, as Telegram counts it. Pure.

Line breaks are `<br/>`; a line break of the source is white space. An emoji is drawn as
`<i class="emoji"><b>😀</b></i>`; a link that hides its address says `onclick`, and its address is escaped twice
(RSSHub, 20 April 2024).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Self
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborNode

from bot.models import Entity
from bot.text.markup import units

_FORMATS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strike",
    "del": "strike",
    "strike": "strike",
    "code": "code",
    "pre": "pre",
    "tg-spoiler": "spoiler",
    "blockquote": "blockquote",
}
_MOST_MESSAGES = 1 << 31  # message ids are below
_BLOCKS = {"pre": "\n", "blockquote": "\n"}  # what stands before and behind an element of Telegram's pages, …
BLOCKS = {  # … and of any others
    **_BLOCKS,
    **dict.fromkeys(("p", "blockquote", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "figure"), "\n\n"),
    **dict.fromkeys(("div", "section", "article", "li", "tr", "dt", "dd", "hr", "header", "footer"), "\n"),
}
_UNSHOWN = frozenset({"script", "style"})
_SOURCE_BREAK = re.compile(r"[ \t\r\f]*\n[ \t\r\n\f]*")
_ESCAPED = {"&amp;": "&", "&quot;": '"', "&#39;": "'", "&#039;": "'", "&lt;": "<", "&gt;": ">"}
_ESCAPES = re.compile("|".join(_ESCAPED))
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:/{0,2})?(?:www\.)?(.*?)/*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """A text of a page and its formatting."""

    text: str
    entities: tuple[Entity, ...] = ()

    @classmethod
    def joined(cls, texts: Iterable[Self]) -> Self:
        """Put texts one below another, with a blank line between them."""
        whole, entities = "", []
        for each in texts:
            whole += "\n\n" if whole else ""
            entities += [replace(entity, offset=entity.offset + units(whole)) for entity in each.entities]
            whole += each.text
        return cls(text=whole, entities=tuple(entities))


def read_text(node: LexborNode | None, blocks: Mapping[str, str] = MappingProxyType(_BLOCKS)) -> PageText:
    """Read the text inside an element; of none, an empty one. Marks of search hits and empty elements leave nothing.

    `blocks` are the elements that stand on lines of their own, with the breaks around them.
    """
    if node is None:
        return PageText(text="")
    writer = _TextWriter(blocks=blocks)
    writer.add_children(node)
    return PageText(text="".join(writer.pieces), entities=tuple(writer.entities))


def plain_words(node: LexborNode | None) -> str:
    """Return the text inside an element without its formatting, and without white space at its ends."""
    return read_text(node).text.strip()


def has_class(node: LexborNode, name: str) -> bool:
    """Return whether an element carries a class."""
    return name in (node.attributes.get("class") or "").split()


def split_link(link: str | None) -> tuple[str, int | None]:
    """Return the name and the message id of a link such as https://t.me/name/12?single; ("", None) for another."""
    try:
        path = urlsplit(link or "").path.strip("/").split("/")
    except ValueError:
        return "", None
    number = path[-1] if len(path) > 1 else ""
    return path[0], int(number) if number.isdecimal() and int(number) < _MOST_MESSAGES else None


@dataclass(slots=True)
class _Opened:
    """An element whose text is being written: where that begins, once there is some."""

    offset: int | None = None  # UTF-16 units
    piece: int = 0


@dataclass(slots=True)
class _TextWriter:
    """Grows a text from nodes; white space of the source counts only between words of one line."""

    blocks: Mapping[str, str]
    pieces: list[str] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    length: int = 0  # UTF-16 units
    pending: str = ""  # what is written before more text: a space of the source, or the line break behind a block
    opened: list[_Opened] = field(default_factory=list)

    def add(self, text: str) -> None:
        if not text:
            return
        at_start = not self.pieces or self.pieces[-1].endswith("\n")
        if self.pending and not at_start and not text.startswith("\n"):
            self._append(self.pending)
        self.pending = ""
        for element in self.opened:
            if element.offset is None:
                element.offset, element.piece = self.length, len(self.pieces)
        self._append(text)

    def _append(self, text: str) -> None:
        self.pieces.append(text)
        self.length += units(text)

    def add_source(self, text: str) -> None:
        """Add text of the source, whose line breaks are spaces between words and nothing at the ends of lines."""
        for number, line in enumerate(_SOURCE_BREAK.split(text)):
            if number and not self.pending:
                self.pending = " "
            self.add(line)

    def add_children(self, node: LexborNode, *, is_pre: bool = False) -> None:
        for child in node.iter(include_text=True):
            if child.is_text_node:
                add = self.add if is_pre else self.add_source
                add(child.text_content or "")
            elif child.is_element_node:
                self.add_element(child, is_pre=is_pre)

    def add_element(self, node: LexborNode, *, is_pre: bool) -> None:
        tag = node.tag or ""
        if tag == "br":
            self.add("\n")
        elif tag == "i" and has_class(node, "emoji"):
            self.add(node.text().strip())
        elif tag not in _UNSHOWN:
            around = self.blocks.get(tag, "")
            self.pending = max(around, self.pending.strip(" "), key=len) or self.pending
            self._add_formatted(node, tag, is_pre=is_pre or tag == "pre")
            self.pending = max(around, self.pending.strip(" "), key=len) or self.pending

    def _add_formatted(self, node: LexborNode, tag: str, *, is_pre: bool) -> None:
        element, place = _Opened(), len(self.entities)  # outer ones come first
        self.opened.append(element)
        self.add_children(node, is_pre=is_pre)
        self.opened.pop()
        if element.offset is None:
            return
        kind, value = _format(node, tag, "".join(self.pieces[element.piece :]))
        if kind is not None:
            length = self.length - element.offset
            self.entities.insert(place, Entity(kind=kind, offset=element.offset, length=length, value=value))


def _format(node: LexborNode, tag: str, shown: str) -> tuple[str | None, str | None]:
    """Return the kind and the value of the entity that an element is; (None, None) for one that formats nothing."""
    if tag == "a":
        return _link(node, shown)
    if tag == "tg-emoji":
        number = node.attributes.get("emoji-id") or ""
        return ("custom_emoji", number) if number.isdecimal() else (None, None)
    if tag == "span" and has_class(node, "tgme_widget_service_strong_text"):
        return None, None
    return _FORMATS.get(tag), None


def _link(node: LexborNode, shown: str) -> tuple[str | None, str | None]:
    href = node.attributes.get("href") or ""
    if "onclick" in node.attributes:
        return "text_url", _ESCAPES.sub(lambda found: _ESCAPED[found[0]], href)
    text = shown.strip()
    if href.startswith("?q=") and unquote(href.removeprefix("?q=")) == text:
        return ("hashtag" if text.startswith("#") else "cashtag"), None
    if text.startswith("@") and _bare(href).lower() == f"t.me/{text[1:]}".lower():
        return "mention", None
    if href.startswith("mailto:") and _bare(href) == text:
        return "email", None
    if _bare(unquote(href)).lower() == _bare(unquote(text)).lower():
        return "url", None
    return ("text_url", href) if href else (None, None)


def _bare(address: str) -> str:
    """Return an address without what people leave out when they type it."""
    found = _ADDRESS.fullmatch(address)
    return found[1] if found else address
