"""Photos and documents of messages come in, their bytes go out; files of ours come in, their names on Telegram go out.

https://core.telegram.org/api/files: an upload has at most 4,000 parts, of one size that divides 512 KB, and files over
10 MB go up by another method; a file reference expires, and is had anew from the message that shows the file, or by a
new upload.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telethon import TelegramClient, functions
from telethon.extensions import BinaryReader
from telethon.requestiter import RequestIter
from telethon.tl import TLObject, TLRequest, types
from telethon.tl.alltlobjects import LAYER

from bot.errors import TelegramError, Verdict
from bot.models import Enclosure, Peer, Remote
from bot.telegram.convert import from_peer
from bot.telegram.errors import UNANSWERABLE

PIECE = 512 * 1024  # bytes of a request, Telegram's limit; it costs a request as much as a small one
PART = 128 * 1024  # bytes of a part on its way up, where the file allows it: texts wait behind it on a slow line
PARTS = 4000  # of a file, Telegram's limit
SMALL = 10 * 1024 * 1024  # bytes; larger files go up by another method
PHOTO = "photo"
ALBUM = 10  # messages, Telegram's limit
_JPEG, _UNKNOWN = "image/jpeg", "application/octet-stream"
_EXPIRED = re.compile(r"FILE_REFERENCE_(\d+_)?(EXPIRED|INVALID|EMPTY)|FILEREF_UPGRADE_NEEDED")
_ELSEWHERE = {"FILE_ID_INVALID", "LOCATION_INVALID", "PHOTO_ID_INVALID", "DOCUMENT_INVALID"}
_UNWANTED = re.compile(r"CHAT_SEND_(?!PLAIN_)\w+_FORBIDDEN")  # what a chat does not let in is media, not texts

Ask = Callable[[TLRequest], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A photo or document of a message, as one account may download it."""

    file_id: int
    location: TLObject
    dc_id: int  # the data centre where it lies
    size: int  # bytes
    mime: str
    name: str | None  # as whoever posted it called it: data, never a path

    def pieces(self, client: TelegramClient) -> RequestIter:
        """Have the file downloaded piece by piece; each step is one request, the last may be empty.

        Telethon finds the data centre and connects to it; `close()` gives that connection back.
        """
        return client.iter_download(self.location, request_size=PIECE, file_size=self.size, dc_id=self.dc_id)


def read_message(raw: bytes, layer: int) -> TLObject | None:
    """Read a stored message; None where another version of Telethon wrote it, whose layer nobody knows any more."""
    if layer != LAYER:
        return None
    with BinaryReader(raw) as reader:
        return reader.tgread_object()


def attached(message: TLObject | None) -> Attached | None:
    """Return the photo or document of a message; of a photo its largest size, which is the one that was posted."""
    media = getattr(message, "media", None)
    if isinstance(media, types.MessageMediaPhoto) and isinstance(media.photo, types.Photo):
        return _photo(media.photo)
    if isinstance(media, types.MessageMediaDocument) and isinstance(media.document, types.Document):
        return _document(media.document)
    return None


def _photo(photo: types.Photo) -> Attached | None:
    sizes = [size for size in photo.sizes if isinstance(size, types.PhotoSize | types.PhotoSizeProgressive)]
    if not sizes:
        return None
    largest = max(sizes, key=lambda size: size.w * size.h)
    return Attached(
        file_id=photo.id,
        location=types.InputPhotoFileLocation(photo.id, photo.access_hash, photo.file_reference, largest.type),
        dc_id=photo.dc_id,
        size=max(largest.sizes) if isinstance(largest, types.PhotoSizeProgressive) else largest.size,
        mime=_JPEG,
        name=None,
    )


def _document(document: types.Document) -> Attached:
    names = (a.file_name for a in document.attributes if isinstance(a, types.DocumentAttributeFilename))
    return Attached(
        file_id=document.id,
        location=types.InputDocumentFileLocation(document.id, document.access_hash, document.file_reference, ""),
        dc_id=document.dc_id,
        size=document.size,
        mime=document.mime_type or _UNKNOWN,
        name=next(names, None),
    )


def is_outdated(error: TelegramError) -> bool:
    """Say whether a file has to be named anew: its reference has expired, or belongs to another account."""
    return bool(_EXPIRED.fullmatch(error.error)) or error.error in _ELSEWHERE


