"""A gate in front of the embedded server, which closes connections as a dead proxy or a censor does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.sandbox import Sandbox
from tests.waiting import until


@dataclass
class Gate:
    """A TCP listener; `passes` packets of the server come through on each connection before it is closed."""

    host: str
    port: int
    passes: float = float("inf")  # at less than 0 it does not even wait for the client's first bytes
    accepted: int = 0
    address: str = ""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Abort all connections."""
        for writer in self._open:
            writer.transport.abort()

    @property
    def is_closed(self) -> bool:
        """Tell whether no connection is open."""
        return not self._open

    async def until(self, accepted: int) -> None:
        await until(lambda: self.accepted >= accepted)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._open.add(writer)
        with suppress(OSError, EOFError):
            if self.passes > 0:
                await self._relay(reader, writer)
            elif not self.passes:
                await reader.readexactly(1)
        writer.transport.abort()
        self._open.discard(writer)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backend, server = await asyncio.open_connection(self.host, self.port)
        asking = asyncio.create_task(_pump(reader, server))
        left = self.passes
        while left > 0 and (data := await backend.read(1 << 16)):
            left -= 1
            writer.write(data)
            await writer.drain()
        asking.cancel()
        server.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
    writer.transport.abort()


@asynccontextmanager
async def gate(sandbox: Sandbox) -> AsyncIterator[Gate]:
    """Open a gate; its `address` stands in for the server's."""
    made = Gate(sandbox.server.host, sandbox.server.port)
    listener = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.address = "{}:{}".format(*listener.sockets[0].getsockname())
    try:
        yield made
    finally:
        listener.close()
        made.cut()
        await until(lambda: made.is_closed)
