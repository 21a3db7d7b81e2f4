"""The bytes of a message are stored without its text, and are the same again when they are read."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.models import Post
from bot.parts import Part, PartKind
from tests.benchmarks.mix import Mix
from tests.benchmarks.texts import pool
from tests.kit_archive import Archive, post

ARABIC = "الإنترنت مقطوع"


def telegram(text: str) -> bytes:
    return b"\x00\xff\xfe flags" + text.encode() + b"\x00 rest \xd0"


async def read(archive: Archive, posts: Sequence[Post]) -> list[bytes]:
    await archive.live(*posts)
    rows = await archive.db.fetch_all("SELECT raw, raw_sha256, typeof(raw) AS type FROM versions ORDER BY message_id")
    assert all(row["raw_sha256"] == hashlib.sha256(row["raw"]).digest() and row["type"] == "blob" for row in rows)
    return [row["raw"] for row in rows]


@pytest.mark.parametrize(
    ("text", "raw", "spared"),
    [
        pytest.param("Сбой 🌲", telegram("Сбой 🌲"), True, id="as it is"),
        pytest.param(ARABIC, telegram(ARABIC + ARABIC), True, id="twice"),
        pytest.param("а\0б\0", telegram("а\0б\0"), True, id="with zeros"),
        pytest.param("Сбой", "Сбой".encode(), False, id="nothing else"),
        pytest.param("7", telegram("Сбой"), False, id="not in it"),
        pytest.param("", telegram("Сбой"), False, id="no text"),
        pytest.param("Сбой", b"", False, id="no bytes"),
        pytest.param("«\n»", json.dumps({"text": "«\n»"}).encode(), False, id="written in another way"),
    ],
)
async def test_bytes_are_read_as_they_came(archive: Archive, text: str, raw: bytes, *, spared: bool) -> None:
    await archive.follow()
    assert await read(archive, [post(1, text, raw=raw)]) == [raw]
    rest = await archive.db.fetch_value("SELECT raw_rest FROM versions")
    assert len(rest) == len(raw) - spared * len(text.encode())


@given(text=st.text(), around=st.tuples(st.binary(), st.binary()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
async def test_whatever_they_are(archive: Archive, text: str, around: tuple[bytes, bytes]) -> None:
    await archive.follow()
    message_id = 1 + await archive.db.fetch_value("SELECT count(*) FROM posts")
    raw = text.encode().join(around)
    await archive.live(post(message_id, text, raw=raw))
    sql = "SELECT raw FROM versions WHERE message_id = ?"
    assert await archive.db.fetch_value(sql, (message_id,)) == raw


async def test_messages_of_telegram_take_little_beside_their_texts(archive: Archive) -> None:
    posts = Mix(pool(1), channels=5).posts(2000)
    for channel_id in {p.channel_id for p in posts}:
        await archive.follow(channel_id)
    await archive.live(*posts)
    rows = await archive.db.fetch_all("SELECT channel_id, message_id, raw, raw_rest, raw_sha256, text FROM versions")
    sent = {(p.channel_id, p.message_id): p for p in posts}
    for row in rows:
        raw = sent[row["channel_id"], row["message_id"]].raw
        assert row["raw"] == raw
        assert row["raw_sha256"] == hashlib.sha256(raw).digest()
        assert len(row["raw_rest"]) == len(raw) - len(row["text"].encode())
    assert len(rows) == len(posts)


async def test_bytes_that_brought_another_part_do_not_repeat_the_text_either(archive: Archive) -> None:
    await archive.follow()
    before, after = telegram("Сбой"), telegram("Сбой") + "Погода".encode()
    preview = (Part(kind=PartKind.PREVIEW, text="Погода"),)
    await archive.live(post(1, "Сбой", raw=before))
    await archive.live(post(1, "Сбой", raw=after, parts=preview))
    (row,) = await archive.db.fetch_all("SELECT * FROM part_messages")
    assert (row["raw"], row["raw_sha256"]) == (after, hashlib.sha256(after).digest())
    assert len(row["raw_rest"]) == len(after) - len("Сбой".encode())


async def test_bytes_keep_their_text_where_more_of_it_comes_to_the_version(archive: Archive) -> None:
    await archive.follow()
    seen = [post(1, "Сбой", raw=telegram("Сбой"))]
    seen.append(replace(seen[0], raw=telegram("Сбой…"), parts=(Part(kind=PartKind.PREVIEW, text="Погода"),)))
    for each in seen:
        await archive.live(each)
    await archive.db.write(lambda tx: tx.execute("UPDATE versions SET text = 'Сбой в сети'"))
    rows = await archive.db.fetch_all("SELECT raw FROM versions UNION ALL SELECT raw FROM part_messages")
    assert [row["raw"] for row in rows] == [each.raw for each in seen]
