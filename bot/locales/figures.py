"""How a language writes a span of time and the size of a file."""

from babel.numbers import format_decimal

from bot.locales import Translator

SECOND = 1000  # ms
MEGABYTE = 1 << 20  # bytes
MINUTES, HOURS = 120, 7200  # s, from which on spans are written in them


def show_span(seconds: float, translator: Translator) -> str:
    """Write a span of time: «17 ms», «1.5 s», «4 min», «2.5 h»; one below zero, from clocks that differ, is «0 s»."""
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
    """Write a number of bytes: «17 KB», «1.5 MB»."""
    if size < MEGABYTE:
        return translator.gettext("{n} KB").format(n=max(1, round(size / 1024)))
    figure = format_decimal(round(size / MEGABYTE, 1), locale=translator.language)
    return translator.gettext("{n} MB").format(n=figure)
