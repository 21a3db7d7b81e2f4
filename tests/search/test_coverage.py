"""From when on the archive is complete: nothing before that is counted, and nobody is told that nothing was posted."""

from datetime import datetime, timedelta

import pytest

from bot.search.backtest import backtest
from bot.search.coverage import coverage_of
from bot.sources.assignment import Assignments
from bot.store import channels, marks
from bot.store.channels import BEGINNING
from tests.kit_archive import NEWS, NOON, OTHER, Archive, ago, compiled, post

WEEK = ago(days=7)


async def complete(archive: Archive, channel_id: int, since: datetime) -> None:
    low = 1 if since == BEGINNING else 100
    await archive.db.write(lambda tx: marks.begin_past(tx, channel_id, low=low, since=since))
    await Assignments(archive.db, lambda: archive.now).enter(archive.reader_id)


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    await archive.follow(OTHER, title="Другое")
    await archive.live(*(post(n, "Сбой", date=ago(minutes=70 * n)) for n in range(20)))
    await archive.live(*(post(n, "Сбой", channel_id=OTHER, date=ago(days=n, minutes=5)) for n in range(7)))
    return archive


async def test_matches_a_day_are_those_of_the_days_for_which_each_channel_is_stored(archive: Archive) -> None:
    await complete(archive, NEWS, ago(days=1))
    await complete(archive, OTHER, ago(days=30))
    result = await backtest(archive.db, compiled("сбой"), now=NOON, since=WEEK)
    assert result.total == 27
    assert result.average == pytest.approx(20 + 7 / 6, abs=0.2)  # and not 27 / 7
    alone = await backtest(archive.db, compiled("сбой"), now=NOON, since=WEEK, channel_ids=[NEWS])
    assert alone.average == pytest.approx(20)


async def test_what_is_stored_from_before_the_archive_is_complete_counts_for_no_day(archive: Archive) -> None:
    await complete(archive, NEWS, ago(hours=24))
    await archive.live(*(post(100 + n, "Сбой", date=ago(days=5, minutes=n)) for n in range(50)))
    result = await backtest(archive.db, compiled("сбой"), now=NOON, since=WEEK, channel_ids=[NEWS])
    assert result.average == pytest.approx(20)


async def test_several_channels_are_complete_from_when_the_last_of_them_is(archive: Archive) -> None:
    await complete(archive, NEWS, ago(days=1))
    await complete(archive, OTHER, BEGINNING)
    both = await coverage_of(archive.db, None, now=NOON)
    assert both.since == ago(days=1)
    assert (both.is_whole, both.reaches(WEEK), both.reaches(ago(hours=1))) == (False, False, True)
    assert both.short_of(WEEK) == [NEWS]
    whole = await coverage_of(archive.db, [OTHER], now=NOON)
    assert (whole.is_whole, whole.reaches(ago(days=999)), whole.short_of(ago(days=999))) == (True, True, [])


async def test_channels_that_are_restricted_to_others_do_not_count(archive: Archive) -> None:
    await complete(archive, NEWS, ago(days=1))
    await complete(archive, OTHER, BEGINNING)
    seen = await coverage_of(archive.db, None, now=NOON, hidden=(NEWS,))
    assert (list(seen.starts), seen.is_whole, seen.short_of(WEEK)) == ([OTHER], True, [])
    result = await backtest(archive.db, compiled("сбой"), now=NOON, since=WEEK, hidden=(NEWS,))
    assert list(result.coverage.starts) == [OTHER]


async def test_what_nobody_reads_any_more_cannot_be_read_further(archive: Archive) -> None:
    await complete(archive, NEWS, ago(days=1))
    await archive.db.write(lambda tx: channels.unfollow(tx, NEWS))
    left = await coverage_of(archive.db, [NEWS], now=NOON)
    assert (left.short_of(WEEK), left.ends) == ([], {NEWS: NOON})
    assert list((await coverage_of(archive.db, None, now=NOON)).starts) == [OTHER]


async def test_a_channel_that_was_not_read_yet_begins_with_its_first_stored_post_or_now(archive: Archive) -> None:
    await archive.follow(3, title="Пусто")
    starts = (await coverage_of(archive.db, None, now=NOON)).starts
    assert starts == {NEWS: ago(minutes=70 * 19), OTHER: ago(days=6, minutes=5), 3: NOON}


async def test_the_mark_of_the_past_moves_only_where_pages_join(archive: Archive) -> None:
    await complete(archive, NEWS, ago(days=1))

    async def extended(below: int | None, low: int, days: int) -> tuple[int | None, datetime | None]:
        await archive.db.write(
            lambda tx: marks.extend_past(tx, NEWS, below=below, low=low, since=NOON - timedelta(days=days))
        )
        known = await archive.channel()
        return known.complete_id, known.complete_from

    assert await extended(80, 60, 3) == (100, ago(days=1))
    assert await extended(None, 110, 0) == (100, ago(days=1))
    assert await extended(100, 60, 3) == (60, ago(days=3))
    assert await extended(90, 40, 4) == (40, ago(days=4))


async def test_the_days_of_a_channel_end_with_its_last_post_where_it_is_not_followed(archive: Archive) -> None:
    await archive.follow(3, title="Ушли")
    await archive.live(*(post(n, "Сбой", channel_id=3, date=ago(days=5, minutes=60 * n)) for n in range(20)))
    await archive.db.write(lambda tx: channels.unfollow(tx, 3))
    result = await backtest(archive.db, compiled("сбой"), now=NOON, since=WEEK, channel_ids=[3])
    assert (result.total, result.average) == (20, 20)
