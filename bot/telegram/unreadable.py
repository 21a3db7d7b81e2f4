"""What to do where Telegram is newer than this program: what cannot be read costs no more than itself.

TL says nowhere how long an object is: behind a constructor that Telethon does not know, nothing more of a packet, a
push or an answer can be read.
"""

import struct
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import chain
from typing import TypeVar

import structlog
from telethon import errors, functions, utils
from telethon.crypto import AES
from telethon.extensions import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import TLObject, types
from telethon.tl.core import GzipPacked, MessageContainer, TLMessage

from bot.errors import UnreadableError
from bot.telegram.errors import UNREADABLE

log = structlog.get_logger(__name__)

T = TypeVar("T")
VECTOR = struct.pack("<I", 0x1CB5C415)
_WORD = 4  # bytes: all of TL lies on such boundaries
_MESSAGE, *_OTHERS = (
    struct.pack("<I", kind.CONSTRUCTOR_ID) for kind in (types.Message, types.MessageService, types.MessageEmpty)
)
_MESSAGES = {_MESSAGE, *_OTHERS}
_CHANGES = {
    struct.pack("<I", kind.CONSTRUCTOR_ID) for kind in (types.UpdateNewChannelMessage, types.UpdateEditChannelMessage)
}


class PacketReader(MTProtoState):
    """Reads the packets of a connection; Telethon's own drops a whole packet, answers too, for a push in it."""

    _highest_remote_id: int

    def decrypt_message_data(self, body: bytes) -> TLMessage | None:
        """Return what a packet holds; what cannot be read in it is acknowledged and left out."""
        try:
            message = super().decrypt_message_data(body)
        except (errors.SecurityError, errors.InvalidBufferError):
            raise
        except Exception as error:  # noqa: BLE001 - Telethon's readers raise anything at what they do not know
            constructor = getattr(error, "invalid_constructor_id", 0)
            log.info("Telegram sent what this version cannot read", constructor=f"{constructor:#010x}")
            return self._read_apart(body)
        if message is not None:
            inside = message.obj.messages if isinstance(message.obj, MessageContainer) else [message]
            for each in inside:
                if isinstance(each.obj, GzipPacked):
                    each.obj = _read(each.obj.data)
        return message

    def _read_apart(self, body: bytes) -> TLMessage:
        """Read the messages of a packet one by one; it has passed all checks that come before its content."""
        key, vector = self._calc_key(self.auth_key.key, body[8:24], False)  # noqa: FBT003 - as Telethon has it
        reader = BinaryReader(AES.decrypt_ige(body[24:], key, vector))
        reader.read(16)  # salt, session
        message = _next_message(reader)
        self._recent_remote_ids.append(message.msg_id)
        self._highest_remote_id = max(self._highest_remote_id, message.msg_id)
        return message


def _next_message(reader: BinaryReader) -> TLMessage:
    msg_id, seqno, length = reader.read_long(), reader.read_int(), reader.read_int()
    return TLMessage(msg_id, seqno, _read(reader.read(length)))


def _read(body: bytes) -> TLObject:
    """Read what fills a message; where that is not possible, return something that is only acknowledged."""
    reader = BinaryReader(body)
    if body[:_WORD] == struct.pack("<I", MessageContainer.CONSTRUCTOR_ID):
        reader.read(_WORD)
        return MessageContainer([_next_message(reader) for _ in range(reader.read_int())])
    try:
        found = reader.tgread_object()
    except Exception:  # noqa: BLE001 - as above
        return types.MsgsAck([])
    return _read(found.data) if isinstance(found, GzipPacked) else found


async def ask_by_number(
    ids: Sequence[int], ask: Callable[[Sequence[int]], Awaitable[T]]
) -> tuple[list[T], dict[int, int | None]]:
    """Ask for messages by their ids; where the answer cannot be read, in halves.

    Return the answers, and by id the unknown constructor of each message that cannot be read. Raises what `ask` raises.
    """
    try:
        return [await ask(ids)], {}
    except UnreadableError as error:
        if len(ids) == 1:
            return [], {ids[0]: error.constructor}
    middle = len(ids) // 2
    first, unread = await ask_by_number(ids[:middle], ask)
    second, too = await ask_by_number(ids[middle:], ask)
    return [*first, *second], unread | too


def step_over(request: TLObject, *, seq: int) -> TLObject:
    """Return the answer to a request for one change that Telegram would give if it held nothing: there is more."""
    if isinstance(request, functions.updates.GetChannelDifferenceRequest):
        return types.updates.ChannelDifference(request.pts + 1, [], [], [], [])
    state = types.updates.State(request.pts + 1, request.qts, request.date, seq, 0)
    return types.updates.DifferenceSlice([], [], [], [], [], state)


