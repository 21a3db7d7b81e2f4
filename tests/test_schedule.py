from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.schedule import Digests, Every, Quiet, Schedule, moment, next_digest, quiet_until

# Zones that jump by an hour, by half of one, at midnight, by a day, and never.
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "UTC")
NIGHT = Quiet(start=23 * 60, end=7 * 60)
DAY = timedelta(days=1)

zones = st.sampled_from(ZONES)
moments = st.datetimes(datetime(2011, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
minutes = st.integers(0, 24 * 60 - 1)
quiets = st.none() | st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]).map(
    lambda pair: Quiet(start=pair[0], end=pair[1])
)
rhythms = st.builds(Digests, every=st.sampled_from(Every), minute=minutes, weekday=st.integers(0, 6))
schedules = st.builds(Schedule, zone=zones, quiet=quiets, digests=rhythms)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def schedule(zone: str = "UTC", *, quiet: Quiet | None = None, digests: Digests | None = None) -> Schedule:
    return Schedule(zone=zone, quiet=quiet, digests=digests or Digests())


class TestQuietHours:
    @pytest.mark.parametrize(
        ("now", "end"),
        [
            ("2025-03-10T22:59", None),
            ("2025-03-10T23:00", "2025-03-11T07:00"),
            ("2025-03-11T00:00", "2025-03-11T07:00"),
            ("2025-03-11T06:59", "2025-03-11T07:00"),
            ("2025-03-11T07:00", None),
            ("2025-03-11T12:00", None),
        ],
    )
    def test_go_over_midnight(self, now: str, end: str | None) -> None:
        asked = quiet_until(schedule("Europe/Moscow", quiet=NIGHT), at(now, "Europe/Moscow"))
        assert asked == (at(end, "Europe/Moscow") if end else None)

    @pytest.mark.parametrize(
        ("now", "end"), [("12:59", None), ("13:00", "14:30"), ("14:29", "14:30"), ("14:30", None), ("23:30", None)]
    )
    def test_of_the_day_end_on_the_same_day(self, now: str, end: str | None) -> None:
        nap = schedule(quiet=Quiet(start=13 * 60, end=14 * 60 + 30))
        assert quiet_until(nap, at(f"2025-03-10T{now}")) == (at(f"2025-03-10T{end}") if end else None)

    def test_are_an_hour_shorter_where_the_clocks_go_forward_and_longer_where_they_go_back(self) -> None:
        berlin = schedule("Europe/Berlin", quiet=NIGHT)
        for evening, hours in (("2025-03-29T23:00", 7), ("2025-10-25T23:00", 9), ("2025-06-01T23:00", 8)):
            begun = at(evening, "Europe/Berlin").astimezone(UTC)
            end = quiet_until(berlin, begun)
            assert end is not None
            assert end - begun == timedelta(hours=hours)

    def test_that_end_at_a_time_that_is_skipped_end_with_the_jump(self) -> None:
        berlin = schedule("Europe/Berlin", quiet=Quiet(start=23 * 60, end=2 * 60 + 30))
        assert quiet_until(berlin, at("2025-03-30T01:59", "Europe/Berlin")) == datetime(2025, 3, 30, 1, tzinfo=UTC)
        assert quiet_until(berlin, datetime(2025, 3, 30, 1, tzinfo=UTC)) is None

    def test_that_end_at_a_time_that_comes_twice_end_the_first_time_and_do_not_return(self) -> None:
        berlin = schedule("Europe/Berlin", quiet=Quiet(start=23 * 60, end=2 * 60 + 30))
        end = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
        assert quiet_until(berlin, end - timedelta(minutes=1)) == end
        for later in (timedelta(0), timedelta(minutes=45), timedelta(hours=2)):
            assert quiet_until(berlin, end + later) is None

    @given(schedules, moments)
    def test_end_within_a_day_or_so_and_are_over_then(self, schedule: Schedule, now: datetime) -> None:
        end = quiet_until(schedule, now)
        if end is None:
            return
        assert now < end <= now + 2 * DAY  # Samoa once had no Friday
        assert quiet_until(schedule, end) is None
        assert quiet_until(schedule, end - timedelta(milliseconds=1)) == end

    @given(zones, moments)
    def test_nobody_who_wants_none_has_any(self, zone: str, now: datetime) -> None:
        assert quiet_until(schedule(zone), now) is None


