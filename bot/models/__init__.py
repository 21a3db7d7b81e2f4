"""The values that travel between the parts: frozen, free of Telegram's and SQLite's shapes. Dates are UTC and aware."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypedDict

from bot.parts import Part, compact_json, whole_text

Clock = Callable[[], datetime]  # the present, in UTC; injected, so that tests own the time


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A formatted stretch of a text, as Telegram counts it."""

    kind: str  # Telegram's name in snake case: bold, italic, url, text_url, mention, hashtag, …
    offset: int  # UTF-16 units from the start of the text
    length: int  # UTF-16 units
    value: str | None = None  # the link of a text_url, the language of a pre, the document of a custom emoji


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What is attached to a message, as metadata only."""

    kind: str  # photo, document, poll, web_page, …
    id: int | None = None  # Telegram's id where the kind has one
    title: str | None = None  # file name, poll question or page title
    # Kind and id of each photo and document of a long post with several, this one first; else empty.
    files: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Where a forwarded message came from."""

    channel_id: int | None  # bare id of the origin, where it is a channel
    message_id: int | None  # its id there
    name: str | None  # of the channel or person, as it was seen; None where nobody named it
    date: datetime | None  # when the original was posted; None: an export does not say


class ReplyTo(TypedDict, total=False):
    """What a post answers, as fields of it."""

    reply_to: int | None
    reply_channel: int | None


class ObservedBy(StrEnum):
    """The path by which a version reached us."""

    LIVE = "live"  # pushed by Telegram
    DIFFERENCE = "difference"  # asked for with updates.getChannelDifference
    SWEEP = "sweep"  # read from the history while looking for what was not pushed
    BACKFILL = "backfill"  # read from the history when the channel was first followed
    IMPORT = "import"  # read from an export
    PREVIEW = "preview"  # read from the web page of its channel
    SITE = "site"  # read from a website


class Network(StrEnum):
    """Where a channel is."""

    TELEGRAM = "telegram"
    SITE = "site"  # a website that lists what it publishes


class RawFormat(StrEnum):
    """What the bytes are that are kept as the evidence of a version."""

    TL = "tl"  # Telegram's own, of a layer
    JSON = "json"
    HTML = "html"
    XML = "xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message of a channel as it stood when we saw it; messages of one `grouped_id` are an album."""

    channel_id: int  # Telegram's bare id, without the -100 prefix; of a channel of another network ours, below zero
    message_id: int
    date: datetime
    text: str
    entities: tuple[Entity, ...] = ()
    media: Media | None = None
    grouped_id: int | None = None
    forward: Forward | None = None
    reply_to: int | None = None  # the message that is answered …
    reply_channel: int | None = None  # … in this channel, where it is another one
    edit_date: datetime | None = None
    author: str | None = None  # who wrote it, by the name that was seen: a signature, or the sender in a supergroup
    views: int | None = None
    forwards: int | None = None
    reactions: int | None = None  # of all kinds together
    parts: tuple[Part, ...] = ()  # what people see apart from the text
    is_part: bool = False  # the beginning of a long post, whose rest has to be asked for
    head: bytes | None = None  # of a long post whose rest was asked for: the hash of its beginning
    is_edited: bool = False  # as a web page says it, which does not say when
    link: str | None = None  # None: it follows from the channel and the id
    raw: bytes  # the message as its network gave it: the evidence
    raw_format: RawFormat
    layer: int | None = None  # of TL bytes

    @property
    def key(self) -> str:
        """Name the post within its channel: the album where there is one, else the message."""
        return f"g{self.grouped_id}" if self.grouped_id else f"m{self.message_id}"

    @property
    def whole(self) -> str:
        """All that people see: the text and its parts."""
        return whole_text(self.text, self.parts)

    def content_hash(self) -> bytes:
        """Hash text, entities and media into 32 bytes; counters and parts do not count."""
        seen: list[object] = [self.text, [(e.kind, e.offset, e.length, e.value) for e in self.entities]]
        if self.media is not None and self.media.kind != "web_page":  # a link's preview loads and changes by itself
            seen.append([self.media.kind, self.media.id, self.media.title, *self.media.files])
        return hashlib.sha256(compact_json(seen).encode()).digest()


PostKey = tuple[int, str]  # channel id, and the key of the post within it


def page_album(lowest_id: int) -> int:
    """Return what stands for the `grouped_id` of an album until Telegram names it: web pages do not show it."""
    return -lowest_id


def is_page_album(grouped_id: int | None) -> bool:
    """Tell whether a `grouped_id` was made here; Telegram's are long numbers."""
    return grouped_id is not None and -(2**31) <= grouped_id < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedPost:
    """A post as far as it is compared with others that may say the same."""

    channel_id: int
    post_key: str
    text: str
    date: datetime
    origin: tuple[int, int]  # channel and message that it forwards; else its own

    @property
    def key(self) -> PostKey:
        """The channel, and the key of the post within it."""
        return self.channel_id, self.post_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """Messages of a channel that our reader no longer sees."""

    channel_id: int
    message_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often a message was seen or forwarded by now; None: unknown."""

    channel_id: int
    message_id: int
    views: int | None = None
    forwards: int | None = None


Event = Post | Deletion | Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a source saw at one moment, in the order in which it happened."""

    events: tuple[Event, ...]
    observed_by: ObservedBy
    reader_id: int | None  # the row of the reader account, no name; None: it was seen without one
    seen_at: datetime
    asked_at: datetime | None = None  # when the question was asked that this answers; None: it was pushed, or read


