"""A date or a span of time comes in; how a language writes it, in a chat's time zone, goes out."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal

from bot.locales import Translator

SECOND = 1000  # ms
MEGABYTE = 1 << 20  # bytes
MINUTES, HOURS = 120, 7200  # s, from which on spans are written in them


def show_date(moment: datetime, zone: str, language: str, *, now: datetime, beside: datetime | None = None) -> str:
    """Write a date in a time zone, as the language names months: «4 окт., 18:39».

    The year is named where it is not the present one, the day is left out where it is that of the date `beside` it.
    """
    local = moment.astimezone(ZoneInfo(zone))
    time = f"{local:%H:%M}" + (" UTC" if zone == "UTC" else "")
    if beside is not None and local.date() == beside.astimezone(ZoneInfo(zone)).date():
        return time
    pattern = "d MMM" if local.year == now.astimezone(ZoneInfo(zone)).year else "d MMM yyyy"
    return f"{_day(local.date(), pattern, language)}, {time}"


@lru_cache(maxsize=1024)
def _day(day: date, pattern: str, language: str) -> str:
    """Write a day; Babel takes a quarter of a millisecond for it, which every alert would wait for."""
    return format_date(day, pattern, locale=language)


def show_span(seconds: float, translator: Translator) -> str:
    """Write how long something took: «17 ms», «1.5 s», «4 min», «2.5 h»; by a slow clock less than nothing, «0 s»."""
    milliseconds = round(seconds * 1000)
    if seconds > 0 and milliseconds < SECOND:
        return translator.gettext("{n} ms").format(n=max(1, milliseconds))
    figure, unit = max(0.0, seconds), translator.gettext("{n} s")
    if seconds >= HOURS:
        figure, unit = seconds / 3600, translator.gettext("{n} h")
    elif seconds >= MINUTES:
        figure, unit = round(seconds / 60), translator.gettext("{n} min")
    return unit.format(n=format_decimal(round(figure, 1), locale=translator.language))


def show_size(size: int, translator: Translator) -> str:
    """Write how many bytes something takes: «17 KB», «1.5 MB»."""
    if size < MEGABYTE:
        return translator.gettext("{n} KB").format(n=max(1, round(size / 1024)))
    figure = format_decimal(round(size / MEGABYTE, 1), locale=translator.language)
    return translator.gettext("{n} MB").format(n=figure)
