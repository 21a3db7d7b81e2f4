"""The language, the time zone and the present of a chat: what its messages are written by."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal

from bot.locales import N_, Translator
from bot.locales.zones import show_zone
from bot.models import StoredPost
from bot.models.topics import EVERY_POST
from bot.parts import PartKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """How dates and texts are written for one chat at one moment."""

    t: Translator  # of its language
    time_zone: str  # IANA name
    now: datetime

    @property
    def zone(self) -> str:
        """The time zone as it is written everywhere: «Moscow (UTC+3)»."""
        return show_zone(self.time_zone, self.t.language, self.now)

    def date(self, moment: datetime, *, relative_to: datetime | None = None) -> str:
        """Write a date in the time zone, as the language names months: «4 Oct, 18:39».

        The year is left out where it is the present one, the day where it is that of `relative_to`.
        """
        zone = ZoneInfo(self.time_zone)
        local = moment.astimezone(zone)
        time = f"{local:%H:%M}" + (" UTC" if self.time_zone == "UTC" else "")
        if relative_to is not None and local.date() == relative_to.astimezone(zone).date():
            return time
        pattern = "d MMM" if local.year == self.now.astimezone(zone).year else "d MMM yyyy"
        return f"{_day(local.date(), pattern, self.t.language)}, {time}"

    def at(self, moment: datetime, *, relative_to: datetime) -> str:
        """Write a date as it follows a verb: «at 18:39» on the day of `relative_to`, else «4 Oct, 18:39»."""
        shown = self.date(moment, relative_to=relative_to)
        return shown if "," in shown else self.t.gettext("at {time}").format(time=shown)

    def ago(self, moment: datetime) -> str:
        """Write how long ago a moment was: «2 hours ago»."""
        return format_timedelta(moment - self.now, add_direction=True, locale=self.t.language)


@lru_cache(maxsize=1024)
def _day(day: date, pattern: str, language: str) -> str:
    """Write a day; Babel takes a quarter of a millisecond for it, which every alert would wait for."""
    return format_date(day, pattern, locale=language)


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
        return translator.gettext("{n} KB").format(n=max(1, round(size / 1024)) if size else 0)
    return translator.gettext("{n} MB").format(n=show_number(round(size / MEGABYTE, 1), translator))


BUILTIN_TITLES = {  # short: they stand in the first line of an alert
    "outages": N_("Outages"),
    "shutdowns": N_("Internet shutdowns"),
    "utilities": N_("Power, water, heating"),
    "sovereignty": N_("Digital sovereignty"),
    "blocking": N_("Blocked services"),
}
PART_TITLES = {
    PartKind.POLL: N_("Poll"),
    PartKind.TO_DO: N_("To-do list"),
    PartKind.PREVIEW: N_("Link preview"),
    PartKind.QUOTE: N_("Quote"),
    PartKind.FILE: N_("File"),
    PartKind.AUDIO: N_("Audio"),
    PartKind.PLACE: N_("Place"),
    PartKind.CONTACT: N_("Contact"),
    PartKind.INVOICE: N_("Invoice"),
    PartKind.GAME: N_("Game"),
    PartKind.GIVEAWAY: N_("Giveaway"),
    PartKind.STORY: N_("Story"),
    PartKind.BUTTON: N_("Button"),
    PartKind.PICTURE: N_("In the picture, read by a program"),
    PartKind.REDACTION: N_("Redacted"),
    PartKind.NOTE: N_("Fact check"),
}


def topic_title(name: str, translator: Translator) -> str:
    """Return the title of a built-in topic or a feed; a topic made in a chat is called by its name."""
    title = BUILTIN_TITLES.get(name)
    if name.startswith(f"{EVERY_POST} "):
        return translator.gettext("All posts: {channel}").format(channel=name.removeprefix(f"{EVERY_POST} "))
    return name if title is None else translator.gettext(title)


def gone_words(post: StoredPost, t: Translator) -> str:
    """Return what became of a post that is gone, without when."""
    return t.gettext("missing when read again") if post.deleted_at is None else t.gettext("deletion told by Telegram")


def part_title(kind: PartKind, translator: Translator) -> str:
    """Return what a part is, in a word or two: «Link preview»."""
    return translator.gettext(PART_TITLES[kind])
