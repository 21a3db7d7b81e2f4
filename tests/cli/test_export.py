"""`export`: a table for other tools, each row as it is read, opened by one of them."""

import json
import re
from datetime import timedelta
from pathlib import Path

import duckdb
import feedparser
import pytest

from bot.models import Media
from tests.kit_archive import NOON, OTHER, ago, gone, open_archive, post
from tests.shell import typed

TERMINAL = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "100"}  # by which `rich` takes a pipe for one


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
    code, out, said = await typed(data, "export", "--channel", "@News1002", "--format", "jsonl", **TERMINAL)
    assert re.search("Reading posts back to 2025-03-10 .*100%", said), said
    assert [json.loads(line)["channel"] for line in out.splitlines()] == ['Хро"ника; ещё']
    code, _, said = await typed(data, "export", "--channel", "@nobody", "-o", tmp_path / "none.csv")
    assert (code, (tmp_path / "none.csv").exists(), said.count("\n")) == (2, False, 1)


@pytest.mark.parametrize("how", ["rss", "atom", "jsonfeed"])
async def test_readers_of_news_take_the_posts_of_a_topic(tmp_path: Path, how: str) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.track(None, "Свет", "сбой")
        evil = "Сбой <script>alert(1)</script> & \x01 «так»\nвторая строка"
        await archive.live(post(1, evil, date=ago(hours=2)), post(2, "Сбой 2"), post(3))
        archive.now = NOON + timedelta(hours=1)
        await archive.live(gone(2))
    place = tmp_path / how
    assert (await typed(tmp_path / "data", "export", "--topic", "свет", "--format", how, "-o", place))[0] == 0
    if how == "jsonfeed":
        entries = [(each["url"], each["content_text"]) for each in json.loads(place.read_text("utf-8"))["items"]]
    else:
        read = feedparser.parse(place.read_bytes())
        assert (read.bozo, read.version, read.feed.title) == (False, {"rss": "rss20", "atom": "atom10"}[how], "Свет")
        entries = [(each.link, each.summary.replace("<br />", "\n")) for each in read.entries]
    assert [link for link, _ in entries] == ["https://t.me/News1001/2", "https://t.me/News1001/1"]
    assert entries[0][1] == "Deleted, Telegram told us 2025-03-10 13:00 UTC\n\nСбой 2"
    assert "alert(1)" in entries[1][1]
    assert entries[1][1].endswith("вторая строка")
