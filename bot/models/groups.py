"""What the message of a group shows."""

from dataclasses import dataclass
from datetime import datetime

from bot.models.alerts import Alert, GroupKind
from bot.models.posts import StoredPost


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedAlert:
    """An alert in a group."""

    alert: Alert
    post: StoredPost  # the version to show
    duplicates: int  # posts that said the same and joined it


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
    """How a storm stands."""

    random_id: int  # of its message
    topic: str  # its name
    is_over: bool
    channels: tuple[tuple[str, int], ...]  # titles, and how many posts each has brought, most first
    since: datetime  # when the first of its posts was posted …
    until: datetime  # … and the last one
    latest: tuple[GroupedAlert, ...]  # newest first
