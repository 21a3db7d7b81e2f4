"""The present comes in, out goes whether Telegram would bear one more of what it allows seldom. Pure."""

from collections import deque
from datetime import datetime, timedelta

SLOWEST = 16  # times slower than at first, at most
RECOVERY = 3600.0  # s after which a halved rate is doubled again


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


class Bucket:
    """A budget of requests that fills up again with time; times are seconds of a monotonic clock."""

    def __init__(self, *, rate: float, burst: int, now: float) -> None:
        self._rate = self._full_rate = rate
        self._burst = burst
        self._left = float(burst)
        self._at = now
        self._slowed_at = now

    def take(self, now: float) -> float:
        """Take one request out of the budget; return the seconds to wait before it is made."""
        self._recover(now)
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._left / self._rate)

    def slow_down(self, now: float) -> None:
        """Halve the rate: Telegram found it too high."""
        self._rate, self._left, self._slowed_at = max(self._rate / 2, self._full_rate / SLOWEST), 0.0, now

    def _recover(self, now: float) -> None:
        if self._rate < self._full_rate and now - self._slowed_at >= RECOVERY:
            self._rate, self._slowed_at = min(self._rate * 2, self._full_rate), now


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
