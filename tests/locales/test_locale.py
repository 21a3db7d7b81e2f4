from datetime import UTC, datetime

import pytest

from bot.locales import translator
from bot.locales.locale import Locale

EVENING = datetime(2021, 10, 4, 21, 30, tzinfo=UTC)


def locale(zone: str, language: str, now: datetime) -> Locale:
    return Locale(t=translator(language), time_zone=zone, now=now)


@pytest.mark.parametrize(
    ("zone", "language", "year", "shown"),
    [
        ("Europe/Moscow", "ru", 2021, "5 окт., 00:30"),
        ("Europe/Kyiv", "uk", 2021, "5 жовт., 00:30"),
        ("Europe/Moscow", "en", 2021, "5 Oct, 00:30"),
        ("UTC", "en", 2021, "4 Oct, 21:30 UTC"),
        ("Europe/London", "en", 2026, "4 Oct 2021, 22:30"),
    ],
)
def test_a_date_is_written_as_the_language_and_the_place_have_it(
    zone: str, language: str, year: int, shown: str
) -> None:
    assert locale(zone, language, datetime(year, 12, 1, tzinfo=UTC)).date(EVENING) == shown


def test_relative_to_a_date_of_the_same_day_the_time_is_enough() -> None:
    noon = EVENING.replace(hour=12)
    assert locale("Europe/London", "en", EVENING).date(EVENING, relative_to=noon) == "22:30"
    assert locale("Europe/Moscow", "en", EVENING).date(EVENING, relative_to=noon) == "5 Oct, 00:30"
