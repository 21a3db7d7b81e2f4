"""Whatever is lost on the way, the archive is complete in the end; `make chaos` runs many more of these."""

from pathlib import Path

from tests.chaos.bans import ban
from tests.chaos.storm import storm


async def test_the_archive_equals_the_world_after_a_storm_without_pushes(tmp_path: Path) -> None:
    outcome = await storm(-5, tmp_path, rounds=2, no_pushes=True, aftermath=False)
    assert outcome.differences == []
    assert outcome.posts > 300
    assert outcome.holes > 0


async def test_nothing_is_lost_or_told_twice_while_the_reader_is_banned_in_a_storm(tmp_path: Path) -> None:
    outcome = await ban(3, tmp_path, rounds=3, bans=1, aftermath=False)
    assert outcome.differences == []
    assert outcome.pushed > 10
    assert outcome.through_pages > 10
    assert outcome.page_faults > 0
    assert outcome.alerts > 50
    assert outcome.captured > 10
