import random
from datetime import timedelta
from itertools import product

import pytest

from bot.matching.engine.compiled import Compiled
from bot.matching.engine.matcher import Matcher
from bot.matching.words.tokens import analyse
from bot.search import searcher
from bot.search.deadline import Deadline
from bot.search.jobs import find_any
from bot.search.searcher import Hit, SearchPage, count_matches, find_best, find_newest
from bot.store.fulltext import Scope
from tests.kit_archive import NEWS, NOON, OTHER, Archive, ago, compiled, find_hits, gone, post

PAGE = 100
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
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    await archive.follow(OTHER, title="Другое")
    return archive


@pytest.mark.parametrize("query", QUERIES)
async def test_search_finds_what_the_live_matcher_finds(archive: Archive, query: str) -> None:
    dice = random.Random(query)  # noqa: S311 - samples, no secrets
    texts = [" ".join(dice.choices(WORDS, k=dice.randrange(1, 9))) for _ in range(3 * PAGE)]
    for start in range(0, len(texts), PAGE):
        await archive.live(*(post(n + 1, texts[n]) for n in range(start, start + PAGE)))
    matcher = Matcher({"q": compiled(query)})
    expected = {}
    for number, text in enumerate(texts):
        for spans in matcher.match(analyse(text)).values():
            expected[number + 1] = spans
    hits = await find_hits(archive.db, compiled(query), limit=1000)
    assert {hit.post.message_id: hit.spans for hit in hits} == expected
    assert [hit.post.message_id for hit in hits] == sorted(expected, reverse=True)
    assert 0 < len(expected) < len(texts)


async def test_hits_come_in_pages_newest_first(archive: Archive) -> None:
    await archive.live(*(post(n, "сбой" if n % 2 else "день", date=ago(minutes=n)) for n in range(1, 99)))
    first = await find_hits(archive.db, compiled("сбой"), limit=5)
    second = await find_hits(archive.db, compiled("сбой"), limit=5, before=first[-1].post.version_id)
    assert [hit.post.message_id for hit in first + second] == list(range(1, 20, 2))


async def test_a_search_may_be_narrowed(archive: Archive) -> None:
    await archive.live(*(post(n, "сбой", date=ago(hours=n)) for n in range(1, 6)), post(9, "сбой", channel_id=OTHER))
    query = compiled("сбой")
    by_channel = await find_hits(archive.db, query, limit=9, channel_ids=[OTHER])
    by_date = await find_hits(archive.db, query, limit=9, since=ago(hours=4), until=ago(hours=2))
    assert [hit.post.message_id for hit in by_channel] == [9]
    assert [hit.post.message_id for hit in by_date] == [3, 4]


async def test_an_edited_post_is_found_by_what_it_says_now(archive: Archive) -> None:
    await archive.live(post(1, "сбой"), post(2, "сбой"), gone(2))
    await archive.live(post(1, "порядок", edit_date=NOON))
    assert [hit.post.message_id for hit in await find_hits(archive.db, compiled("сбой"), limit=9)] == [2]
    assert [hit.post.message_id for hit in await find_hits(archive.db, compiled("порядок"), limit=9)] == [1]


def shown(found: SearchPage) -> list[tuple[int, str]]:
    return [(hit.post.message_id, hit.post.text) for hit in found.hits]


async def edited(archive: Archive, message_id: int, *texts: str) -> None:
    """Post a message and change it again and again."""
    for number, text in enumerate(texts):
        date = ago(hours=message_id)
        edit = date + timedelta(minutes=number) if number else None
        await archive.live(post(message_id, text, date=date, edit_date=edit))


@pytest.mark.parametrize("query", ["сбой", "re:/сбой/", '"сбой сети"'])
async def test_the_history_finds_each_message_once_by_what_it_said_last(archive: Archive, query: str) -> None:
    await edited(archive, 1, "сбой сети один", "сбой сети два", "порядок")
    await edited(archive, 2, "сбой сети", "снова сбой сети")
    await edited(archive, 3, "тишина", "сбой сети", "тишина!")
    await edited(archive, 4, "тишина", "порядок")
    await archive.live(post(5, "сбой сети", date=ago(hours=5)), gone(5))
    past = Scope(history=True)
    expected = [(1, "сбой сети два"), (2, "снова сбой сети"), (3, "сбой сети"), (5, "сбой сети")]
    found = await find_newest(archive.db, compiled(query), past, limit=9)
    assert shown(found) == expected
    assert [hit.post.is_current for hit in found.hits] == [False, True, False, True]
    assert found.hits[0].post.edit_date == ago(hours=1) + timedelta(minutes=1)
    pages, before = [], None
    for _ in expected:
        page = await find_newest(archive.db, compiled(query), past, limit=1, before=before)
        pages += shown(page)
        before = page.before
    assert pages == expected
    assert [number for number, _ in shown(await find_newest(archive.db, compiled(query), limit=9))] == [2, 5]


