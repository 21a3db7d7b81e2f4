"""How long to wait after failures. Pure."""

from datetime import timedelta

_MOST = 14  # doublings: of ten years, too, that is a span of time


def doubled(first: timedelta, failures: int, longest: timedelta) -> timedelta:
    """Return a pause that has doubled with each failure, up to the longest."""
    return min(first * (1 << min(failures, _MOST)), longest)
