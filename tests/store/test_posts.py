from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store import fulltext, posts, readers
from bot.store.fulltext import Scope
from bot.store.rows import first_id, from_ms, to_ms
from tests.kit_archive import NEWS, NOON, OTHER, Archive, ago, gone, post


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    await archive.follow(OTHER, title="Другое")
    return archive


@given(st.integers(0, 253402300799999))
def test_a_moment_survives_the_way_to_the_disk_and_back(milliseconds: int) -> None:
    assert to_ms(from_ms(milliseconds)) == milliseconds


async def test_the_newest_posts_come_in_pages(archive: Archive) -> None:
    await archive.live(*(post(n, date=ago(minutes=60 - n)) for n in range(1, 8)))
    await archive.live(post(1, date=NOON, channel_id=OTHER))
    first = await posts.latest(archive.db, limit=3)
    second = await posts.latest(archive.db, limit=3, before=first[-1].id)
    assert [(p.channel_id, p.message_id) for p in first + second] == [
        (OTHER, 1), (NEWS, 7), (NEWS, 6), (NEWS, 5), (NEWS, 4), (NEWS, 3)
    ]  # fmt: skip
    assert [p.message_id for p in await posts.latest(archive.db, channel_ids=[OTHER], limit=9)] == [1]


async def test_an_album_is_one_of_the_newest_posts_by_its_caption(archive: Archive) -> None:
    await archive.live(post(1, "", grouped_id=5), post(2, "Подпись", grouped_id=5), post(3, "", grouped_id=5))
    await archive.live(post(4, "", grouped_id=6), post(5, "", grouped_id=6))
    assert [p.message_id for p in await posts.latest(archive.db, limit=9)] == [4, 2]
    assert [(p.key, p.message_id) for p in await posts.by_key(archive.db, NEWS, "g6")] == [("g6", 4), ("g6", 5)]


async def test_the_sweep_learns_what_is_stored(archive: Archive) -> None:
    assert await posts.highest_id(archive.db, NEWS) == 0
    await archive.live(post(3), post(5), post(9), gone(5))
    assert await posts.highest_id(archive.db, NEWS) == 9
    assert await posts.ids_between(archive.db, NEWS, 3, 8) == {3}
    assert [p.message_id for p in await posts.current(archive.db, NEWS, [9, 3, 4])] == [3, 9]


async def test_statistics_count_what_is_stored(archive: Archive) -> None:
    empty = await posts.archive_stats(archive.db, NOON)
    await archive.live(post(1, date=ago(days=2)), post(2, date=ago(hours=1)), post(3), gone(3))
    counted = await posts.archive_stats(archive.db, ago(days=1))
    assert (empty.messages, empty.last_seen_at) == (0, None)
    assert counted == posts.ArchiveStats(messages=3, recent=2, gone=1, last_seen_at=NOON)


async def test_candidates_are_current_versions_newest_first(archive: Archive) -> None:
    await archive.live(*(post(n, "сеть", date=NOON + timedelta(seconds=n)) for n in range(1, 6)))
    await archive.live(post(3, "узел", date=NOON + timedelta(seconds=3), edit_date=ago(hours=-1)))
    await archive.live(post(9, "сеть", channel_id=OTHER))

    async def found(
        expression: str | None,
        limit: int = 99,
        *,
        before: int | None = None,
        **narrowed: Any,  # noqa: ANN401 - fields of a Scope
    ) -> list[int]:
        page = await fulltext.candidate_posts(archive.db, expression, Scope(**narrowed), limit=limit, before=before)
        return [p.message_id for p in page]

    assert await found('"сеть"') == [5, 4, 2, 1, 9]
    assert await found('"узел" OR "сеть"') == await found(None) == [5, 4, 3, 2, 1, 9]
    assert await found('"сеть"', limit=2) == [5, 4]
    assert await found('"сеть"', before=(await archive.stored(4)).version_id) == [2, 1, 9]
    assert await found('"сеть"', channel_ids=[OTHER]) == await found(None, channel_ids=[OTHER]) == [9]
    since, until = NOON + timedelta(seconds=2), NOON + timedelta(seconds=5)
    assert await found('"сеть"', since=since, until=until) == [4, 2]
    assert await found(None, since=since, until=until) == [4, 3, 2]


async def test_the_index_is_read_by_descending_rows_without_sorting(archive: Archive) -> None:
    plan = await archive.db.fetch_all(
        "EXPLAIN QUERY PLAN SELECT f.rowid FROM fulltext f CROSS JOIN versions v WHERE v.id = f.rowid "
        "AND fulltext MATCH ? AND f.rowid < ? ORDER BY f.rowid DESC LIMIT 9",
        ('"сеть"', first_id(NOON)),
    )
    assert "TEMP B-TREE" not in " ".join(str(row["detail"]) for row in plan)


async def test_a_reader_keeps_its_number(archive: Archive) -> None:
    numbers = [await archive.db.write(lambda tx, a=a: readers.register(tx, a, NOON)) for a in (42, 43, 42)]
    assert numbers == [archive.reader_id, archive.reader_id + 1, archive.reader_id]
