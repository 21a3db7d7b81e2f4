"""The clocks of the machine; every part is given one, in tests another."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

# It counts on while the machine sleeps, where the system has such a clock.
_TICKING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def _seconds() -> float:
    return time.clock_gettime(_TICKING)


class Steady:
    """A clock that goes on evenly from the present, whatever the machine's clock is set to meanwhile."""

    def __init__(self, *, now: Callable[[], datetime] = utc_now, seconds: Callable[[], float] = _seconds) -> None:
        self._seconds = seconds
        self._zero = now() - timedelta(seconds=seconds())

    def __call__(self) -> datetime:
        """Return the time."""
        return self._zero + timedelta(seconds=self._seconds())
