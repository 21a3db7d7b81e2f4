"""What only a newer client knows: a constructor of TL that Telethon has no class for, in raw bytes."""

import struct

from telethon.tl import TLObject
from telethon.tl import types as tl

CONSTRUCTOR = 0x7FE57EC0  # no layer has it


class Unknown(TLObject):
    """An object of a newer layer; it can stand for media, for formatting or for a whole message."""

    CONSTRUCTOR_ID = CONSTRUCTOR
    SUBCLASS_OF_ID = tl.MessageMediaEmpty.SUBCLASS_OF_ID

    def __init__(self, constructor: int = CONSTRUCTOR, content: bytes = b"\x07" * 16) -> None:
        self.constructor = constructor
        self.content = content
        self.offset = self.length = 0  # of formatting

    def to_dict(self) -> dict[str, object]:
        """Return its fields, by which Telethon compares objects."""
        return {"_": "Unknown", "constructor": self.constructor, "content": self.content}

    def _bytes(self) -> bytes:
        return struct.pack("<I", self.constructor) + self.content
