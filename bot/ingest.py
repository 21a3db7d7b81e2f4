"""Every post passes here: an observation comes in; versions, index rows and alerts are committed, all or none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.matching.matcher import Compiled, Matcher
from bot.matching.plan import merged
from bot.matching.text import Document, analyse
from bot.models import Clock, Match, Observation
from bot.store import alerts, fulltext, intake, subscriptions, topics
from bot.store.alerts import Draft, Kind
from bot.store.database import Database, Subject, Transaction
from bot.store.intake import Added, Change
from bot.store.subscriptions import Priority, Wanted
from bot.store.topics import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an observation changed."""

    new: int  # messages
    edited: int  # messages with another text, other entities or other media
    gone: int  # messages that our reader no longer sees
    matched: int  # of the new and edited ones, those in which a topic was found; from before the following none is
    alerts: int  # that were not in the outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """A version in which topics were found."""

    added: Added
    matches: tuple[Match, ...]


@dataclass(slots=True, kw_only=True)
class _Telling:
    """What a chat is to be told of a post."""

    added: Added  # the version that matched first, where several messages of an album do
    wanted: Wanted
    topics: list[str] = field(default_factory=list)
    spans: set[tuple[int, int]] = field(default_factory=set)  # in the text of that version
    silent: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """The topics after a change."""

    revision: int
    topics: dict[str, Topic]  # by name


class Ingest:
    """Stores, indexes, matches and enqueues; a post older than `alert_max_age` seconds is only counted."""

    def __init__(self, database: Database, clock: Clock, *, alert_max_age: float = 24 * 3600) -> None:
        self._database = database
        self._clock = clock
        self._alert_max_age = timedelta(seconds=alert_max_age)
        self._topics = _Topics()

    async def store(self, observation: Observation) -> Result:
        """Store an observation in one transaction and enqueue its alerts; what is stored already changes nothing."""
        news = await self._topics.news(self._database)
        return await self._database.write(lambda tx: self._store(tx, observation, news))

    async def _store(self, tx: Transaction, observation: Observation, news: _News | None) -> Result:
        if news is not None:
            self._topics.take_in(news)
        taken = await intake.take_in(tx, observation)
        read = [(added, analyse(added.post.text)) for added in taken.added]
        words = [(added.version_id, document.indexed) for added, document in read]
        findings = [self._find(added, document) for added, document in read]
        await taken.write(tx)
        await fulltext.add(tx, words)
        found = [finding for finding in findings if finding.matches]
        changes = [added.change for added in taken.added]
        return Result(
            new=changes.count(Change.NEW),
            edited=changes.count(Change.EDITED),
            gone=taken.gone,
            matched=len(found),
            alerts=await self._alert(tx, found) if found else 0,
        )

    def _find(self, added: Added, document: Document) -> _Finding:
        """Look for topics; of an edit only those count that were not in the text before."""
        matches: tuple[Match, ...] = ()
        if added.change != Change.STALE and added.visible and added.post.date >= added.followed_at:
            matches = self._topics.matcher.match(document)
        if matches and added.text_before is not None:
            before = {match.topic for match in self._topics.matcher.match(analyse(added.text_before))}
            matches = tuple(match for match in matches if match.topic not in before)
        return _Finding(added=added, matches=matches)

    async def _alert(self, tx: Transaction, findings: list[_Finding]) -> int:
        now = self._clock()
        fresh: list[_Telling] = []
        old: list[_Telling] = []
        for telling in await _tellings(tx, findings, self._topics.ids, now=now):
            (old if now - telling.added.post.date > self._alert_max_age else fresh).append(telling)
        count = await alerts.enqueue_all(tx, [_draft(telling) for telling in fresh], now=now)
        for group in _by_chat_and_channel(old):
            await alerts.add_late(tx, _late_notice(group[0]), count=len(group), now=now)
        return count


class _Topics:
    """The topics as the matcher holds them, brought up to date topic by topic."""

    def __init__(self) -> None:
        self.matcher = Matcher({})
        self.ids: dict[str, int] = {}
        self._compiled: dict[str, str] = {}  # by name, as JSON
        self._revision = -1

    async def news(self, database: Database) -> _News | None:
        """Read the topics again, if any was saved or deleted since the last time."""
        revision = database.changes.revision(Subject.TOPICS)
        if revision == self._revision:
            return None
        every = await topics.all_topics(database)
        return _News(revision=revision, topics={topic.name: topic for topic in every})

    def take_in(self, news: _News) -> None:
        """Bring the matcher up to date; only jobs of the writer do, one after the other."""
        if news.revision <= self._revision:
            return
        for name in self._compiled.keys() - news.topics.keys():
            self.matcher.remove(name)
            del self._compiled[name]
        for name, topic in news.topics.items():
            if self._compiled.get(name) != topic.compiled:
                self.matcher.add(name, Compiled.from_json(topic.compiled))
                self._compiled[name] = topic.compiled
        self.ids = {name: topic.id for name, topic in news.topics.items()}
        self._revision = news.revision


async def _tellings(
    tx: Transaction, findings: list[_Finding], topic_ids: Mapping[str, int], *, now: datetime
) -> Iterable[_Telling]:
    """Work out whom to tell what: one telling for each chat and post, whatever its topics and messages."""
    asked = {(f.added.post.channel_id, topic_ids[match.topic]) for f in findings for match in f.matches}
    wanted: dict[tuple[int, int], list[Wanted]] = {}
    for row in await subscriptions.for_topics(tx, asked, now):
        wanted.setdefault((row.channel_id, row.topic_id), []).append(row)
    tellings: dict[tuple[int, int, str], _Telling] = {}
    for added, match in ((finding.added, match) for finding in findings for match in finding.matches):
        for row in wanted.get((added.post.channel_id, topic_ids[match.topic]), ()):
            key = (row.chat_id, row.channel_id, added.post.key)
            telling = tellings.setdefault(key, _Telling(added=added, wanted=row))
            telling.silent = telling.silent and row.priority == Priority.SILENT
            if match.topic not in telling.topics:
                telling.topics.append(match.topic)
            if telling.added is added:
                telling.spans.update(match.spans)
    return tellings.values()


def _draft(telling: _Telling) -> Draft:
    added, wanted = telling.added, telling.wanted
    post = added.post
    return Draft(
        chat_id=wanted.chat_id,
        chat_key=wanted.chat_key,
        kind=Kind.POST,
        subject=f"{post.channel_id}/{post.key}/{added.hash.hex()[:16]}",
        channel_id=post.channel_id,
        post_key=post.key,
        silent=telling.silent,
        payload={
            "version_id": added.version_id,
            "topics": telling.topics,
            "spans": merged(list(telling.spans)),
            "edited": added.change == Change.EDITED,
        },
    )


def _late_notice(telling: _Telling) -> Draft:
    channel_id = telling.wanted.channel_id
    return Draft(
        chat_id=telling.wanted.chat_id,
        chat_key=telling.wanted.chat_key,
        kind=Kind.NOTICE,
        subject=f"late:{channel_id}",
        payload={"notice": "late", "channel": telling.added.channel_title, "channel_id": channel_id},
        silent=True,
    )


def _by_chat_and_channel(tellings: Iterable[_Telling]) -> Iterable[list[_Telling]]:
    groups: dict[tuple[int, int], list[_Telling]] = {}
    for telling in tellings:
        groups.setdefault((telling.wanted.chat_id, telling.wanted.channel_id), []).append(telling)
    return groups.values()
