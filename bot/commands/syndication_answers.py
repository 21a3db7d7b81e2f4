"""What readers of news get: made by a search process, kept for a few minutes, and only while the chat may see it.

What the chat may see is read before each answer, also after its search, so that nothing kept outlives a right.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.commands.syndication import Syndicated, SyndicatedKind
from bot.dossier.news import make_news
from bot.dossier.syndication import NewsHeading
from bot.locales import translator
from bot.locales.locale import topic_title
from bot.matching.engine.compiled import Compiled, compile_query, packed
from bot.matching.query.parser import parse
from bot.matching.words.inflection import Inflector
from bot.models import Clock
from bot.models.people import Viewer
from bot.search.filters import FilterError, read
from bot.search.pool import Searches
from bot.search.searcher import scope_of
from bot.store import access, chats, exclusions, redactions, saved_searches, topics
from bot.store.access import Restrictable
from bot.store.channel_groups import Directory
from bot.store.chats import Chat
from bot.store.database import Database
from bot.store.fulltext import Scope

FRESH = timedelta(minutes=5)  # for which an answer is given again, to however many ask however often
_MOST_ROWS = 50_000  # versions that are looked at for one answer
_ROOM = 16 << 20  # bytes of all answers that are kept
_WHO = "readers of news"  # who asks the search processes, one question at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What is looked for, and where: it is another one as soon as the chat sees more or less, or words are redacted."""

    heading: NewsHeading
    asked: tuple[str, ...]  # of a topic what it has compiled and what the chat leaves out; of a search its query
    seen: frozenset[int] | None  # ids of the channels that are searched; None: all …
    hidden: tuple[int, ...]  # … but these
    redacted: int  # versions in all
    scope: Scope = field(compare=False)  # that of a search for the last days is another one each moment


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeNews:
    """A file for readers of news."""

    content: bytes
    tag: str  # of these bytes
    changed_at: datetime  # since when it is the same, in whole seconds
    made_at: datetime
    question: _Question


class NewsAnswers:
    """Makes the files for readers of news, each once for all who ask, and keeps them for a while."""

    def __init__(self, database: Database, searches: Searches, *, clock: Clock) -> None:
        self._database = database
        self._searches = searches
        self._clock = clock
        self._inflector = Inflector()
        self._kept: dict[Syndicated, MadeNews] = {}
        self._turn = asyncio.Lock()

    async def get(self, named: Syndicated) -> MadeNews | None:
        """Return a topic or a search as its chat sees it; None where it does not. Raises SearchError."""
        while (question := await self._question(named)) is not None:
            found = self._known(named, question)
            if found is not None:
                return found
            async with self._turn:
                if self._known(named, question) is None:
                    self._keep(named, await self._made(named, question))
        self._kept.pop(named, None)
        return None

    def _known(self, named: Syndicated, question: _Question) -> MadeNews | None:
        """Return what answered the same question a moment ago."""
        known = self._kept.get(named)
        is_known = known is not None and known.question == question and self._clock() - known.made_at < FRESH
        return known if is_known else None

    def _keep(self, named: Syndicated, made: MadeNews) -> None:
        """Keep an answer; the ones made first make room."""
        self._kept.pop(named, None)
        self._kept[named] = made
        room = sum(len(each.content) for each in self._kept.values())
        while room > _ROOM and len(self._kept) > 1:
            room -= len(self._kept.pop(next(iter(self._kept))).content)

    async def _made(self, named: Syndicated, question: _Question) -> MadeNews:
        """Let a search process make an answer. Raises SearchError."""
        content = await self._searches.run(
            make_news,
            await self._query(named.kind, question.asked),
            question.scope,
            question.heading,
            named.format,
            most=_MOST_ROWS,
            who=_WHO,
        )
        now, before = self._clock(), self._kept.get(named)
        tag = hashlib.sha256(content).hexdigest()
        changed_at = before.changed_at if before is not None and before.tag == tag else now.replace(microsecond=0)
        return MadeNews(content=content, tag=tag, changed_at=changed_at, made_at=now, question=question)

    async def _query(self, kind: SyndicatedKind, asked: tuple[str, ...]) -> Compiled | None:
        if kind is SyndicatedKind.TOPIC:
            return packed(asked[0], asked[1:])
        (typed,) = asked
        return await asyncio.to_thread(lambda: compile_query(parse(typed), self._inflector)) if typed else None

    async def _question(self, named: Syndicated) -> _Question | None:
        """Return what is asked for a chat at this moment; None where it no longer has or sees it."""
        chat = await chats.get(self._database, named.chat_id)
        if chat is None or chat.suspended is not None:
            return None
        return await (self._of_topic if named.kind is SyndicatedKind.TOPIC else self._of_search)(named, chat)

    async def _of_topic(self, named: Syndicated, chat: Chat) -> _Question | None:
        db, viewer = self._database, Viewer(chat_id=chat.id)
        topic = await topics.get(db, named.id, viewer)
        if topic is None:
            return None
        excluded = await exclusions.of_chat(db, chat.id, topic.id)
        ids = (await Directory.load(db, viewer)).limit(topic.limits) if topic.limits else None
        hidden = await access.hidden(db, Restrictable.CHANNEL, viewer)
        return _Question(
            heading=_heading(named, chat, topic_title(topic.name, translator(chat.language))),
            asked=(topic.compiled, *(each.compiled for each in excluded)),
            seen=ids,
            hidden=hidden,
            redacted=await redactions.count(db),
            scope=Scope(channel_ids=None if ids is None else tuple(ids), hidden=hidden),
        )

    async def _of_search(self, named: Syndicated, chat: Chat) -> _Question | None:
        saved = await saved_searches.get(self._database, chat.id, named.id)
        if saved is None:
            return None
        try:
            typed = read(saved.typed, now=self._clock(), zone=chat.time_zone)
            scope = await scope_of(self._database, typed.filters, Viewer(chat_id=chat.id))
        except FilterError:  # its channel is not there for the chat any more
            return None
        return _Question(
            heading=_heading(named, chat, saved.typed),
            asked=(typed.query,),
            seen=None if scope.channel_ids is None else frozenset(scope.channel_ids),
            hidden=scope.hidden,
            redacted=await redactions.count(self._database),
            scope=scope,
        )


def _heading(named: Syndicated, chat: Chat, name: str) -> NewsHeading:
    return NewsHeading(id=named.name, name=name, language=chat.language)
