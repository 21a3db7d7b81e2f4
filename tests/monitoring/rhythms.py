"""Forty channels as there are: agencies, ministries, people, regions, digests; each with nights, moods and days off."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

BEGIN = datetime(2025, 1, 6, tzinfo=UTC)  # a Monday
_DAY = (1, 0, 0, 0, 1, 2, 6, 10, 13, 15, 15, 14, 14, 15, 15, 15, 14, 12, 10, 9, 8, 6, 4, 2)  # of 10, by the hour


def _day(hour: datetime) -> float:
    return _DAY[hour.hour] / 10


def _office(hour: datetime) -> float:
    if hour.weekday() > 4:
        return 0.08 if 9 <= hour.hour < 18 else 0.01
    return 1.0 if 9 <= hour.hour < 19 else 0.03


def _digest(hour: datetime) -> float:
    on_time = hour.weekday() < 5 and hour.hour in (7, 16)
    return 0.9 if on_time else 0.02 * (8 <= hour.hour < 20)


# How many there are, posts an hour, the chance that another post follows one soon, and that of a day off.
KINDS: tuple[tuple[int, Callable[[datetime], float], float, float], ...] = (
    (6, lambda hour: 4 * _day(hour), 0.3, 0.0),  # agencies
    (12, lambda hour: 0.8 * _office(hour), 0.1, 0.03),  # ministries
    (10, lambda hour: 0.06 * _day(hour), 0.0, 0.05),  # people
    (9, lambda hour: 0.2 * _day(hour), 0.5, 0.0),  # regions: quiet, until something happens
    (3, _digest, 0.0, 0.03),  # digests
)


def channels(random: Random, weeks: int) -> Iterator[list[datetime]]:
    """Make up the dates of each channel's posts."""
    for number, rate, follows, off in KINDS:
        for _ in range(number):
            yield sorted(_posts(random, rate, follows, off, weeks=weeks))


def _posts(
    random: Random, rate: Callable[[datetime], float], follows: float, off: float, *, weeks: int
) -> Iterator[datetime]:
    seasons = [max(0.3, random.gauss(1, 0.2)) for _ in range(weeks)]
    for day in range(7 * weeks):
        mood = seasons[day // 7] * random.gammavariate(3, 1 / 3) * (0.1 if random.random() < off else 1)
        for hour in range(24):
            begin = BEGIN + timedelta(days=day, hours=hour)
            left = rate(begin) * mood
            while (left := left - random.expovariate(1)) > 0:
                date = begin + timedelta(seconds=random.uniform(0, 3600))
                yield date
                while random.random() < follows:
                    date += timedelta(seconds=random.expovariate(1 / 1800))
                    yield date
