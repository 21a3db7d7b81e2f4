"""SQLite's shapes: rows, dates and JSON become values of ours, and the other way round.

A row becomes a dataclass by the annotations of its fields: each is the column of its name.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache, lru_cache
from operator import itemgetter
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from bot.models import TOLD

T = TypeVar("T")
_Convert = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
HOUR_MS = 3_600_000
TOLD_PATHS = "('" + "', '".join(sorted(TOLD)) + "')"  # as SQL has them
COUNTER_BITS = 20  # of a row id; the rest is the date in seconds, so that newest first is the order of the rows

_LAST_ID = 2**63 - 1  # SQLite's


def read(cls: type[T], row: sqlite3.Row, field: str | None = None) -> T:
    """Make a dataclass of a row, or of its columns that begin with `field`; columns that are no fields are left out.

    By the field's type milliseconds become a date, 0 and 1 a bool, text an enum, JSON a tuple, a mapping or a dataclass
    (an object by names, a list in the order of the fields; its dates are ISO 8601 or milliseconds). NULL is None. A
    dataclass that has no column of its field's name has columns for its own fields instead, such as `quiet_start` for
    `quiet.start`; where it may be None, it is where the first of them is NULL. Raises LookupError where a column is
    missing.
    """
    columns = tuple(row.keys())
    value: T = (_reader(cls, columns) if field is None else _part_reader(field, cls, columns))(row)
    return value


def read_all(cls: type[T], rows: Sequence[sqlite3.Row], field: str | None = None) -> list[T]:
    """Make a dataclass of each row of one answer, like `read`."""
    if not rows:
        return []
    columns = tuple(rows[0].keys())
    return list(map(_reader(cls, columns) if field is None else _part_reader(field, cls, columns), rows))


def _new_reader(cls: Any, columns: tuple[str, ...]) -> _Convert:  # noqa: ANN401 - a dataclass
    """Return what makes a dataclass of the values in these columns."""
    plain, converted = [], []
    nested: list[tuple[str, _Convert]] = []
    for name, hint in _fields(cls).items():
        convert = _from_column(hint)
        if name not in columns:
            nested.append((name, _nested(name, hint, columns)))
        elif convert is None:
            plain.append((name, columns.index(name)))
        else:
            converted.append((name, columns.index(name), convert))

    def build(values: Sequence[Any]) -> object:
        found = {name: values[place] for name, place in plain}
        for name, place, convert in converted:
            value = values[place]
            found[name] = None if value is None else convert(value)
        for name, make in nested:
            found[name] = make(values)
        return cls(**found)

    return build


_reader: Callable[[Any, tuple[str, ...]], _Convert] = cache(_new_reader)


def _nested(field: str, hint: Any, columns: tuple[str, ...]) -> _Convert:  # noqa: ANN401 - an annotation
    """Return what makes the dataclass of a field whose columns begin with the field's name."""
    cls = _without_none(hint)
    own = {name.removeprefix(f"{field}_"): n for n, name in enumerate(columns) if name.startswith(f"{field}_")}
    if not own or not is_dataclass(cls):
        raise LookupError(f"no column for {field} among {', '.join(columns)}")
    build = lru_cache(256)(_reader(cls, tuple(own)))  # a thousand rows name the same few chats
    pick: _Convert = itemgetter(*own.values()) if len(own) > 1 else lambda values: (values[next(iter(own.values()))],)
    if cls is hint:
        return lambda values: build(pick(values))
    first = own[fields(cls)[0].name]
    return lambda values: None if values[first] is None else build(pick(values))


_part_reader: Callable[[str, Any, tuple[str, ...]], _Convert] = cache(_nested)


def _from_column(hint: Any) -> _Convert | None:  # noqa: ANN401 - an annotation
    """Return what turns a column into a value of this type; None where it is one already."""
    kind = _without_none(hint)
    if kind is datetime:
        return from_ms
    if kind is bool:
        return bool
    convert = _from_json(kind)
    if _is_enum(kind) or (convert is None and get_origin(kind) not in {dict, Mapping}):
        return convert
    if convert is None:
        return json.loads
    return lru_cache(256)(lambda text: convert(json.loads(text)))  # likewise, what they say of one post


def _from_json(hint: Any) -> _Convert | None:  # noqa: ANN401 - an annotation
    """Return what turns a value in JSON into one of this type; None where it is one already."""
    kind = _without_none(hint)
    if kind is datetime:
        return lambda moment: from_ms(moment) if isinstance(moment, int) else datetime.fromisoformat(moment)
    if _is_enum(kind):
        members: dict[object, Enum] = {member.value: member for member in kind}
        return members.__getitem__  # faster than a call of the class
    if is_dataclass(kind):
        return _object(kind)
    if get_origin(kind) is not tuple:
        return None
    of_items, *more = get_args(kind)
    convert = _from_json(of_items)
    return tuple if convert is None or more != [...] else lambda items: tuple(map(convert, items))


def _object(cls: Any) -> _Convert:  # noqa: ANN401 - a dataclass
    """Return what makes a dataclass of an object, or of a list of its fields in order."""
    converts = {name: convert for name, hint in _fields(cls).items() if (convert := _from_json(hint)) is not None}
    names = tuple(_fields(cls))

    def build(written: Any) -> object:  # noqa: ANN401 - JSON
        found = dict(zip(names, written, strict=True)) if isinstance(written, list) else written
        for name, convert in converts.items():
            if found.get(name) is not None:
                found[name] = convert(found[name])
        return cls(**found)

    return build


def _is_enum(kind: Any) -> bool:  # noqa: ANN401 - an annotation
    return isinstance(kind, type) and issubclass(kind, Enum)


def _fields(cls: type) -> dict[str, Any]:
    """Return the fields of a dataclass with their types."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def _without_none(hint: Any) -> Any:  # noqa: ANN401 - annotations
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return kinds[0] if len(kinds) == 1 and NoneType in get_args(hint) else hint


def to_ms(moment: datetime) -> int:
    """Turn an aware date into Unix milliseconds."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Turn Unix milliseconds into a UTC date."""
    return _EPOCH + milliseconds * _MILLISECOND


def maybe_ms(moment: datetime | None) -> int | None:
    """Turn a date that may be missing into Unix milliseconds."""
    return None if moment is None else to_ms(moment)


def maybe_date(milliseconds: int | None) -> datetime | None:
    """Turn Unix milliseconds that may be missing into a UTC date."""
    return None if milliseconds is None else from_ms(milliseconds)


def first_id(moment: datetime) -> int:
    """Return the lowest row id of a message or version with this date, which counts in whole seconds."""
    return to_ms(moment) // 1000 << COUNTER_BITS


def date_of(row_id: int) -> datetime:
    """Return the date in a row id of a message or version, in whole seconds."""
    return from_ms((row_id >> COUNTER_BITS) * 1000)


def end_id(before: int | None, until: datetime | None) -> int:
    """Return the row id below which rows lie before a row and before a moment, where these are given."""
    return min(_LAST_ID if before is None else before, _LAST_ID if until is None else first_id(until))


def json_list(values: Iterable[object]) -> str:
    """Write ids as a JSON list, for `json_each` in a query."""
    return json.dumps(list(values))
