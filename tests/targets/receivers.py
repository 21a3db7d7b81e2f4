"""Real receivers of what leaves through targets: HTTP, as a webhook or ntfy is."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope


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
    forgets: int = 0  # requests that are taken without an answer
    gone: str = "none"  # path of a target that is gone for good …
    slow: str = "none"  # … and of one that hangs
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
        headers = {name.lower(): value for name, value in request.headers.items()}
        taken = Taken(path=request.path_qs, headers=headers, body=body)
        if self.forgets:
            self.forgets -= 1
            self.taken.append(taken)
            await self._free.wait()
            return web.Response(status=500)
        if request.path == self.gone:
            self.refused += 1
            return web.Response(status=410)
        if self.hangs or request.path == self.slow:
            self.refused += 1
            await self._free.wait()
            return web.Response(status=500)
        if self.answers:
            answer = self.answers.pop(0)()
            if answer.status >= 300:
                self.refused += 1
                return answer
        self.taken.append(taken)
        return web.json_response({})


class Letter(EmailMessage):
    """A letter as a mail server took it."""

    @property
    def html(self) -> str:
        part = self.get_body(("html",))
        assert part is not None
        return str(part.get_content())


class MailServer:
    """A real mail server that keeps all letters."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.host = ""

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.content
        assert isinstance(content, bytes)
        letter = message_from_bytes(content, _class=Letter, policy=policy.default)
        self.letters.append(letter)
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run a mail server on this machine, in a thread of its own."""
    server = MailServer()
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # the server's own: each line of each letter
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    server.host = f"127.0.0.1:{port}"
    try:
        yield server
    finally:
        controller.stop()


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
