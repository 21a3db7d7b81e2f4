"""A typed search taken apart: a text comes in; the query in it and its filters go out, or an error with the place.

| typed | in Russian | means |
| --- | --- | --- |
| `in:@channel`, `in:"Title or its beginning"` | `в:` | posts of this channel; several: of any of them |
| `since:7d`, `since:2026-01-31`, `since:31.01.2026` | `с:7д` | from then on; also `12h`, `2w`, `3m`, `1y`, `today` |
| `until:2026-01-31` | `до:` | up to then, this day included |
| `history:yes` | `история:да` | also by what a post said before it was edited |
| `order:best`, `order:newest` | `порядок:лучшие` | how posts are ordered |

Days begin and end in the time zone that is handed in. A colon that makes no filter stays in the query.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.locales import N_

MESSAGES = {
    "unknown_channel": N_("I know no channel «{value}». /channels shows the names of all."),
    "bad_date": N_(
        "I cannot read the date «{value}». Write it like 2026-01-31 or 31.01.2026, or as a time span: 12h, 7d, 2w."
    ),
    "bad_answer": N_("I cannot read «{value}». Write history:yes to find edited posts by what they said before."),
    "bad_order": N_("I know no order «{value}». Write order:best or order:newest."),
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
    position: int  # of the filter in the typed text, from 1


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
# What cannot hold a filter comes first: expressions and phrases. After a space, which phones like to put behind a
# colon, a filter is believed only where it can be nothing else.
_PIECE = re.compile(
    rf"""re:/(?:[^\\/\n]|\\[^\n])*/?
    |(?<![^\s(])(?P<name>{"|".join(_NAMES)}):(?P<space>[ ]?)
        (?:[{_QUOTES}](?P<quoted>[^{_QUOTES}\n]+)[{_QUOTES}]|(?P<value>[^\s,;()|{_QUOTES}]+(?:,@[^\s,;()|{_QUOTES}]+)*))
    |[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]?""",
    re.VERBOSE | re.IGNORECASE,
)
_SPAN = re.compile(r"(\d{1,4})\s?(h|ч|d|д|w|н|m|м|мес|y|г)", re.IGNORECASE)
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_DOTTED = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})")
_HOURS = {"h": 1, "ч": 1, "d": 24, "д": 24, "w": 168, "н": 168, "m": 720, "м": 720, "мес": 720, "y": 8760, "г": 8760}
_DAYS = {"today": 0, "сегодня": 0, "yesterday": 1, "вчера": 1}
_ANSWERS = {"yes": True, "да": True, "no": False, "нет": False}
_ORDERS = {"best": Order.BEST, "лучшие": Order.BEST, "newest": Order.NEWEST, "новые": Order.NEWEST}
_Value = TypeVar("_Value")


def read(text: str, *, now: datetime, zone: str = "UTC") -> Typed:
    """Take a typed search apart; of filters that exclude each other the last counts. Raises FilterError."""
    reader = _Reader(now, ZoneInfo(zone))
    query = _PIECE.sub(reader.take, text)
    filters = reader.filters
    if filters.since and filters.until and filters.since >= filters.until:
        raise FilterError("empty_span", reader.position, value=" ".join(reader.span))
    return Typed(query=query if query.strip() else "", filters=filters)


class _Reader:
    """Collects the filters of one text."""

    def __init__(self, now: datetime, zone: ZoneInfo) -> None:
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
        value = piece["quoted"] or piece["value"]
        if piece["space"] and not self._is_plain(kind, value):
            return piece[0]
        position = piece.start() + 1
        if kind in {"since", "until"}:
            self.position = position
            self.span.append(piece[0])
        match kind:
            case "channel":
                named = [value] if piece["quoted"] else value.split(",")
                found = tuple(Named(text=name, position=position) for name in named)
                self.filters = replace(self.filters, channels=self.filters.channels + found)
            case "since":
                self.filters = replace(self.filters, since=self._moment(value, position))
            case "until":
                self.filters = replace(self.filters, until=self._moment(value, position, end=True))
            case "history":
                self.filters = replace(self.filters, history=_choose(_ANSWERS, value, "bad_answer", position))
            case _:
                self.filters = replace(self.filters, order=_choose(_ORDERS, value, "bad_order", position))
        return " " * len(piece[0])

    def _is_plain(self, kind: str, value: str) -> bool:
        if kind == "channel":
            return value.startswith("@")
        if kind in {"history", "order"}:
            return value.lower() in (_ANSWERS if kind == "history" else _ORDERS)
        return value.lower() in _DAYS or any(pattern.fullmatch(value) for pattern in (_SPAN, _ISO, _DOTTED))

    def _moment(self, value: str, position: int, *, end: bool = False) -> datetime:
        """Return when a day begins, or when the next one does; or the moment a time span ago."""
        try:
            span = _SPAN.fullmatch(value)
            if span:
                return self._now - timedelta(hours=int(span[1]) * _HOURS[span[2].lower()])
            day = self._day(value)
            midnight = datetime.combine(day + timedelta(days=end), time(), self._zone)
            return midnight.astimezone(UTC)
        except (ValueError, OverflowError):
            raise FilterError("bad_date", position, value=value) from None

    def _day(self, value: str) -> date:
        back = _DAYS.get(value.lower())
        if back is not None:
            return self._now.astimezone(self._zone).date() - timedelta(days=back)
        found = _ISO.fullmatch(value) or _DOTTED.fullmatch(value)
        if not found:
            raise ValueError(value)
        return date(int(found["year"]), int(found["month"]), int(found["day"]))


def _choose(choices: dict[str, _Value], value: str, code: str, position: int) -> _Value:
    if value.lower() not in choices:
        raise FilterError(code, position, value=value)
    return choices[value.lower()]
