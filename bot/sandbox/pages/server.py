"""The web server: addresses come in, pages go out, from two hosts as t.me and telegram.me are."""

import asyncio
import re
import socket
import struct
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import NamedTuple

from aiohttp import web

from bot.sandbox.pages.block import Blocks, Rendering
from bot.sandbox.pages.faults import Answer, PageFaults, Request
from bot.sandbox.pages.frame import channel_page, embed_error, embed_page, landing
from bot.sandbox.pages.selection import select
from bot.sandbox.server import stop_listening
from bot.sandbox.world.channels import Channel
from bot.sandbox.world.messages import Message
from bot.sandbox.world.peers import Peer
from bot.sandbox.world.world import World

KEPT = 10_000  # requests that are remembered
_LOOPBACK = "127.0.0.1"
_NAME = re.compile(r"[A-Za-z]\w*")
_HEADERS = {
    "Server": "nginx/1.18.0",
    "Pragma": "no-cache",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=35768000",
}
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a closed connection is reset


class Visit(NamedTuple):
    """A request that came in."""

    host: int  # 0 or 1
    path: str  # with its query
    status: int  # of the answer; 0 for a reset


class Host:
    """One of the two addresses; it can go down and come up again."""

    def __init__(self, serve: web.Server) -> None:
        self.port = 0
        self._serve = serve
        self._listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return f"http://{_LOOPBACK}:{self.port}"

    async def up(self) -> None:
        """Accept connections, always on the same port."""
        if self._listener is None:
            loop = asyncio.get_running_loop()
            self._listener = await loop.create_server(self._serve, _LOOPBACK, self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Refuse connections, and cut those that are open."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await stop_listening(listener)
        for connection in self._serve.connections:
            if connection.transport and connection.transport.get_extra_info("sockname")[1] == self.port:
                connection.transport.abort()


class PageServer:
    """The public pages of a world, over HTTP on loopback."""

    def __init__(self, world: World, seed: int) -> None:
        self.faults = PageFaults()
        self.visits: deque[Visit] = deque(maxlen=KEPT)
        self.asked = 0  # requests so far
        self._world = world
        self._random = Random(seed)  # noqa: S311 - a repeatable world is wanted
        self._given: dict[str, Answer] = {}  # by path: what was answered last
        self._serve = web.Server(self._answer, access_log=None)
        self.hosts = (Host(self._serve), Host(self._serve))

    @property
    def url(self) -> str:
        """The address of the first host."""
        return self.hosts[0].url

    async def start(self) -> None:
        """Bring both hosts up."""
        for host in self.hosts:
            await host.up()

    async def stop(self) -> None:
        """Take both hosts down, and give up on requests that wait."""
        self.faults.clear()
        for host in self.hosts:
            await host.down()
        await self._serve.shutdown(0)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        path, name = request.path_qs, _name(request.path)
        port = request.transport.get_extra_info("sockname")[1] if request.transport else 0
        if (hold := self.faults.find_hold(name)) is not None:
            await hold.wait()
        last = self._given.get(path)
        answer = self.faults.answer(Request(name, lambda: self._page(request), last))
        self.asked += 1
        self.visits.append(Visit(int(port == self.hosts[1].port), path, answer.status if answer else 0))
        if answer is None:
            _reset(request)
            return web.Response()
        self._given[path] = answer
        headers = _HEADERS | dict(answer.headers)
        response = web.Response(status=answer.status, text=answer.body, content_type="text/html", headers=headers)
        if self.faults.gzip and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    def _page(self, request: web.BaseRequest) -> Answer:
        match request.path.strip("/").split("/"):
            case ["s", name]:
                answer = self._channel(name, request)
            case ["s", name, number] if number.isdecimal():
                answer = self._channel(name, request, int(number))
            case [name, number] if number.isdecimal() and "embed" in request.query:
                answer = self._embed(name, int(number))
            case ["c", *_] if "embed" in request.query:
                answer = _error("Channel with username @c not found")
            case [name, *rest] if _NAME.fullmatch(name):
                answer = self._landing(name, rest)
            case _:
                return Answer(302, "", (("Location", "//telegram.org/"),))
        comment = f"<!-- page generated in {self._random.uniform(10, 300):.2f}ms -->\n"
        return answer._replace(body=answer.body + comment) if answer.body else answer

    def _channel(self, name: str, request: web.BaseRequest, around: int | None = None) -> Answer:
        chat = self._peer(name)
        if not isinstance(chat, Channel) or not self.faults.has_page(chat):
            return Answer(302, "", (("Location", f"http://{request.host}/{name}"),))
        page = select(self._listed(chat), request.query, around)
        blocks = Blocks(chat, self._rendering())
        return Answer(200, channel_page(chat, page, [blocks.block(album) for album in page.albums]))

    def _embed(self, name: str, number: int) -> Answer:
        chat = self._peer(name)
        if not isinstance(chat, Channel):
            return _error(f"Channel with username @{name} not found")
        if not chat.megagroup and not self.faults.has_page(chat):
            return _error("Unfortunately, this channel couldn't be displayed on your device.")
        listed = self._listed(chat)
        message = next((each for each in listed if each.id == number), None)
        if message is None:
            return _error("Post not found")
        album = [each for each in listed if each is message or (each.grouped and each.grouped == message.grouped)]
        return Answer(200, embed_page(Blocks(chat, self._rendering(is_embed=True)).block(album)))

    def _landing(self, name: str, rest: Sequence[str]) -> Answer:
        peer, post = self._peer(name), None
        if isinstance(peer, Channel) and rest and rest[0].isdecimal():
            shown = {message.id: message for message in self._listed(peer) if not self.faults.is_hidden(message)}
            post = shown.get(int(rest[0]))
        has_page = isinstance(peer, Channel) and self.faults.has_page(peer)
        return Answer(200, landing(name, peer, has_page=has_page, post=post))

    def _peer(self, name: str) -> Peer | None:
        return self.faults.aliases.get(name.lower()) or self._world.hub.names.get(name.lower())

    def _listed(self, chat: Channel) -> list[Message]:
        latest = self._world.hub.clock() - timedelta(seconds=self.faults.lag_s)
        return [each for each in chat.kept.oldest_first() if each.date <= latest and self.faults.is_listed(each)]

    def _rendering(self, *, is_embed: bool = False) -> Rendering:
        return Rendering(
            peers=self._world.hub.peers,
            at=self._world.hub.clock(),
            draw=lambda: f"{self._random.getrandbits(72):018x}",
            is_hidden=self.faults.is_hidden,
            is_embed=is_embed,
        )


def _error(words: str) -> Answer:
    return Answer(200, embed_page(embed_error(words)))


def _name(path: str) -> str:
    """Return the username that a path is about."""
    parts = path.strip("/").split("/")
    return parts[1] if parts[0] == "s" and len(parts) > 1 else parts[0]


def _reset(request: web.BaseRequest) -> None:
    if request.transport is not None:
        with suppress(OSError):  # the client was quicker
            request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        request.transport.abort()
