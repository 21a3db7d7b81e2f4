"""The rows behind an observation: what is stored of its channels and messages, and what is written of them.

A handful of statements serves an observation of any size: after each, SQLite's thread has to win the interpreter's lock
back, which costs as much as several rows.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from bot import __version__
from bot.models import Count, Deletion, Media, Observation, ObservedBy, Post, to_json
from bot.parts import NO_PARTS, Part, are_reworded, compact_json, dump_parts, load_parts
from bot.store.database import Reader, Transaction
from bot.store.long_posts import Head, LongPost, RestState
from bot.store.rows import COUNTER_BITS, json_list, maybe_ms, read, to_ms
from bot.text.plain import plain_hash, words_hash

MessageKey = tuple[int, int]  # channel id, message id
Hashes = Mapping[int, bytes]  # of what posts say, by `id(post)`


def hash_of_words(text: str, parts: Iterable[Part]) -> bytes | None:
    """Hash the words of a post's text, or of what stands beside it where it has none; None: nobody said a word."""
    return words_hash(text) or words_hash("\n".join(part.text for part in parts))


class Version(NamedTuple):
    """The identity of a version among those of its message."""

    hash: bytes
    edit_date: int  # ms, 0 where it was not edited: the order of versions


@dataclass(slots=True, kw_only=True)
class StoredMessage:
    """The stored state of a message, as an observation changes it."""

    id: int = 0  # of its row; 0 where there is none yet
    version_id: int = 0  # the current one
    hash: bytes = b""  # of the current version
    gone_at: int | None = None
    gone_by: str | None = None  # the path by which that was seen
    withheld: str | None = None  # JSON: where and why; None: nowhere
    redacted: frozenset[bytes] = frozenset()  # hashes of what its post said, which is not to come back
    counters: tuple[int | None, ...] = (None, None, None)  # views, forwards, reactions
    parts: str = NO_PARTS  # JSON, of the current version
    text: str = ""  # of the current version; loaded where the message is being edited
    edit_date: int = 0  # ms, likewise
    media_id: int | None = None  # Telegram's, of its photo or document; likewise
    versions: list[Version] = field(default_factory=list)  # likewise
    texts: set[str] = field(default_factory=set)  # of all versions; likewise
    post: Post | None = None  # the current one, where this observation brought it
    added: int = 0  # of that one, its place among what was added
    touched: bool = False  # gone, back or counted anew
    long: LongPost | None = None  # None: Telegram gives all of it, as far as we know
    grouped_id: int | None = None  # loaded where the message is being edited
    seen_at: int = 0  # ms, of the current version; likewise
    look: bytes | None = None  # hash of the plain form in which its page showed it last; loaded where a page is seen

    @property
    def is_of_page(self) -> bool:
        """Only a web page has shown the current version; the text has to be loaded."""
        return self.hash == plain_hash(self.text)

    def is_redacted_in(self, post: Post, content: bytes) -> bool:
        """Tell whether a post brings back words that were removed for good, whatever else of it has changed."""
        if not self.redacted:
            return False
        return not self.redacted.isdisjoint({content, post.head or content, hash_of_words(post.text, post.parts)})

    def is_reworded_by(self, post: Post) -> bool:
        """Tell whether a post replaces words in the parts."""
        return self.parts != NO_PARTS and are_reworded(load_parts(self.parts), post.parts)

    def count(self, post: Post) -> None:
        """Take the counters of a post; a source that does not know them leaves them as they are."""
        counters = (post.views, post.forwards, post.reactions)
        if counters not in (self.counters, (None, None, None)):
            self.counters = counters
            self.touched = True

    def recount(self, count: Count) -> None:
        """Take the counters that a push names."""
        views, forwards, reactions = self.counters
        self.counters = (
            views if count.views is None else count.views,
            forwards if count.forwards is None else count.forwards,
            reactions,
        )
        self.touched = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChannel:
    """A channel whose posts are stored."""

    followed_at: datetime | None
    confirmed_id: int
    comments_of: int | None  # of a supergroup: the channel whose posts are commented on there
    is_read: bool  # by a reader of ours, on Telegram

    def will_show(self, post: Post) -> bool:
        """Tell whether a reader of ours is still to see this post for the first time, which may alert people."""
        unseen = post.message_id > self.confirmed_id
        return self.is_read and unseen and self.followed_at is not None and post.date >= self.followed_at


