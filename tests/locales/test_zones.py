from datetime import UTC, datetime

import pytest

from bot.locales.zones import show_zone

WINTER, SUMMER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "language", "now", "shown"),
    [
        ("Europe/Moscow", "ru", WINTER, "Москва (UTC+3)"),
        ("Europe/Berlin", "en", WINTER, "Berlin (UTC+1)"),
        ("Europe/Berlin", "en", SUMMER, "Berlin (UTC+2)"),
        ("America/New_York", "ru", WINTER, "Нью-Йорк (UTC−5)"),
        ("America/St_Johns", "en", WINTER, "St. John’s (UTC−3:30)"),
        ("Asia/Kolkata", "en", WINTER, "Kolkata (UTC+5:30)"),
        ("Europe/London", "en", WINTER, "London (UTC+0)"),
        ("UTC", "ru", WINTER, "UTC"),
        ("Etc/GMT-3", "ru", WINTER, "UTC+3"),
    ],
)
def test_a_zone_is_written_by_its_city_and_its_clock(zone: str, language: str, now: datetime, shown: str) -> None:
    assert show_zone(zone, language, now) == shown
