"""A server with a tiny service, and clients for it: unmodified Telethon, and a raw one that may break the rules."""

import asyncio
import os
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from inspect import Parameter, signature
from typing import Any, NamedTuple, Self

from telethon import TelegramClient, functions, types
from telethon.crypto import AES, AuthKey
from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.network.connection import Connection, ConnectionTcpFull
from telethon.network.mtprotostate import MTProtoState
from telethon.sessions import MemorySession
from telethon.tl import TLObject
from telethon.tl.alltlobjects import LAYER
from telethon.tl.core import GzipPacked, MessageContainer, RpcResult

from bot.runtime.clock import utc_now
from bot.sandbox.dispatcher import Caller, Dispatcher, RpcError, handles
from bot.sandbox.faults import Faults
from bot.sandbox.protocol.tl import Longs
from bot.sandbox.server import Server
from tests.waiting import WAIT_S

ACCOUNT = 42
# What a config must say about limits, and no test here asks for.
_FIGURES = [
    name
    for name, parameter in signature(types.Config).parameters.items()
    if parameter.annotation is int and parameter.default is Parameter.empty and name != "this_dc"
]


class Library:
    """A service with one method for each way to answer."""

    def __init__(self) -> None:
        self.port = 0
        self.runs = 0  # of GetState
        self.gate = asyncio.Event()  # GetNearestDc waits for it

    @handles(functions.help.GetConfigRequest, anonymous=True)
    def config(self, _request: functions.help.GetConfigRequest, _caller: Caller) -> types.Config:
        return types.Config(
            date=utc_now(),
            expires=utc_now() + timedelta(hours=1),
            test_mode=False,
            this_dc=2,
            dc_options=[types.DcOption(2, "127.0.0.1", self.port)],
            dc_txt_domain_name="",
            me_url_prefix="https://t.me/",
            **dict.fromkeys(_FIGURES, 1),
        )

    @handles(functions.users.GetUsersRequest)
    def users(self, request: functions.users.GetUsersRequest, caller: Caller) -> list[types.User]:
        return [types.User(caller.account_id, is_self=True, access_hash=1, first_name="Anna") for _ in request.id]

    @handles(functions.updates.GetStateRequest)
    async def state(self, _request: functions.updates.GetStateRequest, _caller: Caller) -> types.updates.State:
        self.runs += 1
        return types.updates.State(self.runs, 0, utc_now(), 1, 0)

    @handles(functions.updates.GetDifferenceRequest)
    def difference(self, _request: object, _caller: Caller) -> types.updates.DifferenceEmpty:
        return types.updates.DifferenceEmpty(utc_now(), 1)

    @handles(functions.account.UpdateStatusRequest)
    def status(self, request: functions.account.UpdateStatusRequest, _caller: Caller) -> bool:
        return bool(request.offline)

    @handles(functions.messages.ReceivedQueueRequest)
    def received(self, request: functions.messages.ReceivedQueueRequest, _caller: Caller) -> Longs:
        return Longs([request.max_qts, -(1 << 62)])

    @handles(functions.help.GetNearestDcRequest, anonymous=True)
    async def nearest(self, _request: object, _caller: Caller) -> types.NearestDc:
        await self.gate.wait()
        return types.NearestDc("FI", 2, 2)

    @handles(functions.help.GetInviteTextRequest)
    def invite(self, _request: object, _caller: Caller) -> types.help.InviteText:
        return types.help.InviteText("come and see " * 30_000)

    @handles(functions.messages.SendMessageRequest)
    def send(self, request: functions.messages.SendMessageRequest, _caller: Caller) -> types.Updates:
        if not request.message:
            raise RpcError(400, "MESSAGE_EMPTY")
        return types.Updates([], [], [], utc_now(), 0)

    @handles(functions.help.GetSupportRequest)
    def crash(self, _request: object, _caller: Caller) -> types.help.Support:
        raise ZeroDivisionError


@dataclass(slots=True)
class Running:
    """A started server, its parts, and clients that are closed with it."""

    server: Server
    dispatcher: Dispatcher
    faults: Faults
    library: Library
    clients: list[TelegramClient] = field(default_factory=list)
    raw_clients: list["RawClient"] = field(default_factory=list)

    def telethon(
        self,
        account_id: int | None = ACCOUNT,
        *,
        key: bytes | None = None,
        connection: type[Connection] = ConnectionTcpFull,
        **options: Any,  # noqa: ANN401 - of TelegramClient
    ) -> TelegramClient:
        """Return a client that is signed in by a key the server knows."""
        key = key or os.urandom(256)
        self.server.add_auth(key, account_id)
        client = TelegramClient(self.session(key), 1, "hash", connection=connection, retry_delay=0, **options)
        self.clients.append(client)
        return client

    def session(self, key: bytes | None = None) -> MemorySession:
        session = MemorySession()
        session.set_dc(2, self.server.host, self.server.port)
        session.auth_key = AuthKey(key)
        return session

    async def raw(self, account_id: int | None = ACCOUNT, *, introduced: bool = True) -> "RawClient":
        """Return a connected raw client, whose salt is right and which has sent nothing yet."""
        auth = self.server.add_auth(os.urandom(256), account_id)
        if introduced:
            auth.layer, auth.device_model = LAYER, "raw"
        client = RawClient(self.server, auth.key)
        self.raw_clients.append(client)
        await client.connect()
        return client


@asynccontextmanager
async def running(now: Callable[[], datetime] = utc_now) -> AsyncIterator[Running]:
    faults, library = Faults(now), Library()
    dispatcher = Dispatcher([library], faults, now)
    server = Server(dispatcher, faults, now)
    await server.start()
    library.port = server.port
    parts = Running(server, dispatcher, faults, library)
    try:
        yield parts
    finally:
        faults.clear()
        for client in parts.clients:
            await client.disconnect()
        for raw in parts.raw_clients:
            await raw.close()
        await server.stop()