def outdated_among(error: TelegramError, count: int) -> range:
    """Return which of so many files have to be named anew: the one that the error counts, from 0, or all."""
    number = re.search(r"\d+", error.error)
    if number is None or int(number[0]) >= count:
        return range(count)
    return range(int(number[0]), int(number[0]) + 1)


def kind_of_album(enclosure: Enclosure) -> str | None:
    """Name what an album may hold together with this file; None where the file goes alone.

    Photos go with videos, documents and sounds each with their like; voice and video notes and animations are on their
    own: https://core.telegram.org/api/files#albums-grouped-media.
    """
    if enclosure.kind == PHOTO:
        return "visual"
    traits = _traits(enclosure)
    video = next((t for t in traits if isinstance(t, types.DocumentAttributeVideo)), None)
    audio = next((t for t in traits if isinstance(t, types.DocumentAttributeAudio)), None)
    if any(isinstance(t, types.DocumentAttributeAnimated) for t in traits):
        return None
    if video is not None:
        return None if video.round_message else "visual"
    if audio is not None:
        return None if audio.voice else "audio"
    return "document"


def is_refused(error: TelegramError) -> bool:
    """Say whether a chat, or Telegram, will not take a message with this file, though it may take its text."""
    is_dropped = error.verdict is Verdict.DROP and error.error != UNANSWERABLE
    return is_dropped or bool(_UNWANTED.fullmatch(error.error))


async def upload(ask: Ask, peer: Peer, enclosure: Enclosure) -> Remote:
    """Bring a file to Telegram without sending it, and return how to name it; the chat is one that we may write to.

    Raises TelegramError, OSError.
    """
    file = await _bring(ask, enclosure.path, enclosure.name or "file")
    media = await ask(functions.messages.UploadMediaRequest(from_peer(peer), _described(enclosure, file)))
    content = getattr(media, "photo", None) or getattr(media, "document", None)
    if not isinstance(content, types.Photo | types.Document):
        raise TelegramError("MEDIA_EMPTY", code=400, verdict=Verdict.DROP)
    return Remote(kind=enclosure.kind, id=content.id, access_hash=content.access_hash, reference=content.file_reference)


def to_media(remote: Remote) -> TLObject:
    """Write an uploaded file for a request."""
    names = (remote.id, remote.access_hash, remote.reference)
    if remote.kind == PHOTO:
        return types.InputMediaPhoto(types.InputPhoto(*names))
    return types.InputMediaDocument(types.InputDocument(*names))


async def _bring(ask: Ask, path: Path, name: str) -> TLObject:
    """Send a file part by part, one at a time: they share a connection with the texts of all chats."""
    number, size = secrets.randbits(63), (await asyncio.to_thread(path.stat)).st_size
    length = next((length for length in (PART, 2 * PART) if size <= length * PARTS), PIECE)
    parts, is_small = -(-size // length), size <= SMALL
    with path.open("rb") as file:
        for part in range(parts):
            piece = await asyncio.to_thread(file.read, length)
            if is_small:
                await ask(functions.upload.SaveFilePartRequest(number, part, piece))
            else:
                await ask(functions.upload.SaveBigFilePartRequest(number, part, parts, piece))
    return types.InputFile(number, parts, name, "") if is_small else types.InputFileBig(number, parts, name)


def _described(enclosure: Enclosure, file: TLObject) -> TLObject:
    if enclosure.kind == PHOTO:
        return types.InputMediaUploadedPhoto(file)
    named = [types.DocumentAttributeFilename(enclosure.name)] if enclosure.name else []
    return types.InputMediaUploadedDocument(file, enclosure.mime, [*named, *_traits(enclosure)])


def _traits(enclosure: Enclosure) -> list[TLObject]:
    """Say how long a video or a sound runs and how wide a picture is, so that phones show it as the channel's."""
    message = read_message(enclosure.raw, enclosure.layer)
    document = getattr(getattr(message, "media", None), "document", None)
    traits = []
    for trait in getattr(document, "attributes", ()):
        if isinstance(trait, types.DocumentAttributeVideo):
            traits.append(
                types.DocumentAttributeVideo(
                    trait.duration, trait.w, trait.h, trait.round_message, trait.supports_streaming
                )
            )
        elif isinstance(trait, types.DocumentAttributeAudio):
            traits.append(types.DocumentAttributeAudio(trait.duration, trait.voice, trait.title, trait.performer))
        elif isinstance(trait, types.DocumentAttributeImageSize | types.DocumentAttributeAnimated):
            traits.append(trait)
    return traits
