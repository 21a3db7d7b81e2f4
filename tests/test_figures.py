from datetime import UTC, datetime

import pytest

from bot.locales import translator
from bot.locales.figures import show_date, show_span

EVENING = datetime(2021, 10, 4, 21, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "language", "year", "shown"),
    [
        ("Europe/Moscow", "ru", 2021, "5 окт., 00:30"),
        ("Europe/Moscow", "en", 2021, "5 Oct, 00:30"),
        ("UTC", "en", 2021, "4 Oct, 21:30 UTC"),
        ("Europe/London", "en", 2026, "4 Oct 2021, 22:30"),
    ],
)
def test_a_date_is_written_as_the_language_and_the_place_have_it(
    zone: str, language: str, year: int, shown: str
) -> None:
    assert show_date(EVENING, zone, language, now=datetime(year, 12, 1, tzinfo=UTC)) == shown


def test_beside_a_date_of_the_same_day_the_time_is_enough() -> None:
    noon = EVENING.replace(hour=12)
    assert show_date(EVENING, "Europe/London", "en", now=EVENING, beside=noon) == "22:30"
    assert show_date(EVENING, "Europe/Moscow", "en", now=EVENING, beside=noon) == "5 Oct, 00:30"


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (-3.0, "0 s", "0 с"),
        (0.0, "0 s", "0 с"),
        (0.0001, "1 ms", "1 мс"),
        (0.0034, "3 ms", "3 мс"),
        (0.432, "432 ms", "432 мс"),
        (0.9996, "1 s", "1 с"),
        (1.54, "1.5 s", "1,5 с"),
        (119.0, "119 s", "119 с"),
        (300.0, "5 min", "5 мин"),
        (7100.0, "118 min", "118 мин"),
        (9000.0, "2.5 h", "2,5 ч"),
    ],
)
def test_a_span_is_written_in_the_unit_that_suits_it(seconds: float, english: str, russian: str) -> None:
    assert show_span(seconds, translator("en")) == english
    assert show_span(seconds, translator("ru")) == russian