async def test_a_version_that_comes_late_is_an_earlier_wording(archive: Archive) -> None:
    await archive.live(post(1, "порядок", edit_date=NOON))
    await archive.live(post(1, "сбой"))
    assert shown(await find_newest(archive.db, compiled("сбой"), limit=9)) == []
    assert shown(await find_newest(archive.db, compiled("сбой"), Scope(history=True), limit=9)) == [(1, "сбой")]


@pytest.mark.parametrize("query", ['"сбой сети"', "re:/сбой сети/", "сети -но"])
async def test_a_search_stops_when_it_has_looked_at_enough_and_goes_on_from_there(archive: Archive, query: str) -> None:
    lone = [post(n, "сбой, но не сети", date=ago(hours=n)) for n in range(1, 301)]
    await archive.live(*lone, post(301, "сбой сети", date=ago(hours=301)))
    first = await find_newest(archive.db, compiled(query), limit=5, most=120)
    assert (first.hits, first.examined, first.reached) == ((), 120, ago(hours=120))
    second = await find_newest(archive.db, compiled(query), limit=5, most=120, before=first.before)
    assert (second.hits, second.reached) == ((), ago(hours=240))
    last = await find_newest(archive.db, compiled(query), limit=5, most=120, before=second.before)
    assert [hit.post.message_id for hit in last.hits] == [301]
    assert (last.before, last.reached, last.examined) == (None, None, 61)
    assert [hit.post.message_id for hit in await find_hits(archive.db, compiled(query), limit=5)] == [301]


async def test_the_best_hold_more_of_the_query_in_fewer_words(archive: Archive) -> None:
    texts = [
        "сбой",
        "сбой у банка",
        "длинный рассказ о погоде, в котором раз помянут сбой",
        "банк: сбой, сбои, сбой",
        "день",
    ]
    await archive.live(*(post(n, text, date=ago(hours=n)) for n, text in enumerate(texts, start=1)))
    found = await find_best(archive.db, compiled("сбой|банк"), Scope(), limit=9)
    assert [hit.post.message_id for hit in found.hits] == [4, 2, 1, 3]
    assert found.before is None


async def test_pages_of_the_best_stay_the_same_when_new_posts_come(archive: Archive) -> None:
    await archive.live(*(post(n, "сбой " * n, date=ago(hours=n)) for n in range(1, 8)))
    first = await find_best(archive.db, compiled("сбой"), Scope(), limit=3)
    await archive.live(post(8, "сбой " * 99), post(9, "сбой"))
    second = await find_best(archive.db, compiled("сбой"), Scope(), limit=3, skip=3, before=first.before)
    last = await find_best(archive.db, compiled("сбой"), Scope(), limit=3, skip=6, before=second.before)
    assert [[hit.post.message_id for hit in page.hits] for page in (first, second, last)] == [[7, 6, 5], [4, 3, 2], [1]]
    assert last.before is None
    nothing = await find_best(archive.db, compiled("бегемот"), Scope(), limit=3)
    assert (nothing.hits, nothing.before) == ((), None)


@pytest.mark.parametrize("query", ["сбой", "re:/сбой/"])
async def test_several_channels_may_be_searched_together(archive: Archive, query: str) -> None:
    await archive.follow(1003, title="Третий")
    await archive.live(post(1, "сбой"), post(2, "сбой", channel_id=OTHER), post(3, "сбой", channel_id=1003))
    found = await find_newest(archive.db, compiled(query), Scope(channel_ids=(NEWS, 1003)), limit=9)
    assert sorted(hit.post.message_id for hit in found.hits) == [1, 3]


@pytest.mark.parametrize("query", ["сбой", "re:/сбой/"])
async def test_a_preview_counts_albums_once_and_only_since_then(archive: Archive, query: str) -> None:
    await archive.live(post(1, "сбой"), post(2, "сбой", grouped_id=5), post(3, "сбой", grouped_id=5), post(4, "день"))
    await archive.live(post(5, "сбой банка", date=NOON - timedelta(days=8)), post(1, "сбой", channel_id=OTHER))
    queries = [compiled(query), compiled("банк")]
    assert await count_matches(archive.db, queries, since=ago(days=7), channel_id=NEWS) == 2
    assert await count_matches(archive.db, queries, since=ago(days=7), channel_id=OTHER) == 1
    assert await count_matches(archive.db, queries, since=ago(days=9), channel_id=NEWS) == 3
    assert await count_matches(archive.db, [], since=ago(days=9), channel_id=NEWS) == 0


async def test_an_album_is_found_once(archive: Archive) -> None:
    album = [post(n, f"сбой {n}", grouped_id=5, date=ago(hours=1)) for n in (2, 3, 4)]
    await archive.live(post(1, "сбой", date=ago(hours=2)), *album, post(9, "сбой 9", grouped_id=5, channel_id=OTHER))
    every = await find_newest(archive.db, compiled("сбой"), limit=9)
    assert [hit.post.message_id for hit in every.hits] == [9, 4, 1]
    pages, before = [], None
    for _ in range(3):
        page = await find_newest(archive.db, compiled("сбой"), limit=1, before=before)
        pages += [hit.post.message_id for hit in page.hits]
        before = page.before
    assert pages == [9, 4, 1]
    assert [hit.post.message_id for hit in await find_hits(archive.db, compiled("сбой 2"), limit=9)] == [2]
    best = await find_best(archive.db, compiled("сбой"), Scope(channel_ids=[NEWS]), limit=9)
    assert sorted(hit.post.message_id for hit in best.hits) == [1, 4]