@dataclass(slots=True, kw_only=True)
class Known:
    """The stored state of all channels and messages in an observation."""

    channels: dict[int, StoredChannel]  # by id; only those whose posts are kept
    messages: dict[MessageKey, StoredMessage]
    free_ids: dict[int, int]  # the next row for a version, by its date in seconds

    def take_id(self, post: Post) -> int:
        """Return a free row id for a version."""
        second = _second(post)
        self.free_ids[second] += 1
        return self.free_ids[second] - 1


_CHANNELS = """SELECT id, followed_at, confirmed_id, comments_of, followed_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM memberships m WHERE m.channel_id = c.id AND m.access IN ('polled', 'joined')) AS is_read
    FROM channels c WHERE (followed_at IS NOT NULL OR :import) AND id IN (SELECT value FROM json_each(:ids))"""
_FREE_IDS = """SELECT s.value AS second, coalesce(
        (SELECT max(id) + 1 FROM versions WHERE id >= s.value << :bits AND id < s.value + 1 << :bits),
        s.value << :bits) AS free FROM json_each(:seconds) s"""
_MESSAGES = """SELECT m.channel_id, m.message_id, m.id, m.version_id, v.hash, m.gone_at, m.gone_by, m.withheld,
        (SELECT group_concat(hex(w.hash) || ' ' || hex(coalesce(r.words, w.hash)), ' ') FROM redactions r
            JOIN posts o ON o.channel_id = r.channel_id AND o.message_id = r.message_id AND o.post_key = m.post_key
            JOIN versions w ON w.channel_id = r.channel_id AND w.message_id = r.message_id AND w.number = r.number
            WHERE r.channel_id = m.channel_id),
        m.views, m.forwards, m.reactions, v.parts, l.head, coalesce(l.edit_date, 0), l.state
    FROM json_each(:keys) k CROSS JOIN posts m ON m.channel_id = k.value ->> 0 AND m.message_id = k.value ->> 1
    CROSS JOIN versions v ON v.id = m.version_id
    LEFT JOIN long_posts l ON l.channel_id = m.channel_id AND l.message_id = m.message_id"""
_VERSIONS = """SELECT v.channel_id, v.message_id, v.id, v.hash, v.text, coalesce(v.edit_date, 0), p.grouped_id,
        v.media_id, v.seen_at
    FROM json_each(:keys) k JOIN versions v ON v.channel_id = k.value ->> 0 AND v.message_id = k.value ->> 1
    JOIN posts p ON p.channel_id = v.channel_id AND p.message_id = v.message_id"""
_PUT_MESSAGE = """INSERT INTO posts (id, channel_id, message_id, grouped_id, version_id, date, seen_at, gone_at,
        gone_by, withheld, views, forwards, reactions, reply_to, reply_channel, author, forward, link, root_id)"""
_OR_CHANGE_MESSAGE = """ON CONFLICT (channel_id, message_id) DO UPDATE SET grouped_id = excluded.grouped_id,
        version_id = excluded.version_id, gone_at = excluded.gone_at, gone_by = excluded.gone_by,
        withheld = excluded.withheld,
        views = excluded.views, forwards = excluded.forwards, reactions = excluded.reactions, link = excluded.link"""
ADD_VERSION = """INSERT INTO versions (id, channel_id, message_id, number, hash, text, entities, media, date,
        edit_date, seen_at, observed_by, reader_id, program, raw_rest, text_at, raw_format, layer, raw_sha256,
        parts)"""
