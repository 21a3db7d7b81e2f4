r"""The filters of a typed search, apart from its query.

| typed | in Russian, Ukrainian | means |
| --- | --- | --- |
| `in:@channel`, `in:group`, `in:"words of a title"` | `в:`, `у:` | posts of these; `in:@a, @b`, `in:a\|b`: of any |
| `since:7d`, `since:2026-01-31`, `since:31.01.2026` | `с:7д`, `з:7д` | from then on; also `12h`, `2w`, `1y`, `today` |
| `until:2026-01-31` | `до:` | up to then, this day included |
| `history:yes` | `история:да`, `історія:так` | also by what a post said before it was edited |
| `order:best`, `order:newest` | `порядок:лучшие`, `порядок:найкращі` | how posts are ordered |

A filter holds for the whole search: an excluded or alternative one is refused. A colon that makes no filter stays in
the query.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.locales import N_
from bot.schedule import MONTH, UNITS

MOST_PLACES = 50  # channels and groups that a search or a topic names: each is looked for in all titles
MESSAGES = {
    "unknown_channel": N_("There is no channel or group «{value}». See /channels and /groups."),
    "too_many_places": N_("Name at most {value} channels or groups after in:. A channel group can hold many."),
    "bad_date": N_(
        "I cannot read the date «{value}». Write it like 2026-01-31 or 31.01.2026, or as a time span: 12h, 7d, 2w."
    ),
    "bad_answer": N_("I cannot read «{value}». Write history:yes to search earlier versions of edited posts as well."),
    "bad_order": N_("There is no order «{value}». Write order:best or order:newest."),
    "misplaced_filter": N_(
        "«{value}»: a filter applies to the whole search, so it cannot be excluded or be an alternative. "
        "Write it after a space, without a sign."
    ),
    "empty_span": N_("«{value}» ends before it begins: the first date has to be the earlier one."),
}


class Order(StrEnum):
    """Orders of hits."""

    NEWEST = "newest"
    BEST = "best"  # by how much of the query they have


class FilterError(Exception):
    """A filter that cannot be used, with a reason that its author can mend."""

    def __init__(self, code: str, position: int, *, value: str) -> None:
        self.code = code  # a key of MESSAGES
        self.position = position  # of the filter in the typed text, in characters from 1
        self.value = value  # as typed
        super().__init__(MESSAGES[code].format(value=value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A channel or channel group as named in a search or a topic."""

    text: str
    position: int  # of the filter in the typed text, from 1; 0: not typed there


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filters of a search."""

    channels: tuple[Named, ...] = ()  # any of them; none: all channels
    since: datetime | None = None
    until: datetime | None = None  # excluded
    history: bool = False
    order: Order = Order.NEWEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A search, split into query and filters."""

    query: str  # spaces stand for the filters, so that positions hold; or empty
    filters: Filters


