from datetime import UTC, datetime, timedelta

import pytest

from bot.pipeline.routing import decide
from bot.schedule import Digests, Quiet, Schedule, Wait
from bot.store.subscriptions import Priority

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
NIGHT = datetime(2025, 3, 10, 23, 30, tzinfo=UTC)
MORNING, NINE = NIGHT + timedelta(hours=7, minutes=30), NIGHT + timedelta(hours=9, minutes=30)
URGENT, LOUD, SILENT, DIGEST = Priority
SCHEDULE = Schedule(zone="UTC", quiet=Quiet(start=23 * 60, end=7 * 60), digests=Digests())


@pytest.mark.parametrize(
    ("priorities", "now", "wait"),
    [
        ({LOUD}, NOON, None),
        ({SILENT}, NOON, None),
        ({DIGEST}, NOON, Wait(until=NINE, quiet=False)),
        ({DIGEST, SILENT}, NOON, None),
        ({LOUD}, NIGHT, Wait(until=MORNING, quiet=True)),
        ({SILENT}, NIGHT, Wait(until=MORNING, quiet=True)),
        ({DIGEST}, NIGHT, Wait(until=NINE, quiet=False)),
        ({DIGEST, LOUD}, NIGHT, Wait(until=MORNING, quiet=True)),
        ({URGENT}, NIGHT, None),
        ({URGENT, DIGEST}, NIGHT, None),
    ],
)
def test_a_post_is_told_at_once_or_waits(priorities: set[Priority], now: datetime, wait: Wait | None) -> None:
    assert decide(priorities, SCHEDULE, now) == wait
