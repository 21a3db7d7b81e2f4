"""How often the page of a channel is read."""

from datetime import timedelta

import pytest

from bot.sources.pages.rhythm import interval
from tests.kit_archive import NOON

HOURLY = [NOON + timedelta(hours=n) for n in range(20)]
BUSY = [NOON + timedelta(minutes=4 * n) for n in range(20)]


@pytest.mark.parametrize(
    ("dates", "channels", "changes", "seconds"),
    [
        (HOURLY, 1, {}, 60),
        (HOURLY, 15, {}, 60),
        (HOURLY, 300, {}, 1200),
        (HOURLY, 3000, {}, 1800),  # twice between two posts
        (BUSY, 300, {}, 120),
        ([], 3000, {}, 1800),
        (HOURLY, 300, {"is_fast": True}, 60),
        (HOURLY, 1, {"failures": 3}, 480),
        (HOURLY, 1, {"failures": 99}, 3600),
    ],
)
def test_a_page_is_read_by_the_rhythm_of_its_channel(
    dates: list[object], channels: int, changes: dict[str, int], seconds: int
) -> None:
    options = {"is_fast": False, **changes}
    assert interval(dates, channels=channels, **options) == timedelta(seconds=seconds)  # type: ignore[arg-type]
