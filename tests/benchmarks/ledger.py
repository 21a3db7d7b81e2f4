"""What the ledger costs where posts are stored: two archives take the same posts in turn, one of them without it.

Each pair of turns begins with the other one than the pair before, so that what slows the machine slows both.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from unittest.mock import patch

from rich.table import Table

from bot.store import ledger
from tests.benchmarks.archive import PAGE, Place, Spent, filled
from tests.benchmarks.figures import ratios

FIRST = 20_000  # posts that are stored before
PAIRS, PAIRS_FULL = 15, 45
SIZES = {PAGE: 2000, 1: 400}  # posts in a transaction, and in a turn
GOAL = 1.05  # times the computing time without a ledger


def table(folder: Path, *, full: bool) -> Table:
    """Measure by hundreds, as a page of history brings them, and one by one, as pushes do."""
    return asyncio.run(_table(folder, PAIRS_FULL if full else PAIRS))


async def _table(folder: Path, pairs: int) -> Table:
    made = Table("posts at once", "with, µs", "without", "CPU", "middle half", "time", "middle half", "goal", "pairs")
    made.title = "what the ledger costs"
    async with filled(folder / "with", FIRST) as ours, filled(folder / "without", FIRST) as bare:
        for size, posts in SIZES.items():
            turns = [await _pair(ours, bare, posts, size, first=number % 2) for number in range(pairs + 1)][1:]
            cpu = ratios([pair[0].cpu for pair in turns], [pair[1].cpu for pair in turns])
            time = ratios([pair[0].time for pair in turns], [pair[1].time for pair in turns])
            verdict = "[green]met[/]" if median(cpu) <= GOAL else "[red]missed[/]"
            spent = (f"{median(pair[side].cpu for pair in turns) * 1e6:,.0f}" for side in (0, 1))
            made.add_row(str(size), *spent, *_spread(cpu), *_spread(time), f"≤ {GOAL:g} {verdict}", str(pairs))
    return made


async def _pair(ours: Place, bare: Place, posts: int, size: int, *, first: int) -> tuple[Spent, Spent]:
    """Return what a post took with the ledger, and without."""
    if first == 0:
        spent = await ours.store(posts, size=size)
        with _no_ledger():
            return spent, await bare.store(posts, size=size)
    with _no_ledger():
        spent = await bare.store(posts, size=size)
    return await ours.store(posts, size=size), spent


@contextmanager
def _no_ledger() -> Iterator[None]:
    async def nothing(*_: Any) -> None:  # noqa: ANN401 - in the place of what writes the lines
        pass

    with patch.object(ledger, "add", nothing), patch.object(ledger, "version_entry", lambda *_, **__: None):
        yield


def _spread(found: list[float]) -> tuple[str, str]:
    low, _, high = quantiles(found, n=4)
    return f"{median(found):.3f}", f"{low:.3f}–{high:.3f}"
