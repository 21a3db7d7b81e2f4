"""The topics that posts are looked for in, with what each is limited to: read once a change, never once a post."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.matching.engine.compiled import Compiled
from bot.matching.engine.matcher import Matcher
from bot.matching.words.tokens import Document
from bot.models import Post
from bot.store import channel_groups, chats, exclusions, topics
from bot.store.database import Database, Reader, Subject
from bot.store.topics import TopicChanges
from bot.text.spans import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicNews:
    """What changed of the topics since they were read last."""

    revision: int  # that it leads to
    changes: TopicChanges
    limits: Mapping[int, frozenset[int]]  # ids of channels by the ids of all limited topics
    broadcasts: frozenset[int]  # ids of the channels into which the bot posts
    words: Mapping[str, str]  # all that chats exclude, compiled


class TopicsChangedError(Exception):
    """A topic was saved after the topics were read, and before the transaction that matches posts."""


class TopicMatcher:
    """The topics as the matcher holds them, brought up to date topic by topic."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.names: dict[int, str] = {}  # by id
        self._matcher = Matcher({})
        self._words = Matcher({})  # that chats exclude, each by itself: compiled once, however many chats do
        self._known_words: set[str] = set()
        self._limits: dict[str, frozenset[int]] = {}  # ids of channels by the names of limited topics
        self._feeds: dict[int, list[str]] = {}  # names of the topics of every post, by the ids of their channels
        self._feed_ids: set[int] = set()  # of these topics
        self._broadcasts = frozenset[int]()  # ids of the channels into which the bot posts
        self._number = 0  # of the last change that was taken in
        self._revision = -1

    def match(self, channel_id: int, document: Document, *, is_empty: bool = False) -> dict[str, tuple[Span, ...]]:
        """Return the topics of a post of a channel, by name, and where each was found; of a feed there is no place."""
        found: Mapping[str, tuple[Span, ...]] = self._matcher.match(document)
        if found and self._limits:
            found = {name: spans for name, spans in found.items() if channel_id in self._limits.get(name, {channel_id})}
        feeds = () if is_empty else self._feeds.get(channel_id, ())
        return {**found, **dict.fromkeys(feeds, ())}

    def words_in(self, document: Document) -> frozenset[str]:
        """Return the words in a text that any chat excludes."""
        return frozenset(self._words.match(document)) if self._known_words else frozenset()

    def is_ours(self, post: Post) -> bool:
        """Tell whether a post stands in a channel of the team's own, or comes from there: it may be an alert."""
        return post.channel_id in self._broadcasts or (
            post.forward is not None and post.forward.channel_id in self._broadcasts
        )

    async def news(self, database: Database) -> TopicNews | None:
        """Read what was saved or deleted since the last time, if anything was, and what topics are limited to."""
        revision = database.changes.revision(Subject.TOPICS)
        if revision == self._revision:
            return None
        changes = await topics.changed(database, self._number)
        limits, words = await channel_groups.limits(database), await exclusions.all_words(database)
        broadcasts = frozenset(chat.peer.id for chat in await chats.broadcasts(database))
        return TopicNews(revision=revision, changes=changes, limits=limits, broadcasts=broadcasts, words=words)

    async def require_current(self, tx: Reader) -> None:
        """Raise TopicsChangedError where a transaction sees other topics: a chat may have moved to one of them."""
        if await topics.last_change(tx) != self._number:
            self._revision = -1  # whatever was announced, they are read again
            raise TopicsChangedError

    def take_in(self, news: TopicNews) -> None:
        """Bring the matcher up to date; only jobs of the writer do, one after the other."""
        if news.revision <= self._revision:
            return
        changes = news.changes
        for topic_id in (*changes.gone, *(topic.id for topic in changes.saved)):
            name = self.names.pop(topic_id, None)
            if name is not None:
                self._matcher.remove(name)
                del self.ids[name]
        self._feed_ids.difference_update(changes.gone, (topic.id for topic in changes.saved))
        self._feed_ids.update(topic.id for topic in changes.saved if topic.is_feed)
        queries = {topic.name: Compiled.from_json(topic.compiled) for topic in changes.saved if not topic.is_feed}
        if not self.ids:
            self._matcher = Matcher(queries)  # all at once, so that regular expressions share large sets
        else:
            for name, query in queries.items():
                self._matcher.add(name, query)
        self.ids |= {topic.name: topic.id for topic in changes.saved}
        self.names |= {topic.id: topic.name for topic in changes.saved}
        self._limit(news.limits)
        self._broadcasts = news.broadcasts
        self._exclude(news.words)
        self._number = max(self._number, changes.number)
        self._revision = news.revision

    def _exclude(self, words: Mapping[str, str]) -> None:
        for word in self._known_words - words.keys():
            self._words.remove(word)
        for word in words.keys() - self._known_words:
            self._words.add(word, Compiled.from_json(words[word]))
        self._known_words = set(words)

    def _limit(self, limits: Mapping[int, frozenset[int]]) -> None:
        known = {topic_id: ids for topic_id, ids in limits.items() if topic_id in self.names}
        self._limits = {self.names[topic_id]: ids for topic_id, ids in known.items() if topic_id not in self._feed_ids}
        self._feeds = {}
        for topic_id in sorted(self._feed_ids & known.keys()):
            for channel_id in known[topic_id]:
                self._feeds.setdefault(channel_id, []).append(self.names[topic_id])
