"""Storms and kills by the number come in as options; a line for each run and the sums go out.

Storms ask whether the archive is complete, some of them while the reader is banned and web pages are read in its place;
kills ask whether every alert and every answer comes once. Exits with 1 where anything differs.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic

import structlog
from rich.console import Console

from tests.chaos import deliveries
from tests.chaos.bans import ban
from tests.chaos.deliveries import deliver
from tests.chaos.scans import deliver_scans
from tests.chaos.storm import Outcome, storm

console = Console(highlight=False)
KILLS_A_RUN = 25
FIGURES = (
    "posts",
    "pushed",
    "holes",
    "kills",
    "bans",
    "page_faults",
    "through_pages",
    "captured",
    "alerts",
)  # of storms
Result = Outcome | deliveries.Outcome
Run = Callable[[int, Path], Awaitable[Result]]


async def main() -> int:
    """Run them, as many at once as there are processors."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=40, help="how many storms; one more has no pushes at all")
    parser.add_argument("--bans", type=int, default=10, help="how many storms in which the reader is banned")
    parser.add_argument("--first", type=int, default=0, help="the seed to begin with")
    parser.add_argument("--kills", type=int, default=200, help="how often a service that delivers is killed")
    wanted = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[_drop])
    turns = asyncio.Semaphore(os.cpu_count() or 1)
    different = await _storms(wanted.first, wanted.seeds, wanted.bans, turns)
    different += await _kills(wanted.first, wanted.kills, turns) if wanted.kills else 0
    return 1 if different else 0


async def _storms(first: int, storms: int, bans: int, turns: asyncio.Semaphore) -> int:
    began = monotonic()
    runs = [("seed", seed, storm) for seed in range(first, first + storms)]
    runs += [("no pushes", -1, partial(storm, no_pushes=True))] if storms else []
    runs += [("bans, seed", seed, ban) for seed in range(first, first + bans)]
    outcomes = await asyncio.gather(*(_run(name, seed, turns, run) for name, seed, run in runs))
    different = _report(f"{len(outcomes)} storms", outcomes, FIGURES)
    console.print(f"{monotonic() - began:.0f} s")
    return different


def _report(what: str, outcomes: Sequence[Result], names: Iterable[str]) -> int:
    """Print sums of figures, and return the number of differences."""
    figures = ", ".join(f"{sum(getattr(o, name) for o in outcomes):,} {name.replace('_', ' ')}" for name in names)
    different = sum(len(outcome.differences) for outcome in outcomes)
    console.print(f"{what}: {figures}: {different} differences", soft_wrap=True)
    return different


async def _kills(first: int, wanted: int, turns: asyncio.Semaphore) -> int:
    began = monotonic()
    parts = [min(KILLS_A_RUN, wanted - done) for done in range(0, wanted, KILLS_A_RUN)]
    outcomes = await asyncio.gather(
        *(
            _run("deliveries, seed", seed, turns, partial(deliver_scans if seed % 2 else deliver, kills=kills))
            for seed, kills in enumerate(parts, start=first)
        )
    )
    different = _report("Deliveries", outcomes, deliveries.FIGURES)
    console.print(f"{monotonic() - began:.0f} s")
    return different


async def _run(name: str, seed: int, turns: asyncio.Semaphore, run: Run) -> Result:
    async with turns:
        with tempfile.TemporaryDirectory() as folder:
            outcome = await run(seed, Path(folder))
    console.print(
        f"{name} {seed}: {outcome.posts} posts, {outcome.kills} kills, {len(outcome.differences)} differences"
    )
    for line in outcome.differences[:10]:
        console.print(f"  {line}", markup=False)
    return outcome


def _drop(_logger: object, _method: str, _event: object) -> str:
    raise structlog.DropEvent


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
