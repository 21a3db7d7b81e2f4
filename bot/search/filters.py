"""A typed search taken apart into its query and its filters, or refused with the place of the error.

| typed | in Russian | means |
| --- | --- | --- |
| `in:@channel`, `in:"Title or its beginning"` | `в:` | posts of this channel; several (`in:@a, @b`): of any of them |
| `since:7d`, `since:2026-01-31`, `since:31.01.2026` | `с:7д` | from then on; also `12h`, `2w`, `3m`, `1y`, `today` |
| `until:2026-01-31` | `до:` | up to then, this day included |
| `history:yes` | `история:да` | also by what a post said before it was edited |
| `order:best`, `order:newest` | `порядок:лучшие` | how posts are ordered |

Days begin and end in the time zone that is handed in. A filter holds for the whole search: one that is excluded or made
an alternative is refused. A colon that makes no filter stays in the query.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.locales import N_
from bot.text.durations import MONTH, UNITS

MESSAGES = {
    "unknown_channel": N_("I know no channel «{value}». /channels shows the names of all."),
    "bad_date": N_(
        "I cannot read the date «{value}». Write it like 2026-01-31 or 31.01.2026, or as a time span: 12h, 7d, 2w."
    ),
    "bad_answer": N_("I cannot read «{value}». Write history:yes to find edited posts by what they said before."),
    "bad_order": N_("I know no order «{value}». Write order:best or order:newest."),
    "misplaced_filter": N_(
        "«{value}»: a filter holds for the whole search, so it cannot be excluded or be an alternative. "
        "Write it after a space, without a sign."
    ),
    "empty_span": N_("«{value}» ends before it begins: the first date has to be the earlier one."),
}


class Order(StrEnum):
    """How posts are ordered."""

    NEWEST = "newest"
    BEST = "best"  # by how much of the query they hold


class FilterError(Exception):
    """A filter cannot be used, for a reason its author can mend."""

    def __init__(self, code: str, position: int, *, value: str) -> None:
        self.code = code  # a key of MESSAGES
        self.position = position  # the character of the typed text where the filter begins, from 1
        self.value = value  # what was typed
        super().__init__(MESSAGES[code].format(value=value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A channel as somebody called it."""

    text: str
    position: int  # of the filter in the typed text, from 1; 0: not typed there


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows and orders a search, as typed."""

    channels: tuple[Named, ...] = ()  # any of them; none: all channels
    since: datetime | None = None
    until: datetime | None = None  # excluded
    history: bool = False
    order: Order = Order.NEWEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A search taken apart."""

    query: str  # as long as the typed text, with spaces for the filters, so that places in it stay true; or empty
    filters: Filters


_NAMES = {
    "in": "channel",
    "в": "channel",
    "since": "since",
    "с": "since",
    "until": "until",
    "до": "until",
    "history": "history",
    "история": "history",
    "order": "order",
    "порядок": "order",
}
_QUOTES = '"«»“”„‟'
# A title may hold quotes of another kind than those around it: "РИА «Новости»".
_QUOTED = rf'"[^"\n]+"|«(?:[^«»\n]|«[^«»\n]*»)+»|[“”„‟][^“”„‟\n]+[“”„‟]|[{_QUOTES}][^{_QUOTES}\n]+[{_QUOTES}]'
_PLAIN = rf"[^\s,;()|{_QUOTES}]+"
# What cannot hold a filter comes first: expressions and phrases. After a space, which phones like to put behind a colon
# and a comma, a filter or one more channel is believed only where it can be nothing else.
_PIECE = re.compile(
    rf"""re:[ ]*/(?:[^\\/\n]|\\[^\n])*/?
    |(?:(?P<sign>(?<!\w)[-−–—‐‑﹣➖]{{1,2}}|[|+&!])|(?<![^\s(,;]))
        (?P<name>{"|".join(_NAMES)}):(?P<space>[ ]?)
        (?:(?P<quoted>{_QUOTED})|(?P<value>{_PLAIN}(?:[ ]*,[ ]*@{_PLAIN})*))
    |[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]?""",
    re.VERBOSE | re.IGNORECASE,
)
_SPAN = re.compile(r"(\d{1,4})\s?(h|ч|d|д|w|н|m|м|мес|y|г)", re.IGNORECASE)
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_DOTTED = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})")
_UNITS = {**UNITS, "m": MONTH, "м": MONTH}
_LAST_DAY = date.max - timedelta(days=2)  # after which a day still begins in every time zone
_BETWEEN = " \r\n\t,;"  # what may be left over between filters
_DAYS = {"today": 0, "сегодня": 0, "yesterday": 1, "вчера": 1}
_ANSWERS = {"yes": True, "да": True, "no": False, "нет": False}
_ORDERS = {"best": Order.BEST, "лучшие": Order.BEST, "newest": Order.NEWEST, "новые": Order.NEWEST}
_Value = TypeVar("_Value")


