import pytest

from bot.locales import translator
from bot.locales.locale import show_size, show_span


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


@pytest.mark.parametrize(("size", "shown"), [(0, "0 KB"), (1, "1 KB"), (17_000, "17 KB"), (1_500_000, "1.4 MB")])
def test_a_size_is_written_in_the_unit_that_suits_it(size: int, shown: str) -> None:
    assert show_size(size, translator("en")) == shown
