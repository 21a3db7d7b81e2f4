"""Every post passes here: an observation comes in; versions, index rows and alerts are committed, all or none."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.matching.engine.compiled import Compiled
from bot.matching.engine.matcher import Matcher
from bot.matching.words.tokens import Document, analyse
from bot.models import Clock, Observation, ObservedBy
from bot.pipeline.dedup import Echoes
from bot.pipeline.revisions import retell
from bot.pipeline.routing import EDITS, Finding, tellings
from bot.store import (
    alerts,
    backup_recovery,
    digests,
    duplicates,
    fulltext,
    groups,
    late,
    media,
    revisions,
    storms,
    subscriptions,
    topics,
    versions,
)
from bot.store.alerts import Draft, Kind
from bot.store.database import Database, Subject, Transaction
from bot.store.groups import Told
from bot.store.rows import maybe_date
from bot.store.subscriptions import Priority, Wanted
from bot.store.topics import Changed
from bot.store.versions import NewVersion, VersionChange

_OF_PARTS = frozenset(
    {VersionChange.PARTS_LOADED, VersionChange.PARTS_REWORDED}
)  # sites change their previews for years


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
        self._echoes = Echoes()

    async def store(self, observation: Observation) -> Result:
        """Store an observation in one transaction and enqueue its alerts; what is stored already changes nothing."""
        news = await self._topics.news(self._database)
        return await self._database.write(lambda tx: self._store(tx, observation, news))

    async def _store(self, tx: Transaction, observation: Observation, news: _News | None) -> Result:
        if news is not None:
            self._topics.take_in(news)
        taken = await versions.compare(tx, observation)
        read = [(added, analyse(added.post.whole)) for added in taken.added]
        is_import = observation.observed_by == ObservedBy.IMPORT  # which is never an alarm
        findings = [] if is_import else [self._find(added, document) for added, document in read]
        await taken.write(tx)
        await fulltext.add(tx, _words(read, loaded=False))
        await fulltext.replace(tx, _words(read, loaded=True))
        found = [finding for finding in findings if finding.topics]
        if not is_import:
            await self._want_files(tx, findings)
        changes = [added.change for added in taken.added]
        loaded = [(a.post.channel_id, a.post.message_id) for a in taken.added if a.change == VersionChange.PARTS_LOADED]
        if loaded:
            await self._retell(tx, (), loaded=loaded)
        count = await self._alert(tx, found) if found else 0
        edited = {(a.post.channel_id, a.post.message_id) for a in taken.added if a.change in EDITS}
        if not is_import and (taken.turned or edited):
            await self._retell(tx, taken.turned - edited, edited=edited)
        return Result(
            new=changes.count(VersionChange.NEW),
            edited=changes.count(VersionChange.EDITED),
            gone=taken.gone,
            matched=len(found),
            alerts=count,
            stale=changes.count(VersionChange.STALE),
            left=taken.left,
        )

    def _find(self, added: NewVersion, document: Document) -> Finding:
        """Look for topics; of what has changed only those count that were not there before."""
        is_followed = added.followed_at is not None and added.post.date >= added.followed_at
        found = (
            self._topics.matcher.match(document)
            if added.change != VersionChange.STALE and added.visible and is_followed
            else {}
        )
        fits = bool(found)
        if found and added.whole_before is not None:
            before = self._topics.matcher.match(analyse(added.whole_before)).keys()
            found = {name: spans for name, spans in found.items() if name not in before}
        return Finding(added=added, topics=found, fits=fits)

    async def _want_files(self, tx: Transaction, findings: Iterable[Finding]) -> None:
        """Have the files of posts downloaded that fit a topic; the items of an album may come one by one."""
        with_files = [f for f in findings if f.added.post.media is not None and f.added.post.media.kind in media.KINDS]
        fitting = [f.added.version_id for f in with_files if f.fits]
        posts = [f.added.post for f in with_files if f.added.change != VersionChange.STALE]
        albums = {(post.channel_id, post.grouped_id) for post in posts if post.grouped_id}
        edited = [f.added.version_id for f in with_files if f.added.change in EDITS]
        if fitting or albums or edited:
            await media.add(tx, fitting, edited=edited, albums=albums, now=self._clock())

    async def _alert(self, tx: Transaction, findings: list[Finding]) -> int:
        now, ids = self._clock(), self._topics.ids
        asked = {(f.added.post.channel_id, ids[name]) for f in findings for name in f.topics}
        found = list(tellings(findings, await subscriptions.for_topics(tx, asked, now), ids))
        windows = await backup_recovery.windows(tx, {each.wanted.chat_id for each in found})
        restored = [each for each in found if windows.covers(each.wanted.chat_id, each.said_at)]
        await backup_recovery.count(tx, [each.draft(loudness=0) for each in restored], now=now)
        found = [each for each in found if not windows.covers(each.wanted.chat_id, each.said_at)]
        oldest = now - self._alert_max_age
        old = [telling for telling in found if telling.said_at < oldest and telling.added.change not in _OF_PARTS]
        await late.gather(tx, [telling.draft(loudness=0) for telling in old], now=now)
        told = [telling.told(now) for telling in found if telling.said_at >= oldest]
        return await _tell(tx, await self._echoes.compare(tx, told, now=now), now=now)

    async def _retell(
        self,
        tx: Transaction,
        messages: Collection[tuple[int, int]],
        *,
        edited: Collection[tuple[int, int]] = (),
        loaded: Collection[tuple[int, int]] = (),
    ) -> None:
        """Let the alerts that tell of these messages follow them; beside the text of those `loaded` stands another."""
        outdated = await revisions.outdated(tx, messages, edited=edited, loaded=loaded)
        if not outdated:
            return
        now, ids = self._clock(), self._topics.ids
        texts = {old.current.whole for old in outdated}
        found = {text: self._topics.matcher.match(analyse(text)) for text in texts}
        named = ((old, name) for old in outdated for name in {*old.payload["topics"], *found[old.current.whole]})
        asked = {(old.channel_id, ids[name]) for old, name in named if name in ids}
        wanted = _priorities(await subscriptions.for_topics(tx, asked, now), self._topics.names)
        retold = [
            retell(old, found[old.current.whole], wanted.get((old.chat_id, old.channel_id), {})) for old in outdated
        ]
        await revisions.show(tx, [each.shown for each in retold if each.shown is not None])
        self._echoes.follow(outdated, retold)
        drafts = [(draft, old) for old, each in zip(outdated, retold, strict=True) for draft in each.drafts]
        windows = await backup_recovery.windows(tx, {old.chat_id for old in outdated})
        fresh = [
            draft
            for draft, old in drafts
            if draft.kind != Kind.CHANGE or not windows.covers(old.chat_id, maybe_date(old.current.edit_date or None))
        ]
        await alerts.enqueue_all(tx, fresh, now=now)
        summed_up = [each.shown.id for old, each in zip(outdated, retold, strict=True) if each.shown and old.gathered]
        if summed_up:
            await groups.redraw(tx, await groups.shown(tx, summed_up), now=now)


class _Topics:
    """The topics as the matcher holds them, brought up to date topic by topic."""

    def __init__(self) -> None:
        self.matcher = Matcher({})
        self.ids: dict[str, int] = {}
        self.names: dict[int, str] = {}  # by id
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
        self.names |= {topic.id: topic.name for topic in saved}
        self._number = max(self._number, news.changed.number)
        self._revision = news.revision

    def _forget(self, topic_id: int) -> None:
        name = self.names.pop(topic_id, None)
        if name is not None:
            self.matcher.remove(name)
            del self.ids[name]

    def _add(self, queries: Mapping[str, Compiled]) -> None:
        if not self.ids:
            self.matcher = Matcher(queries)  # all at once, so that regular expressions share large sets
            return
        for name, query in queries.items():
            self.matcher.add(name, query)


def _words(read: Iterable[tuple[NewVersion, Document]], *, loaded: bool) -> Sequence[tuple[int, int, str]]:
    """Return what the index is to hold of the versions that are new to it, or of those that it holds."""
    return [
        (added.version_id, added.post.channel_id, document.indexed)
        for added, document in read
        if (added.change == VersionChange.PARTS_LOADED) == loaded
    ]


def _priorities(rows: Iterable[Wanted], names: Mapping[int, str]) -> dict[tuple[int, int], dict[str, Priority]]:
    """Sort what is wanted, topics and their priorities, by chat and channel."""
    wanted: dict[tuple[int, int], dict[str, Priority]] = {}
    for row in rows:
        wanted.setdefault((row.chat_id, row.channel_id), {})[names[row.topic_id]] = row.priority
    return wanted


async def _tell(tx: Transaction, told: Sequence[Told], *, now: datetime) -> int:
    """Let posts join what a chat has heard; what stands apart waits for a digest, belongs to a storm, or is an alert.

    Return how many of these are new.
    """
    count = 0
    while told:
        apart, again = await duplicates.join(tx, [each.draft for each in told], now=now)
        chosen = _chosen(told, apart)
        count += await digests.gather(tx, [each for each in chosen if each.wait is not None], now=now)
        count += await storms.tell(tx, [each for each in chosen if each.wait is None], now=now)
        told = _chosen(told, again)
    return count


def _chosen(told: Iterable[Told], drafts: Iterable[Draft]) -> list[Told]:
    wanted = {(draft.chat_id, draft.subject) for draft in drafts}
    return [each for each in told if (each.draft.chat_id, each.draft.subject) in wanted]