GENERAL_THREAD = 1  # of a forum: messages that name no thread are in it


class PeerKind(StrEnum):
    """The three kinds of chat that Telegram addresses differently, and those that it knows nothing of."""

    USER = "user"
    GROUP = "group"  # a basic group
    CHANNEL = "channel"  # a broadcast channel or a supergroup
    TARGET = "target"  # reached by an Apprise URL or a webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An address to send to, as one account knows it."""

    kind: PeerKind
    id: int  # bare id
    access_hash: int = 0  # zero where Telegram allows a bot not to know it
    thread_id: int | None = None  # the forum topic, where there is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button under a message: exactly one of a link and data for the bot."""

    text: str
    url: str | None = None
    data: bytes | None = None  # at most 64 bytes, Telegram's limit


ButtonRows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedPost:
    """A found post that a person may choose to send to any chat."""

    key: str  # unique among those of one answer
    title: str
    description: str
    message: "Outgoing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message ready to be sent: text with entities, never markup."""

    text: str
    entities: tuple[Entity, ...] = ()
    buttons: ButtonRows = ()
    silent: bool = False  # arrives without a sound


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file on our disk, as it is to be uploaded."""

    kind: str  # photo or document
    path: Path
    sha256: bytes
    mime: str
    name: str | None = None  # under which the chat gets it
    file_id: int = 0  # Telegram's, in its post
    raw: bytes = b""  # the message that it was downloaded from, as TL bytes: they say how long a video is …
    layer: int | None = None  # … and their layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A reference to a file that our bot has uploaded."""

    kind: str  # photo or document
    id: int
    access_hash: int
    reference: bytes  # expires some day


def post_link(channel_id: int, username: str | None, message_id: int, own: str | None = None) -> str:
    """Link to a post, which may have its own; one of a private channel opens for its members only."""
    return own or f"https://t.me/{username or f'c/{channel_id}'}/{message_id}"


def to_json(value: object) -> str:
    """Write a dataclass, or what JSON knows, as compact JSON; dates as ISO 8601."""
    plain = asdict(value) if hasattr(value, "__dataclass_fields__") else value  # type: ignore[call-overload]
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPost:
    """A message as one of its versions had it."""

    id: int  # of its row: newest first is descending order; the cursor of `latest`
    channel_id: int  # bare
    channel_title: str
    channel_username: str | None  # as written, without @
    message_id: int
    own_link: str | None  # None: it follows from the channel and the id
    grouped_id: int | None  # messages that share it are one post, an album
    date: datetime
    edit_date: datetime | None
    text: str
    parts: tuple[Part, ...]  # what people see apart from the text
    entities: tuple[Entity, ...]
    media: Media | None
    forward: Forward | None
    reply_to: int | None  # the message that is answered …
    reply_channel: int | None  # … in this channel, where it is another one
    author: str | None  # who wrote it, by the name that was seen: a signature, or the sender in a supergroup
    gone_at: datetime | None  # no longer visible to our reader since then
    views: int | None
    forwards: int | None
    reactions: int | None  # of all kinds together
    version_id: int  # descending order is newest first too; the cursor of searches
    is_current: bool  # what the message says now, or last said; else an earlier wording
    number: int  # of the version, from 1
    seen_at: datetime  # when we first saw this version
    observed_by: str  # the path by which it reached us
    is_part: bool = False  # the beginning of a long post, whose rest is not here

    @property
    def whole(self) -> str:
        """The text together with its parts."""
        return whole_text(self.text, self.parts)

    @property
    def key(self) -> str:
        """The name of the post within its channel, as in the column `post_key`."""
        return f"g{self.grouped_id}" if self.grouped_id else f"m{self.message_id}"

    @property
    def link(self) -> str:
        """Link to the message, where people read it."""
        return post_link(self.channel_id, self.channel_username, self.message_id, self.own_link)


class VersionChange(StrEnum):
    """What a version is to the message it belongs to."""

    NEW = "new"  # its first
    EDITED = "edited"  # what it says now instead of what it said before
    STALE = "stale"  # what it said before the version we knew: kept as evidence only
    PARTS_LOADED = "parts loaded"  # the version we knew, with other parts
    REST_LOADED = "rest loaded"  # the version we knew the beginning of
    PARTS_REWORDED = "parts reworded"  # the text that we knew; words in its parts were replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A version that was not stored before, or that has other parts now."""

    post: Post
    version_id: int
    hash: bytes  # of what a reader sees
    change: VersionChange
    visible: bool  # to our reader, as far as we know
    whole_before: str | None  # what the message said before, with its parts; None: nothing
    followed_at: datetime | None  # of its channel; None: nobody follows it
