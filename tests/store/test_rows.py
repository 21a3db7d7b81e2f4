import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import pytest

from bot.store.rows import read, read_all, to_ms

NOON = datetime(2025, 3, 10, 12, 0, 0, 250_000, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    colour: Colour
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    name: str | None
    date: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    id: int
    quiet: Hours | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    sent_at: datetime
    read_at: datetime | None
    is_open: bool
    colour: Colour
    ids: tuple[int, ...] | None
    spans: tuple[tuple[int, int], ...]
    words: tuple[Word, ...]
    origin: Origin | None
    payload: Mapping[str, object]
    writer: Person


ROW = {
    "sent_at": to_ms(NOON),
    "read_at": None,
    "is_open": 1,
    "colour": "red",
    "ids": "[3, 4]",
    "spans": "[[1, 2]]",
    "words": '[["red", "a"], {"colour": "red", "text": "b"}]',
    "origin": '{"name": null, "date": "2025-03-10 12:00:00.250000+00:00"}',
    "payload": '{"n": [1]}',
    "writer_id": 7,
    "writer_quiet_start": 60,
    "writer_quiet_end": 120,
    "extra": "is no field",
}
LETTER = Letter(
    sent_at=NOON,
    read_at=None,
    is_open=True,
    colour=Colour.RED,
    ids=(3, 4),
    spans=((1, 2),),
    words=(Word(colour=Colour.RED, text="a"), Word(colour=Colour.RED, text="b")),
    origin=Origin(name=None, date=NOON),
    payload={"n": [1]},
    writer=Person(id=7, quiet=Hours(start=60, end=120)),
)


def rows(*values: Mapping[str, object]) -> list[sqlite3.Row]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    columns = ", ".join(f":{name} AS {name}" for name in values[0])
    return [connection.execute(f"SELECT {columns}", each).fetchone() for each in values]


def test_a_row_becomes_a_dataclass_by_the_types_of_its_fields() -> None:
    (row,) = rows(ROW)
    assert read(Letter, row) == LETTER


def test_what_may_be_missing_is_none_where_it_is_null() -> None:
    (row,) = rows(ROW | {"ids": None, "origin": None, "spans": "[]", "writer_quiet_start": None})
    letter = read(Letter, row)
    assert (letter.ids, letter.origin, letter.spans, letter.writer.quiet) == (None, None, (), None)


def test_rows_of_one_answer_are_read_alike_and_share_what_they_have_in_common() -> None:
    first, second, third = read_all(Letter, rows(ROW, ROW | {"ids": None}, ROW | {"writer_id": 8}))
    assert first == LETTER
    assert first.writer is second.writer
    assert third.writer.id == 8
    assert read_all(Letter, []) == []


def test_a_column_that_is_missing_is_named() -> None:
    (row,) = rows({"id": 7, "quiet": 60})
    with pytest.raises(LookupError, match="no column for start"):
        read(Hours, row)
