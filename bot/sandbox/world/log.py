"""The log of changes of one channel or account, with the pts that clients keep up by."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from bot.sandbox.world.refused import Refused


class UpdateKind(Enum):
    """The kinds of changes."""

    NEW = auto()
    EDIT = auto()
    DELETE = auto()
    PIN = auto()
    UNPIN = auto()
    PAGE = auto()  # the preview of its link has loaded


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One entry of a log: the ids of the changed messages, without their content."""

    kind: UpdateKind
    chat: int  # marked id of the chat
    ids: tuple[int, ...]  # of the messages
    pts: int  # of the log after the change
    count: int  # by how much the pts moved


class Missed(NamedTuple):
    """Changes since some pts, oldest first."""

    changes: list[LoggedChange]
    final: bool  # there are no more of them


class Log:
    """The changes of one channel, or of the private chats and basic groups of one account."""

    def __init__(self) -> None:
        self.pts = 1
        self._changes: list[LoggedChange] = []

    def add(self, kind: UpdateKind, chat: int, ids: Iterable[int]) -> LoggedChange:
        """Log a change; the pts grows by the number of its messages."""
        named = tuple(ids)
        self.pts += len(named)
        change = LoggedChange(kind, chat, named, self.pts, len(named))
        self._changes.append(change)
        return change

    def behind(self, pts: int) -> int:
        """Return how far a client with this pts is behind; raises Refused for an impossible pts."""
        if pts == 0:
            raise Refused("PERSISTENT_TIMESTAMP_EMPTY")
        if not 0 < pts <= self.pts:
            raise Refused("PERSISTENT_TIMESTAMP_INVALID")
        return self.pts - pts

    def since(self, pts: int, limit: int) -> Missed:
        """Return up to `limit` changes after this pts, and at least one if there is any."""
        start = bisect_right(self._changes, pts, key=_pts)
        end = start + max(1, limit)
        return Missed(self._changes[start:end], end >= len(self._changes))


def _pts(change: LoggedChange) -> int:
    return change.pts
