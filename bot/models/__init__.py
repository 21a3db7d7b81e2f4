"""What a source gives, whatever network it reads: posts as it saw them, in observations; and posts as they are stored.

Values are frozen, dates are UTC and aware. A source makes its channels (`bot.store.channels`), then an `Observation` of
`Post`s, and hands it to `bot.pipeline.ingest`: versions, matches, alerts and search come from there. A network that
has no numbers for its channels or messages gets ours: below zero for channels, counted up within one for messages.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypedDict

from bot.models.links import CommentedPost, post_link
from bot.parts import Part, compact_json, whole_text

Clock = Callable[[], datetime]  # the present, in UTC; injected, so that tests own the time


class Withholding(NamedTuple):
    """Where a network withholds something, and why."""

    platform: str  # apps and countries, joined by dashes, in the network's words, as are …
    reason: str  # … this, a word, …
    text: str  # … and this, which people there read


Withholdings = tuple[Withholding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A formatted stretch of a text."""

    kind: str  # bold, italic, url, text_url, mention, hashtag, …
    offset: int  # UTF-16 units from the start of the text
    length: int  # UTF-16 units
    value: str | None = None  # the link of a text_url, the language of a pre, the document of a custom emoji


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What is attached to a message, as metadata only."""

    kind: str  # photo, document, poll, web_page, …
    id: int | None = None  # the network's, where the kind has one
    title: str | None = None  # file name, poll question or page title
    # Kind and id of each photo and document of a long post with several, this one first; else empty.
    files: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Where a forwarded message came from."""

    channel_id: int | None  # of the origin, where it is a channel
    message_id: int | None  # its id there
    name: str | None  # of the channel or person, as it was seen; None where nobody named it
    date: datetime | None  # when the original was posted; None: an export does not say


class ReplyTo(TypedDict, total=False):
    """What a post answers, as fields of it."""

    reply_to: int | None
    reply_channel: int | None


class ObservedBy(StrEnum):
    """The path by which a version reached us."""

    LIVE = "live"  # pushed by the network
    DIFFERENCE = "difference"  # asked for as what has changed
    SWEEP = "sweep"  # read from the history while looking for what was not pushed
    BACKFILL = "backfill"  # read from the history when the channel was first followed
    IMPORT = "import"  # read from an export
    STORY = "story"  # read from what the channel shows for a day
    PAGE = "page"  # read from the web page of its channel
    SITE = "site"  # read from a website


TOLD = frozenset({ObservedBy.LIVE, ObservedBy.DIFFERENCE})  # of a deletion: the network told it, else it was missing


class Network(StrEnum):
    """Where a channel is."""

    TELEGRAM = "telegram"
    SITE = "site"  # a website that lists what it publishes


class RawFormat(StrEnum):
    """What the bytes are that are kept as the evidence of a version."""

    TL = "tl"  # a binary one, whose names depend on a layer
    JSON = "json"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message of a channel as it stood when we saw it; messages of one `grouped_id` are an album."""

    channel_id: int
    message_id: int  # below zero: that of a story
    date: datetime
    text: str
    entities: tuple[Entity, ...] = ()
    media: Media | None = None
    grouped_id: int | None = None
    forward: Forward | None = None
    reply_to: int | None = None  # the message that is answered …
    reply_channel: int | None = None  # … in this channel, where it is another one
    root: int | None = None  # of an answer in a supergroup: the first of the messages that lead to it
    copy_of: tuple[int, int] | None = None  # the post that this copies into another channel: its own, and its id there
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
    withheld: Withholdings | None = None  # None: who saw it cannot know
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
    """Return what stands for the `grouped_id` of an album until the network names it: web pages do not show it."""
    return -lowest_id


def is_page_album(grouped_id: int | None) -> bool:
    """Tell whether a `grouped_id` was made here; those of networks are long numbers."""
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
    channel_id: int
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
    commented: CommentedPost | None
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
    gone_by: str | None = None  # the path by which it was seen that it is gone

    @property
    def deleted_at(self) -> datetime | None:
        """When Telegram told us of its deletion; not by whom, or when it was."""
        return self.gone_at if self.gone_by in TOLD else None

    @property
    def missing_since(self) -> datetime | None:
        """When it was not there as its channel was read again; nobody told us why."""
        return None if self.gone_by in TOLD else self.gone_at

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
        return post_link(
            self.channel_id, self.channel_username, self.message_id, self.own_link, commented=self.commented
        )


class VersionChange(StrEnum):
    """What a version is to the message it belongs to."""

    NEW = "new"  # its first
    EDITED = "edited"  # what it says now instead of what it said before
    STALE = "stale"  # what it said before the version we knew: kept as evidence only
    PARTS_LOADED = "parts loaded"  # the version we knew, with other parts
    REST_LOADED = "rest loaded"  # the version we knew the beginning of
    PICTURE_READ = "picture read"  # the version we knew, with the text that a program read in its picture
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
