"""Every post passes here: an observation comes in; versions, index rows and alerts are committed, all or none."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.matching.engine.compiled import Compiled
from bot.matching.engine.matcher import Matcher
from bot.matching.words.tokens import Document, analyse
from bot.models import Clock, NewVersion, Observation, ObservedBy, VersionChange
from bot.models.alerts import Recipient
from bot.pipeline.alerting import add_alerts, update_alerts
from bot.pipeline.decisions.revisions import AlertUpdate, revise
from bot.pipeline.decisions.routing import EDITS, LOADED, Match, found_by, route
from bot.pipeline.dedup import Duplicates
from bot.store import alerts, exclusions, fulltext, media, subscriptions, topics, versions
from bot.store.database import Database, Subject, Transaction
from bot.store.topics import TopicChanges


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an observation changed."""

    new: int  # messages
    edited: int  # messages with another text, other entities or other media
    gone: int  # messages that our reader no longer sees
    matched: int  # of the new and edited ones, those in which a topic was found; from before the following none is
    alerts: int  # that were not in the outbox
    stale: int = 0  # versions from before the one we knew: kept as evidence
    left: int = 0  # messages of an export that a reader of ours is about to see on Telegram


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """What is new of topics and of the words that chats exclude."""

    revision: int  # that it leads to
    changes: TopicChanges
    words: Mapping[str, str]  # all of them, compiled


