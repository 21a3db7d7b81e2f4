"""Which chats a match concerns, and what each of them is to see of it. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bot.models import ComparedPost, NewVersion, Post, VersionChange
from bot.models.alerts import Alert, Loudness, Priority, Recipient, alert_subject
from bot.pipeline.decisions.grouping import RoutedAlert
from bot.pipeline.decisions.revisions import Found, compared, fingerprint_of, marked
from bot.text.spans import Span, merge_spans

EDITS = frozenset({VersionChange.EDITED, VersionChange.PARTS_REWORDED})
LOADED = frozenset(
    {VersionChange.PARTS_LOADED, VersionChange.REST_LOADED, VersionChange.PICTURE_READ}
)  # to a version, without an edit
_MAY_JOIN = {
    VersionChange.NEW,
    VersionChange.EDITED,
    VersionChange.REST_LOADED,
    VersionChange.PICTURE_READ,
}  # the alert of another post; previews are changed for years
_MAY_BE_LATE = {*_MAY_JOIN, VersionChange.STALE} - {VersionChange.PICTURE_READ}  # likewise; no old picture is read
LOUDNESS = {
    Priority.DIGEST: Loudness.DIGEST,
    Priority.SILENT: Loudness.SILENT,
    Priority.LOUD: Loudness.LOUD,
    Priority.URGENT: Loudness.URGENT,
}
Words = AbstractSet[str]
NO_WORDS: Words = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A version of a post, and the topics in it."""

    added: NewVersion
    found: Found  # topics, by name; where, in Python characters of the whole
    before: Collection[str] = ()  # those that were found in the version before, too
    words: Words = NO_WORDS  # that chats exclude, as it says them …
    words_before: Words = NO_WORDS  # … and as the version before said them

    @property
    def topics(self) -> list[str]:
        """Those topics that may be news to a chat: they were not there before, or a word has gone that it excludes."""
        return [name for name in self.found if name not in self.before or not self.words_before <= self.words]

    def is_news(self, topic: str, excluded: Collection[str]) -> bool:
        """Tell whether one of these topics is news to a chat that excludes these words from it."""
        was_there = topic in self.before and self.words_before.isdisjoint(excluded)
        return self.words.isdisjoint(excluded) and not was_there


def found_by(found: Found, words: Words, wanted: Mapping[str, Recipient]) -> Found:
    """Return what of a text is found for a chat: without the topics from which it excludes one of the text's words."""
    return {
        name: spans for name, spans in found.items() if name not in wanted or words.isdisjoint(wanted[name].excluded)
    }


_Hit = tuple[NewVersion, str, tuple[Span, ...], Recipient]  # a topic in a version that a chat subscribes to


def route(matches: Iterable[Match], recipients: Iterable[Recipient], topic_ids: Mapping[str, int]) -> list[RoutedAlert]:
    """Make one alert for each chat and post, whatever its topics and messages."""
    rows = defaultdict[tuple[int, int], list[Recipient]](list)
    for recipient in recipients:
        rows[recipient.channel_id, recipient.topic_id].append(recipient)
    hits = defaultdict[tuple[int, int, str], list[_Hit]](list)
    for match in matches:
        post = match.added.post
        for name in match.topics:
            for row in rows.get((post.channel_id, topic_ids[name]), ()):
                if match.is_news(name, row.excluded):
                    hits[row.chat_id, row.channel_id, post.key].append((match.added, name, match.found[name], row))
    return [_routed(each) for each in hits.values()]


def _routed(hits: Sequence[_Hit]) -> RoutedAlert:
    """Make the alert of a chat; of several messages of an album that match it shows the first, if it can with words."""
    added, _, _, recipient = max(hits, key=lambda hit: bool(hit[2]) or bool(hit[0].post.text.strip()))
    post = added.post
    topics = {name: row.topic_id for _, name, _, row in hits}
    found = [span for version, _, spans, _ in hits if version is added for span in spans]
    own, parts = marked(post.text, post.parts, merge_spans(found))
    alert = Alert(
        chat_id=recipient.chat_id,
        channel_id=post.channel_id,
        post_key=post.key,
        version_id=added.version_id,
        shown_version_id=added.version_id,
        topics=tuple(topics),
        spans=own,
        parts=parts,
        loudness=max(LOUDNESS[row.priority] for *_, row in hits),
        fingerprint=fingerprint_of(post.text, post.parts, parts),
        fits_since_edit=added.change in EDITS,
    )
    edited_at = post.edit_date if added.change == VersionChange.EDITED else None
    words = compared(post.text, post.parts, parts)  # without any, nothing says the same
    return RoutedAlert(
        alert=alert,
        recipient=recipient,
        subject=alert_subject((post.channel_id, post.key), added.hash),
        topic_ids=topics,
        posted_at=post.date,
        date=edited_at or post.date,
        may_be_late=added.change in _MAY_BE_LATE,
        said=_compared_post(post, words) if added.change in _MAY_JOIN and words.strip() else None,
        thread_id=next((row.thread_id for *_, row in hits if row.thread_id), None),
    )


def _compared_post(post: Post, text: str) -> ComparedPost:
    forward = post.forward
    origin = (post.channel_id, post.message_id)
    if forward is not None and forward.channel_id is not None and forward.message_id is not None:
        origin = (forward.channel_id, forward.message_id)
    return ComparedPost(channel_id=post.channel_id, post_key=post.key, text=text, date=post.date, origin=origin)