RAW_SHA256 = -2  # its place in such a row
ADD_PART_EVIDENCE = """INSERT INTO part_evidence (version_id, seen_at, observed_by, reader_id, program, raw_rest,
        text_at, raw_format, layer, raw_sha256)"""
SET_REST = "UPDATE versions SET hash = ?, text = ?, entities = ?, media = ?, parts = ?, edit_date = ? WHERE id = ?"
SET_ORIGIN = "UPDATE posts SET reply_to = ?, reply_channel = ?, author = ?, forward = ? WHERE id = ?"
_TOUCH_MESSAGE = """UPDATE posts SET gone_at = ?, gone_by = ?, withheld = ?, views = ?, forwards = ?, reactions = ?
    WHERE id = ?"""


async def load(tx: Transaction, observation: Observation, hashes: Hashes) -> Known:
    """Read the stored state of an observation's channels and messages, and the free row ids."""
    posts = [event for event in observation.events if isinstance(event, Post)]
    keys = {(e.channel_id, e.message_id) for e in observation.events if not isinstance(e, Deletion)}
    keys |= {(e.channel_id, i) for e in observation.events if isinstance(e, Deletion) for i in e.message_ids}
    messages = await _messages(tx, keys)
    await _add_versions(tx, messages, posts, hashes, every=observation.observed_by == ObservedBy.PAGE)
    asked = {
        "ids": json_list({channel_id for channel_id, _ in keys}),
        "import": observation.observed_by == ObservedBy.IMPORT,
    }
    free_ids = {"seconds": json_list({_second(post) for post in posts}), "bits": COUNTER_BITS}
    return Known(
        channels={row["id"]: read(StoredChannel, row) for row in await tx.fetch_all(_CHANNELS, asked)},
        messages=messages,
        free_ids={row["second"]: row["free"] for row in await tx.fetch_all(_FREE_IDS, free_ids)},
    )


async def _messages(tx: Transaction, keys: Iterable[MessageKey]) -> dict[MessageKey, StoredMessage]:
    rows = await tx.fetch_all(_MESSAGES, {"keys": json_list(keys)})
    return {
        (channel_id, message_id): StoredMessage(
            id=row_id,
            version_id=version_id,
            hash=content,
            gone_at=gone_at,
            gone_by=gone_by,
            withheld=withheld,
            redacted=frozenset(map(bytes.fromhex, (redacted or "").split())),
            counters=tuple(counters),
            parts=parts,
            long=LongPost(head=Head(head, edit_date), state=RestState(state)) if head is not None else None,
        )
        for (
            channel_id,
            message_id,
            row_id,
            version_id,
            content,
            gone_at,
            gone_by,
            withheld,
            redacted,
            *counters,
            parts,
            head,
            edit_date,
            state,
        ) in rows
    }


async def _add_versions(
    tx: Transaction, messages: Mapping[MessageKey, StoredMessage], posts: Iterable[Post], hashes: Hashes, *, every: bool
) -> None:
    """Read the versions of the messages whose content has changed, or of `every` one."""
    edited = set()
    for post in posts:
        key = (post.channel_id, post.message_id)
        message = messages.get(key)
        if message and (every or message.hash != hashes[id(post)] or message.is_reworded_by(post)):
            edited.add(key)
    rows = await tx.fetch_all(_VERSIONS, {"keys": json_list(edited)}) if edited else []
    for channel_id, message_id, version_id, content, text, edit_date, *rest in rows:
        message = messages[channel_id, message_id]
        message.versions.append(Version(content, edit_date))
        message.texts.add(text)
        if version_id == message.version_id:
            message.text, message.edit_date = text, edit_date
            message.grouped_id, message.media_id, message.seen_at = rest


async def write(tx: Transaction, known: Known, *, now: int) -> None:
    """Write the messages that have changed; `now` in ms."""
    put = [_row(message, message.post, now) for message in known.messages.values() if message.post is not None]
    touched = [message for message in known.messages.values() if message.touched and message.post is None]
    await tx.insert_all(_PUT_MESSAGE, put, _OR_CHANGE_MESSAGE)
    await tx.execute_many(_TOUCH_MESSAGE, [(m.gone_at, m.gone_by, m.withheld, *m.counters, m.id) for m in touched])


