"""The table of an export, taken by the rules of the tools that it is for."""

import csv
import re
from datetime import datetime, timedelta
from io import StringIO
from itertools import product
from pathlib import Path

import duckdb
import pytest

from bot.dossier.table import TableFormat, row_of, safe_cell, writer
from bot.models import Entity, ObservedBy
from bot.models.links import CommentedPost
from tests.rendering.values import DATE, stored

# Of 4CAT 1.x, digitalmethodsinitiative/4cat: `SearchCustom.validate_query` and `process` in
# datasources/upload/import_csv.py, `map_csv_items` and `tools["custom"]` in import_formats.py, `sniff_encoding` in
# common/lib/helpers.py. Each item has to have these columns; `csv.Sniffer` says of the first MB how to read the rest.
REQUIRED = ("id", "thread_id", "author", "body", "timestamp")
SIGNS = ('"', "'", ",", ";", "\t", "\n", "а", "да, ", '"а, б"', '"\n', "=1", " ")


def taken_by_4cat(path: Path) -> list[dict[str, str]]:
    """Return the items that 4CAT makes of a file, as it opens and reads it."""
    encoding = "utf-8-sig" if path.read_bytes().startswith(b"\xef\xbb\xbf") else "utf-8"
    with path.open(encoding=encoding) as file:
        sample = file.read(1024 * 1024)
        assert csv.Sniffer().has_header(sample)
        dialect = csv.Sniffer().sniff(sample, delimiters=",;\t")
        file.seek(0)
        items = []
        for row in csv.DictReader(file, dialect=dialect):
            assert None not in row, "a text was cut at a comma"
            item = {column: row[column] for column in REQUIRED} | row
            datetime.strptime(item["timestamp"], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - what it recommends
            items.append(item)
    return items


def test_4cat_and_duckdb_read_whatever_a_message_says(tmp_path: Path) -> None:
    """Also where quotes stand beside commas and line breaks alone: a sniffer does not see them doubled there."""
    path = tmp_path / "posts.csv"
    every = [first + second for first, second in product(SIGNS, repeat=2)]
    for texts in (
        ['"да, нет"', '"А, б" и "в, г", "д\nе, ж"', "x"],
        ["об'єкт, 'ще', \"", "'а', 'б'"],
        ["", "\x00"],
        every,
    ):
        found = [
            stored(number, text=text, channel_title='"Хро, ника"', date=DATE + timedelta(seconds=number))
            for number, text in enumerate(texts, start=1)
        ]
        with path.open("w", encoding="utf-8", newline="") as out:
            write = writer(TableFormat.CSV, out)
            for post in found:
                write(row_of(post))
        items = taken_by_4cat(path)
        cells = [safe_cell(text) for text in texts]
        assert [item["body"] for item in items] == cells
        assert [item["id"] for item in items] == [f"7-{post.message_id}" for post in found]
        assert {(item["author"], item["thread_id"]) for item in items} == {('"Хро, ника"', "7")}
        table = duckdb.read_csv(str(path), all_varchar=True).order("CAST(message_id AS INT)").project("body")
        assert [body or "" for (body,) in table.fetchall()] == cells


def test_a_comment_has_the_thread_of_its_post_and_hashtags_stand_in_a_column_of_their_own() -> None:
    on = CommentedPost(channel_id=9, title="Вести", username=None, message_id=3)
    tags = [Entity(kind="hashtag", offset=0, length=5), Entity(kind="hashtag", offset=6, length=7)]
    row = row_of(stored(text="#свет #москва", commented=on, entities=tags))
    assert (row["thread_id"], row["hashtags"]) == ("9-3", "свет,москва")


@pytest.mark.parametrize("versions", [1, 2])
def test_json_lines_have_the_columns_of_a_message_alone(versions: int) -> None:
    out = StringIO()
    write = writer(TableFormat.JSONL, out)
    for number in range(1, versions + 1):
        write(row_of(stored(number, text='=1 "а"')))
    assert out.getvalue().count("\n") == versions
    assert '"body":"=1 \\"а\\""' in out.getvalue()


@pytest.mark.parametrize("page", ["export.md", "export.ru.md"])
def test_a_page_has_a_line_for_each_column_and_each_path(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8")
    rows = [row.split("|")[1:3] for row in re.findall(r"^\| `.*", text, re.MULTILINE)]
    named = [name for names, _ in rows for name in re.findall(r"`(\w+)`", names)]
    assert sorted(named) == sorted([*row_of(stored()), "quoting"])
    (paths,) = [re.findall(r"`(\w+)`", told) for names, told in rows if "observed_by" in names]
    assert set(paths) == set(ObservedBy)
