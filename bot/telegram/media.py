"""Photos and documents: how one of a message is downloaded, and a file of ours uploaded and sent.

https://core.telegram.org/api/files: an upload has at most 4,000 parts, of one size that divides 512 KB, and files over
10 MB go up by another method; a file reference expires, and is had anew from the message that shows the file, or by a
new upload.
"""

import asyncio
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from telethon import TelegramClient, functions
from telethon.extensions import BinaryReader
from telethon.requestiter import RequestIter
from telethon.tl import TLObject, types
from telethon.tl.alltlobjects import LAYER

from bot.errors import TelegramError, Verdict
from bot.models.outgoing import Peer, Remote, Upload
from bot.telegram.convert import from_peer
from bot.telegram.errors import UNANSWERABLE
from bot.telegram.rich import files
from bot.telegram.rpc import Ask

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloadable:
    """A photo or document of a message, as one account may download it."""

    file_id: int
    location: TLObject
    dc_id: int  # the data centre where it lies
    size: int  # bytes
    mime: str
    name: str | None  # given by whoever posted it: data, never a path

    def pieces(self, client: TelegramClient) -> RequestIter:
        """Return an iterator over the file's bytes; each step is one request, the last piece may be empty.

        Telethon finds the data centre and connects to it; `close()` gives that connection back.
        """
        return client.iter_download(self.location, request_size=PIECE, file_size=self.size, dc_id=self.dc_id)


def read_message(raw: bytes, layer: int | None) -> TLObject | None:
    """Read a stored message; None where its layer is not that of our Telethon, or it is no TL."""
    if layer != LAYER:
        return None
    with BinaryReader(raw) as reader:
        return reader.tgread_object()


def downloadable(message: TLObject | None, file_id: int) -> Downloadable | None:
    """Return the photo or document with this id that a message shows; of a photo the largest size."""
    match _file(message, file_id):
        case types.Photo() as photo:
            sizes = [size for size in photo.sizes if isinstance(size, types.PhotoSize | types.PhotoSizeProgressive)]
            if not sizes:
                return None
            largest = max(sizes, key=lambda size: size.w * size.h)
            address = (photo.id, photo.access_hash, photo.file_reference, largest.type)
            return Downloadable(
                file_id=photo.id,
                location=types.InputPhotoFileLocation(*address),
                dc_id=photo.dc_id,
                size=max(largest.sizes) if isinstance(largest, types.PhotoSizeProgressive) else largest.size,
                mime=_JPEG,
                name=None,
            )
        case types.Document() as document:
            names = (a.file_name for a in document.attributes if isinstance(a, types.DocumentAttributeFilename))
            address = (document.id, document.access_hash, document.file_reference, "")
            return Downloadable(
                file_id=document.id,
                location=types.InputDocumentFileLocation(*address),
                dc_id=document.dc_id,
                size=document.size,
                mime=document.mime_type or _UNKNOWN,
                name=next(names, None),
            )
    return None


def _file(message: TLObject | None, file_id: int) -> TLObject | None:
    if not isinstance(message, types.Message):
        return None
    media = getattr(message.media, "photo", None) or getattr(message.media, "document", None)
    of_blocks = () if message.rich_message is None else files(message.rich_message)
    return next((each for each in (media, *of_blocks) if each is not None and each.id == file_id), None)


def is_outdated(error: TelegramError) -> bool:
    """Say whether Telegram wants another reference to a file: this one has expired, or is another account's."""
    return bool(_EXPIRED.fullmatch(error.error)) or error.error in _ELSEWHERE


def outdated_among(error: TelegramError, count: int) -> range:
    """Return which of so many files need another reference: the one whose number, from 0, is in the error, or all."""
    number = re.search(r"\d+", error.error)
    if number is None or int(number[0]) >= count:
        return range(count)
    return range(int(number[0]), int(number[0]) + 1)


def kind_of_album(file: Upload) -> str | None:
    """Return the kind of album that a file may be in, None where it has to be sent alone.

    Photos go with videos, documents and sounds each with their like; voice and video notes and animations are on their
    own: https://core.telegram.org/api/files#albums-grouped-media.
    """
    if file.kind == PHOTO:
        return "visual"
    traits = _traits(file)
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
    """Say whether a chat, or Telegram, takes no message with a file, though the chat may take texts."""
    is_dropped = error.verdict is Verdict.DROP and error.error != UNANSWERABLE
    return is_dropped or bool(_UNWANTED.fullmatch(error.error))


async def upload(ask: Ask, peer: Peer, file: Upload) -> Remote:
    """Upload a file without sending it, and return its reference; `peer` is any chat that we may write to.

    Raises TelegramError, OSError.
    """
    parts = await _save_parts(ask, file.path, file.name or "file")
    made = types.InputMediaUploadedPhoto(parts)
    if file.kind != PHOTO:
        named = [types.DocumentAttributeFilename(file.name)] if file.name else []
        made = types.InputMediaUploadedDocument(parts, file.mime, [*named, *_traits(file)])
    media = await ask(functions.messages.UploadMediaRequest(from_peer(peer), made))
    content = getattr(media, "photo", None) or getattr(media, "document", None)
    if not isinstance(content, types.Photo | types.Document):
        raise TelegramError("MEDIA_EMPTY", code=400, verdict=Verdict.DROP)
    return Remote(kind=file.kind, id=content.id, access_hash=content.access_hash, reference=content.file_reference)


async def upload_chart(ask: Ask, png: bytes) -> TLObject:
    """Upload a picture of ours, and return it for the request that shows it. Raises TelegramError."""
    number, pieces = secrets.randbits(63), [png[start : start + PART] for start in range(0, len(png), PART)]
    for part, piece in enumerate(pieces):
        await ask(functions.upload.SaveFilePartRequest(number, part, piece))
    return types.InputMediaUploadedPhoto(types.InputFile(number, len(pieces), "chart.png", ""))


def to_media(remote: Remote) -> TLObject:
    """Write a reference to an uploaded file for a request."""
    names = (remote.id, remote.access_hash, remote.reference)
    if remote.kind == PHOTO:
        return types.InputMediaPhoto(types.InputPhoto(*names))
    return types.InputMediaDocument(types.InputDocument(*names))


async def _save_parts(ask: Ask, path: Path, name: str) -> TLObject:
    """Upload a file part by part, one at a time: the connection is that of all chats' texts."""
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


def _traits(file: Upload) -> list[TLObject]:
    """Return the length of a video or sound and the size of a picture, so that phones show it as in the channel."""
    document = _file(read_message(file.raw, file.layer), file.file_id)
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
