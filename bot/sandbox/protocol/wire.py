"""Transports: cuts a TCP stream into packets, and frames packets, in the transport that the client announces."""

import os
import struct
from random import randrange
from typing import Protocol
from zlib import crc32

from telethon.crypto import AESModeCTR

MAX_PACKET = 1 << 21  # bytes; clients send about 1 MiB at most, and no length they claim may fill the memory

_INT = struct.Struct("<I")
_PAIR = struct.Struct("<II")
_ABRIDGED, _INTERMEDIATE, _PADDED = b"\xef" * 4, b"\xee" * 4, b"\xdd" * 4
_QUICK_ACK = 0x80000000  # the client would like a quick acknowledgement, which a server need not give
_OBFUSCATED_HEADER = 64  # bytes
_NOT_OBFUSCATED = (b"HEAD", b"POST", b"GET ", b"OPTI", b"\x16\x03\x01\x02")  # HTTP and TLS


class WireError(Exception):
    """Bytes of an unknown transport, or that break the rules of theirs."""


class Framing(Protocol):
    """One transport: https://core.telegram.org/mtproto/mtproto-transports."""

    def next(self, buffer: bytearray) -> bytes | None:
        """Cut the next packet off the buffer; None where it is not complete yet."""

    def frame(self, packet: bytes) -> bytes:
        """Return the bytes that carry a packet."""


def _cut(buffer: bytearray, head: int, length: int) -> bytes | None:
    """Cut off `head` bytes and return the `length` bytes after them."""
    if not 0 < length <= MAX_PACKET:
        raise WireError(f"a packet of {length} bytes")
    if len(buffer) < head + length:
        return None
    packet = bytes(memoryview(buffer)[head : head + length])
    del buffer[: head + length]
    return packet


class Abridged:
    """One byte of length in words, or four for a long packet."""

    def next(self, buffer: bytearray) -> bytes | None:
        """Cut the next packet off the buffer."""
        if not buffer:
            return None
        if (words := buffer[0] & 0x7F) < 0x7F:  # noqa: PLR2004 - the transport's own mark
            return _cut(buffer, 1, words * 4)
        return _cut(buffer, 4, int.from_bytes(buffer[1:4], "little") * 4) if len(buffer) >= 4 else None  # noqa: PLR2004 - head

    def frame(self, packet: bytes) -> bytes:
        """Return the bytes that carry a packet."""
        words = len(packet) // 4
        head = bytes((words,)) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")  # noqa: PLR2004 - as above
        return head + packet


class Intermediate:
    """Four bytes of length."""

    def next(self, buffer: bytearray) -> bytes | None:
        """Cut the next packet off the buffer."""
        if len(buffer) < _INT.size:
            return None
        return _cut(buffer, _INT.size, _INT.unpack_from(buffer)[0] & ~_QUICK_ACK)

    def frame(self, packet: bytes) -> bytes:
        """Return the bytes that carry a packet."""
        return _INT.pack(len(packet)) + packet


class Padded(Intermediate):
    """Four bytes of length, and up to fifteen of padding after the packet."""

    def next(self, buffer: bytearray) -> bytes | None:
        """Cut the next packet off the buffer, and its padding off the packet."""
        packet = super().next(buffer)
        if packet is None or packet.startswith(bytes(8)):
            return packet  # unencrypted messages know their own length
        return packet[: len(packet) - (len(packet) - 24) % 16]

    def frame(self, packet: bytes) -> bytes:
        """Return the bytes that carry a packet."""
        return super().frame(packet + os.urandom(randrange(4)))  # noqa: S311 - the length of padding is no secret


class Full:
    """Length, number of the packet, and a checksum."""

    def __init__(self) -> None:
        self._received = self._sent = 0

    def next(self, buffer: bytearray) -> bytes | None:
        """Cut the next packet off the buffer."""
        if len(buffer) < _PAIR.size:
            return None
        length, number = _PAIR.unpack_from(buffer)
        if length <= _PAIR.size + _INT.size or number != self._received:
            raise WireError(f"packet {number} of {length} bytes where {self._received} was due")
        rest = _cut(buffer, 0, length)
        if rest is None:
            return None
        if crc32(memoryview(rest)[:-4]) != _INT.unpack_from(rest, length - 4)[0]:
            raise WireError("a wrong checksum")
        self._received += 1
        return rest[8:-4]

    def frame(self, packet: bytes) -> bytes:
        """Return the bytes that carry a packet."""
        framed = _PAIR.pack(len(packet) + 12, self._sent) + packet
        self._sent += 1
        return framed + _INT.pack(crc32(framed))


class Wire:
    """One connection's transport."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._framing: Framing | None = None
        self._inward: AESModeCTR | None = None  # set where the stream is obfuscated
        self._outward: AESModeCTR | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes from the client; raises WireError where they announce no known transport."""
        self._buffer += data if self._inward is None else self._inward.decrypt(data)
        if self._framing is None:
            self._framing = self._detect()

    def next(self) -> bytes | None:
        """Return the next complete packet, if any; raises WireError for bytes that cannot be one."""
        return self._framing.next(self._buffer) if self._framing is not None else None

    def frame(self, packet: bytes) -> bytes:
        """Return the bytes that carry a packet to the client; raises WireError before it announced a transport."""
        if self._framing is None:
            raise WireError("no transport yet")
        framed = self._framing.frame(packet)
        return framed if self._outward is None else bytes(self._outward.encrypt(framed))

    def _detect(self) -> Framing | None:
        buffer = self._buffer
        if buffer[:1] == _ABRIDGED[:1]:
            del buffer[:1]
            return Abridged()
        if len(buffer) < 8:  # noqa: PLR2004 - enough to tell the other transports apart
            return None
        tag = bytes(buffer[:4])
        if tag in (_INTERMEDIATE, _PADDED):
            del buffer[:4]
            return Intermediate() if tag == _INTERMEDIATE else Padded()
        if buffer[4:8] == bytes(4):
            return Full()
        if tag in _NOT_OBFUSCATED:
            raise WireError("HTTP or TLS, no transport of ours")
        return self._unveil() if len(buffer) >= _OBFUSCATED_HEADER else None

    def _unveil(self) -> Framing:
        """Read the header of https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation."""
        header = bytes(self._buffer[:_OBFUSCATED_HEADER])
        mirrored = header[55:7:-1]
        inward = AESModeCTR(header[8:40], header[40:56])
        tag = inward.decrypt(header)[56:60]
        framings: dict[bytes, type[Abridged | Intermediate]] = {
            _ABRIDGED: Abridged,
            _INTERMEDIATE: Intermediate,
            _PADDED: Padded,
        }
        if tag not in framings:
            raise WireError("no transport behind the obfuscation")
        self._inward, self._outward = inward, AESModeCTR(mirrored[:32], mirrored[32:48])
        self._buffer = bytearray(inward.decrypt(bytes(self._buffer[_OBFUSCATED_HEADER:])))
        return framings[tag]()
