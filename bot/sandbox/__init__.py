"""An embedded server that speaks MTProto on loopback: a stand-in, not Telegram, for the demo and the tests.

It also serves the public web pages of its world, where `serve_pages` asks for them.

The service never imports it, and it shares no code with the service. Its world has Telegram's own words (account,
channel, peer, message), hence some class names that the service has too. It knows the requests of this service and of
its users' clients, and answers any other with an error. It is simpler than Telegram: what works here may fail there.

```
bytes ⇄ wire ⇄ handshake, session ⇄ dispatcher ⇄ services ⇄ world
                   server: connections, keys, pushes        faults: what goes wrong on demand
                                                   pages ⇄ world
```
"""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Self

from telethon import TelegramClient
from telethon.crypto import AuthKey
from telethon.sessions import MemorySession, SQLiteSession, StringSession
from telethon.tl import TLObject, types

from bot.runtime.clock import utc_now
from bot.sandbox.dispatcher import Call, Dispatcher
from bot.sandbox.faults import Faults
from bot.sandbox.protocol.keys import PUBLIC_PEM
from bot.sandbox.server import Auth, Server, Session
from bot.sandbox.services import services_of
from bot.sandbox.world import BasicGroup, Channel, MemberRole, Message, Refused, User, World
from bot.sandbox.world.logins import Token
from bot.sandbox.world.media import DC_ID
from bot.sandbox.world.unknown import Unknown

if TYPE_CHECKING:
    from bot.sandbox.pages.server import PageServer

__all__ = ["BasicGroup", "Channel", "MemberRole", "Message", "Refused", "Sandbox", "Unknown", "User", "World"]

API_ID = 1  # this server asks for any
API_HASH = "0" * 32
_KEY_BYTES = 256


class Sandbox:
    """The whole server: `async with Sandbox() as sandbox`; `now` is its clock, `seed` makes its numbers repeatable."""

    def __init__(self, *, now: Callable[[], datetime] = utc_now, seed: int = 0) -> None:
        self.faults = Faults(now)
        self.world = World(now, Random(seed), self._emit)  # noqa: S311 - a repeatable world is wanted
        self.world.on_token = self._token_scanned
        self.dispatcher = Dispatcher(services_of(self.world, self._address), self.faults, now)
        self.server = Server(self.dispatcher, self.faults, now)
        self._seed = seed
        self._pages: PageServer | None = None

    async def __aenter__(self) -> Self:
        await self.server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.server.stop()
        if self._pages is not None:
            await self._pages.stop()

    async def serve_pages(self) -> "PageServer":
        """Serve the public pages over HTTP as well, until the server stops; its `url` stands for https://t.me."""
        from bot.sandbox.pages.server import PageServer  # noqa: PLC0415 - aiohttp, which few tests pay for

        if self._pages is None:
            self._pages = PageServer(self.world, self._seed)
            await self._pages.start()
        return self._pages

    @property
    def address(self) -> str:
        """The address that it listens on, as host:port."""
        return f"{self.server.host}:{self.server.port}"

    @property
    def key_pem(self) -> str:
        """The public key of the server, PEM in PKCS#1."""
        return PUBLIC_PEM

    @property
    def calls(self) -> list[Call]:
        """All requests so far."""
        return self.dispatcher.calls

    @property
    def unknown(self) -> list[str]:
        """The names of requests that no service handles, and errors of messages that cannot be read."""
        return self.dispatcher.unknown

    @property
    def crashes(self) -> list[BaseException]:
        """The exceptions of handlers, each of which was answered with an internal error."""
        return self.dispatcher.crashes

    def prepare(self, session: MemorySession, account: User | None) -> None:
        """Point a Telethon session at this server, with a key that it knows; signed in unless `account` is None."""
        key = os.urandom(_KEY_BYTES)
        session.set_dc(DC_ID, self.server.host, self.server.port)
        session.auth_key = AuthKey(key)
        self.server.add_auth(key, account.id if account else None)

    def session_for(self, account: User | None, path: Path) -> None:
        """Make a Telethon session file that is signed in to an account, or only knows the server."""
        session = SQLiteSession(str(path))
        try:
            self.prepare(session, account)
            session.save()
        finally:
            session.close()

    def string_session(self, account: User | None) -> StringSession:
        """Return a session in memory that is signed in to an account, or only knows the server."""
        session = StringSession()
        self.prepare(session, account)
        return session

    def client(self, account: User | None) -> TelegramClient:
        """Return an unmodified client of an account; the caller connects and disconnects it."""
        return TelegramClient(self.string_session(account), API_ID, API_HASH)

    def revoke(self, account: User) -> None:
        """End all sessions of an account from elsewhere."""
        self.server.revoke(account.id)

    def _address(self) -> tuple[str, int]:
        return self.server.host, self.server.port

    def _emit(self, account_id: int, make: Callable[[], TLObject], skip: object | None) -> None:
        listeners = [session for session in self.server.sessions if session.auth.account_id == account_id]
        if any(session is not skip and session.wants_updates for session in listeners):
            self.server.push([account_id], make(), skip=skip if isinstance(skip, Session) else None)

    def _token_scanned(self, token: Token) -> None:
        if isinstance(token.owner, Auth):
            self.server.push_auth(token.owner, types.UpdateShort(types.UpdateLoginToken(), self.world.hub.now()))
