"""Rows: how long the service takes from start to ready, and the memory it occupies at rest, beside a bare relay."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.benchmarks.figures import Row, in_turn, ratios
from tests.benchmarks.processes import Process, world

REST = 1.0  # s after it is ready
MEGABYTE = 1024 * 1024


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Start and stop both sides; the database and the sessions are there already, but for the first, uncounted time."""
    with world(folder) as place:
        facts = place.stage.facts
        arguments = facts["sides"]["bare"]["token"], str(facts["subscriber"])
        ours, bare = in_turn(
            lambda: _started(place.service),
            lambda: _started(lambda: place.bare("relay", *arguments)),
            rounds=9 if full else 5,
        )
    return [
        _row("start → ready", "{:.2f} s", [time for time, _ in ours], [time for time, _ in bare]),
        _row("memory at rest", "{:.0f} MiB", [size for _, size in ours], [size for _, size in bare]),
    ]


def _started(start: Callable[[], Process]) -> tuple[float, float]:
    """Return the seconds until it was ready, and its MiB then."""
    begin = time.monotonic()
    with start() as process:
        ready = time.monotonic() - begin
        time.sleep(REST)
        return ready, process.memory() / MEGABYTE


def _row(name: str, form: str, ours: list[float], bare: list[float]) -> Row:
    found = ratios(ours, bare)
    return Row(
        name=name,
        ours=form.format(median(ours)),
        bare=form.format(median(bare)),
        ratio=median(found),
        note=f"{len(ours)} starts; {min(found):.2f}–{max(found):.2f}",
    )
