"""Every post passes here: an observation comes in; versions, index rows and alerts are committed, all or none."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.matching.matcher import Compiled, Matcher
from bot.matching.plan import merged
from bot.matching.regex import Span
from bot.matching.text import Document, analyse
from bot.models import Clock, Observation, ObservedBy
from bot.retelling import marked, named, retell
from bot.store import alerts, followups, fulltext, intake, late, repeats, subscriptions, topics
from bot.store.alerts import Draft, Kind
from bot.store.database import Database, Subject, Transaction
from bot.store.intake import Added, Change
from bot.store.late import Late
from bot.store.subscriptions import Priority, Wanted
from bot.store.topics import Changed

_EDITS = frozenset({Change.EDITED, Change.BESIDE})
_BESIDE = frozenset({Change.LOADED, Change.BESIDE})


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
class _Finding:
    """A version in which topics were found."""

    added: Added
    topics: Mapping[str, tuple[Span, ...]]  # by name; where, in Python characters of the whole


@dataclass(slots=True, kw_only=True)
class _Telling:
    """What a chat is to be told of a post."""

    added: Added  # the version that matched first, where several messages of an album do
    wanted: Wanted
    topics: list[str] = field(default_factory=list)
    spans: set[tuple[int, int]] = field(default_factory=set)  # in the whole of that version
    silent: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """What became of the topics."""

    revision: int
    changed: Changed


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
        read = [(added, analyse(added.post.whole)) for added in taken.added]
        is_import = observation.observed_by == ObservedBy.IMPORT  # which is never an alarm
        findings = [] if is_import else [self._find(added, document) for added, document in read]
        await taken.write(tx)
        await fulltext.add(tx, _words(read, loaded=False))
        await fulltext.replace(tx, _words(read, loaded=True))
        found = [finding for finding in findings if finding.topics]
        changes = [added.change for added in taken.added]
        loaded = [(a.post.channel_id, a.post.message_id) for a in taken.added if a.change == Change.LOADED]
        if loaded:
            await self._retell(tx, (), loaded=loaded)
        count = await self._alert(tx, found) if found else 0
        edited = {(a.post.channel_id, a.post.message_id) for a in taken.added if a.change in _EDITS}
        if not is_import and (taken.turned or edited):
            await self._retell(tx, taken.turned - edited, edited=edited)
        return Result(
            new=changes.count(Change.NEW),
            edited=changes.count(Change.EDITED),
            gone=taken.gone,
            matched=len(found),
            alerts=count,
            stale=changes.count(Change.STALE),
            left=taken.left,
        )

    def _find(self, added: Added, document: Document) -> _Finding:
        """Look for topics; of what has changed only those count that were not there before."""
        found: Mapping[str, tuple[Span, ...]] = {}
        is_followed = added.followed_at is not None and added.post.date >= added.followed_at
        is_news = added.change != Change.STALE and (added.change != Change.LOADED or added.whole_before is not None)
        if is_news and added.visible and is_followed:
            found = self._topics.matcher.match(document)
        if found and added.whole_before is not None:
            before = self._topics.matcher.match(analyse(added.whole_before)).keys()
            found = {name: spans for name, spans in found.items() if name not in before}
        return _Finding(added=added, topics=found)

    async def _alert(self, tx: Transaction, findings: list[_Finding]) -> int:
        now = self._clock()
        fresh: list[_Telling] = []
        old: list[_Telling] = []
        for telling in await _tellings(tx, findings, self._topics.ids, now=now):
            if now - _said_at(telling.added) <= self._alert_max_age:
                fresh.append(telling)
            elif telling.added.change not in _BESIDE:  # sites change their previews for years
                old.append(telling)
        count = await repeats.tell(tx, [_draft(telling) for telling in fresh], now=now)
        await late.add(tx, [_late(telling) for telling in old], now=now)
        return count

    async def _retell(
        self,
        tx: Transaction,
        messages: Collection[tuple[int, int]],
        *,
        edited: Collection[tuple[int, int]] = (),
        loaded: Collection[tuple[int, int]] = (),
    ) -> None:
        """Let the alerts that tell of these messages follow them; beside the text of those `loaded` stands another."""
        outdated = await followups.outdated(tx, messages, edited=edited, loaded=loaded)
        if not outdated:
            return
        now, ids = self._clock(), self._topics.ids
        texts = {old.current.whole for old in outdated}
        found = {text: self._topics.matcher.match(analyse(text)) for text in texts}
        named = ((old, name) for old in outdated for name in {*old.payload["topics"], *found[old.current.whole]})
        asked = {(old.channel_id, ids[name]) for old, name in named if name in ids}
        names = {topic_id: name for name, topic_id in ids.items()}
        wanted: dict[tuple[int, int], dict[str, Priority]] = {}
        for row in await subscriptions.for_topics(tx, asked, now):
            wanted.setdefault((row.chat_id, row.channel_id), {})[names[row.topic_id]] = row.priority
        retold = [
            retell(old, found[old.current.whole], wanted.get((old.chat_id, old.channel_id), {})) for old in outdated
        ]
        await followups.show(tx, [each.shown for each in retold if each.shown is not None])
        await alerts.enqueue_all(tx, [draft for each in retold for draft in each.drafts], now=now)


class _Topics:
    """The topics as the matcher holds them, brought up to date topic by topic."""

    def __init__(self) -> None:
        self.matcher = Matcher({})
        self.ids: dict[str, int] = {}
        self._names: dict[int, str] = {}  # by id
        self._number = 0  # of the last change that was taken in
        self._revision = -1

    async def news(self, database: Database) -> _News | None:
        """Read what was saved or deleted since the last time, if anything was."""
        revision = database.changes.revision(Subject.TOPICS)
        if revision == self._revision:
            return None
        return _News(revision=revision, changed=await topics.changed(database, self._number))

    def take_in(self, news: _News) -> None:
        """Bring the matcher up to date; only jobs of the writer do, one after the other."""
        if news.revision <= self._revision:
            return
        saved = news.changed.saved
        for topic_id in (*news.changed.gone, *(topic.id for topic in saved)):
            self._forget(topic_id)
        self._add({topic.name: Compiled.from_json(topic.compiled) for topic in saved})
        self.ids |= {topic.name: topic.id for topic in saved}
        self._names |= {topic.id: topic.name for topic in saved}
        self._number = max(self._number, news.changed.number)
        self._revision = news.revision

    def _forget(self, topic_id: int) -> None:
        name = self._names.pop(topic_id, None)
        if name is not None:
            self.matcher.remove(name)
            del self.ids[name]

    def _add(self, queries: Mapping[str, Compiled]) -> None:
        if not self.ids:
            self.matcher = Matcher(queries)  # all at once, so that regular expressions share large sets
            return
        for name, query in queries.items():
            self.matcher.add(name, query)


async def _tellings(
    tx: Transaction, findings: list[_Finding], topic_ids: Mapping[str, int], *, now: datetime
) -> Iterable[_Telling]:
    """Work out whom to tell what: one telling for each chat and post, whatever its topics and messages."""
    asked = {(f.added.post.channel_id, topic_ids[name]) for f in findings for name in f.topics}
    wanted: dict[tuple[int, int], list[Wanted]] = {}
    for row in await subscriptions.for_topics(tx, asked, now):
        wanted.setdefault((row.channel_id, row.topic_id), []).append(row)
    tellings: dict[tuple[int, int, str], _Telling] = {}
    for finding, name in [(f, name) for f in findings for name in f.topics]:
        added = finding.added
        for row in wanted.get((added.post.channel_id, topic_ids[name]), ()):
            key = (row.chat_id, row.channel_id, added.post.key)
            telling = tellings.setdefault(key, _Telling(added=added, wanted=row))
            telling.silent = telling.silent and row.priority == Priority.SILENT
            if name not in telling.topics:
                telling.topics.append(name)
            if telling.added is added:
                telling.spans.update(finding.topics[name])
    return tellings.values()


def _words(read: Iterable[tuple[Added, Document]], *, loaded: bool) -> Sequence[tuple[int, int, str]]:
    """Return what the index is to hold of the versions that are new to it, or of those that it holds."""
    return [
        (added.version_id, added.post.channel_id, document.indexed)
        for added, document in read
        if (added.change == Change.LOADED) == loaded
    ]


def _said_at(added: Added) -> datetime:
    """Date what a version says: an edit says something new."""
    edited = added.post.edit_date if added.change == Change.EDITED else None
    return edited or added.post.date


def _draft(telling: _Telling) -> Draft:
    added, wanted = telling.added, telling.wanted
    post = added.post
    found = marked(post.text, post.asides, merged(list(telling.spans)))
    return Draft(
        chat_id=wanted.chat_id,
        chat_key=wanted.chat_key,
        kind=Kind.POST,
        subject=f"{post.channel_id}/{post.key}/{added.hash.hex()[:16]}",
        channel_id=post.channel_id,
        post_key=post.key,
        silent=telling.silent,
        words=named(post.text, post.asides, found),
        said_at=post.date if added.change == Change.NEW else None,
        payload={
            "version_id": added.version_id,
            "topics": telling.topics,
            **found,
            "edited": added.change in _EDITS,
        }
        | ({"turned": True} if added.change in _EDITS else {}),
    )


def _late(telling: _Telling) -> Late:
    added = telling.added
    return Late(
        chat_id=telling.wanted.chat_id,
        chat_key=telling.wanted.chat_key,
        channel_id=added.post.channel_id,
        channel_title=added.channel_title,
        version_id=added.version_id,
        spans=tuple(merged(list(telling.spans))),
    )
