"""A watchdog on loopback, and a heartbeat that tells it whether all is well, in a time that tests move."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from bot.monitoring.heartbeat import FETCH_WITHIN, Heartbeat
from bot.runtime.supervisor import Health
from bot.store.database import Database
from tests.kit_clock import Clock
from tests.waiting import WAIT_S

NOW = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)


@dataclass
class Watchdog:
    """A real server that counts the requests for a path."""

    status: int = 200
    has_an_end: bool = True  # its answer
    port: int = 0
    asked: list[str] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"http://127.0.0.1:{self.port}/ping/secret-key")

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        async with self.news:
            self.asked.append(head.split()[1].decode())
            self.news.notify_all()
        with suppress(ConnectionError):
            while not self.has_an_end:
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.write(f"HTTP/1.1 {self.status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        self.answered.set()

    async def until(self, times: int) -> None:
        async with asyncio.timeout(WAIT_S), self.news:
            await self.news.wait_for(lambda: len(self.asked) >= times)


@asynccontextmanager
async def watchdog() -> AsyncIterator[Watchdog]:
    dog = Watchdog()
    server = await asyncio.start_server(dog.answer, "127.0.0.1", 0)
    dog.port = server.sockets[0].getsockname()[1]
    async with server:
        yield dog


Watched = tuple[Heartbeat, Health, Watchdog, Clock]


@asynccontextmanager
async def watched_heartbeat(
    folder: Path, *, wrong: str | None = None, fetch_within: float = FETCH_WITHIN
) -> AsyncIterator[Watched]:
    def check() -> str | None:
        return wrong

    clock = Clock()
    health = Health(monotonic=clock.monotonic)
    database = await Database.open(folder / "bot.db")
    try:
        async with watchdog() as dog:
            heart = Heartbeat(
                database,
                health,
                dog.url,
                checks=(check,),
                clock=lambda: NOW,
                monotonic=clock.monotonic,
                fetch_within=fetch_within,
            )
            yield heart, health, dog, clock
    finally:
        await database.close()
