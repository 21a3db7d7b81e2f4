"""Serves the topics of chats to readers of news over HTTP, at addresses that only the chats know.

Whatever is wrong with an address is answered alike, and searches run where those of people do.
"""

import asyncio
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.commands.lookup import queries_of
from bot.commands.syndication import SECRET, URL, Syndicated
from bot.dossier.syndication import MIME, MOST, write_syndication
from bot.locales import translator
from bot.locales.locale import topic_title
from bot.models import Clock
from bot.models.people import Viewer
from bot.runtime.supervisor import Beat, no_beat
from bot.search.pool import SearchError, Searches
from bot.search.searcher import find_newest
from bot.store import access, chats, meta, topics
from bot.store.access import Restrictable
from bot.store.channel_groups import Directory
from bot.store.database import Database
from bot.store.fulltext import Scope

if TYPE_CHECKING:
    from aiohttp import web

log = structlog.get_logger(__name__)

FRESH = timedelta(minutes=1)  # for which an answer is given again
MOST_ROWS = 50_000  # versions that are looked at for one answer
PAUSE = 60.0  # s until a port that is taken is tried again
_KEPT = 200  # answers
_WHO = "readers of news"  # who asks the search processes, one question at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class _MadeNews:
    """A file that was made a moment ago."""

    content: bytes
    made_at: datetime


class SyndicationServer:
    """Serves topics at a port of this machine; `url` is how others reach it."""

    def __init__(  # noqa: PLR0913 - its parts, and where it is reached
        self, database: Database, searches: Searches, *, host: str, port: int, url: str, clock: Clock
    ) -> None:
        self._database = database
        self._searches = searches
        self._host, self._port = host, port
        self._url = url.rstrip("/")
        self._clock = clock
        self._answers: dict[Syndicated, _MadeNews] = {}

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
        from aiohttp import web  # noqa: PLC0415 - a tenth of a second, for few

        runner = web.ServerRunner(web.Server(self.answer, access_log=None))  # its lines would hold the secrets
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            url = self._url or f"http://{self._host}:{runner.addresses[0][1]}"
            await self._database.write(lambda tx: meta.put(tx, URL, url))
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def answer(self, request: "web.BaseRequest") -> "web.StreamResponse":
        """Answer a request of whoever has an address."""
        from aiohttp import web  # noqa: PLC0415 - likewise

        is_asked = request.method in {"GET", "HEAD"}
        named = await Syndicated.read(self._database, request.path) if is_asked else None
        if named is None:
            return web.Response(status=404)
        try:
            content = await self._content(named)
        except SearchError as error:
            log.info("a reader of news was put off", reason=str(error))
            return web.Response(status=503, headers={"Retry-After": "60"})
        if content is None:
            return web.Response(status=404)
        headers = {"Cache-Control": "private, max-age=60", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
        return web.Response(body=content, content_type=MIME[named.format], charset="utf-8", headers=headers)

    async def _content(self, named: Syndicated) -> bytes | None:
        """Return a topic as its chat sees it now, or a moment ago; None where it does not."""
        db, now = self._database, self._clock()
        chat, viewer = await chats.get(db, named.chat_id), Viewer(chat_id=named.chat_id)
        topic = await topics.get(db, named.topic_id, viewer)
        if chat is None or chat.suspended is not None or topic is None:
            self._answers.pop(named, None)
            return None
        known = self._answers.get(named)
        if known is not None and now - known.made_at < FRESH:
            return known.content
        hidden = await access.hidden(db, Restrictable.CHANNEL, viewer)
        ids = tuple((await Directory.load(db, viewer)).limit(topic.limits)) if topic.limits else None
        (query,) = await queries_of(db, chat.id, [topic])
        scope = Scope(channel_ids=ids, hidden=hidden)
        page = await self._searches.run(find_newest, query, scope, limit=MOST, most=MOST_ROWS, who=_WHO)
        t = translator(chat.language)
        found = [hit.post for hit in page.hits]
        content = write_syndication(named.format, topic_title(topic.name, t), found, t, now=now)
        while len(self._answers) >= _KEPT:
            self._answers.pop(next(iter(self._answers)))
        self._answers[named] = _MadeNews(content=content, made_at=now)
        return content
