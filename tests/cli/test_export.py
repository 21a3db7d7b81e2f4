"""`export`: a table for other tools, each row as it is read, opened by one of them."""

import json
from datetime import timedelta
from pathlib import Path

import duckdb

from bot.models import Media
from tests.kit_archive import NOON, OTHER, ago, gone, open_archive, post
from tests.shell import typed


async def test_a_table_of_messages_is_opened_by_duckdb_as_it_is(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.follow(OTHER, title='Хро"ника; ещё')
        photo = {"grouped_id": 5, "media": Media(kind="photo", id=1)}
        await archive.live(*(post(n, "=1+1\nСбой" if n == 1 else "", date=ago(days=2), **photo) for n in (1, 2)))
        await archive.live(post(3, "Было, «так»", views=7), post(4, "Сбой 4", channel_id=OTHER), post(5))
        archive.now = NOON + timedelta(hours=1)
        await archive.live(post(3, "Стало", edit_date=archive.now), gone(5))
        await archive.sweep(gone(4, channel_id=OTHER))
    table, data = tmp_path / "posts.csv", tmp_path / "data"
    assert (await typed(data, "export", "--versions", "-o", table))[::2] == (0, "6 rows.\n")
    assert table.stat().st_mode & 0o777 == 0o600
    asked = duckdb.sql(f"FROM '{table}'")
    assert dict(zip(asked.columns, map(str, asked.types), strict=True)).items() >= {
        ("id", "VARCHAR"),
        ("timestamp", "TIMESTAMP"),
        ("unix_timestamp", "BIGINT"),
        ("is_current", "BOOLEAN"),
        ("deletion_told_at", "TIMESTAMP"),
        ("missing_since", "TIMESTAMP"),
        ("views", "BIGINT"),
    }
    assert asked.order("unix_timestamp, id, version").project("id, version, body").fetchall() == [
        ("1001-1", 1, "'=1+1\nСбой"),
        ("1001-2", 1, None),
        ("1001-3", 1, "Было, «так»"),
        ("1001-3", 2, "Стало"),
        ("1001-5", 1, "Тихий день"),
        ("1002-4", 1, "Сбой 4"),
    ]
    for column, number in (("deletion_told_at", 5), ("missing_since", 4)):
        assert asked.filter(f"{column} = '2025-03-10 13:00:00'").project("message_id").fetchall() == [(number,)]
    code, out, _ = await typed(data, "export", "сбой", "--since", "2025-03-09", "--format", "jsonl")
    assert (code, [json.loads(line)["body"] for line in out.splitlines()]) == (0, ["Сбой 4"])
    code, out, _ = await typed(data, "export", "--channel", "@News1002", "--format", "jsonl")
    assert [json.loads(line)["channel"] for line in out.splitlines()] == ['Хро"ника; ещё']
    code, _, said = await typed(data, "export", "--channel", "@nobody", "-o", tmp_path / "none.csv")
    assert (code, (tmp_path / "none.csv").exists(), said.count("\n")) == (2, False, 1)
