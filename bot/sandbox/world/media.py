"""Photos and documents: their bytes, and the TL objects that messages carry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.refused import Refused

DC_ID = 2
MAX_PART = 512 * 1024  # bytes
_PHOTO_SIZE = "x", 1280, 720  # the one size of every photo: its type, width and height in pixels


@dataclass(frozen=True, slots=True)
class File:
    """A stored file, which any number of messages may carry."""

    data: bytes
    media: TLObject  # MessageMediaPhoto or MessageMediaDocument
    date: datetime


class MediaFiles:
    """All files of the world, and the parts of unfinished uploads."""

    def __init__(self, random: Random, now: Callable[[], datetime]) -> None:
        self._random = random
        self._now = now
        self._files: dict[int, File] = {}
        self._age = 0  # of the references: how often all have expired
        self._parts: dict[tuple[int, int], dict[int, bytes]] = {}  # (account, file id) → part → bytes

    def photo(self, data: bytes) -> TLObject:
        """Store a photo and return a MessageMediaPhoto."""
        number = self._number()
        size = tl.PhotoSize(*_PHOTO_SIZE, len(data))
        photo = tl.Photo(number, self._number(), _reference(number, self._age), self._now(), [size], DC_ID)
        return self._store(number, data, tl.MessageMediaPhoto(photo=photo))

    def document(
        self, data: bytes, *, name: str = "", mime_type: str = "", attributes: Sequence[TLObject] = ()
    ) -> TLObject:
        """Store a document and return a MessageMediaDocument."""
        number = self._number()
        named = [*attributes, *([tl.DocumentAttributeFilename(name)] if name else [])]
        kind = mime_type or "application/octet-stream"
        document = tl.Document(
            number, self._number(), _reference(number, self._age), self._now(), kind, len(data), DC_ID, attributes=named
        )
        return self._store(number, data, tl.MessageMediaDocument(document=document))

    def _store(self, number: int, data: bytes, media: TLObject) -> TLObject:
        self._files[number] = File(data, media, self._now())
        return media

    def find(self, number: int, access_hash: int, reference: bytes) -> File:
        """Return a file by its id, access hash and reference; raises Refused."""
        file = self._files.get(number)
        if file is None or _content(file.media).access_hash != access_hash:
            raise Refused("FILE_ID_INVALID")
        if reference != _content(file.media).file_reference:
            raise Refused("FILE_REFERENCE_EXPIRED")
        return file

    def expire(self) -> None:
        """Expire the references that clients hold; messages fetched again carry fresh ones."""
        self._age += 1
        for number, file in self._files.items():
            _content(file.media).file_reference = _reference(number, self._age)

    def save_part(self, account_id: int, file_id: int, part: int, data: bytes) -> None:
        """Store one part of an upload; raises Refused."""
        if part < 0:
            raise Refused("FILE_PART_INVALID")
        if not data:
            raise Refused("FILE_PART_EMPTY")
        if len(data) > MAX_PART:
            raise Refused("FILE_PART_TOO_BIG")
        self._parts.setdefault((account_id, file_id), {})[part] = data

    def assemble(self, account_id: int, file_id: int, parts: int) -> bytes:
        """Return the bytes of an upload of so many parts, and end it; raises Refused where one is missing."""
        found = self._parts.get((account_id, file_id), {})
        if parts <= 0:
            raise Refused("FILE_PARTS_INVALID")
        missing = next((number for number in range(parts) if number not in found), None)
        if missing is not None:
            raise Refused(f"FILE_PART_{missing}_MISSING")
        del self._parts[account_id, file_id]
        return b"".join(found[number] for number in range(parts))

    def _number(self) -> int:
        return self._random.getrandbits(62)


def _content(media: TLObject) -> TLObject:
    return media.photo if isinstance(media, tl.MessageMediaPhoto) else media.document


def _reference(number: int, age: int) -> bytes:
    return b"file" + number.to_bytes(8, "big") + age.to_bytes(2, "big")
