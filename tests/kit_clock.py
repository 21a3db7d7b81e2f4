"""Time in tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """A clock of both kinds, which stands still until a test moves it; called, it tells the time."""

    now: datetime = NOON
    seconds: float = 0.0  # monotonic

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, by: timedelta | float) -> None:
        """Let time pass; a number means seconds."""
        span = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self.now += span
        self.seconds += span.total_seconds()
