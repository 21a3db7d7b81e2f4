"""Alerts, how loudly they come, the groups that some share a message with, and what such a message shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum

from bot.models import PostKey, StoredPost
from bot.models.links import CommentedPost, post_link
from bot.parts import Part, PartMatch, Spans, whole_text
from bot.schedule import Schedule, Storms

# Of an album of which some is left: items of which a deletion was told, missing ones, all.
GoneItems = tuple[int, int, int]


class Priority(StrEnum):
    """How an alert arrives."""

    URGENT = "urgent"  # with a sound, in quiet hours too
    LOUD = "loud"
    SILENT = "silent"  # without a sound
    DIGEST = "digest"  # with others, in the next digest


class Edits(StrEnum):
    """Which changes of a post get a reply to its alert, which is edited in any case."""

    ALL = "all"  # also punctuation and typos, without a sound
    WORDS = "words"  # other words, and a post that is no longer visible
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A chat that wants alerts on a topic from a channel."""

    channel_id: int
    topic_id: int
    chat_id: int
    chat_key: bytes
    priority: Priority
    thread_id: int | None  # the forum thread for the topic; None: the chat's own …
    chat_thread: int | None  # … which is this one; None: the general one, or no forum
    confirmations: bool  # the chat wants a reply where a second channel says the same
    schedule: Schedule  # of the chat
    storms: Storms | None  # likewise
    excluded: tuple[str, ...] = ()  # words that the chat excludes from the topic
    is_broadcast: bool = False  # a channel of the team's own: what comes too late is not even counted there
    translates: bool = False  # a translation follows each alert in another language
    keeps_pages: bool = False  # the public page of each post is captured


class Loudness(IntEnum):
    """How an alert comes: as the loudest of its topics wants it in the chat."""

    DIGEST = 0  # with others, in the next digest
    SILENT = 1
    LOUD = 2
    URGENT = 3  # in quiet hours too


