"""Real receivers of what leaves through targets: HTTP, as a webhook or ntfy is."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A request that a receiver answered with 2xx."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def is_signed_with(self, key: bytes) -> bool:
        """Verify it as docs/webhook.md says."""
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return hmac.compare_digest(self.headers["webhook-signature"], wanted)


@dataclass(slots=True)
class Receiver:
    """A server that takes what comes, or answers as it is told."""

    host: str = ""
    taken: list[Taken] = field(default_factory=list)
    refused: int = 0
    answers: list[Callable[[], web.Response]] = field(default_factory=list)  # to the next requests
    hangs: bool = False
    _free: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def release(self) -> None:
        """Answer whoever hangs, with an error, and all later ones at once."""
        self.hangs = False
        self._free.set()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.hangs:
            self.refused += 1
            await self._free.wait()
            return web.Response(status=500)
        if self.answers:
            answer = self.answers.pop(0)()
            if answer.status >= 300:
                self.refused += 1
                return answer
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.taken.append(Taken(path=request.path_qs, headers=headers, body=body))
        return web.json_response({})


@asynccontextmanager
async def receiver(port: int = 0) -> AsyncIterator[Receiver]:
    """Run a receiver on this machine."""
    server = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server.host = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.release()
        await runner.cleanup()
