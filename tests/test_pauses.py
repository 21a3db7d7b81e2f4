"""Pauses that grow with failures."""

from datetime import timedelta

from bot.runtime.pauses import doubled

SECOND, DECADE = timedelta(seconds=1), timedelta(days=3650)


def test_a_pause_doubles_up_to_the_longest_whatever_both_are() -> None:
    assert [doubled(SECOND, failures, 5 * SECOND).seconds for failures in range(5)] == [1, 2, 4, 5, 5]
    assert doubled(DECADE, 10_000, DECADE) == DECADE
