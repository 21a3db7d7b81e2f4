"""How a language writes numbers, spans of time and the sizes of files."""

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
    return unit.format(n=show_number(round(figure, 1), translator))


def show_number(number: float, translator: Translator) -> str:
    """Write a number: «5,000», «0.3»."""
    return str(format_decimal(number, locale=translator.language))


def show_size(size: int, translator: Translator) -> str:
    """Write a number of bytes: «17 KB», «1.5 MB»."""
    if size < MEGABYTE:
        return translator.gettext("{n} KB").format(n=max(1, round(size / 1024)))
    return translator.gettext("{n} MB").format(n=show_number(round(size / MEGABYTE, 1), translator))
