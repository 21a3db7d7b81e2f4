"""Texts, links and figures as the pages write them. Offsets of entities are in UTF-16 units."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile
from typing import NamedTuple
from urllib.parse import quote

from telethon.helpers import add_surrogate, del_surrogate
from telethon.tl import TLObject
from telethon.tl import types as tl

HOST = "https://t.me"  # that all links name, whatever host was asked
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "!": "&#33;", "$": "&#036;"}
_ESCAPES |= {"\u00a0": "&nbsp;", "\n": "<br/>"}
_PICTURE = r"[\U0001F000-\U0001FAFF\u231A-\u23FF\u2600-\u27BF\u2B05-\u2B55]"
_EMOJI = re.compile(
    rf"[\U0001F1E6-\U0001F1FF]{{2}}|[0-9#*]\uFE0F?\u20E3"
    rf"|{_PICTURE}[\uFE0F\U0001F3FB-\U0001F3FF]*(?:\u200D{_PICTURE}[\uFE0F\U0001F3FB-\U0001F3FF]*)*"
)
_TAGS = {
    tl.MessageEntityBold: "b",
    tl.MessageEntityItalic: "i",
    tl.MessageEntityUnderline: "u",
    tl.MessageEntityStrike: "s",
    tl.MessageEntityCode: "code",
    tl.MessageEntityPre: "pre",
    tl.MessageEntitySpoiler: "tg-spoiler",
}


def escape(text: str) -> str:
    """Return a text or the value of an attribute, with the entities that the pages use."""
    return re.sub("[&<>\"'!$\u00a0]", lambda match: _ESCAPES[match[0]], text)


def plain(text: str) -> str:
    """Return a text without formatting: its line breaks as tags, its emoji as pictures."""
    pieces, end = [], 0
    for match in _EMOJI.finditer(text):
        pieces += [escape(text[end : match.start()]), _emoji(match[0])]
        end = match.end()
    return "".join([*pieces, escape(text[end:])]).replace("\n", "<br/>")


def _emoji(emoji: str) -> str:
    name = emoji.replace("\ufe0f", "").encode().hex().upper()
    return (
        f'<i class="emoji" style="background-image:url(\'//telegram.org/img/emoji/40/{name}.png\')"><b>{emoji}</b></i>'
    )


class _Span(NamedTuple):
    """A piece of a text, and the tags around it."""

    start: int
    end: int
    opens: str
    closes: str


def formatted(text: str, entities: Sequence[TLObject]) -> str:
    """Return a text with its formatting; entities may overlap, and those that the pages do not show leave no trace."""
    units = add_surrogate(text)
    spans = sorted(_spans(units, entities), key=lambda span: (span.start, -span.end))
    edges = sorted({0, len(units)} | {edge for span in spans for edge in (span.start, span.end)})
    pieces: list[str] = []
    last: list[_Span] = []
    for start, end in pairwise(edges):
        wanted = [span for span in spans if span.start <= start and end <= span.end]
        same = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], zip(last, wanted, strict=False)))
        pieces += [span.closes for span in reversed(last[same:])]
        pieces += [span.opens for span in wanted[same:]]
        pieces.append(plain(del_surrogate(units[start:end])))
        last = wanted
    return "".join([*pieces, *(span.closes for span in reversed(last))])


def _spans(units: str, entities: Sequence[TLObject]) -> Iterator[_Span]:
    for entity in entities:
        start, end = entity.offset, entity.offset + entity.length
        opens = _opening(entity, del_surrogate(units[start:end]))
        if opens:
            yield _Span(start, end, opens, f"</{opens[1:].partition(' ')[0].rstrip('>')}>")


def _opening(entity: TLObject, words: str) -> str:
    """Return the tag that opens what an entity marks; nothing where the pages do not show it."""
    if (name := _TAGS.get(type(entity))) is not None:
        return f"<{name}>"
    if isinstance(entity, tl.MessageEntityBlockquote):
        return "<blockquote expandable>" if entity.collapsed else "<blockquote>"
    if isinstance(entity, tl.MessageEntityCustomEmoji):
        return f'<tg-emoji emoji-id="{entity.document_id}">'
    return _link(entity, words)


def _link(entity: TLObject, words: str) -> str:
    if isinstance(entity, tl.MessageEntityTextUrl):  # escaped twice since April 2024
        ask = "return confirm('Open this link?\\n\\n'+this.href);"
        return f'<a href="{escape(escape(entity.url))}" target="_blank" rel="noopener" onclick="{ask}">'
    if isinstance(entity, tl.MessageEntityHashtag):
        return f'<a href="?q={quote(words, safe="")}">'
    if isinstance(entity, tl.MessageEntityUrl):
        url = words if "://" in words else f"http://{words}"
    elif isinstance(entity, tl.MessageEntityMention):
        url = f"{HOST}/{words.removeprefix('@')}"
    elif isinstance(entity, tl.MessageEntityEmail):
        url = f"mailto:{words}"
    else:
        return ""
    return f'<a href="{escape(url)}" target="_blank" rel="noopener">'


def rounded(number: int) -> str:
    """Return a figure in three digits, as «12.5M»."""
    size, unit = next(((size, unit) for size, unit in ((10**6, "M"), (10**3, "K")) if number >= size), (1, ""))
    digits = max(0, 3 - len(str(number // size))) if unit else 0
    figure = f"{number * 10**digits // size / 10**digits:.{digits}f}"
    return (figure.rstrip("0").rstrip(".") if digits else figure) + unit


def exact(number: int) -> str:
    """Return a figure with all its digits, as «11 286 994»."""
    return f"{number:,}".replace(",", " ")


def noun(number: int, word: str) -> str:
    """Return a word in the number that a figure asks for."""
    return word if number == 1 else f"{word}s"
