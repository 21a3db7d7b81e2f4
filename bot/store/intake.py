"""Posts on their way in: what a source saw comes in, rows with evidence are written, and what is new in them goes out.

Nothing that is stored already is written again, so the same observation twice is one. A handful of statements serves an
observation of any size: after each, SQLite's thread has to win the interpreter's lock back, which costs as much as
several rows.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from bot import __version__
from bot.models import Deletion, Observation, ObservedBy, Post, to_json
from bot.store import channels
from bot.store.database import Transaction
from bot.store.rows import COUNTER_BITS, from_ms, json_list, maybe_ms, to_ms

MessageKey = tuple[int, int]  # channel id, message id
# Reading a message there proves that it is visible now. A push may be late, and an export tells of the past.
PROOF = {ObservedBy.DIFFERENCE, ObservedBy.SWEEP, ObservedBy.BACKFILL}


class Change(StrEnum):
    """What a version is to the message it belongs to."""

    NEW = "new"  # its first
    EDITED = "edited"  # what it says now instead of what it said before
    STALE = "stale"  # what it said before the version we knew: kept as evidence only


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A version that was not stored before."""

    post: Post
    version_id: int
    hash: bytes  # of what a reader sees
    change: Change
    visible: bool  # to our reader, as far as we know
    text_before: str | None  # of the version it replaces, for an edit
    followed_at: datetime  # of its channel
    channel_title: str


class _Version(NamedTuple):
    hash: bytes
    edit_date: int  # ms, 0 where it was not edited: tells the order of versions


@dataclass(slots=True, kw_only=True)
class _Message:
    """A message in the course of an observation."""

    id: int = 0  # of its row; 0 where there is none yet
    version_id: int = 0  # the current one
    hash: bytes = b""  # of the current version
    gone_at: int | None = None
    counters: tuple[int | None, int | None] = (None, None)  # views, forwards
    text: str = ""  # of the current version; loaded where the message is being edited
    edit_date: int = 0  # ms, likewise
    versions: list[_Version] = field(default_factory=list)  # likewise
    post: Post | None = None  # the current one, where this observation brought it
    touched: bool = False  # gone, back or counted anew


@dataclass(frozen=True, slots=True, kw_only=True)
class _Channel:
    title: str
    followed_at: datetime
    confirmed_id: int


_CHANNELS = """SELECT id, title, followed_at, confirmed_id FROM channels
    WHERE followed_at IS NOT NULL AND id IN (SELECT value FROM json_each(:ids))"""
_FREE_IDS = """SELECT json_group_object(s.value, coalesce(
        (SELECT max(id) + 1 FROM versions WHERE id >= s.value << :bits AND id < s.value + 1 << :bits),
        s.value << :bits)) FROM json_each(:seconds) s"""
_MESSAGES = """SELECT m.channel_id, m.message_id, m.id, m.version_id, m.hash, m.gone_at, m.views, m.forwards
    FROM json_each(:keys) k JOIN messages m ON m.channel_id = k.value ->> 0 AND m.message_id = k.value ->> 1"""
_VERSIONS = """SELECT v.channel_id, v.message_id, v.id, v.hash, v.text, coalesce(v.edit_date, 0) AS edit_date
    FROM json_each(:keys) k JOIN versions v ON v.channel_id = k.value ->> 0 AND v.message_id = k.value ->> 1"""
_ADD_VERSION = """INSERT INTO versions (id, channel_id, message_id, number, hash, text, entities, media, date,
        edit_date, seen_at, observed_by, reader_id, program, raw, layer, raw_sha256)"""
_PUT_MESSAGE = """INSERT INTO messages (id, channel_id, message_id, grouped_id, version_id, hash, date, seen_at,
        gone_at, views, forwards, reply_to, author, forward)"""
_OR_CHANGE_MESSAGE = """ON CONFLICT (channel_id, message_id) DO UPDATE SET grouped_id = excluded.grouped_id,
        version_id = excluded.version_id, hash = excluded.hash,
        gone_at = excluded.gone_at, views = excluded.views, forwards = excluded.forwards"""
