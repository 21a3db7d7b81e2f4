"""How moments are written for strangers."""

from datetime import datetime


def iso(moment: datetime | None, timespec: str = "seconds") -> str | None:
    """Write a moment as ISO 8601 in UTC, as exactly as `datetime.isoformat` is told to."""
    return None if moment is None else moment.isoformat(timespec=timespec).replace("+00:00", "Z")


def exact(moment: datetime | None) -> str | None:
    """Write a moment in milliseconds, as the store has it."""
    return iso(moment, "milliseconds")