def read(text: str, *, now: datetime, zone: str = "UTC") -> Typed:
    """Take a typed search apart; of filters that exclude each other the last counts. Raises FilterError."""
    reader = _Reader(now, zone)
    query = _PIECE.sub(reader.take, text)
    if reader.filters != Filters() and not query.strip(_BETWEEN):
        query = ""
    check_span(reader.filters, reader.position, value=" ".join(reader.span))
    return Typed(query=query if query.strip() else "", filters=reader.filters)


def check_span(filters: Filters, position: int, *, value: str) -> None:
    """Raise FilterError where a search ends before it begins."""
    if filters.since and filters.until and filters.since >= filters.until:
        raise FilterError("empty_span", position, value=value)


def read_moment(typed: str, position: int, *, now: datetime, zone: str, end: bool = False) -> datetime:
    """Return when a day begins, or at its `end` when the next one does; or the moment a time span ago.

    Raises FilterError.
    """
    try:
        span = _SPAN.fullmatch(typed)
        if span:
            return now - int(span[1]) * _UNITS[span[2].lower()]
        place = ZoneInfo(zone)
        day = _day(typed, now.astimezone(place).date())
        if end:
            day = min(day, _LAST_DAY) + timedelta(days=1)
        return datetime.combine(day, time(), place).astimezone(UTC)
    except (ValueError, OverflowError):
        raise FilterError("bad_date", position, value=typed) from None


def _day(typed: str, today: date) -> date:
    back = _DAYS.get(typed.lower())
    if back is not None:
        return today - timedelta(days=back)
    found = _ISO.fullmatch(typed) or _DOTTED.fullmatch(typed)
    if not found:
        raise ValueError(typed)
    return date(int(found["year"]), int(found["month"]), int(found["day"]))


class _Reader:
    """Collects the filters of one text."""

    def __init__(self, now: datetime, zone: str) -> None:
        self._now = now
        self._zone = zone
        self.filters = Filters()
        self.position = 1  # of the last filter with a date
        self.span: list[str] = []  # the filters with dates, as typed

    def take(self, piece: re.Match[str]) -> str:
        """Read a piece; return what stays of it in the query."""
        if piece["name"] is None:
            return piece[0]
        kind = _NAMES[piece["name"].lower()]
        value = piece["quoted"][1:-1] if piece["quoted"] else piece["value"]
        if piece["space"] and not self._is_plain(kind, value):
            return piece[0]
        position = piece.start() + 1
        if piece["sign"]:
            raise FilterError("misplaced_filter", position, value=piece[0])
        if kind in {"since", "until"}:
            self.position = position
            self.span.append(piece[0])
        names = [value] if piece["quoted"] else value.split(",")
        self.filters = self._with(kind, value, names, position)
        return " " * len(piece[0])

    def _with(self, kind: str, value: str, names: Iterable[str], position: int) -> Filters:
        match kind:
            case "channel":
                named = tuple(Named(text=name.strip(), position=position) for name in names)
                return replace(self.filters, channels=self.filters.channels + named)
            case "since":
                return replace(self.filters, since=self._moment(value, position))
            case "until":
                return replace(self.filters, until=self._moment(value, position, end=True))
            case "history":
                return replace(self.filters, history=_choose(_ANSWERS, value, "bad_answer", position))
            case _:
                return replace(self.filters, order=_choose(_ORDERS, value, "bad_order", position))

    def _is_plain(self, kind: str, value: str) -> bool:
        if kind == "channel":
            return value.startswith("@")
        if kind in {"history", "order"}:
            return value.lower() in (_ANSWERS if kind == "history" else _ORDERS)
        return value.lower() in _DAYS or any(pattern.fullmatch(value) for pattern in (_SPAN, _ISO, _DOTTED))

    def _moment(self, value: str, position: int, *, end: bool = False) -> datetime:
        return read_moment(value, position, now=self._now, zone=self._zone, end=end)


def _choose(choices: dict[str, _Value], value: str, code: str, position: int) -> _Value:
    if value.lower() not in choices:
        raise FilterError(code, position, value=value)
    return choices[value.lower()]
