"""Posts on their way in: what a source saw comes in, rows with evidence are written, and what is new in them goes out.

Nothing that is stored already is written again, so the same observation twice is one. A handful of statements serves an
observation of any size: after each, SQLite's thread has to win the interpreter's lock back, which costs as much as
several rows.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from bot import asides
from bot.asides import AsideKind
from bot.models import Count, Deletion, Event, Observation, ObservedBy, Post, to_json
from bot.store import channels, evidence
from bot.store.database import Transaction
from bot.store.rows import COUNTER_BITS, json_list, maybe_date, maybe_ms, to_ms

MessageKey = tuple[int, int]  # channel id, message id
# Reading a message there proves that it is visible now. A push may be late, and an export tells of the past.
PROOF = {ObservedBy.DIFFERENCE, ObservedBy.SWEEP, ObservedBy.BACKFILL}


class Change(StrEnum):
    """What a version is to the message it belongs to."""

    NEW = "new"  # its first
    EDITED = "edited"  # what it says now instead of what it said before
    STALE = "stale"  # what it said before the version we knew: kept as evidence only
    LOADED = "loaded"  # the version we knew; what has changed stands beside its text
    BESIDE = "beside"  # the text that we knew; words beside it were replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A version that was not stored before, or that other text stands beside now."""

    post: Post
    version_id: int
    hash: bytes  # of what a reader sees
    change: Change
    visible: bool  # to our reader, as far as we know
    whole_before: str | None  # what a reader saw instead; None: nothing, or nobody knows
    followed_at: datetime | None  # of its channel; None: nobody follows it
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
    counters: tuple[int | None, ...] = (None, None, None)  # views, forwards, reactions
    asides: str | None = None  # JSON, of the current version; None: stored before such was kept
    text: str = ""  # of the current version; loaded where the message is being edited
    edit_date: int = 0  # ms, likewise
    versions: list[_Version] = field(default_factory=list)  # likewise
    texts: set[str] = field(default_factory=set)  # of all versions; likewise
    post: Post | None = None  # the current one, where this observation brought it
    added: int = 0  # of that one, its place among what was added
    touched: bool = False  # gone, back or counted anew


@dataclass(frozen=True, slots=True, kw_only=True)
class _Channel:
    title: str
    followed_at: datetime | None
    confirmed_id: int
    is_read: bool  # by a reader of ours, on Telegram

    def will_show(self, post: Post) -> bool:
        """Say whether a reader is still to see this post for the first time, and may raise an alarm then."""
        unseen = post.message_id > self.confirmed_id
        return self.is_read and unseen and self.followed_at is not None and post.date >= self.followed_at


_CHANNELS = """SELECT id, title, followed_at, confirmed_id, followed_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM memberships m WHERE m.channel_id = c.id AND m.access IN ('polled', 'joined')) AS is_read
    FROM channels c WHERE (followed_at IS NOT NULL OR :import) AND id IN (SELECT value FROM json_each(:ids))"""
_FREE_IDS = """SELECT json_group_object(s.value, coalesce(
        (SELECT max(id) + 1 FROM versions WHERE id >= s.value << :bits AND id < s.value + 1 << :bits),
        s.value << :bits)) FROM json_each(:seconds) s"""
_MESSAGES = """SELECT m.channel_id, m.message_id, m.id, m.version_id, m.hash, m.gone_at, m.views, m.forwards,
        m.reactions, (SELECT asides FROM versions WHERE id = m.version_id)
    FROM json_each(:keys) k JOIN messages m ON m.channel_id = k.value ->> 0 AND m.message_id = k.value ->> 1"""
_VERSIONS = """SELECT v.channel_id, v.message_id, v.id, v.hash, v.text, coalesce(v.edit_date, 0) AS edit_date
    FROM json_each(:keys) k JOIN versions v ON v.channel_id = k.value ->> 0 AND v.message_id = k.value ->> 1"""
_PUT_MESSAGE = """INSERT INTO messages (id, channel_id, message_id, grouped_id, version_id, hash, date, seen_at,
        gone_at, views, forwards, reactions, reply_to, reply_channel, author, forward)"""
_OR_CHANGE_MESSAGE = """ON CONFLICT (channel_id, message_id) DO UPDATE SET grouped_id = excluded.grouped_id,
        version_id = excluded.version_id, hash = excluded.hash,
        gone_at = excluded.gone_at, views = excluded.views, forwards = excluded.forwards,
        reactions = excluded.reactions"""
_TOUCH_MESSAGE = "UPDATE messages SET gone_at = ?, views = ?, forwards = ?, reactions = ? WHERE id = ?"
_SET_ASIDES = "UPDATE versions SET asides = ? WHERE id = ?"


