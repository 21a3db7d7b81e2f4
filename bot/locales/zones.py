"""Time zones as people know them: by a city, with what its clocks are ahead of UTC."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale

from bot.locales import plain_code

OFFERED = (
    "Europe/London",
    "Europe/Berlin",
    "Europe/Warsaw",
    "Europe/Kyiv",
    "Europe/Minsk",
    "Europe/Moscow",
    "Europe/Samara",
    "Asia/Tbilisi",
    "Asia/Almaty",
    "Asia/Tashkent",
    "Asia/Yekaterinburg",
    "Asia/Novosibirsk",
    "Asia/Vladivostok",
    "America/New_York",
    "UTC",
)
_LIKELY = {  # by the language of a phone
    "ru": ("Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Novosibirsk", "Asia/Vladivostok"),
    "uk": ("Europe/Kyiv", "Europe/Warsaw", "Europe/Berlin"),
    "be": ("Europe/Minsk", "Europe/Warsaw", "Europe/Moscow"),
    "kk": ("Asia/Almaty", "Europe/Moscow"),
    "en": ("Europe/London", "America/New_York", "Europe/Berlin", "Europe/Kyiv", "Europe/Moscow"),
}
_MOST_LIKELY = 6
_RENAMED = {"Europe/Kyiv": "Europe/Kiev"}  # the name that the locale data still uses
_HOUR = timedelta(hours=1)


def city(zone: str, language: str) -> str:
    """Name the city of a zone in a language; a zone without one is called as it is."""
    known = Locale(language).time_zones.get(_RENAMED.get(zone, zone)) or {}
    return known.get("city") or zone.rpartition("/")[2].replace("_", " ")


def show_zone(zone: str, language: str, now: datetime) -> str:
    """Write a time zone: «Moscow (UTC+3)»; by a city, the difference is that of the moment."""
    if zone == "UTC":
        return zone
    offset = show_offset(now.astimezone(ZoneInfo(zone)))
    return offset if zone.startswith("Etc/") else f"{city(zone, language)} ({offset})"


def show_offset(local: datetime) -> str:
    """Write what a local time is ahead of UTC: «UTC+3», «UTC−3:30»."""
    ahead = local.utcoffset() or timedelta(0)
    hours, rest = divmod(abs(ahead), _HOUR)
    minutes = f":{rest // timedelta(minutes=1):02}" if rest else ""
    return f"UTC{'−' if ahead < timedelta(0) else '+'}{hours}{minutes}"


def likely_zones(language: str) -> tuple[str, ...]:
    """Return the zones that somebody probably lives in, by the language code of their phone; the likeliest first."""
    known = _LIKELY.get(plain_code(language), OFFERED[:_MOST_LIKELY])
    return known[:_MOST_LIKELY]
