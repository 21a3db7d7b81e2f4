"""Reads one message of an export by Telegram Desktop as a post."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from bot.models import Entity, Forward, Media, Post, RawFormat, ReplyTo
from bot.parts import Part, PartKind
from bot.text.markup import units

_OLD_CHANNELS = 1 << 33  # added to the ids of channels by versions before 2021, when ids had 31 bits
_MOST_CHANNELS = 1 << 40  # their ids are below, by Telegram's documentation of ids
_MOST = 1 << 31  # message ids are below
_MOST_SECONDS = 1 << 32  # a date after the year 2106 is damaged
_NEVER = 1970  # the year that old versions write where nothing was edited
_KINDS = {"plain": None, "unknown": None, "link": "url", "text_link": "text_url", "strikethrough": "strike"}
_VALUES = {"text_link": "href", "pre": "language", "mention_name": "user_id", "custom_emoji": "document_id"}
_NUMBERS = {"mention_name", "custom_emoji"}  # their values; an export may hold a file's name instead
_MEDIA = {  # the field that tells, the kind, the field with the title; the first that is there counts
    "photo": ("photo", ""),
    "file": ("document", "file_name"),
    "poll": ("poll", "question"),
    "todo_list": ("to_do", "title"),
    "contact_information": ("contact", ""),
    "place_name": ("venue", "place_name"),
    "live_location_period_seconds": ("geo_live", ""),
    "location_information": ("geo", ""),
    "game_title": ("game", "game_title"),
    "invoice_information": ("invoice", ""),
    "giveaway_information": ("giveaway", ""),
    "giveaway_results": ("giveaway_results", ""),
    "paid_stars_amount": ("paid_media", ""),
}

_PARTS = {  # where texts stand beside the message's own; * stands for each entry of a list
    "poll.question": PartKind.POLL,
    "poll.answers.*.text": PartKind.POLL,
    "todo_list.title": PartKind.TO_DO,
    "todo_list.answers.*.text": PartKind.TO_DO,
    "place_name": PartKind.PLACE,
    "address": PartKind.PLACE,
    "contact_information.phone_number": PartKind.CONTACT,
    "invoice_information.title": PartKind.INVOICE,
    "invoice_information.description": PartKind.INVOICE,
    "game_title": PartKind.GAME,
    "game_description": PartKind.GAME,
    "giveaway_information.additional_prize": PartKind.GIVEAWAY,
    "giveaway_results.additional_prize": PartKind.GIVEAWAY,
    "inline_bot_buttons.*.*.text": PartKind.BUTTON,
}

_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, default=float)


class SkipReason(StrEnum):
    """Why a message is left out."""

    SERVICE = "service messages, such as joins, pins and changes of the title"
    UNSUPPORTED = "messages of a kind that Telegram Desktop could not export"
    MIGRATED = "messages from before a group became a supergroup: their ids are not the supergroup's"
    PRIVATE = "messages of private chats, bots and saved messages"
    BASIC_GROUP = "messages of basic groups, which every account numbers differently"
    NO_CHANNEL = "messages of chats that do not say first which channel they are"
    UNDATED = "messages dated without a time zone; say where the export was made: --time-zone Europe/Moscow"
    BROKEN = "damaged messages, without a usable id, date or text"


class _UnusableError(Exception):
    """A message cannot be a post; `reason` says why."""

    def __init__(self, reason: SkipReason) -> None:
        super().__init__(reason)
        self.reason = reason


def to_post(message: object, channel_id: int, zone: tzinfo | None = None) -> Post | SkipReason:
    """Return the post, or why a message is none; `zone` is the time zone of dates that name none."""
    if not isinstance(message, dict):
        return SkipReason.BROKEN
    try:
        return _to_post(message, channel_id, zone)
    except _UnusableError as error:
        return error.reason


def channel_id(value: object) -> int | None:
    """Return the bare id of a channel from a number, or from the `channel123` of a sender; None for others."""
    if isinstance(value, str) and value.removeprefix("channel").isdecimal():
        value = int(value.removeprefix("channel")[:20])
    if type(value) is not int or not 0 < value < _MOST_CHANNELS:
        return None
    return value - _OLD_CHANNELS if _OLD_CHANNELS < value < _OLD_CHANNELS + _MOST else value


def _to_post(message: Mapping[str, Any], own: int, zone: tzinfo | None) -> Post:
    message_id = _message_id(message)
    text, entities = _text(message.get("text_entities") or message.get("text", ""))
    edit_date = _moment(message, "edited", zone) if "edited" in message else None
    sender = None if channel_id(message.get("from_id")) == own else _string(message.get("from"))
    return Post(
        channel_id=own,
        message_id=message_id,
        date=_moment(message, "date", zone),
        text=text,
        entities=entities,
        media=_media(message),
        reactions=_reactions(message),
        parts=tuple(dict.fromkeys(_parts(message))),
        forward=_forward(message),
        **_reply(message),
        edit_date=edit_date if edit_date and edit_date.year > _NEVER else None,
        author=_string(message.get("author")) or sender,
        raw=_canonical(message),
        raw_format=RawFormat.JSON,
    )


def _message_id(message: Mapping[str, Any]) -> int:
    kind, message_id = message.get("type"), message.get("id")
    if kind == "service":
        raise _UnusableError(SkipReason.SERVICE)
    if kind == "unsupported":
        raise _UnusableError(SkipReason.UNSUPPORTED)
    if kind != "message" or type(message_id) is not int or not -_MOST < message_id < _MOST or message_id == 0:
        raise _UnusableError(SkipReason.BROKEN)
    if message_id < 0:
        raise _UnusableError(SkipReason.MIGRATED)
    return message_id


def _moment(message: Mapping[str, Any], field: str, zone: tzinfo | None) -> datetime:
    """Read a date from its Unix time, or from the local time that versions before 2022 write alone."""
    try:
        if f"{field}_unixtime" in message:
            seconds = int(message[f"{field}_unixtime"])
            if not 0 <= seconds < _MOST_SECONDS:
                raise _UnusableError(SkipReason.BROKEN)
            return datetime.fromtimestamp(seconds, UTC)
        moment = datetime.fromisoformat(message[field])
    except (KeyError, TypeError, ValueError):
        raise _UnusableError(SkipReason.BROKEN) from None
    if moment.tzinfo is None and zone is None:
        raise _UnusableError(SkipReason.UNDATED)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _text(parts: object) -> tuple[str, tuple[Entity, ...]]:
    """Join the parts of a text: strings, and objects with a format."""
    texts: list[str] = []
    entities: list[Entity] = []
    offset = 0
    for part in parts if isinstance(parts, list) else [parts]:
        fields = part if isinstance(part, dict) else {"type": "plain", "text": part}
        kind, text, value = fields.get("type"), fields.get("text"), None
        if not (isinstance(kind, str) and isinstance(text, str)):
            raise _UnusableError(SkipReason.BROKEN)
        found = fields.get(_VALUES.get(kind, ""))
        if isinstance(found, str | int) and (kind not in _NUMBERS or str(found).isdecimal()):
            value = str(found)
        texts.append(text)
        length = units(text)
        name = _KINDS.get(kind, kind)
        if name is not None and length:
            entities.append(Entity(kind=name, offset=offset, length=length, value=value))
        offset += length
    return "".join(texts), tuple(entities)


def _media(message: Mapping[str, Any]) -> Media | None:
    for field, (kind, title) in _MEDIA.items():
        if field in message:
            content = message[field]
            name = _title((content if isinstance(content, dict) else message).get(title)) or None
            if name is None and kind == "document" and isinstance(content, str) and not content.startswith("("):
                name = PurePosixPath(content).name  # of a file that was left out, a sentence in brackets stands there
            return Media(kind=kind, title=name)
    return None


def _parts(message: Mapping[str, Any]) -> Iterator[Part]:
    media = _media(message)
    contact = message.get("contact_information")
    names = _joined(contact, " ", "first_name", "last_name") if isinstance(contact, dict) else ""
    found = [
        (PartKind.FILE, media.title if media and media.kind == "document" else None),
        (PartKind.AUDIO, _joined(message, " — ", "performer", "title")),
        (PartKind.CONTACT, names),
        *((kind, _title(text)) for path, kind in _PARTS.items() for text in _at(message, path.split("."))),
    ]
    for kind, text in found:
        stripped = (text or "").strip()
        if stripped:
            yield Part(kind=kind, text=stripped)


def _joined(fields: Mapping[str, Any], between: str, *names: str) -> str:
    return between.join(filter(None, (_title(fields.get(name)) for name in names)))


def _at(value: object, path: Sequence[str]) -> Iterator[object]:
    """Yield the values at the end of a path; * stands for each entry of a list."""
    if not path:
        yield value
    elif path[0] == "*" and isinstance(value, list):
        for entry in value:
            yield from _at(entry, path[1:])
    elif isinstance(value, dict):
        yield from _at(value.get(path[0]), path[1:])


def _title(parts: object) -> str | None:
    try:
        return None if parts is None else _text(parts)[0]
    except _UnusableError:
        return None


def _forward(message: Mapping[str, Any]) -> Forward | None:
    """Return the origin of a forward; neither its id there nor its date is exported."""
    if "forwarded_from" not in message and "forwarded_from_id" not in message:
        return None
    origin = channel_id(message.get("forwarded_from_id"))
    return Forward(channel_id=origin, message_id=None, name=_string(message.get("forwarded_from")), date=None)


def _reply(message: Mapping[str, Any]) -> ReplyTo:
    target = message.get("reply_to_message_id")
    if type(target) is not int or not 0 < target < _MOST:
        return {}
    if "reply_to_peer_id" not in message:
        return {"reply_to": target}
    elsewhere = channel_id(message["reply_to_peer_id"])
    return {} if elsewhere is None else {"reply_to": target, "reply_channel": elsewhere}


def _reactions(message: Mapping[str, Any]) -> int | None:
    reactions = message.get("reactions")
    if not isinstance(reactions, list):
        return None
    counts = [reaction.get("count") for reaction in reactions if isinstance(reaction, dict)]
    return sum(count for count in counts if type(count) is int and 0 < count < _MOST)


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _canonical(message: Mapping[str, Any]) -> bytes:
    """Write the message as JSON with sorted keys and without spaces: the evidence."""
    try:
        return _JSON.encode(message).encode()
    except (ValueError, RecursionError):  # half a surrogate pair, or nested without end
        raise _UnusableError(SkipReason.BROKEN) from None
