from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.matching.explain.explain import Reason
from bot.search.backtest import PAGE, Backtest, backtest, midnight
from tests.kit_archive import NOON, OTHER, Archive, ago, compiled, post
from tests.search.test_searcher import Checks

MONTH = midnight(NOON, days=30)


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    await archive.follow(OTHER, title="Другое")
    return archive


async def tried(archive: Archive, query: str, *, since: datetime | None = MONTH, most: int | None = None) -> Backtest:
    return await backtest(archive.db, compiled(query), now=NOON, since=since, most=most)


async def test_posts_are_counted_by_day_and_an_album_once(archive: Archive) -> None:
    await archive.live(
        post(1, "Погода", date=ago(days=4)),
        post(2, "Сбой", date=ago(days=2)),
        post(3, "Сбои", grouped_id=5),
        post(4, "сбоя", grouped_id=5),
        post(3, "сбой", channel_id=OTHER),
    )
    result = await tried(archive, "сбой")
    assert (result.total, result.busiest, result.average) == (3, 2, 2 / 4 + 1)
    assert result.days == [(date(2025, 3, day), n) for day, n in ((6, 0), (7, 0), (8, 1), (9, 0), (10, 2))]
    assert [hit.post.text for hit in result.hits] == ["сбой", "сбоя", "Сбой"]
    assert [hit.spans for hit in result.hits] == [((0, 4),)] * 3
    assert not result.empty


async def test_days_are_those_of_the_time_zone(archive: Archive) -> None:
    await archive.live(post(1, "Сбой", date=datetime(2025, 3, 9, 21, 30, tzinfo=UTC)))
    moscow = ZoneInfo("Europe/Moscow")
    since = midnight(NOON, days=2, zone=moscow)
    assert since == datetime(2025, 3, 8, 21, tzinfo=UTC)
    result = await backtest(archive.db, compiled("сбой"), now=NOON, since=since, zone=moscow)
    assert result.per_day == {date(2025, 3, 10): 1}


async def test_older_posts_count_only_where_all_are_asked_for(archive: Archive) -> None:
    await archive.live(post(1, "Сбой", date=ago(days=40)), post(2, "Сбой"))
    assert (await tried(archive, "сбой")).total == 1
    whole = await tried(archive, "сбой", since=None)
    assert (whole.total, whole.first) == (2, ago(days=40).date())


async def test_one_channel_may_be_asked_for(archive: Archive) -> None:
    await archive.live(post(1, "Сбой", date=ago(days=40)), post(2, "Сбой", channel_id=OTHER))
    result = await backtest(archive.db, compiled("сбой"), now=NOON, since=None, channel_ids=[OTHER])
    assert (result.total, result.first) == (1, NOON.date())


async def test_an_empty_archive_says_so(archive: Archive) -> None:
    result = await tried(archive, "сбой ~5 банк", since=None)
    assert (result.empty, result.total, result.average, result.days) == (True, 0, 0, [(NOON.date(), 0)])


async def test_near_misses_say_which_part_failed(archive: Archive) -> None:
    texts = [
        "Сбой в банке, сообщает пресс-служба",
        "Сбой был вчера, а о том, что банк закрыт, сказали сегодня",
        "Сбой в банке был частью учений",
        "Сбой в городе",
        "Погода",
    ]
    await archive.live(*(post(n, text, date=ago(minutes=n)) for n, text in enumerate(texts, start=1)))
    result = await tried(archive, "сбой ~3 банк -учения")
    assert [hit.post.message_id for hit in result.hits] == [1]
    assert [(miss.post.message_id, miss.failure.query, miss.failure.reason) for miss in result.near] == [
        (2, "сбой ~3 банк", Reason.APART),
        (3, "учения", Reason.EXCLUDED),
        (4, "банк", Reason.ABSENT),
    ]
    assert [[miss.post.text[a:b] for a, b in miss.spans] for miss in result.near] == [
        ["Сбой", "банк"],
        ["Сбой", "банке", "учений"],
        ["Сбой"],
    ]


async def test_one_word_has_no_near_misses(archive: Archive) -> None:
    await archive.live(post(1, "Погода"), post(2, "Сбой"))
    assert (await tried(archive, "сбой, авария")).near == ()


