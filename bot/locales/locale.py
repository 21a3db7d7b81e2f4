"""The language, the time zone and the present of a chat: what its messages are written by."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta

from bot.locales import Translator


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """How dates and texts are written for one chat at one moment."""

    t: Translator  # of its language
    time_zone: str  # IANA name
    now: datetime

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

    def ago(self, moment: datetime) -> str:
        """Write how long ago a moment was: «2 hours ago»."""
        return format_timedelta(moment - self.now, add_direction=True, locale=self.t.language)


@lru_cache(maxsize=1024)
def _day(day: date, pattern: str, language: str) -> str:
    """Write a day; Babel takes a quarter of a millisecond for it, which every alert would wait for."""
    return format_date(day, pattern, locale=language)
