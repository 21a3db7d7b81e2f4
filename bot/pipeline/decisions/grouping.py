"""What becomes of an alert in its chat: a message of its own, or a place in that of others. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.matching.similarity.novelty import is_new_event
from bot.models import ComparedPost, PostKey
from bot.models.alerts import (
    Alert,
    Group,
    GroupKey,
    GroupKind,
    Loudness,
    OpenGroup,
    PriorAlert,
    Recipient,
    RestoreWindow,
    digest_group,
    restored_group,
)
from bot.models.outgoing import GENERAL_THREAD
from bot.schedule import Schedule, next_digest, quiet_until

DUPLICATE_WITHIN = timedelta(hours=48)  # of each other were two posts posted of which one joins the other's alert
SAME_WORDS_WITHIN = timedelta(hours=1)  # the same, where all that is alike is few words
SAME_CHANNEL_WITHIN = timedelta(minutes=10)  # the same, of one channel: what it says again later has happened again
LATE_WAIT = timedelta(minutes=1)  # for more posts that came too late
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedAlert:
    """An alert about which is to be decided."""

    alert: Alert
    recipient: Recipient  # of the first topic; the chat, as it is set
    subject: str  # tells its message from others of the chat
    topic_ids: Mapping[str, int]  # by name
    posted_at: datetime
    date: datetime  # when the post said what matched: of an edit, its own
    may_be_late: bool  # where it is too old, it is counted; not what loads beside a text, which sites change for years
    said: ComparedPost | None  # what is compared with other posts; None: it joins no alert
    alike: tuple[PostKey, ...] = ()  # posts that say the same, the likest first
    thread_id: int | None  # the forum thread that a topic has for its alerts; None: the chat's own

    @property
    def chat_id(self) -> int:
        """The chat, by row."""
        return self.alert.chat_id

    @property
    def place(self) -> int:
        """The forum thread that the alert goes to, the general one where it has none."""
        return self.thread_id or self.recipient.chat_thread or GENERAL_THREAD


@dataclass(slots=True, kw_only=True)
class ChatState:
    """What a chat has, as far as it matters to the alerts at hand; each one decided about is added."""

    restored: RestoreWindow | None = None  # in which the chat may have been alerted to what this database does not know
    alerted: set[PostKey] = field(default_factory=set)  # posts that have an alert
    counted: set[PostKey] = field(default_factory=set)  # posts that a group of late ones counts
    priors: dict[PostKey, PriorAlert] = field(default_factory=dict)  # the alert that shows a post or says the same
    same_words: defaultdict[str, list[PriorAlert]] = field(default_factory=lambda: defaultdict(list))
    groups: dict[GroupKey, OpenGroup | None] = field(default_factory=dict)  # None: opened by one at hand
    recent: Counter[str] = field(default_factory=Counter)  # by topic: alerts with a message of their own, lately
    shown: defaultdict[GroupKey | None, list[str]] = field(  # what posts in open storms say, and those alerted alone
        default_factory=lambda: defaultdict(list)
    )

    def add(self, routed: RoutedAlert, decision: "Decision") -> None:
        """Take in what was decided about an alert."""
        alert = routed.alert
        match decision:
            case Skip():
                return
            case JoinDuplicate():
                self.alerted.add(alert.key)
                self.priors[alert.key] = decision.first
                return
            case Group(kind=GroupKind.LATE):
                self.counted.add(alert.key)
                return
            case Group():
                prior = _prior(routed, decision.kind, self.groups.setdefault(decision.key, None))
                self._show(decision.key, routed)
            case Send():
                prior = _prior(routed, None, None)
                self.recent.update(alert.topics)
                self._show(None, routed)
        self.alerted.add(alert.key)
        self.priors[alert.key] = prior
        self.same_words[alert.fingerprint].append(prior)

    def _show(self, key: GroupKey | None, routed: RoutedAlert) -> None:
        if routed.said is not None and (key is None or key[0] is GroupKind.STORM):
            self.shown[key].append(routed.said.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Nothing: the chat has the post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """A message of its own."""

    storm: Group | None = None  # that goes on, and names the alert as a new event


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinDuplicate:
    """The message of an alert that says the same names it."""

    first: PriorAlert
    is_confirmed: bool  # a reply says so …
    is_silent: bool  # … without a sound


Decision = Skip | Send | JoinDuplicate | Group  # of a group the message shows or counts the alert


def decide(routed: RoutedAlert, chat: ChatState, now: datetime, *, max_age: timedelta) -> Decision:
    """Decide what becomes of an alert; one of a post older than `max_age` is only counted."""
    key = routed.alert.key
    if key in chat.alerted:
        return Skip()
    if chat.restored is not None and chat.restored.covers(routed.date):
        return restored_group(chat.restored, now)
    if is_too_old(routed, now, max_age=max_age):
        is_news = routed.may_be_late and key not in chat.counted
        return _late(now) if is_news else Skip()
    until = waits_until(routed.alert.loudness, routed.recipient.schedule, now)
    duplicate = _duplicate(routed, chat, Loudness.DIGEST if until is not None else routed.alert.loudness)
    if duplicate is not None:
        return duplicate
    if until is not None:
        is_silent = routed.alert.loudness is Loudness.SILENT
        return digest_group(until, thread_id=routed.thread_id, silent=is_silent)
    return _alone_or_in_storm(routed, chat, now)


def is_too_old(routed: RoutedAlert, now: datetime, *, max_age: timedelta) -> bool:
    """Return whether a post reached us too late for an alert."""
    return routed.date < now - max_age


def waits_until(loudness: Loudness, schedule: Schedule, now: datetime) -> datetime | None:
    """Return until when an alert waits for a digest, or for the end of quiet hours; None: it does not."""
    if loudness is Loudness.DIGEST:
        return next_digest(schedule, now)
    return None if loudness is Loudness.URGENT else quiet_until(schedule, now)


def _duplicate(routed: RoutedAlert, chat: ChatState, loudness: Loudness) -> JoinDuplicate | None:
    """Return the joining of another alert by one that would come so loudly; None: there is none that says the same."""
    first = _first(routed, chat, min(loudness, Loudness.LOUD))
    if first is None:
        return None
    is_other_channel = first.key[0] != routed.alert.channel_id
    return JoinDuplicate(
        first=first,
        is_confirmed=routed.recipient.confirmations and first.group is None and is_other_channel,
        is_silent=loudness < Loudness.LOUD,
    )


def _first(routed: RoutedAlert, chat: ChatState, loudness: Loudness) -> PriorAlert | None:
    """Find the alert to join: of the likest post, and of those the earliest.

    An alert joins only one that came at least as loudly as it would come itself, in the forum thread it would go to,
    and in a message that can be edited.
    """
    if routed.said is None:
        return None
    found = [
        (-1, prior.id, prior)
        for prior in chat.same_words.get(routed.alert.fingerprint, ())
        if abs(prior.date - routed.posted_at) <= _words_within(prior, routed)
    ]
    alike = ((place, chat.priors.get(key)) for place, key in enumerate(routed.alike))
    found += [
        (place, prior.id, prior)
        for place, prior in alike
        if prior is not None and abs(prior.date - routed.posted_at) <= DUPLICATE_WITHIN
    ]
    fitting = (
        (place, number, prior)
        for place, number, prior in found
        if prior.is_open and prior.thread_id == routed.place and _came_with(prior) >= loudness
    )
    _, _, first = min(fitting, default=(0, 0, None), key=lambda each: each[:2])
    return first


def _words_within(prior: PriorAlert, routed: RoutedAlert) -> timedelta:
    return SAME_CHANNEL_WITHIN if prior.key[0] == routed.alert.channel_id else SAME_WORDS_WITHIN


def _came_with(prior: PriorAlert) -> Loudness:
    """Return how loudly a chat got an alert; what waits, or is only counted, it has not got."""
    at_once = {None, GroupKind.STORM, GroupKind.FALLBACK}
    if prior.group in at_once or (prior.group is GroupKind.DIGEST and prior.is_sent):
        return min(prior.loudness, Loudness.LOUD)
    return Loudness.DIGEST


def _prior(routed: RoutedAlert, kind: GroupKind | None, group: OpenGroup | None) -> PriorAlert:
    """Describe an alert at hand to those that come after it."""
    alert = routed.alert
    return PriorAlert(
        id=alert.id,
        key=alert.key,
        date=routed.posted_at,
        loudness=alert.loudness,
        group=kind,
        thread_id=routed.place if group is None else group.thread_id,
        is_sent=group is not None and group.is_sent,
        is_open=True,
    )


def _alone_or_in_storm(routed: RoutedAlert, chat: ChatState, now: datetime) -> Send | Group:
    storm = _storm(routed, chat, now)
    return Send(storm=storm) if storm is None or _is_news(routed, chat, storm) else storm


def _storm(routed: RoutedAlert, chat: ChatState, now: datetime) -> Group | None:
    """Return the storm that an alert belongs to, if all its topics storm: one that goes on, else its first topic's."""
    storms, topics = routed.recipient.storms, routed.topic_ids
    open_topics = {name for name, topic_id in topics.items() if (GroupKind.STORM, topic_id) in chat.groups}
    if storms is None or any(name not in open_topics and chat.recent[name] < storms.count for name in topics):
        return None
    topic = next((name for name in topics if name in open_topics), next(iter(topics)))
    return Group(
        kind=GroupKind.STORM,
        topic_id=topics[topic],
        topic=topic,
        thread_id=routed.thread_id,
        closes_at=now + timedelta(minutes=storms.minutes),
        due_at=now,
        silent=routed.alert.loudness < Loudness.LOUD,
        subject=f"storm:{topics[topic]}:{routed.subject}",
    )


def _is_news(routed: RoutedAlert, chat: ChatState, storm: Group) -> bool:
    """Return whether an alert is of an event that is new in its storm; of these as many ring as before it began."""
    storms, said = routed.recipient.storms, routed.said
    if storms is None or said is None or storm.key not in chat.groups:
        return False
    if any(chat.recent[name] >= 2 * storms.count for name in routed.topic_ids):
        return False
    return is_new_event(said.text, routed.alert.spans, [*chat.shown[storm.key], *chat.shown[None]])


def _late(now: datetime) -> Group:
    """Return the group of this hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return Group(
        kind=GroupKind.LATE,
        closes_at=hour + _HOUR,
        due_at=now + LATE_WAIT,
        silent=True,
        subject=f"late:{now:%Y-%m-%dT%H}",
    )
