from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import median

import pytest

from bot.monitoring.activity import REMEMBERED, SLOT, Baseline, learn_baseline
from tests.monitoring.rhythms import BEGIN, channels

WEEK = timedelta(weeks=1)


def made_up(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - nobody is to be kept from guessing it


def slots(dates: list[datetime]) -> list[datetime]:
    seconds = int(SLOT.total_seconds())
    found = {int(date.timestamp()) // seconds * seconds for date in dates}
    return [datetime.fromtimestamp(slot, BEGIN.tzinfo) for slot in sorted(found)]


def office(weeks: int) -> list[datetime]:
    """Speak at 9, 12, 15 and 18 on working days."""
    days = [BEGIN + timedelta(days=day) for day in range(7 * weeks) if day % 7 < 5]
    return [day + timedelta(hours=hour) for day in days for hour in (9, 12, 15, 18)]


def learnt(dates: list[datetime]) -> Baseline:
    rhythm = learn_baseline(slots(dates))
    assert rhythm is not None
    return rhythm


def test_what_is_expected_is_what_a_channel_used_to_post() -> None:
    rhythm = learnt(office(8))
    monday = BEGIN + 8 * WEEK
    assert rhythm.expected(monday, monday + timedelta(days=1)) == pytest.approx(4, rel=0.1)
    assert rhythm.expected(monday, monday + WEEK) == pytest.approx(20, rel=0.1)
    assert rhythm.expected(monday - timedelta(days=2), monday) == 0
    assert rhythm.expected(monday, monday + timedelta(hours=7)) == 0


def test_a_weekend_is_no_silence_and_two_working_days_are() -> None:
    rhythm = learnt(office(8))
    friday = office(8)[-1]
    assert not rhythm.is_unusual(friday, friday + timedelta(days=2, hours=15))
    assert not rhythm.is_unusual(friday, friday + timedelta(days=3))
    assert rhythm.is_unusual(friday, friday + timedelta(days=5))


@pytest.mark.parametrize(
    "dates",
    [office(3), office(8)[::5], []],
    ids=["three weeks", "too few", "none"],
)
def test_a_channel_of_which_little_is_known_is_not_judged(dates: list[datetime]) -> None:
    assert learn_baseline(slots(dates)) is None


def test_a_channel_that_often_falls_silent_is_not_told_of_for_that() -> None:
    holidays = [date for date in office(8) if date.isocalendar().week % 3]
    friday = office(8)[-1]
    assert learnt(office(8)).is_unusual(friday, friday + timedelta(days=10))
    assert not learnt(holidays).is_unusual(friday, friday + timedelta(days=10))


@pytest.mark.parametrize("seed", [1, 2])
def test_forty_channels_give_fewer_than_one_false_alarm_a_week(seed: int) -> None:
    weeks, alarms = 16, 0
    for dates in channels(made_up(seed), weeks):
        spoken, rhythm, learnt_at = slots(dates), None, BEGIN
        for number, (last, following) in enumerate(pairwise(spoken)):
            if last - BEGIN < REMEMBERED:
                continue
            if last - learnt_at > timedelta(days=3):
                past = [slot for slot in spoken[: number + 1] if slot > last - REMEMBERED]
                rhythm, learnt_at = learn_baseline(past), last
            alarms += rhythm is not None and rhythm.is_unusual(last, following)
    assert alarms / (weeks - REMEMBERED / WEEK) < 1


def test_a_silence_is_noticed_within_days_and_that_of_an_agency_within_one() -> None:
    waits = []
    for dates in channels(made_up(3), 8):
        spoken = slots(dates)
        rhythm = learn_baseline(spoken)
        if rhythm is None:
            continue
        now = spoken[-1]
        while not rhythm.is_unusual(spoken[-1], now):
            now += timedelta(hours=1)
        waits.append(now - spoken[-1])
    assert median(waits[:6]) < timedelta(days=1)  # agencies
    assert median(waits) < timedelta(days=7)
