"""The present comes in, out goes whether Telegram would bear one more of what it allows seldom. Pure."""

from collections import deque
from datetime import datetime, timedelta


class Window:
    """At most so many events within a stretch of time."""

    def __init__(self, *, events: int, within: timedelta) -> None:
        self._within = within
        self._times: deque[datetime] = deque(maxlen=events)

    def is_open(self, now: datetime) -> bool:
        """Say whether one more is allowed."""
        return len(self._times) < (self._times.maxlen or 0) or self._times[0] + self._within <= now

    def spend(self, now: datetime) -> None:
        """Count one."""
        self._times.append(now)


class Rest:
    """A pause that Telegram asked for."""

    def __init__(self) -> None:
        self._until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Say whether to go on."""
        return self._until is None or self._until <= now

    def rest(self, until: datetime) -> None:
        """Pause, or pause longer."""
        self._until = until if self._until is None else max(self._until, until)

    def end(self) -> None:
        """Go on at once: the reason for the pause is gone."""
        self._until = None