class GetChannelDifferenceRequest(functions.updates.GetChannelDifferenceRequest):
    """Asks for the changes of a channel; where the only one cannot be read, the error says of which message it is."""

    @staticmethod
    def read_result(reader: BinaryReader) -> TLObject:
        """Return the answer. Raises UnreadableError."""
        start = reader.tell_position()
        try:
            return reader.tgread_object()
        except UNREADABLE as error:
            number = _attempt(reader, start, lambda: _only_message(reader))
            raise UnreadableError(getattr(error, "invalid_constructor_id", None), number) from error


def _only_message(reader: BinaryReader) -> int | None:
    """Return the id of the one message that a difference brings, new or edited, if that is what cannot be read."""
    if reader.read_int(signed=False) != types.updates.ChannelDifference.CONSTRUCTOR_ID:
        return None
    has_timeout = reader.read_int() & 2
    reader.read(2 * _WORD if has_timeout else _WORD)
    new = _count(reader)
    if new > 1 or (not new and (_count(reader) != 1 or reader.read(_WORD) not in _CHANGES)):
        return None
    start, kind = reader.tell_position(), reader.read(_WORD)
    reader.read(2 * _WORD if kind == _MESSAGE else _WORD)  # flags
    number = reader.read_int()
    is_readable = _attempt(reader, start, reader.tgread_object) is not None
    return None if is_readable or kind not in _MESSAGES else number


def _count(reader: BinaryReader) -> int:
    """Read the beginning of a vector."""
    reader.read(_WORD)
    return int(reader.read_int())


class GetDialogsRequest(functions.messages.GetDialogsRequest):
    """Asks for the list of chats; of the newest messages that come along, those are left out that cannot be read."""

    @staticmethod
    def read_result(reader: BinaryReader) -> TLObject:
        """Return the answer; raises what Telethon raises where more than messages cannot be read."""
        start = reader.tell_position()
        try:
            return reader.tgread_object()
        except Exception:
            reader.set_position(start)
            if (found := _dialogs_around(reader)) is None:
                raise
            return found


def _dialogs_around(reader: BinaryReader) -> TLObject | None:
    """Read a list of chats around its unreadable messages; None where that is not possible.

    Each dialog names its newest message, so that a message is known when it is met. The chats and users follow, in two
    vectors that name the peers of all dialogs.
    """
    kind = reader.read_int(signed=False)
    count = reader.read_int() if kind == types.messages.DialogsSlice.CONSTRUCTOR_ID else None
    dialogs = reader.tgread_vector()
    peers = {utils.get_peer_id(each.peer) for each in dialogs}
    wanted = {(utils.get_peer_id(each.peer), each.top_message) for each in dialogs if isinstance(each, types.Dialog)}
    start = reader.tell_position()
    for place in range(start, len(reader.get_bytes()), _WORD):
        is_vector = reader.get_bytes()[place : place + _WORD] == VECTOR
        named = _attempt(reader, place, lambda: _chats_and_users(reader)) if is_vector else None
        if named is not None and peers <= {utils.get_peer_id(each) for each in chain(*named)}:
            messages = list(_messages_among(reader, start, place, wanted))
            if count is None:
                return types.messages.Dialogs(dialogs, messages, *named)
            return types.messages.DialogsSlice(count, dialogs, messages, *named)
    return None


def _chats_and_users(reader: BinaryReader) -> tuple[list[TLObject], list[TLObject]] | None:
    chats = reader.tgread_vector()
    if any(getattr(chat, "SUBCLASS_OF_ID", 0) != types.Channel.SUBCLASS_OF_ID for chat in chats):
        return None
    users = reader.tgread_vector()
    is_right = all(getattr(user, "SUBCLASS_OF_ID", 0) == types.User.SUBCLASS_OF_ID for user in users)
    return (chats, users) if is_right else None


def _messages_among(reader: BinaryReader, start: int, end: int, wanted: set[tuple[int, int]]) -> Iterator[TLObject]:
    place = start
    while place < end:
        is_message = reader.get_bytes()[place : place + _WORD] in _MESSAGES
        found = _attempt(reader, place, reader.tgread_object) if is_message else None
        peer = getattr(found, "peer_id", None)
        if found is not None and peer is not None and (utils.get_peer_id(peer), found.id) in wanted:
            yield found
            place = reader.tell_position()
        else:
            place += _WORD


def _attempt(reader: BinaryReader, place: int, read: Callable[[], T]) -> T | None:
    reader.set_position(place)
    try:
        return read()
    except Exception:  # noqa: BLE001 - as above
        return None
