"""One client's session: checks and numbers its messages, hands its requests to the server, sends answers and pushes."""

import asyncio
import os
from typing import Protocol

from telethon.tl import TLObject, TLRequest, types
from telethon.tl.alltlobjects import tlobjects
from telethon.tl.core import GzipPacked, MessageContainer
from telethon.tl.functions import PingDelayDisconnectRequest, RpcDropAnswerRequest

from bot.sandbox.protocol.envelope import Envelope, seal
from bot.sandbox.protocol.housekeeping import Housekeeping
from bot.sandbox.protocol.inbox import Bad, Inbox, Received, mistimed
from bot.sandbox.protocol.keys import Auth
from bot.sandbox.protocol.outbox import Outbox
from bot.sandbox.protocol.salts import Salts
from bot.sandbox.protocol.tl import (
    Inner,
    MalformedError,
    constructor,
    gunzip,
    parse,
    rpc_result,
    serialise,
    split_container,
)


class Link(Protocol):
    """The connection of a session's client."""

    def send(self, packet: bytes) -> None:
        """Write one packet."""

    def abort(self) -> None:
        """Cut it."""

    def close_after(self, seconds: float) -> None:
        """Cut it in so many seconds; a later call replaces an earlier one."""


class Host(Protocol):
    """The part of the server that a session needs."""

    salts: Salts

    def clock(self) -> float:
        """Return the server's time in seconds since 1970."""

    def request(self, session: "Session", msg_id: int, request: TLRequest) -> None:
        """Handle a request; the answer comes by `Session.reply`."""

    def malformed(self, session: "Session", msg_id: int, error: str) -> None:
        """Handle a message that cannot be read; the answer comes by `Session.reply`."""

    def destroy(self, session: "Session", session_id: int) -> bool:
        """Forget another session of the same key; False where there is none."""


