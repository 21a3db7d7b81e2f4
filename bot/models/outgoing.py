"""What the bot sends, and to whom, as Telegram addresses and shows it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.models import Entity

GENERAL_THREAD = 1  # of a forum: messages that name no thread are in it


class PeerKind(StrEnum):
    """The three kinds of chat that Telegram addresses differently, and those that it knows nothing of."""

    USER = "user"
    GROUP = "group"  # a basic group
    CHANNEL = "channel"  # a broadcast channel or a supergroup
    TARGET = "target"  # reached by an Apprise URL or a webhook


class Theme(StrEnum):
    """The two looks of a chart, after those of phones."""

    LIGHT = "light"
    DARK = "dark"


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
    png: bytes | None = None  # a chart: the text stands under it, and goes alone where it is not taken


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
