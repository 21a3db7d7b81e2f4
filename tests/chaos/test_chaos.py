"""Whatever is lost on the way, the archive is complete in the end; `make chaos` runs many more of these."""

from pathlib import Path

import pytest

from tests.chaos.storm import storm


@pytest.mark.parametrize(("seed", "rounds", "no_pushes"), [(3, 3, False), (-1, 2, True)], ids=["storm", "no_pushes"])
async def test_the_archive_equals_the_world_after_a_storm(
    tmp_path: Path, seed: int, rounds: int, *, no_pushes: bool
) -> None:
    outcome = await storm(seed, tmp_path, rounds=rounds, no_pushes=no_pushes)
    assert outcome.differences == []
    assert outcome.posts > 300
    assert outcome.holes > 0
    assert no_pushes or outcome.pushed > 10