class Session:
    """The messages of one client under one key and one session id, over any number of connections."""

    def __init__(self, auth: Auth, session_id: int, *, host: Host) -> None:
        self.auth = auth
        self.id = session_id
        self.wants_updates = False  # has made a request without invokeWithoutUpdates
        self._host = host
        self._link: Link | None = None
        self._inbox = Inbox()
        self._outbox = Outbox(host.clock)
        self._housekeeping = Housekeeping(
            self._inbox, self._outbox, salts=host.salts, destroy=lambda other: host.destroy(self, other)
        )
        self._clock_s = 0.0  # the latest time a packet came
        self._announced = False
        self._flushing = False
        self._loop = asyncio.get_running_loop()

    @property
    def live(self) -> bool:
        """Whether the client is connected."""
        return self._link is not None

    def receive(self, envelope: Envelope, link: Link) -> None:
        """Take a packet of the client, whose connection is `link` from now on."""
        self._attach(link)
        now = self._host.clock()
        if now < self._clock_s - 1:
            self._inbox.clear()  # Telegram's clock never goes back, this one does on demand: ids start again
        self._clock_s = now
        _, _, msg_id, seqno, body = envelope
        if bad := mistimed(msg_id, now):
            return self._refuse(msg_id, seqno, bad)
        if not self._host.salts.accepts(envelope.salt):
            return self._refuse(msg_id, seqno, Bad.SALT)
        body = _unzip(body)
        if constructor(body) == MessageContainer.CONSTRUCTOR_ID:
            return self._take_container(msg_id, seqno, body)
        return self._take(msg_id, seqno, body)

    def detach(self, link: Link) -> None:
        """Let go of a connection that has closed."""
        if self._link is link:
            self._link = None

    def cut(self) -> None:
        """Cut the client's connection; messages queued in this turn of the loop are lost."""
        link, self._link = self._link, None
        if link is not None:
            link.abort()

    def push(self, updates: TLObject | bytes) -> None:
        """Send updates; lost while the client is away."""
        if self._link is not None:
            self._send(bytes(updates), content=True)

    def reply(self, msg_id: int, body: bytes, *, failed: bool) -> None:
        """Answer a request with its serialised result or error."""
        received = self._inbox.find(msg_id) or Received(1)
        received.failed = failed
        if received.finished:
            received.finished.set()
        if not received.dropped:
            received.answer_id = self._send(rpc_result(msg_id, body), content=True, answer=True)

    def acknowledge(self, msg_id: int) -> None:
        """Send the client an acknowledgement of its message, where the answer takes time or was sent before."""
        self._send(bytes(types.MsgsAck([msg_id])), content=False)

    async def succeeds(self, msg_id: int) -> bool:
        """Wait for the answer to a request; False where it is an error or the request is not known."""
        received = self._inbox.find(msg_id)
        if received is None:
            return False
        if received.failed is None:
            received.finished = received.finished or asyncio.Event()
            await received.finished.wait()
        return not received.failed

    def _attach(self, link: Link) -> None:
        if link is self._link:
            return
        self._link = link
        if self._announced:
            self._outbox.requeue_answers()
            self._schedule()

    def _send(self, body: bytes, *, content: bool, answer: bool = False) -> int:
        msg_id = self._outbox.add(body, content=content, answer=answer)
        self._schedule()
        return msg_id

    def _respond(self, message: TLObject) -> None:
        self._send(bytes(message), content=False, answer=True)

    def _schedule(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Write the messages queued in this turn of the loop, in as few packets as possible."""
        self._flushing = False
        if self._link is None:
            return self._outbox.drop()
        while parts := self._outbox.take():
            self._link.send(seal(self.auth.key, self._host.salts.current(), self.id, parts))
        return None

    def _take_container(self, msg_id: int, seqno: int, body: bytes) -> None:
        if self._inbox.find(msg_id):
            return self._refuse(msg_id, seqno, Bad.CONTAINER_REPEATED)
        if seqno % 2:
            return self._refuse(msg_id, seqno, Bad.EVEN_EXPECTED)
        try:
            messages = split_container(body)
        except MalformedError:
            return self._refuse(msg_id, seqno, Bad.CONTAINER)
        if any(not _belongs(message, msg_id, seqno) for message in messages):
            return self._refuse(msg_id, seqno, Bad.CONTAINER)
        if bad := self._inbox.verdict(msg_id, seqno):
            return self._refuse(msg_id, seqno, bad)
        for inner in messages:
            self._take(inner.msg_id, inner.seqno, _unzip(inner.body))
        self._inbox.add(msg_id, seqno).failed = False
        return None

    def _take(self, msg_id: int, seqno: int, body: bytes) -> None:
        if received := self._inbox.find(msg_id):
            return self._repeat(msg_id, received, body)
        if bad := self._inbox.verdict(msg_id, seqno) or self._wrong_parity(constructor(body), seqno):
            return self._refuse(msg_id, seqno, bad)
        self._announce(msg_id)
        self._inbox.add(msg_id, seqno)
        return self._read(msg_id, body)

    def _wrong_parity(self, code: int, seqno: int) -> Bad | None:
        """Check that acknowledgements are even and requests odd; other service messages may be either."""
        if code in _QUIET:
            return Bad.EVEN_EXPECTED if seqno % 2 else None
        kind = tlobjects.get(code)
        if seqno % 2 or kind is None or self._housekeeping.handles(kind):
            return None
        return Bad.ODD_EXPECTED if issubclass(kind, TLRequest) else None

    def _announce(self, msg_id: int) -> None:
        if not self._announced:
            self._announced = True
            unique_id = int.from_bytes(os.urandom(8), "little", signed=True)
            created = types.NewSessionCreated(msg_id, unique_id, self._host.salts.current())
            self._send(bytes(created), content=True)

    def _read(self, msg_id: int, body: bytes) -> None:
        try:
            message = parse(body)
        except MalformedError as error:
            return self._host.malformed(self, msg_id, str(error))
        if self._housekeeping.handles(type(message)):
            return self._serve(msg_id, message)
        if isinstance(message, TLRequest):
            return self._host.request(self, msg_id, message)
        return self._host.malformed(self, msg_id, f"INPUT_METHOD_INVALID_{constructor(body)}")

    def _serve(self, msg_id: int, message: TLObject) -> None:
        answer = self._housekeeping.answer(msg_id, message)
        if received := self._inbox.find(msg_id):
            received.failed = False
        if isinstance(message, RpcDropAnswerRequest):
            self.reply(msg_id, serialise(answer), failed=False)
        elif answer is not None:
            self._respond(answer)
        else:
            self._schedule()
        if isinstance(message, PingDelayDisconnectRequest) and self._link is not None:
            self._link.close_after(message.disconnect_delay)

    def _repeat(self, msg_id: int, received: Received, body: bytes) -> None:
        """Handle a message that came before: its answer is repeated, its handler does not run again."""
        if self._housekeeping.handles(tlobjects.get(constructor(body))):
            self._read(msg_id, body)
        elif received.answer_id is None or not self._outbox.requeue(received.answer_id):
            self.acknowledge(msg_id)
        else:
            self._schedule()

    def _refuse(self, msg_id: int, seqno: int, bad: Bad) -> None:
        if bad is Bad.SALT:
            self._respond(types.BadServerSalt(msg_id, seqno, bad, self._host.salts.current()))
        else:
            self._respond(types.BadMsgNotification(msg_id, seqno, bad))


_QUIET = frozenset(kind.CONSTRUCTOR_ID for kind in (MessageContainer, types.MsgsAck, types.HttpWait))


def _belongs(message: Inner, msg_id: int, seqno: int) -> bool:
    """Tell whether a message may be in the container with this msg_id and seqno."""
    nested = constructor(message.body) == MessageContainer.CONSTRUCTOR_ID
    return not nested and message.msg_id < msg_id and message.seqno <= seqno


def _unzip(body: bytes) -> bytes:
    """Unpack gzip_packed; bad gzip becomes an empty body, which is refused when it is read."""
    if constructor(body) != GzipPacked.CONSTRUCTOR_ID:
        return body
    try:
        return gunzip(body)
    except MalformedError:
        return b""
