"""TL on top of Telethon's: reads messages with one kind of error, and writes bare results, containers and gzip."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import TLObject
from telethon.tl.core import GzipPacked, MessageContainer, RpcResult
from telethon.tl.types import RpcError
from telethon.tl.types.upload import File

VECTOR = 0x1CB5C415
BOOLS = {True: b"\xb5\x75\x72\x99", False: b"\x37\x97\x79\xbc"}
MESSAGE_HEADER = struct.Struct("<qii")  # msg_id, seqno, length of the body in bytes

MAX_CONTAINED = 1020  # https://core.telegram.org/mtproto/service_messages#containers
MAX_UNZIPPED = 1 << 24  # bytes; a bomb of zeros must not fill the memory
GZIP_ABOVE = 1 << 18  # bytes; on loopback gzip takes four times as long as the time it saves, so only for huge bodies

_container_header = struct.Struct("<Ii")
_result_header = struct.Struct("<Iq")
_never_zipped = tuple(struct.pack("<I", kind.CONSTRUCTOR_ID) for kind in (RpcError, File))

# What Telethon's readers raise on bytes that are no TL: it has no error of its own for most of them.
_PARSE_ERRORS = (
    TypeNotFoundError,
    BufferError,
    struct.error,
    RuntimeError,  # wrong bool or vector, and recursion too deep
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    EOFError,
    OSError,
    zlib.error,
)


class MalformedError(Exception):
    """Bytes that are not valid TL."""


class Longs(list[int]):
    """A result to be written as Vector<long>."""


class Inner(NamedTuple):
    """One message of a container."""

    msg_id: int
    seqno: int
    body: bytes


def serialise(result: Any) -> bytes:  # noqa: ANN401 - a handler's result: TLObject, bool, Longs or a list of them
    """Write a handler's result, also the bare ones (Bool, Vector) that a TLObject cannot be."""
    if isinstance(result, bool):
        return BOOLS[result]
    if isinstance(result, Longs):
        return struct.pack(f"<Ii{len(result)}q", VECTOR, len(result), *result)
    if isinstance(result, list | tuple):
        return struct.pack("<Ii", VECTOR, len(result)) + b"".join(map(serialise, result))
    if isinstance(result, TLObject):
        return bytes(result)
    raise TypeError(f"a handler returned {type(result).__name__}, which is no TL result")


def rpc_result(msg_id: int, body: bytes) -> bytes:
    """Write the rpc_result to the request `msg_id`, compressed where that is worth its time."""
    if len(body) > GZIP_ABOVE and not body.startswith(_never_zipped):
        body = min(gzip_packed(body), body, key=len)
    return _result_header.pack(RpcResult.CONSTRUCTOR_ID, msg_id) + body


def gzip_packed(body: bytes) -> bytes:
    """Write gzip_packed at the fastest level."""
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    packed = packer.compress(body) + packer.flush()
    return struct.pack("<I", GzipPacked.CONSTRUCTOR_ID) + bytes(TLObject.serialize_bytes(packed))


def constructor(body: bytes) -> int:
    """Return the constructor id that a body starts with; 0 where it is too short to have one."""
    return int.from_bytes(body[:4], "little") if len(body) >= 4 else 0  # noqa: PLR2004 - bytes of an int


def gunzip(body: bytes) -> bytes:
    """Return the content of a gzip_packed body; raises MalformedError for bad gzip and for more than 16 MiB."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unzipped = unpacker.decompress(BinaryReader(body[4:]).tgread_bytes(), MAX_UNZIPPED)
    except _PARSE_ERRORS as error:
        raise MalformedError("gzip_packed holds no gzip") from error
    if not unpacker.eof:
        raise MalformedError("gzip_packed is truncated or too large")
    return unzipped


def split_container(body: bytes) -> list[Inner]:
    """Split a msg_container into its messages without reading them; raises MalformedError for wrong lengths."""
    try:
        _, count = _container_header.unpack_from(body)
        if not 0 <= count <= MAX_CONTAINED:
            raise MalformedError(f"a container of {count} messages")
        return list(_split(body, count))
    except struct.error as error:
        raise MalformedError("a truncated container") from error


def _split(body: bytes, count: int) -> Iterator[Inner]:
    position = _container_header.size
    for _ in range(count):
        msg_id, seqno, length = MESSAGE_HEADER.unpack_from(body, position)
        position += MESSAGE_HEADER.size
        if not 0 <= length <= len(body) - position or length % 4:
            raise MalformedError("a message longer than its container")
        yield Inner(msg_id, seqno, body[position : position + length])
        position += length


def container_header(count: int) -> bytes:
    """Write the header of a msg_container."""
    return _container_header.pack(MessageContainer.CONSTRUCTOR_ID, count)


def parse(body: bytes) -> Any:  # noqa: ANN401 - whatever constructor the bytes start with
    """Read one TL object that fills `body`; raises MalformedError with Telegram's own error string."""
    parsed, length = parse_start(body)
    if length != len(body):
        raise MalformedError("INPUT_REQUEST_TOO_LONG")
    return parsed


def parse_start(body: bytes) -> tuple[Any, int]:
    """Read the TL object that `body` starts with; also return its length in bytes."""
    reader = BinaryReader(body)
    try:
        parsed = reader.tgread_object()
    except TypeNotFoundError as error:
        if error.invalid_constructor_id == constructor(body):
            raise MalformedError(f"INPUT_METHOD_INVALID_{error.invalid_constructor_id}") from error
        raise MalformedError("INPUT_CONSTRUCTOR_INVALID") from error
    except _PARSE_ERRORS as error:
        raise MalformedError("INPUT_FETCH_ERROR") from error
    return parsed, reader.tell_position()
