"""The MTProto server: its connections, keys and sessions; requests go to the dispatcher, pushes to sessions."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from telethon.crypto import AuthKey
from telethon.tl import TLObject, TLRequest, types

from bot.sandbox.dispatcher import Caller, Dispatcher, RpcReply
from bot.sandbox.faults import Faults
from bot.sandbox.protocol.connection import Connection
from bot.sandbox.protocol.keys import Auth
from bot.sandbox.protocol.salts import Salts
from bot.sandbox.protocol.session import Session

__all__ = ["Auth", "Server", "Session"]

ACK_AFTER_S = 0.5  # a request that takes longer is acknowledged before it is answered
MAX_SESSIONS = 512  # sessions kept while their client is away


class Push(NamedTuple):
    """Updates that were written to a connection."""

    account_id: int | None
    updates: TLObject


class Server:
    """An MTProto server on loopback.

    `now` dates authorisation keys. The protocol runs on the machine's clock plus `Faults.skew`, since clients compare
    message ids with that clock, wherever a test sets its own.
    """

    def __init__(self, dispatcher: Dispatcher, faults: Faults, now: Callable[[], datetime]) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.faults = faults
        self.salts = Salts(self.clock)
        self.pushed: list[Push] | None = None  # None = pushes are not recorded
        self.accepted = 0  # connections so far
        self._dispatcher = dispatcher
        self._now = now
        self._listener: asyncio.Server | None = None
        self._auths: dict[int, Auth] = {}
        self._sessions: dict[tuple[int, int], Session] = {}  # by key id and session id
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()  # no connection is open
        self._empty.set()

    async def start(self) -> None:
        """Listen on a free port, which is `port` from then on."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: Connection(self), self.host)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, cut every connection and give up on requests that still wait."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await stop_listening(listener)
        self.cut()
        await self._empty.wait()
        await asyncio.sleep(0)  # a task that is cancelled before its first step leaves a coroutine that nobody awaited
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def sessions(self) -> list[Session]:
        """Sessions with a connected client."""
        return [session for session in self._sessions.values() if session.live]

    @property
    def auths(self) -> list[Auth]:
        """All authorisation keys, oldest first."""
        return list(self._auths.values())

    def push(self, account_ids: Iterable[int], updates: TLObject, *, skip: Session | None = None) -> None:
        """Send updates to the connected sessions of these accounts, unless a fault drops them."""
        wanted = {account_id for account_id in account_ids if not self.faults.drops_push(account_id)}
        body = b""
        for session in self._sessions.values():
            if session is skip or session.auth.account_id not in wanted or not (session.live and session.wants_updates):
                continue
            body = body or bytes(updates)
            session.push(body)
            if self.pushed is not None:
                self.pushed.append(Push(account_id=session.auth.account_id, updates=updates))

    def push_auth(self, auth: Auth, updates: TLObject) -> None:
        """Send updates to the connected sessions of one key, also while nobody is signed in (a login token)."""
        for session in self._sessions.values():
            if session.auth is auth:
                session.push(updates)

    def add_auth(self, key: bytes, account_id: int | None) -> Auth:
        """Register a key of 256 bytes that a client already has, which spares it the key exchange."""
        auth = Auth(key=AuthKey(key), created=self._now(), account_id=account_id)
        self._auths[auth.key.key_id] = auth
        return auth

    def revoke(self, account_id: int) -> None:
        """End the authorisations of an account: their next request is answered SESSION_REVOKED."""
        for auth in self._auths.values():
            if auth.account_id == account_id:
                auth.account_id, auth.revoked = None, True

    def cut(self, account_id: int | None = None) -> None:
        """Abort the TCP connections of an account, or all."""
        for connection in list(self._connections):
            owners = {session.auth.account_id for session in connection.sessions}
            if account_id is None or account_id in owners:
                connection.abort()

    def clock(self) -> float:
        """Return the protocol's time in seconds since 1970."""
        return time.time() + self.faults.skew_s

    def add_connection(self, connection: Connection) -> None:
        """Register an open connection."""
        self.accepted += 1
        self._connections.add(connection)
        self._empty.clear()

    def remove_connection(self, connection: Connection) -> None:
        """Remove a connection that has closed."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    def auth(self, key_id: int) -> Auth | None:
        """Return the authorisation of a key id; None for an unknown key."""
        return self._auths.get(key_id)

    def register(self, key: AuthKey) -> None:
        """Add the key that a key exchange agreed on."""
        self._auths[key.key_id] = Auth(key=key, created=self._now())

    def session(self, auth: Auth, session_id: int) -> Session:
        """Return a session of a key, a new one for an unknown id."""
        place = auth.key.key_id, session_id
        session = self._sessions.get(place)
        if session is None:
            self._forget_sessions()
            session = self._sessions[place] = Session(auth, session_id, host=self)
        return session

    def _forget_sessions(self) -> None:
        away = [place for place, session in self._sessions.items() if not session.live]
        for place in away[:-MAX_SESSIONS]:
            del self._sessions[place]

    def request(self, session: Session, msg_id: int, request: TLRequest) -> None:
        """Answer a request now, or when its handler is done."""
        reply = self._dispatcher.answer(request, Caller(session, msg_id))
        if isinstance(reply, RpcReply):
            return _deliver(session, msg_id, reply)
        task = asyncio.get_running_loop().create_task(_deliver_later(session, msg_id, reply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return None

    def malformed(self, session: Session, msg_id: int, error: str) -> None:
        """Answer a message that cannot be read with an error, and list it as unknown for the test."""
        self._dispatcher.unknown.append(error)
        session.reply(msg_id, bytes(types.RpcError(400, error)), failed=True)

    def destroy(self, session: Session, session_id: int) -> bool:
        """Forget another session of the same key; False where there is none."""
        if session_id == session.id:
            return False
        return self._sessions.pop((session.auth.key.key_id, session_id), None) is not None


async def stop_listening(listener: asyncio.Server) -> None:
    """Close a listener, so that no connection which has just been accepted is leaked."""
    for accepting in listener.sockets:
        asyncio.get_running_loop().remove_reader(accepting)
    # asyncio makes the transport of an accepted socket a turn later, and connects it in the next; where its server
    # is closed in between, it leaks the socket.
    for _ in range(2):
        await asyncio.sleep(0)
    listener.close()


def _deliver(session: Session, msg_id: int, reply: RpcReply) -> None:
    session.reply(msg_id, reply.body, failed=reply.failed)
    if reply.lost:
        session.cut()


async def _deliver_later(session: Session, msg_id: int, reply: Coroutine[Any, Any, RpcReply]) -> None:
    timer = asyncio.get_running_loop().call_later(ACK_AFTER_S, session.acknowledge, msg_id)
    try:
        _deliver(session, msg_id, await reply)
    finally:
        timer.cancel()