class Received(NamedTuple):
    msg_id: int
    seqno: int
    message: Any


class RawClient:
    """Speaks MTProto over the abridged transport, with whatever msg_id, seqno, salt and bytes a test wants."""

    def __init__(self, server: Server, key: AuthKey) -> None:
        self.server = server
        self.key = key
        self.session_id = int.from_bytes(os.urandom(8), "little", signed=True)
        self.salt = server.salts.current()
        self.counted = 0
        self.packets = 0  # received
        self._last_id = 0
        self._inbox: list[Received] = []

    async def connect(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(self.server.host, self.server.port)
        self.writer.write(b"\xef")
        return self

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):  # the server was quicker
            await self.writer.wait_closed()

    def new_id(self, *, after_s: float = 0) -> int:
        msg_id = int((time.time() + after_s) * (1 << 32)) & ~3
        if not after_s:
            msg_id = self._last_id = max(msg_id, self._last_id + 4)
        return msg_id

    def seqno(self, *, content: bool = True) -> int:
        seqno = self.counted * 2 + content
        self.counted += content
        return seqno

    def send(self, message: TLObject | bytes, *, msg_id: int | None = None, seqno: int | None = None) -> int:
        """Send one message and return its msg_id."""
        msg_id = self.new_id() if msg_id is None else msg_id
        body = bytes(message)
        self.send_packet(self.seal(msg_id, self.seqno() if seqno is None else seqno, body))
        return msg_id

    def seal(self, msg_id: int, seqno: int, body: bytes) -> bytes:
        return self.seal_plain(struct.pack("<qii", msg_id, seqno, len(body)) + body)

    def seal_plain(self, message: bytes) -> bytes:
        """Encrypt a message, header and all, as a client does."""
        plain = struct.pack("<qq", self.salt, self.session_id) + message
        plain += os.urandom(-(len(plain) + 12) % 16 + 12)
        msg_key = sha256(self.key.key[88:120] + plain).digest()[8:24]
        encrypted = AES.encrypt_ige(plain, *MTProtoState._calc_key(self.key.key, msg_key, True))  # noqa: FBT003, SLF001 - Telethon's own derivation, as a second opinion
        return struct.pack("<Q", self.key.key_id) + msg_key + encrypted

    def send_packet(self, packet: bytes) -> None:
        words = len(packet) // 4
        self.writer.write((bytes((words,)) if words < 127 else b"\x7f" + words.to_bytes(3, "little")) + packet)

    async def read_packet(self) -> bytes:
        words = (await self.reader.readexactly(1))[0]
        if words == 127:
            words = int.from_bytes(await self.reader.readexactly(3), "little")
        return await self.reader.readexactly(words * 4)

    async def receive(self) -> Received:
        """Return the next message, taken out of containers and gzip."""
        while not self._inbox:
            packet = await asyncio.wait_for(self.read_packet(), WAIT_S)
            self.packets += 1
            plain = AES.decrypt_ige(packet[24:], *MTProtoState._calc_key(self.key.key, packet[8:24], False))  # noqa: FBT003, SLF001 - as above
            assert sha256(self.key.key[96:128] + plain).digest()[8:24] == packet[8:24]
            _, session_id, msg_id, seqno, length = struct.unpack_from("<qqqii", plain)
            assert session_id == self.session_id
            self._unpack(Received(msg_id, seqno, BinaryReader(plain[32 : 32 + length]).tgread_object()))
        return self._inbox.pop(0)

    def _unpack(self, received: Received) -> None:
        if isinstance(received.message, MessageContainer):
            for inner in received.message.messages:
                self._unpack(Received(inner.msg_id, inner.seq_no, inner.obj))
        else:
            self._inbox.append(received)

    async def wait_for(self, kind: type[TLObject], about: int | None = None) -> Received:
        """Return the next message of a kind, or the next result of the request `about`; others are skipped."""
        while True:
            received = await self.receive()
            if isinstance(received.message, kind) and about in (None, getattr(received.message, "req_msg_id", None)):
                return received

    async def result(self, msg_id: int) -> Any:  # noqa: ANN401 - of any request
        """Return the result of a request, or its rpc_error."""
        answer = (await self.wait_for(RpcResult, msg_id)).message
        if answer.error is not None:
            return answer.error
        reader = BinaryReader(answer.body)
        try:
            return reader.tgread_object()
        except TypeNotFoundError:  # a bare vector of longs: the caller reads it
            return answer.body

    async def ask(self, request: TLObject | bytes) -> Any:  # noqa: ANN401 - of any request
        return await self.result(self.send(request))

    async def closed(self) -> bool:
        """Wait until the server cuts the connection, and give up this half too."""
        with suppress(ConnectionError):
            while await asyncio.wait_for(self.reader.read(1 << 16), WAIT_S):
                pass
        await self.close()
        return True


def container(*messages: tuple[int, int, TLObject | bytes]) -> bytes:
    """Write a container of (msg_id, seqno, message)."""
    frames = [struct.pack("<qii", msg_id, seqno, len(bytes(m))) + bytes(m) for msg_id, seqno, m in messages]
    return struct.pack("<Ii", MessageContainer.CONSTRUCTOR_ID, len(frames)) + b"".join(frames)


def gzipped(message: TLObject | bytes) -> bytes:
    return bytes(GzipPacked(bytes(message)))


GET_STATE = functions.updates.GetStateRequest()
UPDATES = types.UpdateShort(types.UpdateConfig(), datetime(2021, 10, 4, tzinfo=UTC))
