"""The embedded server, clients on it, and a bot with two people who have started it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from telethon import TelegramClient, events

from bot.models.outgoing import Peer, PeerKind
from bot.runtime.clock import utc_now
from bot.sandbox import BasicGroup, Channel, Message, Sandbox, User
from bot.settings import Settings, load_settings
from bot.telegram.rate_limit import Pacing, Rates
from bot.telegram.sender import Sender
from tests.waiting import WAIT_S

TOKEN = "1:token"  # noqa: S105 - of the embedded server
UNLIMITED = Rates(total=float("inf"), chat=float("inf"), group=float("inf"))


class Events:
    """The events that a client gets, one after the other."""

    def __init__(self, client: TelegramClient, builder: object) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        client.add_event_handler(self._put, builder)

    async def _put(self, event: object) -> None:
        self._queue.put_nowait(event)

    async def next(self) -> Any:  # noqa: ANN401 - of any builder
        return await asyncio.wait_for(self._queue.get(), WAIT_S)

    async def text(self) -> str:
        return (await self.next()).raw_text

    def silent(self) -> bool:
        return self._queue.empty()


@dataclass(slots=True)
class EmbeddedServer:
    """A running sandbox with real Telethon clients, which are disconnected with it."""

    sandbox: Sandbox
    clients: list[TelegramClient] = field(default_factory=list)

    async def client(self, account: User | None) -> TelegramClient:
        client = self.sandbox.client(account)
        self.clients.append(client)
        await client.connect()
        return client

    async def listener(self, account: User, builder: object | None = None) -> tuple[TelegramClient, Events]:
        """Connect a client and listen, by default to new messages of others."""
        client = await self.client(account)
        heard = Events(client, builder or events.NewMessage(incoming=True))
        if not account.bot:
            await client.get_dialogs()  # so that it knows every channel's pts
        return client, heard


@asynccontextmanager
async def embedded_server(
    now: Callable[[], datetime] = utc_now, *, unknown: bool = False
) -> AsyncIterator[EmbeddedServer]:
    """Run it; fails where a request was unknown or a handler crashed, unless that is what is tested."""
    async with Sandbox(now=now) as sandbox:
        server = EmbeddedServer(sandbox)
        try:
            yield server
        finally:
            sandbox.faults.clear()
            for client in server.clients:
                await client.disconnect()
        assert unknown or sandbox.unknown == []
        assert unknown or sandbox.crashes == []


def settings_of(sandbox: Sandbox, folder: Path, **more: object) -> Settings:
    """Return the settings of a service that uses the embedded server."""
    values = {"telegram_api_id": 1, "telegram_api_hash": "0" * 32, "data_dir": folder, **more}
    return load_settings(_env_file=None, telegram_server=sandbox.address, **values)


def sender_of(client: TelegramClient, rates: Rates = UNLIMITED) -> Sender:
    return Sender(client, Pacing(rates), monotonic=time.monotonic)


def private(account: User) -> Peer:
    """Return the private chat of an account."""
    return Peer(kind=PeerKind.USER, id=account.id)


@dataclass(kw_only=True)
class SandboxedBot:
    """A bot that is connected to the embedded server, and two people who have started it."""

    sandbox: Sandbox
    account: User
    client: TelegramClient
    sender: Sender  # without limits
    alice: User
    ivan: User

    def received(self, person: User, chat: Channel | BasicGroup | None = None) -> list[Message]:
        """Return what the bot has written to a person, or in a chat, as the person sees it."""
        return [message for message in person.inbox(chat or self.account) if message.sender_id == self.account.id]

    def texts(self, person: User, chat: Channel | BasicGroup | None = None) -> list[str]:
        return [message.text for message in self.received(person, chat)]

    def calls(self, name: str) -> int:
        """Count the requests of a kind that reached the server."""
        return sum(call.name == name for call in self.sandbox.calls)


@asynccontextmanager
async def sandboxed_bot(now: Callable[[], datetime] = utc_now) -> AsyncIterator[SandboxedBot]:
    async with embedded_server(now) as server:
        world = server.sandbox.world
        alice, ivan = world.add_user("Alice"), world.add_user("Ivan")
        account = world.add_bot(TOKEN, "Watch", "watch_bot", alice)
        ivan.starts(account)
        client = await server.client(account)
        yield SandboxedBot(
            sandbox=server.sandbox, account=account, client=client, sender=sender_of(client), alice=alice, ivan=ivan
        )