async def test_hits_and_near_misses_are_few_and_the_newest(archive: Archive) -> None:
    await archive.live(*(post(n, "Сбой банка" if n % 2 else "Сбой", date=ago(minutes=n)) for n in range(1, 41)))
    result = await tried(archive, "сбой банк")
    assert result.total == 20
    assert [hit.post.message_id for hit in result.hits] == [1, 3, 5, 7, 9]
    assert [miss.post.message_id for miss in result.near] == [2, 4, 6, 8, 10]


async def test_near_misses_of_each_kind_come_first_and_of_the_rare_kinds_before_the_common(archive: Archive) -> None:
    common = [post(n, "Новости банка", date=ago(minutes=n)) for n in range(1, 8)]
    rare = [post(n, "Сбой в городе", date=ago(hours=n)) for n in (10, 11)]
    apart = [post(20, "Банк сообщил, что о сбое вчера узнал", date=ago(days=1))]
    await archive.live(*common, *rare, *apart)
    result = await tried(archive, "сбой ~2 банк")
    assert [miss.post.message_id for miss in result.near] == [20, 10, 1, 11, 2]


async def test_where_too_many_posts_come_into_question_the_count_begins_later(archive: Archive) -> None:
    await archive.live(*(post(n, "Сбой", date=ago(hours=n)) for n in range(49)))
    result = await tried(archive, "re:/сбой/", most=25)
    assert (result.total, result.first) == (25, date(2025, 3, 9))
    whole = await tried(archive, "re:/сбой/", most=50)
    assert (whole.total, whole.first) == (49, date(2025, 3, 8))


async def test_an_album_amid_which_enough_is_read_is_counted_once_by_who_goes_on(archive: Archive) -> None:
    album = [post(n, "Сбой", date=ago(hours=1), grouped_id=7) for n in (1, 2, 3)]
    await archive.live(*album, *(post(n, "Сбой", date=ago(minutes=60 - n)) for n in (4, 5)), post(9, "Сбой"))
    totals, before = [], None
    while not totals or before is not None:
        part = await backtest(archive.db, compiled("сбой"), now=NOON, since=MONTH, most=4, before=before)
        totals.append(part.total)
        before = part.before
    assert sum(totals) == 4


async def test_all_pages_are_read_and_their_dates_told(archive: Archive) -> None:
    count = 2 * PAGE + 1
    await archive.live(*(post(n, "Сбой", date=ago(minutes=n)) for n in range(count)))
    reached: list[datetime] = []
    result = await backtest(archive.db, compiled("сбой"), now=NOON, since=None, progress=reached.append)
    assert result.total == count
    assert reached == [ago(minutes=PAGE - 1), ago(minutes=2 * PAGE - 1), ago(minutes=2 * PAGE)]


@pytest.mark.parametrize(("days", "begun"), [(1, timedelta(hours=12)), (7, timedelta(days=6, hours=12))])
def test_the_last_days_begin_at_midnight_and_count_today(days: int, begun: timedelta) -> None:
    assert midnight(NOON, days=days) == NOON - begun


async def test_a_backtest_that_stops_at_its_deadline_counts_the_days_that_it_read(archive: Archive) -> None:
    await archive.live(*(post(n, "Сбой", date=ago(days=n)) for n in range(20)))
    deadline = Checks(5)
    result = await backtest(archive.db, compiled("сбой"), now=NOON, since=MONTH, deadline=deadline)
    assert (result.total, result.read, result.first, result.is_partial) == (5, 5, ago(days=4).date(), True)
    assert result.average == 5 / 4
    assert not (await tried(archive, "сбой")).is_partial


@pytest.mark.parametrize("checks", [1, 3, 10])
async def test_a_backtest_goes_on_without_losing_or_doubling_any(archive: Archive, checks: int) -> None:
    texts = ("Сбой в банке", "Сбой", "Погода")
    posts = [
        post(n, texts[n % 3], date=ago(hours=n), grouped_id=n // 10 if 10 <= n % 30 < 20 else None) for n in range(90)
    ]
    await archive.live(*(post for post in posts))
    whole = await backtest(archive.db, compiled("сбой банк"), now=NOON, since=MONTH)
    total, read, before = 0, 0, None
    for _ in range(100):
        part = await backtest(
            archive.db, compiled("сбой банк"), now=NOON, since=MONTH, before=before, deadline=Checks(checks)
        )
        total, read, before = total + part.total, read + part.read, part.before
        if before is None:
            break
    assert (total, read, before) == (whole.total, whole.read, None)
