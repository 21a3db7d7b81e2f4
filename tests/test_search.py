import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.matching.matcher import Matcher
from bot.matching.text import analyse
from bot.search import PAGE, preview, search

from .store.kit import NEWS, NOON, OTHER, Newsroom, ago, compiled, gone, newsroom, post

WORDS = [
    *("сбой", "сбои", "сбоев", "cбoй", "#Сбой", "https://example.org/сбой", "@outage_news", "WhatsApp", "Telegram"),
    *("банк", "банка", "сайт", "сайты", "связь", "связи", "сети", "город", "погода", "обычный", "день", "упал", "курс"),
    *("отключили", "отключение", "не", "работает", "в", "на"),
]
QUERIES = (
    "сбой",
    "сбой банка",
    '"сбой сети"~2',
    '"сайт банка"',
    "сбой -погода",
    "отключ*",
    "связь ~3 город",
    "(сбой|авария) банк",
    "#сбой",
    "@outage_news",
    "=WhatsApp",
    "re:/сбо[ий]/",
    "сбой, re:/упал/",
    "re:/курс/ -сбой",
)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with newsroom(tmp_path) as room:
        await room.follow()
        await room.follow(OTHER, title="Другое")
        yield room


@pytest.mark.parametrize("query", QUERIES)
async def test_search_finds_what_the_live_matcher_finds(room: Newsroom, query: str) -> None:
    dice = random.Random(query)  # noqa: S311 - samples, no secrets
    texts = [" ".join(dice.choices(WORDS, k=dice.randrange(1, 9))) for _ in range(3 * PAGE)]
    for start in range(0, len(texts), PAGE):
        await room.live(*(post(n + 1, texts[n]) for n in range(start, start + PAGE)))
    matcher = Matcher({"q": compiled(query)})
    expected = {}
    for number, text in enumerate(texts):
        for match in matcher.match(analyse(text)):
            expected[number + 1] = match.spans
    hits = await search(room.db, compiled(query), limit=1000)
    assert {hit.post.message_id: hit.spans for hit in hits} == expected
    assert [hit.post.message_id for hit in hits] == sorted(expected, reverse=True)
    assert 0 < len(expected) < len(texts)


async def test_hits_come_in_pages_newest_first(room: Newsroom) -> None:
    await room.live(*(post(n, "сбой" if n % 2 else "день", date=ago(minutes=n)) for n in range(1, 99)))
    first = await search(room.db, compiled("сбой"), limit=5)
    second = await search(room.db, compiled("сбой"), limit=5, before=first[-1].post.version_id)
    assert [hit.post.message_id for hit in first + second] == list(range(1, 20, 2))


async def test_a_search_may_be_narrowed(room: Newsroom) -> None:
    await room.live(*(post(n, "сбой", date=ago(hours=n)) for n in range(1, 6)), post(9, "сбой", channel_id=OTHER))
    query = compiled("сбой")
    by_channel = await search(room.db, query, limit=9, channel_id=OTHER)
    by_date = await search(room.db, query, limit=9, since=ago(hours=4), until=ago(hours=2))
    assert [hit.post.message_id for hit in by_channel] == [9]
    assert [hit.post.message_id for hit in by_date] == [3, 4]


async def test_an_edited_post_is_found_by_what_it_says_now(room: Newsroom) -> None:
    await room.live(post(1, "сбой"), post(2, "сбой"), gone(2))
    await room.live(post(1, "порядок", edit_date=NOON))
    assert [hit.post.message_id for hit in await search(room.db, compiled("сбой"), limit=9)] == [2]
    assert [hit.post.message_id for hit in await search(room.db, compiled("порядок"), limit=9)] == [1]


@pytest.mark.parametrize("query", ["сбой", "re:/сбой/"])
async def test_a_preview_counts_albums_once_and_only_since_then(room: Newsroom, query: str) -> None:
    await room.live(post(1, "сбой"), post(2, "сбой", grouped_id=5), post(3, "сбой", grouped_id=5), post(4, "день"))
    await room.live(post(5, "сбой банка", date=NOON - timedelta(days=8)), post(1, "сбой", channel_id=OTHER))
    queries = [compiled(query), compiled("банк")]
    assert await preview(room.db, queries, since=ago(days=7), channel_id=NEWS) == 2
    assert await preview(room.db, queries, since=ago(days=7)) == 3
    assert await preview(room.db, queries, since=ago(days=9)) == 4
    assert await preview(room.db, [], since=ago(days=9)) == 0