def _row(message: StoredMessage, post: Post, now: int) -> tuple[object, ...]:
    return (
        message.id,
        post.channel_id,
        post.message_id,
        post.grouped_id,
        message.version_id,
        to_ms(post.date),
        now,
        message.gone_at,
        message.gone_by,
        message.withheld,
        *message.counters,
        *_origin(post),
        post.link,
        post.root,
    )


def _origin(post: Post) -> tuple[object, ...]:
    return post.reply_to, post.reply_channel, post.author, to_json(post.forward) if post.forward else None


def origin_row(post: Post, message_row: int) -> tuple[object, ...]:
    """Return the values for `SET_ORIGIN` of a message of which a web page showed less."""
    return (*_origin(post), message_row)


def _second(post: Post) -> int:
    return to_ms(post.date) // 1000


async def raw_message(db: Reader, version_id: int) -> tuple[bytes, int | None]:
    """Return a version's message as its network gave it; of TL bytes also their layer.

    Of one that a web page showed first, what Telegram said of it afterwards.
    """
    (row,) = await db.fetch_all(
        """SELECT raw, layer FROM (
            SELECT raw, layer, 0 AS place FROM versions WHERE id = :id
            UNION ALL SELECT e.raw, e.layer, e.id FROM part_messages e JOIN versions v ON v.id = e.version_id
                WHERE v.id = :id AND v.raw_format = 'html' AND e.raw_format = 'tl')
        ORDER BY place DESC LIMIT 1""",
        {"id": version_id},
    )
    return row["raw"], row["layer"]


def version_row(
    post: Post, observation: Observation, version_id: int, content: bytes, *, number: int
) -> tuple[Any, ...]:
    """Return the row of a version for `ADD_VERSION`; `content` is the hash of text, entities and media."""
    return (
        version_id,
        post.channel_id,
        post.message_id,
        number,
        content,
        post.text,
        _entities_json(post),
        _media_json(post.media) if post.media else None,
        to_ms(post.date),
        maybe_ms(post.edit_date),
        *_seen(post, observation),
        dump_parts(post.parts),
    )


def rest_row(post: Post, version_id: int, content: bytes) -> tuple[object, ...]:
    """Return the values for `SET_REST` of a version of which the beginning was stored."""
    media = _media_json(post.media) if post.media else None
    edit_date = maybe_ms(post.edit_date)
    return content, post.text, _entities_json(post), media, dump_parts(post.parts), edit_date, version_id


def part_evidence_row(post: Post, observation: Observation, version_id: int) -> tuple[object, ...]:
    """Return the row for `ADD_PART_EVIDENCE` of a message that brought more to a version."""
    return (version_id, *_seen(post, observation))


def _seen(post: Post, observation: Observation) -> tuple[object, ...]:
    return (
        to_ms(observation.seen_at),
        observation.observed_by,
        observation.reader_id,
        __version__,
        *_without_text(post.raw, post.text),
        post.raw_format,
        post.layer,
        hashlib.sha256(post.raw).digest(),
    )


def _media_json(media: Media) -> str:
    return compact_json([media.kind, media.id, media.title, media.files])


def _entities_json(post: Post) -> str:
    if not post.entities:
        return "[]"
    # by hand: dataclasses.astuple copies deeply, which takes ten times as long
    return compact_json([(e.kind, e.offset, e.length, e.value) for e in post.entities])


def _without_text(raw: bytes, text: str) -> tuple[bytes, int | None]:
    """Return bytes without the text that their row holds too, and where it was; None: they do not hold it as it is.

    The column `raw` puts them together again.
    """
    written = text.encode()
    at = raw.find(written)
    rest = raw[:at] + raw[at + len(written) :]
    return (rest, at) if at >= 0 and written and rest else (raw, None)  # SQLite's substr() of nothing is NULL
