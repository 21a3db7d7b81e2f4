from datetime import timedelta
from zoneinfo import available_timezones

import pytest

from bot.commands.parsing import find_zone, read_references, read_time, split_duration
from bot.locales.zones import OFFERED, city


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("Берлин", "Europe/Berlin"),
        ("new york", "America/New_York"),
        (" Москва ", "Europe/Moscow"),
        ("Киев", "Europe/Kyiv"),
        ("за Києвом", "Europe/Kyiv"),
        ("Варшава", "Europe/Warsaw"),
        ("UTC", "UTC"),
        ("UTC+3", "Etc/GMT-3"),
        ("GMT +03:00", "Etc/GMT-3"),
        ("utc−5", "Etc/GMT+5"),
        ("UTC+30", None),
        ("Питер", "Europe/Moscow"),
        ("сбой", None),
        ("", None),
    ],
)
def test_a_place_is_understood(typed: str, zone: str | None) -> None:
    assert find_zone(typed) == zone


def test_the_offered_zones_exist_and_have_names_in_both_languages() -> None:
    assert set(OFFERED) <= available_timezones()
    assert [city(zone, "ru") for zone in ("Europe/Kyiv", "Europe/Moscow")] == ["Киев", "Москва"]
    assert city("UTC", "ru") == "UTC"


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("@MID_Russia", ["@mid_russia"]),
        ("mid_russia rkn_tg", ["@mid_russia", "@rkn_tg"]),
        ("@mid_russia, @rkn_tg;@mintsifry", ["@mid_russia", "@rkn_tg", "@mintsifry"]),
        ("https://t.me/mid_russia/123 https://t.me/+AbCdEfGhIjKl", ["@mid_russia", "+AbCdEfGhIjKl"]),
        ("1. Foreign Ministry – @mid_russia\n2) Министерство @mintsifry (связь)", ["@mid_russia", "@mintsifry"]),
        ("@rkn_tg\n@RKN_TG", ["@rkn_tg"]),
        ("-1001234567890", ["1234567890"]),
        ("t.me/mid_russia.", ["@mid_russia"]),
        ("Связь web.telegram.org/k/#@mintsifry, web.telegram.org/a/#-1001234567890", ["@mintsifry", "1234567890"]),
    ],
)
def test_a_pasted_list_is_read(text: str, references: list[str]) -> None:
    pasted = read_references(text)
    assert list(pasted.references) == references
    assert pasted.unclear == ()


def test_a_title_beside_a_name_is_not_taken_for_a_channel() -> None:
    assert read_references("Ministry of Foreign Affairs @mfa_russia").references == ("@mfa_russia",)


def test_what_is_no_channel_is_handed_back_as_it_was_typed() -> None:
    pasted = read_references("@rkn_tg https://example.org/news\nМинистерство")
    assert pasted.references == ("@rkn_tg",)
    assert pasted.unclear == ("https://example.org/news", "Министерство")


def test_links_behind_words_count() -> None:
    pasted = read_references("МИД России", ["https://t.me/MID_Russia", "https://example.org"])
    assert pasted.references == ("@mid_russia",)
    assert pasted.unclear == ()


def test_a_title_of_several_words_is_not_taken_for_names() -> None:
    pasted = read_references("MID Russia\nmintsifry")
    assert pasted.references == ("@mintsifry",)
    assert pasted.unclear == ("MID", "Russia")


def test_talk_names_only_what_is_written_as_a_name_or_a_link() -> None:
    assert read_references("hello everybody", explicit_only=True).references == ()
    assert read_references("hello @agency", explicit_only=True).references == ("@agency",)


@pytest.mark.parametrize(
    ("typed", "minute"),
    [
        *(("9", 540), ("09:05", 545), ("9.30", 570), ("в 7:00", 420), ("at 23:59", 1439), ("0:00", 0), ("24:00", None)),
        *(("9pm", 21 * 60), ("12am", 0), ("12 pm", 720), ("12 дня", 720), ("12 ночи", 0), ("11 ночи", 23 * 60)),
        *(("2 ночи", 120), ("7 утра", 420), ("21ч", 21 * 60), ("9 p.m.", 21 * 60), ("0930", 570), ("9 попугаев", None)),
        *(("о 9", 540), ("9 вечора", 21 * 60), ("11 ночі", 23 * 60), ("8 ранку", 480), ("21 год", 21 * 60)),
    ],
)
def test_a_time_is_read_as_people_write_it(typed: str, minute: int | None) -> None:
    assert read_time(typed) == minute


@pytest.mark.parametrize(
    ("typed", "target", "hours"),
    [
        ("@name", "@name", None),
        ("@name 8h", "@name", 8),
        ("@name 90m", "@name", 1.5),
        ("Вести 24 2 дня", "Вести 24", 48),
        ("@name 3 ч", "@name", 3),
        ("@name 1 неделя", "@name", 168),
        ("@name for 8 hours", "@name", 8),
        ("@name на 2 часа", "@name", 2),
        ("@name 2 месяца", "@name", 1440),
        ("@name 8 год", "@name", 8),
        ("@name на 2 години", "@name", 2),
        ("@name 1 тиждень", "@name", 168),
        ("@name 30 хв", "@name", 0.5),
        ("@name 2 года", "@name 2 года", None),
        ("@name 2 months", "@name", 1440),
        ("@name 5 мин", "@name", 1 / 12),
        ("@name 0h", "@name 0h", None),
        ("@name2h", "@name2h", None),
        ("8h", "", 8),
        ("", "", None),
    ],
)
def test_a_duration_is_taken_off_the_end(typed: str, target: str, hours: float | None) -> None:
    assert split_duration(typed) == (target, None if hours is None else timedelta(hours=hours))
