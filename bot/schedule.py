"""When a chat wants messages: its quiet hours, its digests, and what it calls a storm, and units of time. Pure."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)


class Every(StrEnum):
    """How often a digest comes."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """The hours of each day in which a chat wants no sound."""

    start: int  # minute of the chat's own day
    end: int  # likewise, the first one after them; before the start: of the next day


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """When the digests of a chat come."""

    every: Every = Every.DAY
    minute: int = 9 * 60  # of the chat's own day; those of each hour come at its beginning
    weekday: int = 0  # of those of each week; 0 is Monday


@dataclass(frozen=True, slots=True, kw_only=True)
class Storms:
    """From when on posts on a topic become one message."""

    count: int  # so many come one by one …
    minutes: int  # … within this time; a storm ends when none has come for so long


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a chat wants messages."""

    zone: str  # IANA name
    quiet: Quiet | None
    digests: Digests


def quiet_until(schedule: Schedule, now: datetime) -> datetime | None:
    """Return when the quiet hours of now end; None outside of them."""
    return None if schedule.quiet is None else _end(schedule.zone, schedule.quiet, now)


@lru_cache(maxsize=1024)  # many chats are alerted to a post at one moment
def _end(name: str, quiet: Quiet, now: datetime) -> datetime | None:
    zone = ZoneInfo(name)
    days_on = 0 if quiet.start < quiet.end else 1
    for day in _days(now, zone, before=2):
        end = moment(day + days_on * _DAY, quiet.end, zone)
        if moment(day, quiet.start, zone) <= now < end:
            return end
    return None


@lru_cache(maxsize=1024)
def next_digest(schedule: Schedule, now: datetime) -> datetime:
    """Return when the next digest is due, later than now; one that fell into quiet hours comes at their end."""
    due = _next(schedule, now)
    return quiet_until(schedule, due) or due


def _next(schedule: Schedule, now: datetime) -> datetime:
    zone, digests = ZoneInfo(schedule.zone), schedule.digests
    if digests.every is Every.HOUR:
        local = now.astimezone(zone)
        begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return now.astimezone(UTC) - begun + _HOUR
    return next(
        due
        for day in _days(now, zone, before=1)
        if digests.every is Every.DAY or day.weekday() == digests.weekday
        if (due := moment(day, digests.minute, zone)) > now
    )


def moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return the first moment at which the clocks of a day show a minute, or where they skip it a later one; in UTC."""
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60)  # noqa: DTZ001 - what clocks show
    found = local.replace(tzinfo=zone).astimezone(UTC)
    if _shown(found, zone) == local:
        return found
    early = local.replace(tzinfo=zone, fold=1).astimezone(UTC)  # read by the offset that holds after the gap
    seconds = range((found - early) // _SECOND + 1)
    return early + bisect_left(seconds, local, key=lambda second: _shown(early + second * _SECOND, zone)) * _SECOND


def _shown(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _days(now: datetime, zone: ZoneInfo, *, before: int) -> Iterator[date]:
    """Give the days around now, from so many before it on."""
    today = now.astimezone(zone).date()
    return (today + number * _DAY for number in range(-before, 16))


DAY = timedelta(days=1)
MONTH = 30 * DAY
UNITS: Mapping[str, timedelta] = {  # by how they begin; «m» is a minute to some and a month to others
    **dict.fromkeys(("h", "ч"), timedelta(hours=1)),
    **dict.fromkeys(("d", "д"), DAY),
    **dict.fromkeys(("w", "н", "т"), 7 * DAY),
    **dict.fromkeys(("mo", "мес", "міс"), MONTH),
    **dict.fromkeys(("y", "г", "р"), 365 * DAY),
}
