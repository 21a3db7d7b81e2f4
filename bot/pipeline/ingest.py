"""Every post passes here: an observation comes in; versions, index rows and alerts are committed, all or none."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from bot.matching.similarity.diff import Weight, weigh
from bot.matching.words.tokens import Document, analyse
from bot.models import Clock, NewVersion, Observation, ObservedBy, VersionChange
from bot.models.alerts import Recipient
from bot.parts import PartKind
from bot.pipeline.alerting import add_alerts, update_alerts
from bot.pipeline.decisions.revisions import AlertUpdate, revise
from bot.pipeline.decisions.routing import EDITS, LOADED, Match, found_by, route
from bot.pipeline.dedup import Duplicates
from bot.pipeline.topics import TopicMatcher, TopicNews, TopicsChangedError
from bot.store import alerts, fulltext, media, pictures, subscriptions, versions
from bot.store.database import Database, Transaction
from bot.store.pictures import WantedPicture
from bot.store.transaction import Job

T = TypeVar("T")
PHOTO = "photo"  # of kinds of media


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
        self._topics = TopicMatcher()
        self._duplicates = duplicates or Duplicates()

    async def store(self, observation: Observation) -> Result:
        """Store an observation in one transaction and enqueue its alerts; what is stored already changes nothing."""
        return await self._write(partial(self._store, observation=observation))

    async def store_picture(self, picture: WantedPicture, text: str, engine: str) -> None:
        """Make what a program has read in a photo a part of its post, which may bring an alert."""
        await self._write(partial(self._store_picture, picture=picture, text=text, engine=engine))

    async def _write(self, job: Job[T]) -> T:
        """Carry out a job in one transaction, with the topics as they are by then."""
        while True:
            news = await self._topics.news(self._database)
            try:
                return await self._database.write(partial(self._with_topics, job=job, news=news))
            except TopicsChangedError:  # by a job of the same moment, which is committed by now
                continue

    async def _with_topics(self, tx: Transaction, job: Job[T], news: TopicNews | None) -> T:
        if news is not None:
            self._topics.take_in(news)
        await self._topics.require_current(tx)
        return await job(tx)

    async def _store(self, tx: Transaction, observation: Observation) -> Result:
        taken = await versions.compare(tx, observation, _is_reworded)
        documents = [(added, analyse(added.post.whole)) for added in taken.added]
        is_import = observation.observed_by == ObservedBy.IMPORT  # which is never an alarm
        matches = [] if is_import else [self._match(added, document) for added, document in documents]
        await taken.writes.put(tx, observation, taken.known)
        self._duplicates.regroup(taken.writes.regrouped)
        await fulltext.add(tx, _words(documents, loaded=False))
        await fulltext.replace(tx, _words(documents, loaded=True))
        found = [match for match in matches if match.topics]
        if not is_import:
            await self._want_files(tx, matches)
            await self._want_pictures(tx, taken.added)
        await self._revise(tx, (), loaded=_keys(taken.added, LOADED))
        count = await self._alert(tx, found)
        if not is_import:
            edited = _keys(taken.added, EDITS)
            await self._revise(tx, taken.writes.turned.keys() - edited, edited=edited)
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

    async def _store_picture(self, tx: Transaction, picture: WantedPicture, text: str, engine: str) -> None:
        added = await pictures.put_text(tx, picture, text, engine)
        if added is None:
            return
        document = analyse(added.post.whole)
        match = self._match(added, document)
        await fulltext.replace(tx, _words([(added, document)], loaded=True))
        await self._want_files(tx, [match])
        await self._revise(tx, (), loaded=_keys([added], LOADED))
        await self._alert(tx, [match] if match.topics else [])

    async def _want_pictures(self, tx: Transaction, found: Iterable[NewVersion]) -> None:
        """Have the photos of posts read that have few words of their own, and are no older than an alert may be."""
        since = self._clock() - self._alert_max_age
        wanted = [
            each.version_id
            for each in found
            if each.change in {VersionChange.NEW, VersionChange.EDITED}
            and each.visible
            and each.post.media is not None
            and each.post.media.kind == PHOTO
            and each.followed_at is not None
            and each.post.date >= max(each.followed_at, since)
            and len(each.post.text) <= pictures.LITTLE
            and all(part.kind != PartKind.PICTURE for part in each.post.parts)
        ]
        if wanted:
            await pictures.want(tx, wanted, now=self._clock())

    def _match(self, added: NewVersion, document: Document) -> Match:
        """Look for topics, and for the words that chats exclude; of what has changed, also as it was before."""
        is_followed = added.followed_at is not None and added.post.date >= added.followed_at
        post, match = added.post, self._topics.match
        is_news = (
            added.change != VersionChange.STALE and added.visible and is_followed and not self._topics.is_ours(post)
        )
        is_empty = not post.whole.strip() and post.media is None
        found = match(post.channel_id, document, is_empty=is_empty) if is_news else {}
        if not found:
            return Match(added=added, found=found)
        words = self._topics.words_in(document)
        if added.whole_before is None:
            return Match(added=added, found=found, words=words)
        before = analyse(added.whole_before)
        return Match(
            added=added,
            found=found,
            before=match(post.channel_id, before).keys(),
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
            if added.change in EDITS or added.change == VersionChange.REST_LOADED:
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
        now, said = self._clock(), [(each.alert.channel_id, each.current.whole) for each in stale]
        documents = {text: analyse(text) for _, text in said}
        found = {key: self._topics.match(key[0], documents[key[1]]) for key in set(said)}
        words = {text: self._topics.words_in(document) for text, document in documents.items()}
        topics_of = [
            (each.alert.channel_id, {*each.alert.topics, *found[key]}) for each, key in zip(stale, said, strict=True)
        ]
        all_wanted, updates = await self._read_wanted(tx, topics_of, now), list[AlertUpdate]()
        for each, key in zip(stale, said, strict=True):
            wanted = all_wanted[each.alert.chat_id, each.alert.channel_id]
            priorities = {name: row.priority for name, row in wanted.items()}
            updates.append(revise(each, found_by(found[key], words[key[1]], wanted), priorities, now))
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


def _is_reworded(before: str, after: str) -> bool:
    return weigh(before, after) is Weight.WORDS


def _words(read: Iterable[tuple[NewVersion, Document]], *, loaded: bool) -> Sequence[tuple[int, int, str]]:
    """Return what the index is to hold of the versions that are new to it, or of those that it holds."""
    return [
        (added.version_id, added.post.channel_id, document.indexed)
        for added, document in read
        if (added.change in LOADED) == loaded
    ]


def _keys(found: Iterable[NewVersion], changes: Collection[VersionChange]) -> set[tuple[int, int]]:
    return {(added.post.channel_id, added.post.message_id) for added in found if added.change in changes}