async def take_in(tx: Transaction, observation: Observation) -> "Intake":
    """Work out what a source saw that is new, in its order; of channels that nobody follows only exports are kept.

    A push for a message that is gone leaves it gone; reading it from Telegram makes it visible again. A message pushed
    late, from below the mark of its channel, may have been deleted meanwhile: the channel is to be read again. An
    export tells of the past, and lacks ids of media and formatting that overlaps: only another text is another version.
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
        self._asides: list[tuple[str, int, Post]] = []  # JSON, of which version, and the post that brought them
        self._distrusted: set[int] = set()
        self.channels: dict[int, _Channel] = {}
        self.added: list[Added] = []  # versions that were not stored before
        self.gone = 0  # messages that are no longer visible
        self.turned: set[MessageKey] = set()  # messages that have vanished or are back
        self.left = 0  # messages of an export that are left to be seen on Telegram

    async def load(self, tx: Transaction) -> None:
        """Read what is known of the channels and messages in question, and the free row ids."""
        posts = [event for event in self._observation.events if isinstance(event, Post)]
        keys = {(e.channel_id, e.message_id) for e in self._observation.events if not isinstance(e, Deletion)}
        keys |= {(e.channel_id, i) for e in self._observation.events if isinstance(e, Deletion) for i in e.message_ids}
        seconds = json_list({_second(post) for post in posts})
        ids = json_list({channel for channel, _ in keys})
        is_import = self._observation.observed_by == ObservedBy.IMPORT
        channels = await tx.fetch_all(_CHANNELS, {"ids": ids, "import": is_import})
        free_ids = await tx.fetch_all(_FREE_IDS, {"seconds": seconds, "bits": COUNTER_BITS})
        messages = await tx.fetch_all(_MESSAGES, {"keys": json_list(keys)})
        self.channels = {
            channel_id: _Channel(
                title=title, followed_at=maybe_date(followed_at), confirmed_id=confirmed_id, is_read=bool(is_read)
            )
            for channel_id, title, followed_at, confirmed_id, is_read in channels
        }
        self._free_ids = {int(second): free for second, free in json.loads(free_ids[0][0]).items()}
        for channel_id, message_id, row_id, version_id, content, gone_at, *counters, beside in messages:
            self._messages[channel_id, message_id] = _Message(
                id=row_id,
                version_id=version_id,
                hash=content,
                gone_at=gone_at,
                counters=tuple(counters),
                asides=beside,
            )
        await self._load_versions(tx, posts)

    async def _load_versions(self, tx: Transaction, posts: list[Post]) -> None:
        """Read what the messages that are being edited said before."""
        edited = set()
        for post in posts:
            key = (post.channel_id, post.message_id)
            message = self._messages.get(key)
            if message and (message.hash != self._hashes[id(post)] or _is_reworded(message, post)):
                edited.add(key)
        rows = await tx.fetch_all(_VERSIONS, {"keys": json_list(edited)}) if edited else []
        for channel_id, message_id, version_id, content, text, edit_date in rows:
            message = self._messages[channel_id, message_id]
            message.versions.append(_Version(content, edit_date))
            message.texts.add(text)
            if version_id == message.version_id:
                message.text, message.edit_date = text, edit_date

    def apply(self, event: Event) -> None:
        """Change what is known by what happened."""
        if isinstance(event, Post):
            self._see(event)
            return
        if isinstance(event, Count):
            if message := self._messages.get((event.channel_id, event.message_id)):
                _recount(message, event)
            return
        for message_id in event.message_ids:
            message = self._messages.get((event.channel_id, message_id))
            if message is not None and message.gone_at is None:
                message.gone_at = self._now
                message.touched = True
                self.gone += 1
                self.turned.add((event.channel_id, message_id))

    def _see(self, post: Post) -> None:
        key = (post.channel_id, post.message_id)
        version = _Version(self._hashes[id(post)], maybe_ms(post.edit_date) or 0)
        message = self._messages.get(key)
        if self._observation.observed_by == ObservedBy.IMPORT:
            self._see_exported(post, version, message)
            return
        if message is None:
            message = self._messages[key] = _Message()
            self._keep(message, post, version, change=Change.NEW)
            self._doubt(post)
            return
        if message.gone_at is not None and self._proves_it_there(message.gone_at):
            message.gone_at = None
            message.touched = True
            self.turned.add(key)
        if version.hash == message.hash:
            _count(message, post)
            self._look_beside(message, post, version)
        elif version not in message.versions or self._says_it_again(version, message):
            stale = version.edit_date < message.edit_date
            self._keep(message, post, version, change=Change.STALE if stale else Change.EDITED)

    def _proves_it_there(self, gone_at: int) -> bool:
        """Tell whether a message that was gone is visible; an answer to an older question says nothing of that."""
        asked_at = maybe_ms(self._observation.asked_at)
        return self._observation.observed_by in PROOF and (asked_at is None or gone_at <= asked_at)

    def _says_it_again(self, version: _Version, message: _Message) -> bool:
        """Tell whether a known version is what Telegram shows now.

        Dates do not tell two edits of one second apart, and the first may have been seen last.
        """
        return self._observation.observed_by in PROOF and version.edit_date >= message.edit_date

    def _look_beside(self, message: _Message, post: Post, version: _Version) -> None:
        """Take in what stands beside a text that has not changed: the preview of a link loads later, or anew.

        Where words are replaced, what stood there is kept as a version.
        """
        before = asides.from_json(message.asides)
        if self._observation.observed_by == ObservedBy.LIVE and not any(map(_is_preview, post.asides)):
            post = replace(post, asides=(*filter(_is_preview, before), *post.asides))  # a push may be late
        if message.asides is not None and sorted(post.asides) == sorted(before):
            return
        if message.versions and _is_reworded(message, post):  # else it was loaded this moment, and nobody was told
            if version.edit_date >= message.edit_date:  # else it is a push of what stood there before
                self._keep(message, post, version, change=Change.BESIDE)
            return
        if message.post is not None:  # nobody was told of it yet
            self.added[message.added] = replace(self.added[message.added], post=post)
        else:
            known = None if message.asides is None else asides.whole(post.text, before)
            now = (message.version_id, message.hash)
            self._add(message, post, Change.LOADED, *now, whole_before=known)
        message.asides = asides.to_json(post.asides)
        self._asides.append((message.asides, message.version_id, post))

    def _see_exported(self, post: Post, version: _Version, message: _Message | None) -> None:
        """Add a text that was not known; leave to a reader of ours what it is about to see, and may tell of."""
        channel = self.channels[post.channel_id]
        if message is None:
            if channel.will_show(post):
                self.left += 1
                return
            message = self._messages[post.channel_id, post.message_id] = _Message()
            self._keep(message, post, version, change=Change.NEW)
        elif version.hash != message.hash and post.text not in message.texts:
            is_newer = version.edit_date > message.edit_date
            if is_newer and channel.is_read:
                self.left += 1
            else:
                self._keep(message, post, version, change=Change.EDITED if is_newer else Change.STALE)

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
        message.texts.add(post.text)
        self._versions.append(
            evidence.version_row(post, self._observation, version_id, version.hash, number=len(message.versions))
        )
        before = None
        if change in {Change.EDITED, Change.BESIDE}:
            before = asides.whole(message.text, asides.from_json(message.asides))
        added = len(self.added)
        self._add(message, post, change, version_id, version.hash, whole_before=before)
        if change != Change.STALE:
            message.version_id, message.hash, message.edit_date = version_id, *version
            message.text, message.asides = post.text, asides.to_json(post.asides)
            message.post, message.added = post, added
            _count(message, post)

    def _add(  # noqa: PLR0913 - what was added has this many sides
        self,
        message: _Message,
        post: Post,
        change: Change,
        version_id: int,
        content: bytes,
        *,
        whole_before: str | None,
    ) -> None:
        channel = self.channels[post.channel_id]
        self.added.append(
            Added(
                post=post,
                version_id=version_id,
                hash=content,
                change=change,
                visible=message.gone_at is None,
                whole_before=whole_before,
                followed_at=channel.followed_at,
                channel_title=channel.title,
            )
        )

    async def write(self, tx: Transaction) -> None:
        """Write what changed."""
        put = [_message_row(m, m.post, self._now) for m in self._messages.values() if m.post is not None]
        touched = [m for m in self._messages.values() if m.touched and m.post is None]
        await tx.insert_all(evidence.ADD_VERSION, self._versions)
        await tx.insert_all(_PUT_MESSAGE, put, _OR_CHANGE_MESSAGE)
        await tx.execute_many(_TOUCH_MESSAGE, [(m.gone_at, *m.counters, m.id) for m in touched])
        await tx.execute_many(_SET_ASIDES, [(written, version_id) for written, version_id, _ in self._asides])
        loaded = [evidence.asides_row(post, self._observation, version_id) for _, version_id, post in self._asides]
        await tx.insert_all(evidence.ADD_ASIDES, loaded)
        for channel_id in self._distrusted:
            await channels.distrust(tx, channel_id)


def _count(message: _Message, post: Post) -> None:
    """Follow the counters; a source that does not know them leaves them as they are."""
    counters = (post.views, post.forwards, post.reactions)
    if counters not in (message.counters, (None, None, None)):
        message.counters = counters
        message.touched = True


def _is_reworded(message: _Message, post: Post) -> bool:
    return message.asides not in {None, asides.NONE} and asides.reworded(asides.from_json(message.asides), post.asides)


def _recount(message: _Message, count: Count) -> None:
    views, forwards, reactions = message.counters
    message.counters = (
        views if count.views is None else count.views,
        forwards if count.forwards is None else count.forwards,
        reactions,
    )
    message.touched = True


def _is_preview(aside: asides.Aside) -> bool:
    return aside.kind == AsideKind.PREVIEW


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
        post.reply_channel,
        post.author,
        to_json(post.forward) if post.forward else None,
    )


def _second(post: Post) -> int:
    return to_ms(post.date) // 1000