async def test_an_album_is_found_once_in_the_history_too(archive: Archive) -> None:
    await archive.live(*(post(n, f"сбой {n}", grouped_id=5) for n in (1, 2)), post(3, "тишина", grouped_id=5))
    await archive.live(post(2, "порядок", grouped_id=5, edit_date=ago(hours=-1)))
    assert shown(await find_newest(archive.db, compiled("сбой"), limit=9)) == [(1, "сбой 1")]
    assert shown(await find_newest(archive.db, compiled("сбой"), Scope(history=True), limit=9)) == [(2, "сбой 2")]


@pytest.mark.parametrize(("hits", "rows"), [(3, 99), (99, 4)], ids=["hits", "rows"])
async def test_a_ranking_tells_how_far_back_it_goes(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, hits: int, rows: int
) -> None:
    monkeypatch.setattr(searcher, "MOST_RANKED", hits)
    monkeypatch.setattr(searcher, "_MOST_ROWS", rows)
    await archive.live(*(post(n, "сбой", date=ago(hours=n)) for n in range(1, 9)))
    found = await find_best(archive.db, compiled("сбой"), Scope(), limit=2)
    assert (len(found.hits), found.ranked, found.reached) == (2, min(hits, rows), ago(hours=min(hits, rows)))
    monkeypatch.undo()
    assert (await find_best(archive.db, compiled("сбой"), Scope(), limit=2)).reached is None


class Checks(Deadline):
    """A deadline that is over once so many have asked."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count

    def is_over(self, part: float = 1.0) -> bool:
        del part
        self.left -= 1
        return self.left < 0


async def test_a_search_that_stops_at_its_deadline_goes_on_without_losing_or_doubling_any(archive: Archive) -> None:
    texts = ("Сбой сети", "Сбой в сети", "Погода", "Сбой в городе", "сбои были, сети нет")
    await archive.live(*(post(n, f"{texts[n % 5]} {n}", grouped_id=n // 7 or None) for n in range(1, 140)))
    await archive.live(*(post(n, "Порядок", edit_date=NOON) for n in range(1, 140, 4)))
    queries = (compiled(query) for query in ("сбой", '"сбой сети"~2', "re:/сбо[ий] /", "сбой -сети"))
    for query, history in product(queries, (False, True)):
        whole = await find_newest(archive.db, query, Scope(history=history), limit=1000)
        for checks in (0, 1, 7, 60):
            assert await paged(archive, query, Scope(history=history), checks) == whole.hits, (query, history, checks)


async def paged(archive: Archive, query: Compiled, scope: Scope, checks: int) -> tuple[Hit, ...]:
    """Search until nothing is left, each time until a deadline."""
    found, before = list[Hit](), None
    for _ in range(1000):
        page = await find_newest(archive.db, query, scope, limit=6, before=before, deadline=Checks(checks))
        found, before = [*found, *page.hits], page.before
        assert page.examined or before is None
        if before is None:
            break
    assert before is None
    return tuple(found)


async def test_the_pages_of_a_ranking_that_ended_early_are_of_one_ranking(archive: Archive) -> None:
    await archive.live(*(post(n, "Сбой. " * (n % 9 + 1), date=ago(minutes=n)) for n in range(1, 120)))
    query, seen = compiled("сбой"), []
    page = await find_best(archive.db, query, Scope(), limit=5, deadline=Checks(30))
    while True:
        seen += [hit.post.message_id for hit in page.hits]
        if page.before is None:
            break
        again = page.ranked if page.skip and page.reached else None
        page = await find_best(
            archive.db, query, Scope(), limit=5, skip=page.skip, before=page.before, ranked=again, deadline=Checks(55)
        )
    assert sorted(seen) == list(range(1, 120))


@pytest.mark.parametrize("checks", [3, 40, 10_000])
async def test_what_any_of_several_queries_finds_is_found_once_and_in_order(archive: Archive, checks: int) -> None:
    texts = ("Сбой сети", "Погода", "Сбой", "Сети")
    await archive.live(*(post(n, f"{texts[n % 4]} {n}", date=ago(minutes=n)) for n in range(1, 60)))
    queries, found, before = [compiled("сбой"), compiled("re:/Сет/"), compiled("сеть")], [], None
    while True:
        page = await find_any(archive.db, queries, Scope(), limit=6, before=before, deadline=SharedChecks(checks))
        found += [hit.post.message_id for hit in page.hits]
        before = page.before
        if before is None:
            break
    assert found == [n for n in range(1, 60) if n % 4 != 1]


class SharedChecks(Checks):
    def share(self, count: int) -> Deadline:
        return Checks(self.left // count)
