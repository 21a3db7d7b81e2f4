"""SQLite's shapes at the door: dates, JSON and rows become our values here, and the other way round."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
COUNTER_BITS = 20  # of a row id; the rest is the date in seconds, so that newest first is the order of the rows

_LAST_ID = 2**63 - 1  # SQLite's


def to_ms(moment: datetime) -> int:
    """Turn an aware date into Unix milliseconds."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Turn Unix milliseconds into a UTC date."""
    return _EPOCH + milliseconds * _MILLISECOND


def maybe_ms(moment: datetime | None) -> int | None:
    """Turn a date that may be missing into Unix milliseconds."""
    return None if moment is None else to_ms(moment)


def maybe_date(milliseconds: int | None) -> datetime | None:
    """Turn Unix milliseconds that may be missing into a UTC date."""
    return None if milliseconds is None else from_ms(milliseconds)


def first_id(moment: datetime) -> int:
    """Return the lowest row id of a message or version with this date, which counts in whole seconds."""
    return to_ms(moment) // 1000 << COUNTER_BITS


def date_of(row_id: int) -> datetime:
    """Return the date in a row id of a message or version, in whole seconds."""
    return from_ms((row_id >> COUNTER_BITS) * 1000)


def end_id(before: int | None, until: datetime | None) -> int:
    """Return the row id below which rows lie before a row and before a moment, where these are given."""
    return min(_LAST_ID if before is None else before, _LAST_ID if until is None else first_id(until))


def json_list(values: Iterable[object]) -> str:
    """Write ids as a JSON list, for `json_each` in a query."""
    return json.dumps(list(values))
