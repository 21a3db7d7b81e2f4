from zoneinfo import available_timezones

import pytest

from bot.commands.parsing import OFFERED_ZONES, city, find_zone


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
        ("UTC", "UTC"),
        ("сбой", None),
        ("", None),
    ],
)
def test_a_place_is_understood(typed: str, zone: str | None) -> None:
    assert find_zone(typed) == zone


def test_the_offered_zones_exist_and_have_names_in_both_languages() -> None:
    assert set(OFFERED_ZONES) <= available_timezones()
    assert [city(zone, "ru") for zone in OFFERED_ZONES[2:4]] == ["Киев", "Москва"]
    assert city("UTC", "ru") == "UTC"
