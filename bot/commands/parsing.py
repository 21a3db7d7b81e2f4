"""A time of day as people type it comes in, a minute of the day goes out; and the other way round."""

import re

_DASHES = re.compile("[\u2010-\u2015\u2212]")  # as phones write them
_PART = r"ч(?:ас(?:а|ов)?)?\b\.?|h\b|[ap]\.?m\b\.?|утра|дня|вечера|ночи"
TIME = rf"\d{{1,2}}(?:[:., ]?\d{{2}})?(?: ?(?:{_PART}))?"  # as `tidy` leaves it
_TIME = re.compile(rf"(?:at |в )?(\d{{1,2}})(?:[:., ]?(\d{{2}}))? ?({_PART})?")
_APART = re.compile(rf"(?<=\d) (?={_PART})")
_LATE = ("p", "дня", "вечера")
_NOON, _EVENING = 12, 6  # o'clock; the hours of a night from the latter on are before midnight


def tidy(typed: str) -> str:
    """Make small letters, single spaces and plain hyphens of what was typed, and take the full stop off its end."""
    return " ".join(_DASHES.sub("-", typed.casefold()).split()).rstrip(".!")


def words(typed: str) -> list[str]:
    """Split what was typed into words, a time of day in one."""
    return _APART.sub("", tidy(typed).replace(", ", " ")).split()


def read_time(typed: str) -> int | None:
    """Read a time of day such as `9`, `08:30`, `в 9.15` or `9pm` as a minute of the day; None for anything else."""
    found = _TIME.fullmatch(typed)
    if found is None:
        return None
    hour, minute = _hour(int(found[1]), found[3] or ""), int(found[2] or 0)
    return hour * 60 + minute if hour < 24 and minute < 60 else None  # noqa: PLR2004 - a day's and an hour's


def _hour(shown: int, part: str) -> int:
    if not part or part.startswith(("ч", "h")) or shown > _NOON:
        return shown
    if part == "ночи":
        return shown + _NOON if _EVENING <= shown < _NOON else shown % _NOON
    return shown % _NOON + (_NOON if part.startswith(_LATE) else 0)


def show_time(minute: int) -> str:
    """Write a minute of the day: «07:00»."""
    return f"{minute // 60:02}:{minute % 60:02}"
