"""A place as people type it comes in, a time zone goes out; and the zones that are offered as buttons."""

from functools import cache
from zoneinfo import available_timezones

from babel import Locale

from bot.locales import LANGUAGES

OFFERED = (
    "Europe/London",
    "Europe/Berlin",
    "Europe/Kyiv",
    "Europe/Moscow",
    "Asia/Tbilisi",
    "Asia/Almaty",
    "Asia/Tashkent",
    "Asia/Novosibirsk",
    "UTC",
)
_CALLED = {"мск": "Europe/Moscow", "msk": "Europe/Moscow", "москве": "Europe/Moscow"}
_RENAMED = {"Europe/Kyiv": "Europe/Kiev"}  # the name that the locale data still uses


def city(zone: str, language: str) -> str:
    """Name the city of a zone in a language; a zone without one is called as it is."""
    known = Locale(language).time_zones.get(_RENAMED.get(zone, zone)) or {}
    return known.get("city") or zone.rpartition("/")[2].replace("_", " ")


def find_zone(typed: str) -> str | None:
    """Return the zone for `Europe/Berlin`, `berlin` or `Берлин`; None where no place is called so."""
    name = typed.strip().casefold().removeprefix("по ")
    return _CALLED.get(name) or _places().get(name.replace(" ", "_"))


@cache
def _places() -> dict[str, str]:
    zones = sorted(available_timezones(), key=lambda zone: (zone not in OFFERED, zone.startswith("Etc/"), zone))
    places: dict[str, str] = {}
    for zone in zones:
        names = [zone, zone.rpartition("/")[2], *(city(zone, language) for language in LANGUAGES)]
        for name in names:
            places.setdefault(name.casefold().replace(" ", "_"), zone)
    return places | {zone.casefold(): zone for zone in zones}
