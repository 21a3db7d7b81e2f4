"""Texts and entities as Telegram stores them: trimmed, checked, with links found. Offsets are in UTF-16 units."""

import re
from collections.abc import Iterator, Sequence

from telethon.helpers import add_surrogate, del_surrogate
from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.refused import Refused

MAX_TEXT = 4096
MAX_CAPTION = 1024
_MAX_ENTITIES = 100  # the rest is dropped, as Telegram does

# Entities that Telegram finds by itself; close to its rules, not the same.
_FOUND = re.compile(
    r"(?P<url>\bhttps?://[^\s<>«»\"]*[^\s<>«»\".,;:!?)]|\b(?:t\.me|telegram\.me)/[\w/+?=]*\w)"
    r"|(?<![\w@/])@(?P<mention>[A-Za-z]\w{3,31})\b"
    r"|(?<![\w#])#(?P<hashtag>\w*[^\W\d]\w*)"
    r"|(?<![\w/])/(?P<command>[A-Za-z0-9_]{1,64}(?:@\w{4,32})?)(?![\w/])"
)
_ENTITY = {
    "url": tl.MessageEntityUrl,
    "mention": tl.MessageEntityMention,
    "hashtag": tl.MessageEntityHashtag,
    "command": tl.MessageEntityBotCommand,
}


def length(text: str) -> int:
    """Return the length in UTF-16 units."""
    return len(_units(text))


def _units(text: str) -> str:
    """Return a text with one character per UTF-16 unit; most texts are unchanged, and `add_surrogate` is slow."""
    is_plain = len(text.encode("utf-16-le", "surrogatepass")) == 2 * len(text)
    return text if is_plain else add_surrogate(text)


def check_text(text: str, entities: Sequence[TLObject], *, caption: bool) -> tuple[str, list[TLObject]]:
    """Return a client's text without the white space around it, and its entities moved accordingly.

    Raises Refused for a text that is too long and for entities that leave the text or cut a character in two.
    """
    units = _units(text)
    for entity in entities:
        _check_bounds(units, entity)
    lead = len(units) - len(units.lstrip())
    units = units.strip()
    if len(units) > (MAX_CAPTION if caption else MAX_TEXT):
        raise Refused("MEDIA_CAPTION_TOO_LONG" if caption else "MESSAGE_TOO_LONG")
    kept = [moved for entity in entities for moved in _moved(entity, lead, len(units))]
    return del_surrogate(units), kept[:_MAX_ENTITIES]


def _check_bounds(units: str, entity: TLObject) -> None:
    end = entity.offset + entity.length
    if entity.offset < 0 or entity.length < 0 or end > len(units):
        raise Refused("ENTITY_BOUNDS_INVALID")
    if any("\ud800" <= units[at - 1] <= "\udbff" for at in (entity.offset, end) if at):
        raise Refused("ENTITY_BOUNDS_INVALID")


def _moved(entity: TLObject, lead: int, size: int) -> Iterator[TLObject]:
    """Yield the entity as it lies in the trimmed text, unless it lies outside."""
    start = max(0, entity.offset - lead)
    end = min(size, entity.offset + entity.length - lead)
    if not lead and end - start == entity.length > 0:
        yield entity
    elif start < end:
        fields = {name: value for name, value in entity.to_dict().items() if name != "_"}
        yield type(entity)(**{**fields, "offset": start, "length": end - start})


def with_found_entities(text: str, entities: Sequence[TLObject]) -> list[TLObject]:
    """Return the given entities, and links, mentions, hashtags and commands found outside them, in order."""
    if not any(sign in text for sign in "@#/"):
        return list(entities)
    taken = [(entity.offset, entity.offset + entity.length) for entity in entities if not _is_style(entity)]
    units = _units(text)
    found = [
        _ENTITY[match.lastgroup or ""](match.start(), match.end() - match.start())
        for match in _FOUND.finditer(units)
        if not any(start < match.end() and match.start() < end for start, end in taken)
    ]
    return sorted([*entities, *found], key=_offset)


def _is_style(entity: TLObject) -> bool:
    """Tell whether a link may lie under this entity."""
    return isinstance(
        entity,
        tl.MessageEntityBold
        | tl.MessageEntityItalic
        | tl.MessageEntityUnderline
        | tl.MessageEntityStrike
        | tl.MessageEntitySpoiler
        | tl.MessageEntityBlockquote,
    )


def _offset(entity: TLObject) -> int:
    position: int = entity.offset
    return position
