"""A running sandbox with real Telethon clients, which are disconnected with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from telethon import TelegramClient, events

from bot.sandbox import Sandbox, User
from tests.waiting import WAIT_S


class Heard:
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
class Party:
    """A sandbox and its guests."""

    sandbox: Sandbox
    clients: list[TelegramClient] = field(default_factory=list)

    async def client(self, account: User | None) -> TelegramClient:
        client = self.sandbox.client(account)
        self.clients.append(client)
        await client.connect()
        return client

    async def heard(self, account: User, builder: object | None = None) -> tuple[TelegramClient, Heard]:
        """Connect a client and listen, by default to new messages of others."""
        client = await self.client(account)
        heard = Heard(client, builder or events.NewMessage(incoming=True))
        if not account.bot:
            await client.get_dialogs()  # so that it knows every channel's pts
        return client, heard


@asynccontextmanager
async def party(*, unknown: bool = False) -> AsyncIterator[Party]:
    """Run a sandbox; fails where a request was unknown or a handler crashed, unless that is what is tested."""
    async with Sandbox() as sandbox:
        guests = Party(sandbox)
        try:
            yield guests
        finally:
            sandbox.faults.clear()
            for client in guests.clients:
                await client.disconnect()
        assert unknown or sandbox.unknown == []
        assert unknown or sandbox.crashes == []