class Ingest:
    """Stores, indexes, matches and enqueues; a post older than `alert_max_age` seconds is only counted."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        alert_max_age: float = 24 * 3600,
        duplicates: Duplicates | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._alert_max_age = timedelta(seconds=alert_max_age)
        self._topics = _Topics()
        self._duplicates = duplicates or Duplicates()

    async def store(self, observation: Observation) -> Result:
        """Store an observation in one transaction and enqueue its alerts; what is stored already changes nothing."""
        news = await self._topics.news(self._database)
        return await self._database.write(lambda tx: self._store(tx, observation, news))

    async def _store(self, tx: Transaction, observation: Observation, news: _News | None) -> Result:
        if news is not None:
            self._topics.take_in(news)
        taken = await versions.compare(tx, observation)
        documents = [(added, analyse(added.post.whole)) for added in taken.added]
        is_import = observation.observed_by == ObservedBy.IMPORT  # which is never an alarm
        matches = [] if is_import else [self._match(added, document) for added, document in documents]
        await taken.write(tx)
        await fulltext.add(tx, _words(documents, loaded=False))
        await fulltext.replace(tx, _words(documents, loaded=True))
        found = [match for match in matches if match.topics]
        if not is_import:
            await self._want_files(tx, matches)
        await self._revise(tx, (), loaded=_keys(taken.added, LOADED))
        count = await self._alert(tx, found)
        if not is_import:
            edited = _keys(taken.added, EDITS)
            await self._revise(tx, taken.turned - edited, edited=edited)
        changes = [added.change for added in taken.added]
        return Result(
            new=changes.count(VersionChange.NEW),
            edited=changes.count(VersionChange.EDITED),
            gone=taken.gone,
            matched=len(found),
            alerts=count,
            stale=changes.count(VersionChange.STALE),
            left=taken.left,
        )

    def _match(self, added: NewVersion, document: Document) -> Match:
        """Look for topics, and for the words that chats exclude; of what has changed, also as it was before."""
        is_followed = added.followed_at is not None and added.post.date >= added.followed_at
        is_news = added.change != VersionChange.STALE and added.visible and is_followed
        found = self._topics.matcher.match(document) if is_news else {}
        if not found:
            return Match(added=added, found=found)
        words = self._topics.words_in(document)
        if added.whole_before is None:
            return Match(added=added, found=found, words=words)
        before = analyse(added.whole_before)
        return Match(
            added=added,
            found=found,
            before=self._topics.matcher.match(before).keys(),
            words=words,
            words_before=self._topics.words_in(before),
        )

    async def _want_files(self, tx: Transaction, matches: Iterable[Match]) -> None:
        """Have the files of posts downloaded that fit a topic; the items of an album may come one by one."""
        fitting, edited, albums = list[int](), list[int](), set[tuple[int, int]]()
        for match in matches:
            added, post = match.added, match.added.post
            if post.media is None or post.media.kind not in media.KINDS:
                continue
            if match.found:
                fitting.append(added.version_id)
            if added.change in EDITS:
                edited.append(added.version_id)
            if post.grouped_id and added.change != VersionChange.STALE:
                albums.add((post.channel_id, post.grouped_id))
        if fitting or albums or edited:
            await media.add(tx, fitting, edited=edited, albums=albums, now=self._clock())

    async def _alert(self, tx: Transaction, matches: list[Match]) -> int:
        if not matches:
            return 0
        now, ids = self._clock(), self._topics.ids
        asked = {(match.added.post.channel_id, ids[name]) for match in matches for name in match.topics}
        routed = route(matches, await subscriptions.for_topics(tx, asked, now), ids)
        return await add_alerts(tx, routed, self._duplicates, now=now, max_age=self._alert_max_age)

    async def _revise(
        self,
        tx: Transaction,
        messages: Collection[tuple[int, int]],
        *,
        edited: Collection[tuple[int, int]] = (),
        loaded: Collection[tuple[int, int]] = (),
    ) -> None:
        """Bring the alerts that show these messages up to date; of those `loaded` only parts have changed."""
        if not (messages or edited or loaded):
            return
        stale = await alerts.stale(tx, messages, edited=edited, loaded=loaded)
        if not stale:
            return
        now, documents = self._clock(), {text: analyse(text) for text in {each.current.whole for each in stale}}
        found = {text: self._topics.matcher.match(document) for text, document in documents.items()}
        words = {text: self._topics.words_in(document) for text, document in documents.items()}
        topics_of = [(each.alert.channel_id, {*each.alert.topics, *found[each.current.whole]}) for each in stale]
        all_wanted, updates = await self._read_wanted(tx, topics_of, now), list[AlertUpdate]()
        for each in stale:
            wanted, text = all_wanted[each.alert.chat_id, each.alert.channel_id], each.current.whole
            priorities = {name: row.priority for name, row in wanted.items()}
            updates.append(revise(each, found_by(found[text], words[text], wanted), priorities, now))
        self._duplicates.reword(updates)
        await update_alerts(tx, updates, now=now)

    async def _read_wanted(
        self, tx: Transaction, asked: Iterable[tuple[int, Iterable[str]]], now: datetime
    ) -> Mapping[tuple[int, int], Mapping[str, Recipient]]:
        """Return what chats subscribe to of topics in channels, by topic, by chat and channel."""
        ids, names = self._topics.ids, self._topics.names
        pairs = {(channel_id, ids[name]) for channel_id, listed in asked for name in listed if name in ids}
        wanted = defaultdict[tuple[int, int], dict[str, Recipient]](dict)
        for row in await subscriptions.for_topics(tx, pairs, now):
            wanted[row.chat_id, row.channel_id][names[row.topic_id]] = row
        return wanted


class _Topics:
    """The topics, and the words that chats exclude, as matchers hold them, brought up to date one by one."""

    def __init__(self) -> None:
        self.matcher = Matcher({})
        self._words = Matcher({})  # each by itself: compiled once, however many chats exclude it
        self._known_words: set[str] = set()
        self.ids: dict[str, int] = {}
        self.names: dict[int, str] = {}  # by id
        self._number = 0  # of the last change that was taken in
        self._revision = -1

    async def news(self, database: Database) -> _News | None:
        """Read what was saved or deleted since the last time, if anything was."""
        revision = database.changes.revision(Subject.TOPICS)
        if revision == self._revision:
            return None
        changes = await topics.changed(database, self._number)
        return _News(revision=revision, changes=changes, words=await exclusions.all_words(database))

    def words_in(self, document: Document) -> frozenset[str]:
        """Return the words in a text that any chat excludes."""
        return frozenset(self._words.match(document)) if self._known_words else frozenset()

    def take_in(self, news: _News) -> None:
        """Bring the matchers up to date; only jobs of the writer do, one after the other."""
        revision, changes = news.revision, news.changes
        if revision <= self._revision:
            return
        for word in self._known_words - news.words.keys():
            self._words.remove(word)
        for word in news.words.keys() - self._known_words:
            self._words.add(word, Compiled.from_json(news.words[word]))
        self._known_words = set(news.words)
        for topic_id in (*changes.gone, *(topic.id for topic in changes.saved)):
            name = self.names.pop(topic_id, None)
            if name is not None:
                self.matcher.remove(name)
                del self.ids[name]
        queries = {topic.name: Compiled.from_json(topic.compiled) for topic in changes.saved}
        if not self.ids:
            self.matcher = Matcher(queries)  # all at once, so that regular expressions share large sets
        else:
            for name, query in queries.items():
                self.matcher.add(name, query)
        self.ids |= {topic.name: topic.id for topic in changes.saved}
        self.names |= {topic.id: topic.name for topic in changes.saved}
        self._number = max(self._number, changes.number)
        self._revision = revision


def _words(read: Iterable[tuple[NewVersion, Document]], *, loaded: bool) -> Sequence[tuple[int, int, str]]:
    """Return what the index is to hold of the versions that are new to it, or of those that it holds."""
    return [
        (added.version_id, added.post.channel_id, document.indexed)
        for added, document in read
        if (added.change in LOADED) == loaded
    ]


def _keys(found: Iterable[NewVersion], changes: Collection[VersionChange]) -> set[tuple[int, int]]:
    return {(added.post.channel_id, added.post.message_id) for added in found if added.change in changes}
