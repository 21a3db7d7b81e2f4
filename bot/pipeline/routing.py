"""Findings come in, posts and the topics in them; what each chat is to be told of them, and when, goes out. Pure."""

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from bot.models import Post, Said
from bot.pipeline.revisions import compared, marked, named
from bot.schedule import Schedule, Wait, next_digest, quiet_until
from bot.store.alerts import Draft, Kind
from bot.store.groups import Told
from bot.store.subscriptions import Priority, Wanted
from bot.store.versions import NewVersion, VersionChange
from bot.text.spans import Span, merge_spans

EDITS = frozenset({VersionChange.EDITED, VersionChange.PARTS_REWORDED})
_LOUD, _GATHERED = {Priority.URGENT, Priority.LOUD}, {Priority.DIGEST}
_MAY_JOIN = {VersionChange.NEW, VersionChange.EDITED}  # the alert of another post; previews are changed for years


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A version in which topics were found."""

    added: NewVersion
    topics: Mapping[str, tuple[Span, ...]]  # by name; where, in Python characters of the whole
    fits: bool  # a topic is found in it, be it that it was found in the version before too


@dataclass(slots=True, kw_only=True)
class Telling:
    """What a chat is to be told of a post."""

    added: NewVersion  # the version that matched first, where several messages of an album do
    wanted: Wanted
    topics: dict[str, int] = field(default_factory=dict)  # ids by name
    spans: set[tuple[int, int]] = field(default_factory=set)  # in the whole of that version
    priorities: set[Priority] = field(default_factory=set)  # of its topics
    thread_id: int | None = None  # of the first of its topics that has one

    @property
    def said_at(self) -> datetime:
        """When it was said: an edit says something new."""
        edited = self.added.post.edit_date if self.added.change == VersionChange.EDITED else None
        return edited or self.added.post.date

    def told(self, now: datetime) -> Told:
        """Decide how the chat is told, and make the draft of its alert."""
        wait = decide(self.priorities, self.wanted.schedule, now)
        loudness = 0 if wait is not None else 1 + (not self.priorities.isdisjoint(_LOUD))
        return Told(draft=self.draft(loudness=loudness), topics=self.topics, wait=wait, storms=self.wanted.storms)

    def draft(self, *, loudness: int) -> Draft:
        """Make the draft of an alert."""
        added, wanted, post = self.added, self.wanted, self.added.post
        found = marked(post.text, post.parts, merge_spans(self.spans))
        turned = {"turned": True} if added.change in EDITS else {}
        return Draft(
            chat_id=wanted.chat_id,
            chat_key=wanted.chat_key,
            kind=Kind.POST,
            subject=f"{post.channel_id}/{post.key}/{added.hash.hex()[:16]}",
            channel_id=post.channel_id,
            post_key=post.key,
            silent=self.priorities.isdisjoint(_LOUD),
            thread_id=self.thread_id,
            words=named(post.text, post.parts, found),
            said=_said(post, found) if added.change in _MAY_JOIN else None,
            loudness=loudness,
            payload={
                "version_id": added.version_id,
                "topics": list(self.topics),
                **found,
                "edited": added.change in EDITS,
                **turned,
            },
        )


def _said(post: Post, found: Mapping[str, object]) -> Said:
    forward = post.forward
    origin = (post.channel_id, post.message_id)
    if forward is not None and forward.channel_id is not None and forward.message_id is not None:
        origin = (forward.channel_id, forward.message_id)
    text = compared(post.text, post.parts, found)
    return Said(channel_id=post.channel_id, post_key=post.key, text=text, date=post.date, origin=origin)


def tellings(
    findings: Iterable[Finding], wanted: Iterable[Wanted], topic_ids: Mapping[str, int]
) -> Collection[Telling]:
    """Work out whom to tell what: one telling for each chat and post, whatever its topics and messages."""
    rows: dict[tuple[int, int], list[Wanted]] = {}
    for row in wanted:
        rows.setdefault((row.channel_id, row.topic_id), []).append(row)
    found: dict[tuple[int, int, str], Telling] = {}
    for finding, name in [(f, name) for f in findings for name in f.topics]:
        added = finding.added
        for row in rows.get((added.post.channel_id, topic_ids[name]), ()):
            key = (row.chat_id, row.channel_id, added.post.key)
            telling = found.setdefault(key, Telling(added=added, wanted=row))
            telling.priorities.add(row.priority)
            telling.thread_id = telling.thread_id or row.thread_id
            telling.topics[name] = row.topic_id
            if telling.added is added:
                telling.spans.update(finding.topics[name])
    return found.values()


def decide(priorities: AbstractSet[Priority], schedule: Schedule, now: datetime) -> Wait | None:
    """Decide whether a post waits for a digest; `priorities` are those of its topics. None: it is told at once."""
    if priorities <= _GATHERED:
        return Wait(until=next_digest(schedule, now), quiet=False)
    end = quiet_until(schedule, now)
    if end is None or Priority.URGENT in priorities:
        return None
    return Wait(until=end, quiet=True)
