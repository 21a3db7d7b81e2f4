"""What charts cost: each post of a year is looked at once, in the order of an index."""

from datetime import timedelta
from pathlib import Path

from bot.charts.jobs import count
from bot.charts.stats import ChartKind
from bot.models.counts import Selection
from bot.models.people import EVERYTHING
from tests.kit_archive import NEWS, NOON, Archive, steps

POSTS = 5_000
# Steps of SQLite for a post, at most: what is sorted, as hours are, takes three times as many.
MOST = {ChartKind.DAYS: 12, ChartKind.CHANNELS: 10, ChartKind.HOURS: 30}


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