class GroupKind(StrEnum):
    """Why alerts share one message."""

    DIGEST = "digest"  # they wait for it, or for the end of quiet hours
    STORM = "storm"  # too many came on one topic
    LATE = "late"  # they came too late for an alert, and are only counted
    RESTORED = "restored"  # they may have been sent before a backup was put back, and are only counted
    FALLBACK = "fallback"  # they went to the chat's fallback while Telegram was out, and are only counted


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RESTORED_OPEN = timedelta(days=365)  # so long after the start posts from before it may still be found
RESTORED_WAIT = timedelta(seconds=3)  # for more of them
# A message of these kinds says how many, not which.
COUNTING = frozenset({GroupKind.LATE, GroupKind.RESTORED, GroupKind.FALLBACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One post in one chat: what its message shows of it."""

    id: int = 0  # of its row; 0: it has none yet
    chat_id: int
    channel_id: int
    post_key: str
    version_id: int  # that matched
    shown_version_id: int  # that the message shows
    topics: tuple[str, ...]  # names
    spans: Spans  # of the matches in the text, in Python characters
    parts: tuple[PartMatch, ...]  # with matches; where nothing matches and there is no text, all parts
    loudness: Loudness
    fingerprint: str  # of the words shown
    fits_since_edit: bool  # the post fits only since it was edited
    gone_at: datetime | None = None  # the post is no longer visible since then, as the message says
    gone_items: GoneItems | None = None  # of an album, where some are left
    losses: int = 0  # how often the post has vanished

    @property
    def key(self) -> PostKey:
        """What names the post."""
        return self.channel_id, self.post_key

    @property
    def is_edited(self) -> bool:
        """Whether the post was edited: before it matched, or since."""
        return self.fits_since_edit or self.shown_version_id != self.version_id


def alert_subject(post: PostKey, version_hash: bytes) -> str:
    """Return the subject of an alert's own message, unique in the chat: the post, and what it said as it matched."""
    channel_id, post_key = post
    return f"{channel_id}/{post_key}/{version_hash.hex()[:16]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A post that says what an alert says, and joined it."""

    channel_id: int
    title: str  # of the channel
    username: str | None
    message_id: int
    own_link: str | None  # of the post; None: it follows from the channel and the id
    commented: CommentedPost | None = None
    date: datetime

    @property
    def link(self) -> str:
        """Link to the post."""
        return post_link(self.channel_id, self.username, self.message_id, self.own_link, commented=self.commented)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorAlert:
    """An alert that a chat has, as far as the alert of another post may join it."""

    id: int
    key: PostKey
    date: datetime  # of the post
    loudness: Loudness
    group: GroupKind | None  # None: it has a message of its own
    thread_id: int  # the forum thread of its message, the general one where it has none
    is_sent: bool  # its message
    is_open: bool  # its message is still to be sent, or can be edited


GroupKey = tuple[object, ...]


def group_key(kind: GroupKind, *, topic_id: int | None, closes_at: datetime, thread_id: int | None) -> GroupKey:
    """Return what is unique among the open groups of a chat: a storm's topic, or the moment and thread of another."""
    return (kind, topic_id) if kind is GroupKind.STORM else (kind, closes_at, thread_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group that takes alerts."""

    kind: GroupKind
    opened_at: datetime | None = None  # of restored ones: the backup's last sign of life; else None: now
    topic_id: int | None = None  # of a storm
    topic: str | None = None  # its name
    thread_id: int | None = None  # the forum thread that a topic has for its alerts; None: the chat's own
    closes_at: datetime  # takes no alert from then on; a digest is to be sent then
    due_at: datetime
    silent: bool  # no alert in it would come with a sound
    subject: str  # of its message, unique in the chat

    @property
    def key(self) -> GroupKey:
        """What the alerts of a chat have in common that go into one group."""
        return group_key(self.kind, topic_id=self.topic_id, closes_at=self.closes_at, thread_id=self.thread_id)


def digest_group(until: datetime, *, thread_id: int | None, silent: bool) -> Group:
    """Return the group of the alerts that wait for a moment; a forum thread has its own."""
    return Group(
        kind=GroupKind.DIGEST,
        thread_id=thread_id,
        closes_at=until,
        due_at=until,
        silent=silent,
        subject=f"digest:{_ms(until)}" + (f":{thread_id}" if thread_id is not None else ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreWindow:
    """The time between a backup and the start with it, of which a chat may know more than the database."""

    alive_at: datetime  # the backup's last sign of life
    until: datetime  # the start

    def covers(self, moment: datetime | None) -> bool:
        """Return whether the chat may have been alerted to what was posted or edited at a moment."""
        return moment is not None and moment < self.until


def restored_group(window: RestoreWindow, now: datetime) -> Group:
    """Return the group of the alerts that a chat may have had before a backup was put back."""
    return Group(
        kind=GroupKind.RESTORED,
        opened_at=window.alive_at,
        closes_at=window.until + RESTORED_OPEN,
        due_at=now + RESTORED_WAIT,
        silent=True,
        subject=f"restored:{_ms(window.until)}",
    )


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGroup:
    """A group that exists, and takes more alerts."""

    id: int
    message_id: int  # the row of its message
    chat_id: int
    key: GroupKey
    thread_id: int  # the forum thread of its message, the general one where it has none
    is_sent: bool  # its message


class ChangeKind(StrEnum):
    """What a reply to an alert says."""

    EDITED = "edited"  # its post says something else now
    GONE = "gone"  # its post is no longer visible
    CONFIRMED = "confirmed"  # a second channel says the same


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChange:
    """What has become of an alert, as a reply to it says."""

    kind: ChangeKind
    before: int | None = None  # of an edit: the version before it
    joined: tuple[str, ...] = ()  # topics that the post fits only now
    gone_at: datetime | None = None
    gone_items: GoneItems | None = None  # of an album, where some are left


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A version of a message, as far as an alert shows it."""

    version_id: int
    text: str
    parts: tuple[Part, ...]
    hash: bytes
    edit_date: datetime | None
    times: int  # that Telegram has shown this, with other words in between

    @property
    def whole(self) -> str:
        """All that a reader sees: the text and the parts."""
        return whole_text(self.text, self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleAlert:
    """An alert that shows something else than its post by now."""

    alert: Alert
    shown_by: int  # the message that shows it, by row: its own, its group's, or that of the alert it duplicates
    is_duplicate: bool
    is_grouped: bool  # a group shows it, or the alert that it duplicates: no reply says what has become of the post
    rang_at: datetime | None  # when its message, or the last reply to that, came with a sound; None: none did
    chat_key: bytes
    edits: Edits
    message_id: int  # of the post, or of the item of an album that has changed
    is_shown: bool  # that message, by the alert; else it is another item of the album
    shown: Wording  # by the alert; of another item, its version before
    current: Wording
    is_loaded: bool  # only parts have changed, without a version
    gone_at: datetime | None  # no longer visible since then: what the alert shows of its post, or all of it
    gone_items: GoneItems | None  # of an album, where some are left


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedAlert:
    """An alert in a group."""

    alert: Alert
    post: StoredPost  # the version to show
    duplicates: int  # posts that say the same and joined it
    channel_group: str | None = None  # the first channel group that its channel is in, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSummary:
    """What a group holds."""

    random_id: int  # of its message: buttons name the group by that, which no restored backup changes
    kind: GroupKind
    opened_at: datetime
    closes_at: datetime  # when a digest was to be sent
    topic: str | None  # of a storm: its name
    channels: tuple[tuple[str, int], ...]  # titles, and how many posts each has brought, most first
    alerts: tuple[GroupedAlert, ...]  # in the order in which they came; none where they are only counted


@dataclass(frozen=True, slots=True, kw_only=True)
class StormState:
    """The state of a storm."""

    random_id: int  # of its message
    topic: str  # its name
    is_over: bool
    channels: tuple[tuple[str, int], ...]  # titles, and how many posts each has brought, most first
    since: datetime  # when the first of its posts was posted …
    until: datetime  # … and the last one
    latest: tuple[GroupedAlert, ...]  # newest first
    news: tuple[GroupedAlert, ...] = ()  # of new events, which came with a message of their own; newest first


class MessageKind(StrEnum):
    """What a message says."""

    ALERT = "alert"  # a post
    GROUP = "group"  # the posts of a digest or a storm, or how many posts came late
    CHANGE = "change"  # what has become of an alert; a reply to its message
    FILES = "files"  # the files of an alert's post; likewise
    TRANSLATION = "translation"  # what its post says, in another language; likewise
    NOTICE = "notice"  # something about ourselves
    FALLBACK = "fallback"  # what another chat cannot be sent while Telegram is out


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message about to enter the outbox."""

    chat_id: int
    chat_key: bytes
    kind: MessageKind
    subject: str  # with chat and kind it is the identity of the message
    alert_id: int | None = None  # that it shows or answers
    group_id: int | None = None
    version_id: int | None = None  # of a change: the version that it reports
    change: AlertChange | None = None
    notice: str | None = None  # the name of a notice
    body: Mapping[str, object] | None = None  # the notice, or the language of a translation
    reply_to: int | None = None  # the row of the message that it answers
    carries: int | None = None  # of a fallback: the row of the message that it brings
    thread_id: int | None = None  # the forum thread; None: of an alert none, else of what it answers, or the chat's
    silent: bool = False