_NAMES = {
    "in": "channel",
    **dict.fromkeys(("в", "у"), "channel"),
    "since": "since",
    **dict.fromkeys(("с", "з"), "since"),
    "until": "until",
    "до": "until",
    "history": "history",
    **dict.fromkeys(("история", "історія"), "history"),
    "order": "order",
    "порядок": "order",
}
_QUOTES = '"«»“”„‟'
# A title may have quotes of another kind than those around it: "РИА «Новости»".
_QUOTED = rf'"[^"\n]+"|«(?:[^«»\n]|«[^«»\n]*»)+»|[“”„‟][^“”„‟\n]+[“”„‟]|[{_QUOTES}][^{_QUOTES}\n]+[{_QUOTES}]'
_PLAIN = rf"[^\s,;()|{_QUOTES}]+"
_ITEM = re.compile(rf"{_QUOTED}|{_PLAIN}")  # what a filter says, or one of the names behind `in:`
# Expressions and phrases hold no filters. Phones like to put a space behind a colon or comma: after it, a filter or a
# further channel counts only where it can be nothing else.
_PIECE = re.compile(
    rf"""re:[ ]*/(?:[^\\/\n]|\\[^\n])*/?
    |(?:(?P<sign>(?<!\w)[-−–—‐‑﹣➖]{{1,2}}|[|+&!])|(?<![^\s(,;]))
        (?P<name>{"|".join(_NAMES)}):(?P<space>[ ]?)
        (?P<value>(?:{_QUOTED}|{_PLAIN})(?:\|(?:{_QUOTED}|{_PLAIN})|[ ]*,[ ]*@{_PLAIN})*)
    |[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]?""",
    re.VERBOSE | re.IGNORECASE,
)
_SPAN = re.compile(r"(\d{1,4})\s?(h|ч|d|д|w|н|т|m|м|мес|міс|y|г|р|(?<!\b1)(?<!\b1\s)год)", re.IGNORECASE)
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_DOTTED = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})")
_UNITS = {**UNITS, "m": MONTH, "м": MONTH, "год": timedelta(hours=1)}  # «1 год» is a year in Russian: it is refused
_LAST_DAY = date.max - timedelta(days=2)  # a day still begins after it in every time zone
_BETWEEN = " \r\n\t,;"  # may be left over between filters
_DAYS = {"today": 0, "сегодня": 0, "сьогодні": 0, "yesterday": 1, "вчера": 1, "вчора": 1, "учора": 1}
_ANSWERS = {"yes": True, "да": True, "так": True, "no": False, "нет": False, "ні": False}
_ORDERS = {
    **dict.fromkeys(("best", "лучшие", "найкращі", "кращі"), Order.BEST),
    **dict.fromkeys(("newest", "новые", "нові", "найновіші"), Order.NEWEST),
}
_Value = TypeVar("_Value")


def read(text: str, *, now: datetime, zone: str = "UTC") -> Typed:
    """Split a typed search; of filters of one kind the last counts, but for channels. Raises FilterError."""
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
    """Return the beginning of a day in a time zone, or of the next day for its `end`, or the moment a time span ago.

    The result is in UTC. Raises FilterError.
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


def read_limits(text: str) -> Typed:
    """Split a typed topic: only its channels are filters, all else is its query. Raises FilterError."""
    reader = _Reader(datetime.now(UTC), "UTC", kinds={"channel"})
    return Typed(query=_PIECE.sub(reader.take, text).rstrip(_BETWEEN), filters=reader.filters)


class _Reader:
    """Collects the filters of one search, of the kinds that it may have."""

    def __init__(self, now: datetime, zone: str, kinds: Collection[str] = frozenset(_NAMES.values())) -> None:
        self._now = now
        self._zone = zone
        self._kinds = kinds
        self.filters = Filters()
        self.position = 1  # of the last filter with a date
        self.span: list[str] = []  # the filters with dates, as typed

    def take(self, piece: re.Match[str]) -> str:
        """Return the part of a piece that stays in the query, after adding its filter."""
        if piece["name"] is None:
            return piece[0]
        kind = _NAMES[piece["name"].lower()]
        names = [_unquoted(item[0]) for item in _ITEM.finditer(piece["value"])]
        value = names[0] if len(names) == 1 else piece["value"]
        if kind not in self._kinds or (piece["space"] and not self._is_plain(kind, value)):
            return piece[0]
        position = piece.start() + 1
        if piece["sign"]:
            raise FilterError("misplaced_filter", position, value=piece[0])
        if kind in {"since", "until"}:
            self.position = position
            self.span.append(piece[0])
        self.filters = self._with(kind, value, names, position)
        return " " * len(piece[0])

    def _with(self, kind: str, value: str, names: Iterable[str], position: int) -> Filters:
        match kind:
            case "channel":
                named = tuple(Named(text=name.strip(), position=position) for name in names)
                if len(self.filters.channels) + len(named) > MOST_PLACES:
                    raise FilterError("too_many_places", position, value=str(MOST_PLACES))
                return replace(self.filters, channels=self.filters.channels + named)
            case "since" | "until":
                moment = read_moment(value, position, now=self._now, zone=self._zone, end=kind == "until")
                return replace(self.filters, since=moment) if kind == "since" else replace(self.filters, until=moment)
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


def _unquoted(item: str) -> str:
    return item[1:-1] if item[0] in _QUOTES else item


def _choose(choices: dict[str, _Value], value: str, code: str, position: int) -> _Value:
    if value.lower() not in choices:
        raise FilterError(code, position, value=value)
    return choices[value.lower()]
