"""Reads the channels and posts out of an export of Telegram Desktop, one by one and of any size."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from itertools import chain
from typing import BinaryIO

import ijson

from bot.errors import ChannelwatchError
from bot.models import Post
from bot.sources.desktop_message import SkipReason, channel_id, to_post
from bot.store.channels import ResolvedChannel

_Event = tuple[str, object]  # ijson's: what begins, ends or stands there, and its value

_HOW_TO = "open the channel in Telegram Desktop, choose «Export chat history», and as its format machine-readable JSON"
_MARK = b"\xef\xbb\xbf"  # the byte order mark of UTF-8
_HEAD = 512  # bytes that tell what a file is
_LONGEST_ESCAPE = 4  # bytes, of those that are mended
_ESCAPE = re.compile(rb"\\(?:x([0-9A-F]{2})|.)", re.DOTALL)
_DEEPEST = 64  # levels of a message; six are usual
_STEPS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
_CHATS = {(), ("chats", "list", ""), ("left_chats", "list", "")}  # where a chat begins: keys, "" for an item of a list
_DEEPEST_PLACE = len(("chats", "list", "", "messages", ""))  # nothing further down is looked at
_LISTS = {("messages",), ("chats", "list"), ("left_chats", "list")}  # one of them makes a file an export
_KINDS = {
    "public_channel": "broadcast",
    "private_channel": "broadcast",
    "public_supergroup": "supergroup",
    "private_supergroup": "supergroup",
}
_REASONS = {
    "private_group": SkipReason.BASIC_GROUP,
    "personal_chat": SkipReason.PRIVATE,
    "bot_chat": SkipReason.PRIVATE,
    "saved_messages": SkipReason.PRIVATE,
    "replies": SkipReason.PRIVATE,
    "verification_codes": SkipReason.PRIVATE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedChannel(ResolvedChannel):
    """A channel as an export describes it, which leaves its public name out."""

    is_public: bool
    is_alone: bool  # the export is of this chat only


def read(file: BinaryIO, *, zone: tzinfo | None = None) -> Iterator[ExportedChannel | Post | SkipReason]:
    """Yield each channel before its posts, and in place of a message that is no post the reason.

    `zone` is the time zone of dates that name none, as in old exports. Raises ChannelwatchError: at once for a file
    of another kind; where the file breaks off or is damaged, after what stands before that place.
    """
    head = file.read(_HEAD)
    start = len(_MARK) if head.startswith(_MARK) else 0
    text = head[start:].lstrip()
    if not text:
        raise ChannelwatchError("the file is empty: export it again")
    if text.startswith(b"<"):
        raise ChannelwatchError(f"this is an export in HTML, which cannot be imported: {_HOW_TO}")
    if not text.startswith(b"{"):
        raise ChannelwatchError(f"this is no export of Telegram Desktop: {_HOW_TO}")
    file.seek(start)
    return _read(file, zone)


def _read(file: BinaryIO, zone: tzinfo | None) -> Iterator[ExportedChannel | Post | SkipReason]:
    announced = None
    try:
        for chat, message in _messages(ijson.basic_parse(_Mended(file))):
            if isinstance(chat, SkipReason):
                yield chat
                continue
            if chat is not announced:
                announced = chat
                yield chat
            yield to_post(message, chat.id, zone)
    except (ijson.JSONError, ValueError) as error:
        raise ChannelwatchError(
            f"the file breaks off or is damaged near byte {file.tell():,}; what stands before is imported. "
            "For the rest export it again: what is there already is not stored twice"
        ) from error


class _Mended:
    r"""A file as ijson reads it, with control characters in JSON's way.

    Telegram Desktop writes \x0B where JSON wants \u000B.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, and more where they might end within an escape."""
        data = more = self._file.read(size)
        while more and b"\\" in data[1 - _LONGEST_ESCAPE :]:
            more = self._file.read(size)
            data += more
        if b"\\x" not in data:
            return data
        return _ESCAPE.sub(lambda escape: escape[0] if escape[1] is None else b"\\u00" + escape[1], data)


def _messages(events: Iterator[_Event]) -> Iterator[tuple[ExportedChannel | SkipReason, object]]:
    """Yield each message with its channel, or with the reason why its chat is left out."""
    path: list[str] = []  # keys of the objects around, "" for a list
    deeper = 0  # levels below the last that is looked at
    header: dict[str, object] = {}  # what is known of the chat …
    is_alone = True  # … and whether it is the only one
    chat: ExportedChannel | SkipReason | None = None
    is_export = False
    for event, value in events:
        begins_deeper = len(path) == _DEEPEST_PLACE and _STEPS.get(event) == 1 and not _is_message(tuple(path))
        if deeper or begins_deeper:
            deeper += _STEPS.get(event, 0)
            continue
        place = tuple(path)
        if event == "map_key":
            path[-1] = str(value)
        elif event in {"end_map", "end_array"}:
            path.pop()
        elif _is_message(place):
            chat = chat or _chat(header, is_alone=is_alone)
            yield chat, _built((event, value), events, wanted=not isinstance(chat, SkipReason))
        elif event in _STEPS:
            is_export = is_export or _begins_list(place, event)
            if place in _CHATS:
                header, chat, is_alone = {}, None, not place
            path.append("")
        elif place[:-1] in _CHATS:
            header[place[-1]] = value
    if not is_export:
        raise ChannelwatchError(f"there are no chats in this file: {_HOW_TO}")


def _is_message(place: tuple[str, ...]) -> bool:
    return place[-2:] == ("messages", "") and place[:-2] in _CHATS


def _begins_list(place: tuple[str, ...], event: str) -> bool:
    return place in _LISTS and event == "start_array"


def _built(first: _Event, events: Iterator[_Event], *, wanted: bool) -> object:
    """Return the value that an event begins, read to its end; None where it is not wanted, or nested too deep."""
    builder, depth = ijson.ObjectBuilder(), 0
    for event, value in chain((first,), events):
        depth += _STEPS.get(event, 0)
        wanted = wanted and depth <= _DEEPEST
        if wanted:
            builder.event(event, value)
        if depth == 0:
            break
    return builder.value if wanted else None


def _chat(header: dict[str, object], *, is_alone: bool) -> ExportedChannel | SkipReason:
    """Return which channel a chat is, by the fields before its messages; or why it is left out."""
    kind, title, number = header.get("type"), header.get("name"), channel_id(header.get("id"))
    if kind not in _KINDS:
        return _REASONS.get(str(kind), SkipReason.NO_CHANNEL)
    if number is None:
        return SkipReason.NO_CHANNEL
    name = title if isinstance(title, str) and title.strip() else str(number)
    return ExportedChannel(
        id=number,
        kind=_KINDS[str(kind)],
        title=name,
        username=None,
        is_public=str(kind).startswith("public"),
        is_alone=is_alone,
    )
