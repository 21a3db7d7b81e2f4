"""Which chats a match concerns, and what each of them is to see of it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.models import ComparedPost, Post
from bot.models.alerts import Alert, Loudness
from bot.models.posts import NewVersion, VersionChange
from bot.models.subscriptions import Priority, Recipient
from bot.pipeline.grouping import RoutedAlert
from bot.pipeline.revisions import compared, fingerprint_of, marked
from bot.text.spans import Span, merge_spans

EDITS = frozenset({VersionChange.EDITED, VersionChange.PARTS_REWORDED})
_MAY_JOIN = {VersionChange.NEW, VersionChange.EDITED}  # the alert of another post; previews are changed for years
_MAY_BE_LATE = {VersionChange.NEW, VersionChange.EDITED, VersionChange.STALE}  # likewise
LOUDNESS = {
    Priority.DIGEST: Loudness.DIGEST,
    Priority.SILENT: Loudness.SILENT,
    Priority.LOUD: Loudness.LOUD,
    Priority.URGENT: Loudness.URGENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A version of a post, and the topics in it."""

    added: NewVersion
    topics: Mapping[str, tuple[Span, ...]]  # by name; where, in Python characters of the whole
    fits: bool  # a topic is found in it, be it that it was found in the version before too


@dataclass(slots=True, kw_only=True)
class _Route:
    """What leads from a post to a chat."""

    added: NewVersion  # the version that matched first, where several messages of an album do
    recipient: Recipient  # of the first of the topics
    topics: dict[str, int] = field(default_factory=dict)  # ids by name
    spans: set[Span] = field(default_factory=set)  # in the whole of that version
    loudness: Loudness = Loudness.DIGEST  # the greatest of the topics
    thread_id: int | None = None  # of the first topic that has one


def route(matches: Iterable[Match], recipients: Iterable[Recipient], topic_ids: Mapping[str, int]) -> list[RoutedAlert]:
    """Make one alert for each chat and post, whatever its topics and messages."""
    rows: dict[tuple[int, int], list[Recipient]] = {}
    for recipient in recipients:
        rows.setdefault((recipient.channel_id, recipient.topic_id), []).append(recipient)
    routes: dict[tuple[int, int, str], _Route] = {}
    for match, name in [(each, name) for each in matches for name in each.topics]:
        added = match.added
        for row in rows.get((added.post.channel_id, topic_ids[name]), ()):
            key = (row.chat_id, row.channel_id, added.post.key)
            found = routes.setdefault(key, _Route(added=added, recipient=row))
            found.loudness = max(found.loudness, LOUDNESS[row.priority])
            found.thread_id = found.thread_id or row.thread_id
            found.topics[name] = row.topic_id
            if found.added is added:
                found.spans.update(match.topics[name])
    return [_routed(found) for found in routes.values()]


def _routed(found: _Route) -> RoutedAlert:
    added, recipient, post = found.added, found.recipient, found.added.post
    spans, parts = marked(post.text, post.parts, merge_spans(found.spans))
    alert = Alert(
        chat_id=recipient.chat_id,
        channel_id=post.channel_id,
        post_key=post.key,
        version_id=added.version_id,
        shown_version_id=added.version_id,
        topics=tuple(found.topics),
        spans=spans,
        parts=parts,
        loudness=found.loudness,
        fingerprint=fingerprint_of(post.text, post.parts, parts),
        fits_since_edit=added.change in EDITS,
    )
    edited_at = post.edit_date if added.change == VersionChange.EDITED else None
    return RoutedAlert(
        alert=alert,
        chat_key=recipient.chat_key,
        subject=f"{post.channel_id}/{post.key}/{added.hash.hex()[:16]}",
        topic_ids=found.topics,
        posted_at=post.date,
        date=edited_at or post.date,
        may_be_late=added.change in _MAY_BE_LATE,
        said=_compared_post(post, compared(post.text, post.parts, parts)) if added.change in _MAY_JOIN else None,
        thread_id=found.thread_id,
        chat_thread=recipient.chat_thread,
        schedule=recipient.schedule,
        storms=recipient.storms,
        confirmations=recipient.confirmations,
    )


def _compared_post(post: Post, text: str) -> ComparedPost:
    forward = post.forward
    origin = (post.channel_id, post.message_id)
    if forward is not None and forward.channel_id is not None and forward.message_id is not None:
        origin = (forward.channel_id, forward.message_id)
    return ComparedPost(channel_id=post.channel_id, post_key=post.key, text=text, date=post.date, origin=origin)
