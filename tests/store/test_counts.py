"""What charts count, and what that costs: each post of a year is looked at once, in the order of an index."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.charts.jobs import count
from bot.charts.stats import ChartKind
from bot.models.counts import Selection
from bot.models.people import EVERYTHING
from bot.store import counts
from bot.store.rows import to_ms
from tests.kit_archive import NEWS, NOON, OTHER, Archive, post, steps

POSTS = 5_000
# Steps of SQLite for a post, at most: what is sorted, as hours are, takes three times as many.
MOST = {ChartKind.DAYS: 12, ChartKind.CHANNELS: 10, ChartKind.HOURS: 33}


async def test_a_post_of_a_year_costs_a_few_steps(archive: Archive, tmp_path: Path) -> None:
    for number in range(5):
        await archive.follow(NEWS + number)
    rows = """INSERT INTO posts (id, channel_id, message_id, version_id, date, seen_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :posts)
        SELECT (:now - i * 6000) << 20 | i, :news + i % 5, i, i, (:now - i * 6000) * 1000, 0 FROM n"""
    values = {"posts": POSTS, "news": NEWS, "now": int(NOON.timestamp())}
    await archive.db.write(lambda tx: tx.execute(rows, values))
    selection = Selection(
        chats=(1,),
        viewer=EVERYTHING,
        since=NOON - timedelta(days=364),
        until=NOON,
        time_zone="Europe/Berlin",
        step=7,
    )
    for kind, most in MOST.items():
        taken = steps(tmp_path / "data" / "bot.db", lambda tx, kind=kind: count(tx, kind, selection, drawn=False))
        assert taken < most * POSTS, kind


async def test_the_hours_of_a_channel_are_divided_by_how_often_they_came_while_it_was_complete(
    archive: Archive,
) -> None:
    await archive.follow()
    await archive.follow(OTHER)
    begin = NOON - timedelta(days=14, minutes=30)
    weekly = [NOON - timedelta(weeks=week, minutes=20) for week in range(3)]
    await archive.live(*(post(number, date=date) for number, date in enumerate(weekly, start=1)))
    await archive.live(
        post(1, channel_id=OTHER, date=NOON - timedelta(days=100)), post(9, channel_id=OTHER, date=weekly[0])
    )
    values = {"news": NEWS, "since": to_ms(begin), "other": to_ms(NOON - timedelta(hours=1))}
    sql = "UPDATE channels SET complete_from = iif(id = :news, :since, :other)"
    await archive.db.write(lambda tx: tx.execute(sql, values))
    year = NOON - timedelta(days=364)
    selection = Selection(chats=(1,), viewer=EVERYTHING, since=year, until=NOON, time_zone="Europe/Berlin")
    counted = await counts.count_by_hour(archive.db, selection)
    local = weekly[0].astimezone(ZoneInfo("Europe/Berlin"))
    assert {hour: mean for hour, mean in enumerate(counted.means) if mean} == {
        24 * local.weekday() + local.hour: pytest.approx(1 + 1)  # each channel has one whenever it is this hour
    }
