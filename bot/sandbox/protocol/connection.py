"""One TCP connection: cuts its bytes into packets, each for a session or for the key exchange."""

import asyncio
import logging
import struct
from typing import Protocol

from telethon.crypto import AuthKey
from telethon.tl import TLObject

from bot.sandbox.faults import Faults
from bot.sandbox.protocol.envelope import BadPacketError, Envelope, open_packet
from bot.sandbox.protocol.handshake import Handshake, HandshakeError
from bot.sandbox.protocol.keys import PRIVATE_KEY, Auth
from bot.sandbox.protocol.session import Session
from bot.sandbox.protocol.tl import MalformedError, parse
from bot.sandbox.protocol.wire import Wire, WireError

log = logging.getLogger(__name__)

MAX_UNREAD = 1 << 26  # bytes written for a client that does not read them, before it is cut off

_PLAIN = struct.Struct("<qqi")  # no key (0), msg_id, length of the body in bytes
_UNKNOWN_KEY = struct.pack("<i", -404)  # https://core.telegram.org/mtproto/mtproto-transports#transport-errors
_BAD_BYTES = (WireError, BadPacketError, HandshakeError, MalformedError)


class Switchboard(Protocol):
    """The part of the server that a connection needs."""

    faults: Faults

    def clock(self) -> float:
        """Return the server's time in seconds since 1970."""

    def add_connection(self, connection: "Connection") -> None:
        """Register an open connection."""

    def remove_connection(self, connection: "Connection") -> None:
        """Remove a connection that has closed."""

    def auth(self, key_id: int) -> Auth | None:
        """Return the authorisation of a key id; None for an unknown key."""

    def register(self, key: AuthKey) -> None:
        """Add the key that a key exchange agreed on."""

    def session(self, auth: Auth, session_id: int) -> Session:
        """Return a session of a key, a new one for an unknown id."""


class Connection(asyncio.Protocol):
    """One client's TCP connection; bad bytes close it and touch no other."""

    def __init__(self, server: Switchboard) -> None:
        self.sessions: set[Session] = set()  # of the client behind this connection
        self._server = server
        self._wire = Wire()
        self._transport: asyncio.Transport | None = None
        self._handshake = Handshake(PRIVATE_KEY, server.clock, is_known=lambda key_id: server.auth(key_id) is not None)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register with the server."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's own promise, for the type checker
        self._transport = transport
        self._server.add_connection(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Detach the sessions, which live on without a connection."""
        log.debug("a connection ended: %s", exc)
        if self._deadline is not None:
            self._deadline.cancel()
        for session in self.sessions:
            session.detach(self)
        self.sessions.clear()
        self._server.remove_connection(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and handle the packets that they complete."""
        try:
            self._wire.feed(data)
            while (packet := self._wire.next()) is not None and self._open():
                if not self._server.faults.unanswered:
                    self._take(packet)
        except _BAD_BYTES as error:
            log.info("closing a connection that sent bad bytes: %s", error)
            self.abort()

    def send(self, packet: bytes) -> None:
        """Write one packet, unless Faults.unanswered silences the server."""
        if self._transport is None or not self._open() or self._server.faults.unanswered:
            return
        self._transport.write(self._wire.frame(packet))
        if self._transport.get_write_buffer_size() > MAX_UNREAD:
            log.warning("cutting off a client that does not read")
            self.abort()

    def abort(self) -> None:
        """Cut the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def close_after(self, seconds: float) -> None:
        """Cut the connection in so many seconds; a later call replaces an earlier one."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self.abort)

    def _open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def _take(self, packet: bytes) -> None:
        if len(packet) < 8:  # noqa: PLR2004 - bytes of a key id
            raise BadPacketError(f"{len(packet)} bytes are no packet")
        key_id = int.from_bytes(packet[:8], "little")
        if not key_id:
            return self._exchange_keys(packet)
        auth = self._server.auth(key_id)
        if auth is None:
            return self._refuse_key()
        return self._hand_over(auth, open_packet(auth.key, packet))

    def _hand_over(self, auth: Auth, envelope: Envelope) -> None:
        session = self._server.session(auth, envelope.session_id)
        self.sessions.add(session)
        session.receive(envelope, self)

    def _refuse_key(self) -> None:
        self.send(_UNKNOWN_KEY)
        if self._transport is not None:
            self._transport.close()

    def _exchange_keys(self, packet: bytes) -> None:
        try:
            _, _, length = _PLAIN.unpack_from(packet)
        except struct.error as error:
            raise BadPacketError("a truncated unencrypted message") from error
        body = packet[_PLAIN.size :]
        if not 0 <= length <= len(body):
            raise BadPacketError("an unencrypted message longer than its packet")
        self._send_plain(self._handshake.answer(parse(body[:length])))
        if self._handshake.auth_key is not None:
            self._server.register(self._handshake.auth_key)
            self._handshake.auth_key = None

    def _send_plain(self, answer: TLObject) -> None:
        body = bytes(answer)
        msg_id = int(self._server.clock() * (1 << 32)) & ~3 | 1
        self.send(_PLAIN.pack(0, msg_id, len(body)) + body)
