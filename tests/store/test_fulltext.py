from datetime import timedelta
from typing import Any

import pytest

from bot.store import fulltext, posts
from bot.store.fulltext import Scope
from tests.kit_archive import NEWS, NOON, OTHER, Archive, ago, post


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    await archive.follow(OTHER, title="Другое")
    await archive.live(*(post(n, "узел" if n == 3 else "сеть", date=NOON + timedelta(seconds=n)) for n in range(1, 6)))
    await archive.live(post(4, "узел", date=NOON + timedelta(seconds=4), edit_date=NOON + timedelta(hours=1)))
    await archive.live(post(9, "сеть", channel_id=OTHER, date=ago(hours=1)))
    return archive


async def found(
    archive: Archive,
    expression: str | None,
    *,
    before: int | None = None,
    limit: int = 99,
    **narrowed: Any,  # noqa: ANN401 - fields of a Scope
) -> list[int]:
    scope = Scope(**narrowed)
    rows = await fulltext.candidate_versions(archive.db, expression, scope, limit=limit, with_text=False, before=before)
    return [post.message_id for post in await posts.of_versions(archive.db, [row.version_id for row in rows])]


async def test_versions_are_found_newest_first_the_earlier_ones_too(archive: Archive) -> None:
    assert await found(archive, '"сеть"') == [5, 4, 2, 1, 9]
    assert await found(archive, '"узел"') == [4, 3]
    assert await found(archive, None) == [5, 4, 4, 3, 2, 1, 9]
    assert [p.is_current for p in await posts.of_versions(archive.db, [(await archive.stored(4)).version_id])] == [True]


@pytest.mark.parametrize("expression", ['"сеть" OR "узел"', None])
async def test_versions_are_narrowed_alike_with_and_without_words(archive: Archive, expression: str | None) -> None:
    since, until = NOON + timedelta(seconds=2), NOON + timedelta(seconds=4)
    before = (await archive.stored(3)).version_id
    assert await found(archive, expression, since=since, until=until) == [3, 2]
    assert await found(archive, expression, before=before) == [2, 1, 9]
    assert await found(archive, expression, before=before, until=NOON) == [9]
    assert await found(archive, expression, channel_ids=[OTHER]) == [9]
    assert await found(archive, expression, channel_ids=[NEWS, OTHER], limit=2) == [5, 4]
    assert await found(archive, expression, channel_ids=[4711]) == []


@pytest.mark.parametrize("expression", ['"узел"', None])
@pytest.mark.parametrize("channel_ids", [None, [NEWS]])
async def test_the_words_and_on_demand_the_text_come_along(
    archive: Archive, expression: str | None, channel_ids: list[int] | None
) -> None:
    scope = Scope(channel_ids=channel_ids, until=NOON + timedelta(seconds=4))
    (row,) = await fulltext.candidate_versions(archive.db, expression, scope, limit=1, with_text=True)
    assert (row.words, row.text) == (f"'c'{NEWS} узел", "узел")
    (row,) = await fulltext.candidate_versions(archive.db, expression, scope, limit=1, with_text=False)
    assert (row.words, row.text) == (f"'c'{NEWS} узел", "")
