"""What an observation adds to the stored posts: new versions with their evidence, losses and returns of messages.

Nothing that is stored already is written again, so that the same observation twice counts once.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot.models import Count, Event, NewVersion, Observation, ObservedBy, Post, VersionChange
from bot.parts import Part, PartKind, compact_json, dump_parts, load_parts, whole_text
from bot.store import ledger, page_versions, version_rows
from bot.store.database import Transaction
from bot.store.long_posts import Head, LongPost, RestState
from bot.store.page_versions import BACK_AFTER, PAGE_LAG, AfterPage, IsReworded
from bot.store.rows import maybe_ms, to_ms
from bot.store.version_rows import Hashes, Known, MessageKey, StoredMessage, Version
from bot.store.version_writes import VersionWrites
from bot.text.plain import plain_hash

# Reading a message there proves that it is visible now. A push may be late, and an export is of the past.
PROOF = {ObservedBy.DIFFERENCE, ObservedBy.SWEEP, ObservedBy.BACKFILL, ObservedBy.STORY}

_MILLISECOND = timedelta(milliseconds=1)


async def compare(
    tx: Transaction, observation: Observation, is_reworded: IsReworded = lambda _before, _after: False
) -> "ObservedChanges":
    """Work out what is new in an observation; of channels that nobody follows only exports are kept.

    A push for a message that is gone leaves it gone; reading it from Telegram makes it visible again. A message pushed
    late, from below the mark of its channel, may have been deleted meanwhile: the channel is to be read again. An
    export is of the past, and lacks ids of media and formatting that overlaps: only another text is another version.
    What is true of web pages, and of what Telegram says after them, `page_versions` decides.
    """
    is_page = observation.observed_by == ObservedBy.PAGE
    if is_page:
        observation = replace(observation, events=await page_versions.settle_albums(tx, observation.events))
    seen = [event for event in observation.events if isinstance(event, Post)]
    hashes = {id(post): plain_hash(post.text) if is_page else post.content_hash() for post in seen}
    changes = ObservedChanges(observation, await version_rows.load(tx, observation, hashes), hashes, is_reworded)
    if is_page:
        for key, look in (await page_versions.looks(tx, changes.known.messages)).items():
            changes.known.messages[key].look = look
    for event in observation.events:
        if event.channel_id in changes.known.channels:
            changes.apply(event)
    return changes


class ObservedChanges:
    """What an observation changes: the stored state of its messages, followed event by event, then written."""

    def __init__(self, observation: Observation, known: Known, hashes: Hashes, is_reworded: IsReworded) -> None:
        self._observation = observation
        self._is_reworded = is_reworded
        self._now = to_ms(observation.seen_at)
        self._hashes = hashes
        self.known = known
        self._is_page = observation.observed_by == ObservedBy.PAGE  # whose hashes are of the plain text
        self.writes = VersionWrites()
        self.added: list[NewVersion] = []
        self.gone = 0  # messages that are no longer visible
        self.left = 0  # messages of an export that are left to be seen on Telegram

    def apply(self, event: Event) -> None:
        """Follow one event."""
        if isinstance(event, Post):
            if event.copy_of is not None and event.copy_of[0] == self.known.channels[event.channel_id].comments_of:
                self.writes.copies.append(event)
            else:
                self._apply_post(event)
                self._follow_withheld(event)
            return
        if isinstance(event, Count):
            if message := self.known.messages.get((event.channel_id, event.message_id)):
                message.recount(event)
            return
        for message_id in event.message_ids:
            message = self.known.messages.get((event.channel_id, message_id))
            if message is not None and message.gone_at is None:
                self.gone += 1
                self._turn((event.channel_id, message_id), message, self._now, self._observation.observed_by)

    def _turn(self, key: MessageKey, message: StoredMessage, gone_at: int | None, gone_by: str | None) -> None:
        """Follow that a message vanishes or is back; where it does both at once, it is as it was."""
        before = self.writes.turned.pop(key, None)
        if before is None:
            self.writes.turned[key] = message.gone_at, message.gone_by
        message.gone_at, message.gone_by = before or (gone_at, gone_by)
        message.touched = True

    def _apply_post(self, post: Post) -> None:
        key = (post.channel_id, post.message_id)
        version = Version(self._hashes[id(post)], maybe_ms(post.edit_date) or 0)
        message = self.known.messages.get(key)
        is_redacted = message is not None and message.is_redacted_in(post, version.hash)
        if self._observation.observed_by == ObservedBy.IMPORT and not is_redacted:
            self._apply_export(post, version, message)
            return
        if message is None:
            message = self.known.messages[key] = StoredMessage()
            self._follow_long(message, post, version)
            self._add_version(message, post, version, VersionChange.NEW)
            self._check_late_push(post)
            return
        if message.gone_at is not None and self._proves_visible(message.gone_at):
            self._turn(key, message, None, None)
        if is_redacted:
            message.count(post)
        elif self._is_page:
            self._apply_page(message, post, version)
        elif not self._follow_long(message, post, version):
            message.count(post)
        elif version.hash == message.hash:
            message.count(post)
            self._apply_parts(message, post, version)
        elif message.is_of_page:
            self._apply_after_page(message, post, version)
        elif version not in message.versions or self._is_shown_again(version, message):
            stale = version.edit_date < message.edit_date
            self._add_version(message, post, version, VersionChange.STALE if stale else VersionChange.EDITED)

    def _follow_withheld(self, post: Post) -> None:
        """Follow where the network withholds a message, which is no edit of it."""
        message = self.known.messages.get((post.channel_id, post.message_id))
        if message is None or post.withheld is None:
            return
        withheld = compact_json(post.withheld) if post.withheld else None
        if withheld != message.withheld:
            message.withheld, message.touched = withheld, True
            is_kept = message.post is not post and not message.is_redacted_in(post, self._hashes[id(post)])
            self.writes.withheld.append((message.version_id, post, is_kept))

    def _apply_page(self, message: StoredMessage, post: Post, version: Version) -> None:
        """Follow what a page shows of a message that is stored."""
        if message.is_of_page and version.hash == message.hash:
            message.count(post)
            self._apply_parts(message, post, version)
        elif version in message.versions and self._now - message.seen_at < PAGE_LAG // _MILLISECOND:
            return  # what it said before: some of the servers that write pages are behind
        elif message.is_of_page or page_versions.is_page_edit(message, post, self._is_reworded):
            self._add_version(message, replace(post, grouped_id=message.grouped_id), version, VersionChange.EDITED)
        if not message.is_of_page and message.look != version.hash:
            message.look = self.writes.looks[post.channel_id, post.message_id] = version.hash

    def _apply_after_page(self, message: StoredMessage, post: Post, version: Version) -> None:
        """Let Telegram's post take the place of what a page showed of it, or edit that."""
        is_proof = self._observation.observed_by in PROOF
        judged = page_versions.after_page(message, post, is_proof=is_proof)
        items = self._items(post)
        owner = None
        if (
            judged is AfterPage.SAME and message.text.strip() and not post.text.strip()
        ):  # the caption is of another item
            owner = min(filter(_has_text, items), key=partial(_differs, message.text), default=None)
            if owner is None:  # it was taken away, if that is all of the album; else nobody knows yet where it is
                judged = AfterPage.EDIT if is_proof and len(items) > 1 else AfterPage.OLD
        if judged is AfterPage.OLD:
            return
        self.writes.origins.append((message.id, post))
        if post.grouped_id and post.grouped_id != message.grouped_id:
            old = f"g{message.grouped_id}" if message.grouped_id else f"m{post.message_id}"
            self.writes.regrouped[post.channel_id, old] = message.grouped_id = post.grouped_id
        if judged is AfterPage.EDIT:
            self._add_version(message, post, version, VersionChange.EDITED)
            return
        message.versions[message.versions.index(Version(message.hash, message.edit_date))] = version
        if owner is not None:
            self.writes.moved[message.version_id] = ((owner.channel_id, owner.message_id), post.key)
        self._load_rest(message, post, version)
        message.count(post)

    def _items(self, post: Post) -> list[Post]:
        """Return the messages of a post's album that are in this observation."""
        posts = (event for event in self._observation.events if isinstance(event, Post))
        return [each for each in posts if (each.channel_id, each.key) == (post.channel_id, post.key)]

    def _follow_long(self, message: StoredMessage, post: Post, version: Version) -> bool:
        """Follow what is known of a long post; return False where a post is to be no version of its own.

        That is the beginning of one whose rest we have, or are to ask for before an edit of it can be shown; and the
        whole of one whose beginning is stored, which takes its place.
        """
        long, is_stored = message.long, bool(message.hash)
        if long is None and not post.is_part and post.head is None:
            return True
        if long is not None and version.edit_date < long.head.edit_date:  # a late push
            return not post.is_part
        is_cut = long is not None and long.state is not RestState.WHOLE and long.head.hash == message.hash
        head = Head(version.hash if post.is_part else post.head or version.hash, version.edit_date)
        if not post.is_part:
            self._keep_long(message, post, LongPost(head=head, state=RestState.WHOLE))
            is_rest = is_cut and message.post is None and message.hash == head.hash != version.hash
            return not (is_rest and self._load_rest(message, post, version))
        if long is None or long.head != head:
            self._keep_long(message, post, LongPost(head=head, state=RestState.WANTED))
        return not is_stored or is_cut or version.hash == message.hash

    def _keep_long(self, message: StoredMessage, post: Post, long: LongPost) -> None:
        message.long = self.writes.long[post.channel_id, post.message_id] = long

    def _load_rest(self, message: StoredMessage, post: Post, version: Version) -> bool:
        """Put a long post in the place of its beginning."""
        before, post = whole_text(message.text, load_parts(message.parts)), _with_pictures(post, message)
        message.hash, message.edit_date, message.text = version.hash, version.edit_date, post.text
        message.parts = dump_parts(post.parts)
        self.writes.rests.append((message.version_id, version.hash, post))
        self._report(message, post, VersionChange.REST_LOADED, message.version_id, version.hash, whole_before=before)
        return True

    def _proves_visible(self, gone_at: int) -> bool:
        """Tell whether this observation proves that a message is visible; an answer to an older request does not."""
        if self._is_page:
            return gone_at + BACK_AFTER // _MILLISECOND <= self._now
        asked_at = maybe_ms(self._observation.asked_at)
        return self._observation.observed_by in PROOF and (asked_at is None or gone_at <= asked_at)

    def _is_shown_again(self, version: Version, message: StoredMessage) -> bool:
        """Tell whether a stored version is what Telegram shows now.

        Two edits of one second have the same date, and the first may have been seen last.
        """
        return self._observation.observed_by in PROOF and version.edit_date >= message.edit_date

    def _apply_parts(self, message: StoredMessage, post: Post, version: Version) -> None:
        """Follow the parts of a text that has not changed: the preview of a link loads later, or anew.

        Parts whose words are replaced are kept as a version.
        """
        before = load_parts(message.parts)
        post = _with_pictures(post, message)
        if self._observation.observed_by == ObservedBy.LIVE and not any(map(_is_preview, post.parts)):
            post = replace(post, parts=(*filter(_is_preview, before), *post.parts))  # a push may be late
        if sorted(post.parts) == sorted(before):
            return
        if message.versions and message.is_reworded_by(post):  # else it was loaded this moment, and nobody was alerted
            if version.edit_date >= message.edit_date:  # else it is a push of older parts
                self._add_version(message, post, version, VersionChange.PARTS_REWORDED)
            return
        if message.post is not None:  # nobody was alerted to it yet
            self.added[message.added] = replace(self.added[message.added], post=post)
        else:
            now = (message.version_id, message.hash)
            self._report(message, post, VersionChange.PARTS_LOADED, *now, whole_before=whole_text(post.text, before))
        message.parts = dump_parts(post.parts)
        self.writes.parts.append((message.parts, message.version_id, post))

    def _apply_export(self, post: Post, version: Version, message: StoredMessage | None) -> None:
        """Add a text that is not stored; leave to a reader what it is about to see, and may alert people to."""
        channel = self.known.channels[post.channel_id]
        if message is None:
            if channel.will_show(post):
                self.left += 1
                return
            message = self.known.messages[post.channel_id, post.message_id] = StoredMessage()
            self._add_version(message, post, version, VersionChange.NEW)
        elif version.hash != message.hash and post.text not in message.texts:
            is_newer = version.edit_date > message.edit_date
            if is_newer and channel.is_read:
                self.left += 1
            else:
                self._add_version(message, post, version, VersionChange.EDITED if is_newer else VersionChange.STALE)

    def _check_late_push(self, post: Post) -> None:
        late = 0 < post.message_id <= self.known.channels[post.channel_id].confirmed_id
        if late and self._observation.observed_by == ObservedBy.LIVE:
            self.writes.to_read_anew.add(post.channel_id)

    def _add_version(self, message: StoredMessage, post: Post, version: Version, change: VersionChange) -> None:
        """Add a version, and unless it is stale make it the current one."""
        if change is VersionChange.EDITED and post.media is not None and post.media.id == message.media_id:
            post = _with_pictures(post, message)
        version_id = self.known.take_id(post)
        message.id = message.id or version_id
        message.versions.append(version)
        message.texts.add(post.text)
        number = len(message.versions)
        row = version_rows.version_row(post, self._observation, version_id, version.hash, number=number)
        self.writes.versions.append(row)
        content = post.content_hash() if self._is_page else version.hash
        sha256 = row[version_rows.RAW_SHA256]
        self.writes.lines.append(ledger.version_entry(post, self._observation, sha256, number=number, content=content))
        before = None
        if change in {VersionChange.EDITED, VersionChange.PARTS_REWORDED}:
            before = whole_text(message.text, load_parts(message.parts))
        added = len(self.added)
        self._report(message, post, change, version_id, version.hash, whole_before=before)
        if change != VersionChange.STALE:
            message.version_id, message.hash, message.edit_date = version_id, *version
            message.seen_at = self._now
            message.text, message.parts = post.text, dump_parts(post.parts)
            message.media_id = None if post.media is None else post.media.id
            message.post, message.added = post, added
            message.count(post)

    def _report(  # noqa: PLR0913 - what was added has this many sides
        self,
        message: StoredMessage,
        post: Post,
        change: VersionChange,
        version_id: int,
        content: bytes,
        *,
        whole_before: str | None,
    ) -> None:
        self.added.append(
            NewVersion(
                post=post,
                version_id=version_id,
                hash=content,
                change=change,
                visible=message.gone_at is None,
                whole_before=whole_before,
                followed_at=self.known.channels[post.channel_id].followed_at,
            )
        )


def _with_pictures(post: Post, message: StoredMessage) -> Post:
    """Return a post with what a program has read in the pictures that it still shows; no network knows of that."""
    if f'["{PartKind.PICTURE}",' not in message.parts or any(part.kind == PartKind.PICTURE for part in post.parts):
        return post
    pictures = (part for part in load_parts(message.parts) if part.kind == PartKind.PICTURE)
    return replace(post, parts=(*post.parts, *pictures))


def _has_text(post: Post) -> bool:
    return bool(post.text.strip())


def _differs(text: str, post: Post) -> bool:
    return plain_hash(post.text) != plain_hash(text)


def _is_preview(part: Part) -> bool:
    return part.kind == PartKind.PREVIEW
