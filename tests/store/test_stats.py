from datetime import datetime, timedelta

import pytest

from bot.models import ObservedBy
from bot.store import channels, marks, readers, stats
from bot.store.channels import Access
from bot.store.stats import ChannelStats, channel_stats, first_ids
from tests.kit_archive import LAST_MONTH, NEWS, NOON, Archive, ago, post


async def standing(archive: Archive, since: datetime = LAST_MONTH) -> ChannelStats:
    (found,) = await channel_stats(archive.db, since)
    return found


async def test_a_hole_is_what_lies_between_the_mark_and_the_newest_post(archive: Archive) -> None:
    await archive.follow()
    assert (await standing(archive)).missing == 0
    await archive.live(post(1), post(2), post(5), post(6))
    assert (await standing(archive)).missing == 0  # it was not read yet, so nothing is known
    await archive.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=2, seen_pts=1, now=archive.now))
    assert (await standing(archive)).missing == 2
    await archive.sweep(post(3))
    assert (await standing(archive)).missing == 1
    await archive.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=6, seen_pts=1, now=archive.now))
    assert (await standing(archive)).missing == 0


async def test_posts_that_were_not_pushed_are_counted_while_the_reader_is_in_the_channel(archive: Archive) -> None:
    await archive.follow(since=ago(days=9))
    await archive.see(ObservedBy.BACKFILL, post(1, date=ago(days=12)))
    await archive.live(post(2), post(3), post(4, date=ago(days=8)))
    await archive.sweep(post(2), post(5), post(7, date=ago(days=10)))
    archive.now = ago(days=8)
    await archive.sweep(post(6, date=ago(days=8)))
    archive.now = NOON
    await archive.see(ObservedBy.DIFFERENCE, post(8))
    await archive.live(post(8), post(5, "Исправлено", edit_date=NOON))
    whole, week = await standing(archive), await standing(archive, ago(days=7))
    assert (whole.posts, whole.unpushed) == (6, 3)
    assert (week.posts, week.unpushed) == (4, 2)
    assert whole.last_post_at == NOON
    await archive.db.write(lambda tx: channels.set_access(tx, archive.reader_id, NEWS, Access.POLLED, now=archive.now))
    assert ((await standing(archive)).posts, (await standing(archive)).unpushed) == (0, 0)


async def test_what_a_sweep_finds_after_the_service_was_down_is_not_held_against_telegram(
    archive: Archive,
) -> None:
    await archive.follow()
    await archive.sweep(
        *(post(number, date=ago(minutes=minutes)) for number, minutes in ((1, 60), (2, 11), (3, 10), (4, 0)))
    )
    assert ((await standing(archive)).posts, (await standing(archive)).unpushed) == (4, 2)


async def test_an_archive_hangs_together_from_what_was_read_when_it_was_followed(archive: Archive) -> None:
    await archive.follow()
    assert await first_ids(archive.db) == {}
    await archive.see(ObservedBy.IMPORT, post(3, date=ago(days=90)))
    await archive.live(post(60), post(8, "Исправлено", date=ago(days=80)))
    assert await first_ids(archive.db) == {NEWS: 60}
    await archive.see(ObservedBy.BACKFILL, post(50, date=ago(days=40)), post(59, date=ago(days=35)))
    assert await first_ids(archive.db) == {NEWS: 50}


async def test_a_channel_whose_changes_are_not_to_be_had_has_a_hole(archive: Archive) -> None:
    await archive.follow()
    assert not (await standing(archive)).has_hole
    await archive.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=2, seen_pts=5, now=archive.now))
    assert not (await standing(archive)).has_hole
    await archive.db.write(lambda tx: marks.read_anew(tx, NEWS, now=NOON))
    assert (await standing(archive)).has_hole


async def test_latency_counts_from_telegrams_date_to_sight_and_from_there_to_the_alert(archive: Archive) -> None:
    chat = await archive.pair()
    await archive.track(chat, "сбои", "сбой")
    await archive.follow()
    await archive.see(ObservedBy.BACKFILL, post(1, date=ago(days=1)))
    archive.now += timedelta(seconds=3)
    await archive.live(post(2, "Сбой"))
    archive.now += timedelta(seconds=40)
    await archive.sweep(post(3, "Другой сбой"), post(2, "Сбой, исправлено", edit_date=NOON))
    first, second = sorted(await archive.outbox(), key=lambda alert: alert.id)[:2]
    await archive.send(first, 1, at=NOON + timedelta(seconds=4))
    await archive.send(second, 2, at=NOON + timedelta(seconds=43.5))
    assert await stats.seen_latencies(archive.db, ago(days=2)) == (3.0, 43.0)
    assert await stats.seen_latencies(archive.db, NOON + timedelta(seconds=1)) == ()
    assert await stats.alert_latencies(archive.db, NOON) == (0.5, 1.0)


async def test_the_longest_wait_of_each_method_is_told_while_it_lasts(archive: Archive) -> None:
    second = await archive.db.write(lambda tx: readers.register(tx, 43, NOON))
    for reader, method, minutes in (
        (archive.reader_id, "GetHistory", 5),
        (second, "GetHistory", 9),
        (second, "JoinChannel", 1),
    ):
        until = NOON + timedelta(minutes=minutes)
        await archive.db.write(lambda tx, r=reader, m=method, u=until: readers.put_flood_wait(tx, r, m, u))
    assert await readers.flood_waits(archive.db, NOON + timedelta(minutes=2)) == {
        "GetHistory": NOON + timedelta(minutes=9)
    }


async def test_an_account_that_takes_the_place_of_a_lost_one_ends_the_complaint(archive: Archive) -> None:
    async def log_in(account: int, session: str) -> int:
        return await archive.db.write(lambda tx: readers.register(tx, account, NOON, session))

    first, standby = await log_in(51, "reader.session"), await log_in(52, "reader-2.session")
    for reader in (first, standby):
        await archive.db.write(lambda tx, r=reader: readers.lose(tx, r, "USER_DEACTIVATED_BAN", now=NOON))
    await log_in(53, "reader.session")
    assert await readers.lost(archive.db) == {standby: "USER_DEACTIVATED_BAN"}
    await log_in(52, "reader-2.session")
    assert await readers.lost(archive.db) == {}


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        ("SELECT max(date) FROM posts WHERE channel_id = 1", "posts_dates"),
        (
            "SELECT DISTINCT date / 600000 FROM posts WHERE channel_id = 1 AND date >= 5",
            "COVERING INDEX posts_dates",
        ),
        (
            """SELECT count(*) FROM versions WHERE channel_id = 1 AND number = 1
            AND observed_by IN ('difference', 'sweep') AND id >= 7""",
            "versions_asked_for",
        ),
    ],
    ids=["last post", "rhythm", "not pushed"],
)
async def test_completeness_is_asked_of_indexes(archive: Archive, sql: str, index: str) -> None:
    plan = await archive.db.fetch_all(f"EXPLAIN QUERY PLAN {sql}")
    assert any(index in row["detail"] for row in plan), [row["detail"] for row in plan]