class TestDigests:
    @pytest.mark.parametrize(
        ("digests", "now", "due"),
        [
            (Digests(every=Every.HOUR), "2025-03-10T12:00", "2025-03-10T13:00"),
            (Digests(every=Every.HOUR), "2025-03-10T12:59", "2025-03-10T13:00"),
            (Digests(), "2025-03-10T08:59", "2025-03-10T09:00"),
            (Digests(), "2025-03-10T09:00", "2025-03-11T09:00"),
            (Digests(minute=0), "2025-03-10T12:00", "2025-03-11T00:00"),
            (Digests(every=Every.WEEK), "2025-03-10T08:00", "2025-03-10T09:00"),
            (Digests(every=Every.WEEK), "2025-03-10T09:00", "2025-03-17T09:00"),
            (Digests(every=Every.WEEK, weekday=6), "2025-03-10T12:00", "2025-03-16T09:00"),
        ],
    )
    def test_come_at_the_next_moment(self, digests: Digests, now: str, due: str) -> None:
        asked = next_digest(schedule("Europe/Moscow", digests=digests), at(now, "Europe/Moscow"))
        assert asked == at(due, "Europe/Moscow")

    def test_come_at_the_beginning_of_the_hour_that_local_clocks_show(self) -> None:
        nepal = schedule("Asia/Kathmandu", digests=Digests(every=Every.HOUR))  # 5:45 ahead
        assert next_digest(nepal, at("2025-03-10T12:20", "Asia/Kathmandu")) == at("2025-03-10T13:00", "Asia/Kathmandu")

    def test_that_fall_into_quiet_hours_come_at_their_end(self) -> None:
        hourly = schedule(quiet=NIGHT, digests=Digests(every=Every.HOUR))
        assert next_digest(hourly, at("2025-03-10T21:30")) == at("2025-03-10T22:00")
        assert next_digest(hourly, at("2025-03-10T22:30")) == at("2025-03-11T07:00")
        assert next_digest(hourly, at("2025-03-11T03:30")) == at("2025-03-11T07:00")
        assert next_digest(schedule(quiet=NIGHT, digests=Digests(minute=420)), at("2025-03-10T21:30")) == at(
            "2025-03-11T07:00"
        )

    @given(schedules, moments)
    def test_come_later_than_now_outside_of_quiet_hours_and_nothing_is_skipped(
        self, schedule: Schedule, now: datetime
    ) -> None:
        due = next_digest(schedule, now)
        longest = {Every.HOUR: timedelta(hours=1), Every.DAY: 2 * DAY, Every.WEEK: 8 * DAY}[schedule.digests.every]
        assert now < due <= now + longest + 2 * DAY
        assert quiet_until(schedule, due) is None
        if schedule.quiet is None:
            assert due <= now + longest
            assert next_digest(schedule, due - timedelta(milliseconds=1)) == due

    @given(schedules, moments, st.timedeltas(timedelta(0), timedelta(days=3)))
    def test_whoever_waits_longer_is_not_served_earlier(
        self, schedule: Schedule, now: datetime, later: timedelta
    ) -> None:
        assert next_digest(schedule, now) <= next_digest(schedule, now + later)


class TestMoments:
    @given(zones, st.dates(date(2011, 1, 1), date(2031, 1, 1)), minutes)
    def test_clocks_show_the_minute_or_skip_it(self, zone: str, day: date, minute: int) -> None:
        there = ZoneInfo(zone)
        wanted = datetime(day.year, day.month, day.day, minute // 60, minute % 60)  # noqa: DTZ001 - what clocks show
        found = moment(day, minute, there)
        shown = found.astimezone(there).replace(tzinfo=None, fold=0)
        just_before = (found - timedelta(seconds=1)).astimezone(there).replace(tzinfo=None)
        assert shown >= wanted
        assert shown == wanted or just_before < wanted < shown

    def test_of_a_day_that_was_skipped_is_its_end(self) -> None:
        assert moment(date(2011, 12, 30), 9 * 60, ZoneInfo("Pacific/Apia")) == datetime(2011, 12, 30, 10, tzinfo=UTC)
