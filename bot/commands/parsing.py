"""Reads what people type in each of our languages: times, durations, zones, on and off, digests, lists of channels."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from bot.locales import LANGUAGES
from bot.locales.zones import OFFERED, city
from bot.schedule import UNITS, Digests, Every, Quiet
from bot.text.references import any_reference, normalise_reference

_SWITCH = {
    **dict.fromkeys(("on", "yes"), True),
    **dict.fromkeys(("вкл", "включить", "включено", "да"), True),
    **dict.fromkeys(("увімк", "увімкнути", "увімкнено", "так"), True),
    **dict.fromkeys(("off", "no", "stop"), False),
    **dict.fromkeys(("выкл", "выключить", "выключено", "отключить", "нет"), False),
    **dict.fromkeys(("вимк", "вимкнути", "вимкнено", "ні"), False),
}


def read_switch(typed: str) -> bool | None:
    """Read a word for on or off; None for anything else."""
    return _SWITCH.get(typed.strip(" .!").casefold())


_DASHES = re.compile("[\u2010-\u2015\u2212]")  # as phones write them
_PART = r"ч(?:ас(?:а|ов)?)?\b\.?|h\b|[ap]\.?m\b\.?|утра|дня|вечера|ночи|год(?:ин[аиу]?|ині)?\b\.?|ранку|вечора|ночі"
_TIME_OF_DAY = rf"\d{{1,2}}(?:[:., ]?\d{{2}})?(?: ?(?:{_PART}))?"  # as `tidy` leaves it
_TIME = re.compile(rf"(?:at |[во] |об )?(\d{{1,2}})(?:[:., ]?(\d{{2}}))? ?({_PART})?")
_APART = re.compile(rf"(?<=\d) (?={_PART})")
_LATE = ("p", "дня", "вечера", "вечора")
_NOON, _EVENING = 12, 6  # o'clock; the hours of a night from the latter on are before midnight
_DURATION = re.compile(
    r"(?:^|\s)(?:(?:for|на)\s+)?0*([1-9]\d{0,3})\s*"
    r"(?:(mo|мес|міс|[mhdwмчднтх]|годин)[a-zа-яёіїєґ]*|(год))\.?$",
    re.IGNORECASE,
)
_UNITS = {
    **UNITS,
    **dict.fromkeys(("m", "м", "х"), timedelta(minutes=1)),
    **dict.fromkeys(("год", "годин"), timedelta(hours=1)),  # to a Russian it may be a year: the answer says until when
}
_WEEKDAYS = (  # how their names begin in any form, from Monday
    *(("mon", "пн", "пон"), ("tue", "вт", "вів"), ("wed", "ср", "сер"), ("thu", "чт", "чет")),
    *(("fri", "пт", "пят", "п'я", "п’я", "пʼя"), ("sat", "сб", "суб"), ("sun", "вс", "вос", "нд", "неділ")),
)


def tidy(typed: str) -> str:
    """Return a text in small letters, with single spaces and plain hyphens, without a full stop at its end."""
    return " ".join(_DASHES.sub("-", typed.casefold()).split()).rstrip(".!")


def read_time(typed: str) -> int | None:
    """Read a time of day such as `9`, `08:30`, `в 9.15` or `9pm` as a minute of the day; None for anything else."""
    match = _TIME.fullmatch(typed)
    if match is None:
        return None
    hour, minute, part = int(match[1]), int(match[2] or 0), match[3] or ""
    if part and not part.startswith(("ч", "h", "год")) and hour <= _NOON:
        is_late = _EVENING <= hour < _NOON if part in {"ночи", "ночі"} else part.startswith(_LATE)
        hour = hour % _NOON + (_NOON if is_late else 0)
    return hour * 60 + minute if hour < 24 and minute < 60 else None  # noqa: PLR2004 - a day's and an hour's


def show_time(minute: int) -> str:
    """Write a minute of the day: «07:00»."""
    return f"{minute // 60:02}:{minute % 60:02}"


_HOURS = re.compile(
    rf"(?:from |[сзc] |від )?({_TIME_OF_DAY})"
    rf"(?: ?- ?| (?:to|until|till|до|по) | )({_TIME_OF_DAY})(?:[ ,(]+([^)]+)\)?)?",
    re.DOTALL,
)
_MIDNIGHT = {"24", "24:00", "24.00"}


def read_hours(typed: str) -> tuple[Quiet, str] | None:
    """Read quiet hours and the place behind them, which may be empty; None for anything else."""
    match = _HOURS.fullmatch(typed)
    if match is None:
        return None
    start, end = (0 if each in _MIDNIGHT else read_time(each) for each in match.group(1, 2))
    return None if start is None or end is None else (Quiet(start=start, end=end), match[3] or "")


_EVERY = {
    **dict.fromkeys(("hourly", "hour", "ежечасно", "час", "щогодини", "годину"), Every.HOUR),
    **dict.fromkeys(("daily", "day", "ежедневно", "день", "щодня"), Every.DAY),
    **dict.fromkeys(("weekly", "week", "еженедельно", "неделю", "неделя", "щотижня", "тиждень"), Every.WEEK),
}
_FILLERS = frozenset("at on every a once в во по каждый каждую раз о об у на кожен кожну".split())  # noqa: SIM905 - words are read as words
_SAID_OF = {  # which fields of `Digests` make sense together
    Every.HOUR: {"every"},
    Every.DAY: {"every", "minute"},
    Every.WEEK: {"every", "minute", "weekday"},
}


def read_weekday(word: str) -> int | None:
    """Return the number of a day of the week, from Monday: 0, by its name in any form; None for anything else."""
    return next((number for number, stems in enumerate(_WEEKDAYS) if word.startswith(stems)), None)


def read_digests(typed: str) -> Digests | None:
    """Read `hourly`, `daily 9:00`, `weekly Mon 9:00` or the like; None for anything else."""
    fields: dict[str, Any] = {}
    for word in _APART.sub("", tidy(typed).replace(", ", " ")).split():  # a time of day is one word
        readings = {"every": _EVERY.get(word), "minute": read_time(word), "weekday": read_weekday(word)}
        reading = next(((field, value) for field, value in readings.items() if value is not None), None)
        if word in _FILLERS:
            continue
        if reading is None or reading[0] in fields:
            return None
        fields |= [reading]
    if not fields:
        return None
    every = fields.setdefault("every", Every.WEEK if "weekday" in fields else Every.DAY)
    return Digests(**fields) if fields.keys() <= _SAID_OF[every] else None


def split_duration(argument: str) -> tuple[str, timedelta | None]:
    """Split a duration such as `8h`, `2 days` or `на 3 ч` off the end of a text; None where there is none."""
    match = _DURATION.search(argument)
    if match is None:
        return argument.strip(), None
    return argument[: match.start()].strip(), int(match[1]) * _UNITS[(match[2] or match[3]).lower()]


_CALLED = {
    **dict.fromkeys(("мск", "msk", "москве", "питер", "спб", "санкт-петербург"), "Europe/Moscow"),
    **dict.fromkeys(("києвом", "киеву", "харків", "харьков", "львів", "львов", "одеса", "одесса"), "Europe/Kyiv"),
}
_AHEAD = re.compile(r"(?:utc|gmt) ?([+-]) ?(\d{1,2})(?::00)?")


def find_zone(typed: str) -> str | None:
    """Return the zone for `Europe/Berlin`, `berlin`, `Берлин` or `UTC+3`; None where no place is called so."""
    name = tidy(typed).removeprefix("по ").removeprefix("за ")
    ahead = _AHEAD.fullmatch(name)
    if ahead is not None:  # the names of such zones count the other way round
        zone = f"Etc/GMT{'-' if ahead[1] == '+' else '+'}{int(ahead[2])}"
        return zone if zone in available_timezones() else None
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


_EXPLICIT = re.compile(r"^(@|https?://|tg:|\+|-100\d)|\bt(elegram)?\.(me|dog)/|\bweb\.telegram\.org/", re.IGNORECASE)
_PUNCTUATION = ".,;:!?()[]<>«»\"'•–—*"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastedChannels:
    """The channels that a pasted text names."""

    references: tuple[str, ...]  # canonical, in order, each once
    unclear: tuple[str, ...]  # as typed


def read_references(
    text: str, links: Iterable[str] = (), *, explicit_only: bool = False, sites: bool = False
) -> PastedChannels:
    """Read channels from a text of one or many lines, and from links hidden behind its words.

    In a line with an @name or a link, the other words are a title or a comment; a line without one is a list of bare
    names, which must all be understood; with `explicit_only` it is talk, and names nothing. With `sites` a link that
    is none of Telegram's is a site's, where its line names nothing else.
    """
    hidden = [reference for link in links if (reference := normalise_reference(link))]
    found: dict[str, None] = {}
    unclear: list[str] = []
    for line in text.splitlines():
        is_explicit, named = _read_names(line, explicit_only=explicit_only)
        if sites and is_explicit and not any(named.values()):
            named = {name: any_reference(name) for name in named}
        found |= dict.fromkeys(filter(None, named.values()))
        if is_explicit or not hidden:
            unclear += [name for name, reference in named.items() if reference is None]
    return PastedChannels(references=tuple(found | dict.fromkeys(hidden)), unclear=tuple(unclear))


def _read_names(line: str, *, explicit_only: bool) -> tuple[bool, dict[str, str | None]]:
    """Return whether a line holds an @name or a link, and the names in it with their references."""
    names = [name for part in re.split(r"[\s,;]+", line) if (name := part.strip(_PUNCTUATION))]
    explicit = [name for name in names if _EXPLICIT.search(name)]
    named = {name: normalise_reference(name) for name in explicit or ([] if explicit_only else names)}
    if explicit or all(named.values()):
        return bool(explicit), named
    return False, dict.fromkeys(named)  # prose, or a list with a mistake: none of its words is sure