_TOUCH_MESSAGE = "UPDATE messages SET gone_at = ?, views = ?, forwards = ? WHERE id = ?"


async def take_in(tx: Transaction, observation: Observation) -> "Intake":
    """Work out what a source saw that is new, in its order; posts of channels that nobody follows are left out.

    A push for a message that is gone leaves it gone; reading it from Telegram makes it visible again. A message pushed
    late, from below the mark of its channel, may have been deleted meanwhile: the channel is to be read again.
    """
    intake = Intake(observation)
    await intake.load(tx)
    for event in observation.events:
        if event.channel_id in intake.channels:
            intake.apply(event)
    return intake


class Intake:
    """One observation: what was known of its messages, changed event by event, then written."""

    def __init__(self, observation: Observation) -> None:
        self._observation = observation
        self._now = to_ms(observation.seen_at)
        self._hashes = {id(e): e.content_hash() for e in observation.events if isinstance(e, Post)}
        self._free_ids: dict[int, int] = {}  # by date in seconds
        self._messages: dict[MessageKey, _Message] = {}
        self._versions: list[tuple[object, ...]] = []  # rows to be added
        self._distrusted: set[int] = set()
        self.channels: dict[int, _Channel] = {}
        self.added: list[Added] = []  # versions that were not stored before
        self.gone = 0  # messages that are no longer visible

    async def load(self, tx: Transaction) -> None:
        """Read what is known of the channels and messages in question, and the free row ids."""
        posts = [event for event in self._observation.events if isinstance(event, Post)]
        keys = {(post.channel_id, post.message_id) for post in posts}
        keys |= {(e.channel_id, i) for e in self._observation.events if isinstance(e, Deletion) for i in e.message_ids}
        seconds = json_list({_second(post) for post in posts})
        channels = await tx.fetch_all(_CHANNELS, {"ids": json_list({channel for channel, _ in keys})})
        ids = await tx.fetch_all(_FREE_IDS, {"seconds": seconds, "bits": COUNTER_BITS})
        messages = await tx.fetch_all(_MESSAGES, {"keys": json_list(keys)})
        self.channels = {
            channel_id: _Channel(title=title, followed_at=from_ms(followed_at), confirmed_id=confirmed_id)
            for channel_id, title, followed_at, confirmed_id in channels
        }
        self._free_ids = {int(second): free for second, free in json.loads(ids[0][0]).items()}
        for channel_id, message_id, row_id, version_id, content, gone_at, *counters in messages:
            self._messages[channel_id, message_id] = _Message(
                id=row_id, version_id=version_id, hash=content, gone_at=gone_at, counters=(counters[0], counters[1])
            )
        await self._load_versions(tx, posts)

    async def _load_versions(self, tx: Transaction, posts: list[Post]) -> None:
        """Read what the messages that are being edited said before."""
        edited = set()
        for post in posts:
            key = (post.channel_id, post.message_id)
            if key in self._messages and self._messages[key].hash != self._hashes[id(post)]:
                edited.add(key)
        rows = await tx.fetch_all(_VERSIONS, {"keys": json_list(edited)}) if edited else []
        for channel_id, message_id, version_id, content, text, edit_date in rows:
            message = self._messages[channel_id, message_id]
            message.versions.append(_Version(content, edit_date))
            if version_id == message.version_id:
                message.text, message.edit_date = text, edit_date

    def apply(self, event: Post | Deletion) -> None:
        """Change what is known by what happened."""
        if isinstance(event, Post):
            self._see(event)
            return
        for message_id in event.message_ids:
            message = self._messages.get((event.channel_id, message_id))
            if message is not None and message.gone_at is None:
                message.gone_at = self._now
                message.touched = True
                self.gone += 1

    def _see(self, post: Post) -> None:
        key = (post.channel_id, post.message_id)
        version = _Version(self._hashes[id(post)], maybe_ms(post.edit_date) or 0)
        message = self._messages.get(key)
        if message is None:
            message = self._messages[key] = _Message()
            self._keep(message, post, version, change=Change.NEW)
            self._doubt(post)
            return
        if message.gone_at is not None and self._observation.observed_by in PROOF:
            message.gone_at = None
            message.touched = True
        if version.hash == message.hash:
            _count(message, post)
        elif version not in message.versions:
            stale = version.edit_date < message.edit_date
            self._keep(message, post, version, change=Change.STALE if stale else Change.EDITED)

    def _doubt(self, post: Post) -> None:
        late = post.message_id <= self.channels[post.channel_id].confirmed_id
        if late and self._observation.observed_by == ObservedBy.LIVE:
            self._distrusted.add(post.channel_id)

    def _keep(self, message: _Message, post: Post, version: _Version, *, change: Change) -> None:
        """Add a version, and unless it is stale make it the current one."""
        second = _second(post)
        version_id = self._free_ids[second]
        self._free_ids[second] += 1
        message.id = message.id or version_id
        message.versions.append(version)
        self._versions.append(self._version_row(post, version, version_id, number=len(message.versions)))
        channel = self.channels[post.channel_id]
        self.added.append(
            Added(
                post=post,
                version_id=version_id,
                hash=version.hash,
                change=change,
                visible=message.gone_at is None,
                text_before=message.text if change == Change.EDITED else None,
                followed_at=channel.followed_at,
                channel_title=channel.title,
            )
        )
        if change != Change.STALE:
            message.version_id, message.hash, message.edit_date = version_id, *version
            message.text, message.post = post.text, post
            _count(message, post)

    def _version_row(self, post: Post, version: _Version, version_id: int, *, number: int) -> tuple[object, ...]:
        return (
            version_id,
            post.channel_id,
            post.message_id,
            number,
            version.hash,
            post.text,
            _entities_json(post),
            to_json(post.media) if post.media else None,
            to_ms(post.date),
            maybe_ms(post.edit_date),
            self._now,
            self._observation.observed_by,
            self._observation.reader_id,
            __version__,
            post.raw,
            post.layer,
            hashlib.sha256(post.raw).digest(),
        )

    async def write(self, tx: Transaction) -> None:
        """Write what changed."""
        put = [_message_row(m, m.post, self._now) for m in self._messages.values() if m.post is not None]
        touched = [m for m in self._messages.values() if m.touched and m.post is None]
        await tx.insert_all(_ADD_VERSION, self._versions)
        await tx.insert_all(_PUT_MESSAGE, put, _OR_CHANGE_MESSAGE)
        await tx.execute_many(_TOUCH_MESSAGE, [(m.gone_at, *m.counters, m.id) for m in touched])
        for channel_id in self._distrusted:
            await channels.distrust(tx, channel_id)


def _count(message: _Message, post: Post) -> None:
    """Follow the counters; a source that does not know them leaves them as they are."""
    counters = (post.views, post.forwards)
    if counters not in (message.counters, (None, None)):
        message.counters = counters
        message.touched = True


def _message_row(message: _Message, post: Post, now: int) -> tuple[object, ...]:
    return (
        message.id,
        post.channel_id,
        post.message_id,
        post.grouped_id,
        message.version_id,
        message.hash,
        to_ms(post.date),
        now,
        message.gone_at,
        *message.counters,
        post.reply_to,
        post.author,
        to_json(post.forward) if post.forward else None,
    )


def _entities_json(post: Post) -> str:
    if not post.entities:
        return "[]"
    # by hand: dataclasses.asdict copies deeply, which takes ten times as long
    entities = [{"kind": e.kind, "offset": e.offset, "length": e.length, "value": e.value} for e in post.entities]
    return json.dumps(entities, ensure_ascii=False, separators=(",", ":"))


def _second(post: Post) -> int:
    return to_ms(post.date) // 1000
