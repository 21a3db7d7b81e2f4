"""What counts as an outage of Telegram, in tables."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.monitoring.outage import Watch, next_watch, sending_works

START = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)
PATIENCE = timedelta(seconds=300)
# Looks, each 30 s after the one before: + works, - does not, . nothing to be seen; then what was said: O out, B back.
TABLE = [
    ("always well", "++++++++++++++", ""),
    ("a failure that heals in time", "++---------+---------+", ""),
    ("nothing to be seen is no failure", "..................", ""),
    ("it has to last for the whole patience", "-" * 10, ""),
    ("and then it is out", "-" * 11, "O"),
    ("once", "-" * 30, "O"),
    ("what is unknown between failures changes nothing", "-....-....-", "O"),
    ("back once all has worked for a minute", "-" * 11 + "+++", "OB"),
    ("not earlier", "-" * 11 + "++", "O"),
    ("a single success does not count", "-" * 11 + "+-+-+-+-+-", "O"),
    ("and out again after the whole patience only", "-" * 11 + "+++" + "-" * 10, "OB"),
    ("then once more", "-" * 11 + "+++" + "-" * 11, "OBO"),
]


@pytest.mark.parametrize(("looks", "said"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_an_outage_begins_and_ends_with_hysteresis(looks: str, said: str) -> None:
    watch, told = Watch(), ""
    for number, look in enumerate(looks):
        before, works = watch.out_since, {"+": True, "-": False, ".": None}[look]
        watch = next_watch(watch, START + number * timedelta(seconds=30), works=works, patience=PATIENCE)
        told += {(True, False): "O", (False, True): "B"}.get((before is None, watch.out_since is None), "")
    assert told == said


def test_an_outage_is_dated_from_its_first_failure_or_from_where_that_is_known() -> None:
    first = next_watch(Watch(), START, works=False, patience=PATIENCE)
    assert next_watch(first, START + PATIENCE, works=False, patience=PATIENCE).out_since == START
    known = next_watch(Watch(), START, works=False, patience=PATIENCE, failing_since=START - PATIENCE)
    assert known.out_since == START - PATIENCE


@pytest.mark.parametrize(
    ("connected", "taken", "pending", "works"),
    [
        (True, False, False, True),  # nothing to send, and it answers
        (True, True, True, True),  # it takes what there is, at its pace
        (True, False, True, False),  # it answers pings alone
        (False, False, False, False),  # nothing to send, but it would not go
        (False, True, False, True),  # it took something a moment ago
    ],
)
def test_what_was_taken_is_the_best_sign(*, connected: bool, taken: bool, pending: bool, works: bool) -> None:
    assert sending_works(is_connected=connected, has_taken=taken, is_pending=pending) is works
