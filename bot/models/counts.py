"""What charts are made of: which posts and alerts are counted, and how many there were."""

from dataclasses import dataclass
from datetime import datetime

from bot.models import StoredPost
from bot.models.people import Viewer

DELAYS = (2, 5, 15, 60, 300, 3600)  # s up to which delays are counted together; what is left is longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is counted: whose alerts, the posts of which channels, from when to when, in which time zone."""

    chats: tuple[int, ...]
    viewer: Viewer
    channel_ids: tuple[int, ...] | None = None  # None: all that the viewer sees
    topic: str | None = None  # the posts and alerts of this topic alone, as the chats had them; None: all
    since: datetime
    until: datetime
    time_zone: str
    step: int = 1  # days that are counted together


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """Posts and alerts by the day of a time zone, or by as many days as are counted together."""

    posts: tuple[int, ...]
    alerts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCounts:
    """Posts of an hour on the average, by the hour of the week, from Monday's midnight in a time zone."""

    means: tuple[float, ...]  # each channel's by the hours for which it is complete


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicCount:
    """The alerts of a topic, and those in as long a time before."""

    topic: str
    alerts: int
    before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCount:
    """The posts of a channel, and the alerts that they brought."""

    channel_id: int
    title: str
    posts: int
    alerts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayCounts:
    """How long alerts took, from the date of the post, or of its edit, until Telegram had the message."""

    counts: tuple[int, ...]  # by `DELAYS`, and those that took longer
    half_within: float = 0.0  # s
    most_within: float = 0.0  # s, of 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionCount:
    """The posts of a channel that are gone: deleted, as the network told us, or missing when they were read again."""

    channel_id: int
    title: str
    told: int
    missing: int
    alerted: int  # of both, those that the chats had an alert of


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionCounts:
    """The channels of which posts are gone, the most first; where it is one alone, with the newest of these posts."""

    channels: tuple[DeletionCount, ...]
    newest: tuple[StoredPost, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoverCount:
    """How often a channel was the first of several to say what the chats had an alert of."""

    title: str
    stories: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekCounts:
    """What there was in a week, and of some of it as much as the week before; each list the most notable first."""

    posts: int
    posts_before: int
    alerts: tuple[int, ...]  # by day
    alerts_before: int
    topics: tuple[TopicCount, ...]  # by how much they rose or fell
    movers: tuple[MoverCount, ...]
    edited: int  # of the posts of the week
    deletions: tuple[DeletionCount, ...]  # by channel
