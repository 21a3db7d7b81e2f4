"""Serves topics and saved searches to readers of news over HTTP, at addresses that only their chats know.

Whatever is wrong with an address is answered alike. Strangers can reach it: a connection is one request, without a
body, in so much time, and there are only so many of them. Nothing logs an address, for it is a secret.
"""

import asyncio
import math
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from aiohttp import web

from bot.commands.syndication import SECRET, URL, Syndicated
from bot.commands.syndication_answers import MadeNews, NewsAnswers
from bot.models import Clock
from bot.runtime.supervisor import Beat, no_beat
from bot.search.pool import SearchError, Searches
from bot.store import meta
from bot.store.database import Database

log = structlog.get_logger(__name__)

PAUSE = 60.0  # s until a port that is taken is tried again
MOST_CONNECTIONS = 64
HEAD_WITHIN = 10.0  # s in which a request has to be there …
WITHIN = 60.0  # … and its answer taken: a search may wait 25 s for its turn
_LONGEST_LINE, _MOST_HEADERS = 2048, 48  # bytes of a request's first line and of each header; an address has 70


class SyndicationServer:
    """Serves topics and saved searches at a port of this machine; `url` is how others reach it."""

    def __init__(  # noqa: PLR0913 - its parts, and where it is reached
        self, database: Database, searches: Searches, *, host: str, port: int, url: str, clock: Clock
    ) -> None:
        self._database = database
        self._answers = NewsAnswers(database, searches, clock=clock)
        self._host, self._port = host, port
        self._url = url.rstrip("/")

    async def run(self, beat: Beat = no_beat) -> None:
        """Serve for ever; a port that is taken is tried again, since alerts do not need it."""
        beat(math.inf)
        await self._database.write(lambda tx: meta.secret(tx, SECRET))
        while True:
            try:
                await self._serve()
            except OSError as error:
                log.warning("HTTP_PORT cannot be opened: choose another one", port=self._port, reason=error.strerror)
            await asyncio.sleep(PAUSE)

    async def _serve(self) -> None:
        """Serve until cancelled. Raises OSError where the port is taken."""
        runner = web.ServerRunner(_HttpServer(self.answer))
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port, backlog=MOST_CONNECTIONS).start()
            url = self._url or f"http://{self._host}:{runner.addresses[0][1]}"
            await self._database.write(lambda tx: meta.put(tx, URL, url))
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request of whoever has an address."""
        if request.method not in {"GET", "HEAD"}:
            return _respond(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"})
        named = await Syndicated.read(self._database, request.path)
        if named is None:
            return _respond(HTTPStatus.NOT_FOUND)
        try:
            made = await self._answers.get(named)
        except SearchError as error:
            log.info("a reader of news was put off", reason=str(error))
            return _respond(HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "60"})
        if made is None:
            return _respond(HTTPStatus.NOT_FOUND)
        response = _respond(HTTPStatus.NOT_MODIFIED if _has(request, made) else HTTPStatus.OK)
        response.etag, response.last_modified = made.tag, made.changed_at
        response.headers["Cache-Control"] = "private, no-cache"  # asked for again each time, for a right may end
        if response.status == HTTPStatus.OK:
            response.content_type, response.charset, response.body = named.format.mime, "utf-8", made.content
        return response


def _has(request: web.BaseRequest, made: MadeNews) -> bool:
    """Tell whether who asks has the same file already (RFC 9110, 13.2.2)."""
    if request.if_none_match is not None:
        return any(tag.value in {"*", made.tag} for tag in request.if_none_match)
    since = request.if_modified_since
    return since is not None and made.changed_at <= since


def _respond(status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """Make an answer that does not tell what runs here, and ends its connection."""
    kept = {"Server": "", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer", **(headers or {})}
    response = web.Response(status=status, headers=kept)
    response.force_close()
    return response


class _HttpServer(web.Server):
    """Makes the connections."""

    def __call__(self) -> web.RequestHandler:
        return _HttpConnection(self)


class _HttpConnection(web.RequestHandler):
    """A connection, which is closed where there are too many or it takes too long."""

    def __init__(self, server: _HttpServer) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=HEAD_WITHIN,  # also of the first request
            access_log=None,  # type: ignore[arg-type]  # its lines would hold the secrets
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            max_headers=_MOST_HEADERS,
            lingering_time=0,  # nobody reads what comes with a request
        )
        self._server = server
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; one too many ends at once."""
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a socket
        if len(self._server.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._end = asyncio.get_running_loop().call_later(WITHIN, transport.abort)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        super().connection_lost(exc)
        if self._end is not None:
            self._end.cancel()

    def handle_error(  # as of aiohttp, whose message may hold an address, too
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Answer what cannot be read, or went wrong; only the latter is logged: the other may hold an address."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("a reader of news could not be answered", exc_info=exc)
        if request.writer.output_size:
            raise ConnectionError("a part of another answer is sent already")
        return _respond(status)
