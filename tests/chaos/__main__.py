"""Storms and kills by the number come in as options; a line for each run and the sums go out.

Storms ask whether the archive is complete, kills whether every alert and every answer comes once. Exits with 1 where
anything differs.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path
from time import monotonic

import structlog
from rich.console import Console

from tests.chaos import deliveries
from tests.chaos.deliveries import deliver
from tests.chaos.scans import deliver_scans
from tests.chaos.storm import Outcome, storm

console = Console(highlight=False)
KILLS_A_RUN = 25


async def main() -> int:
    """Run them, as many at once as there are processors."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many storms; one more has no pushes at all")
    parser.add_argument("--first", type=int, default=0, help="the seed to begin with")
    parser.add_argument("--kills", type=int, default=200, help="how often a service that delivers is killed")
    wanted = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[_drop])
    turns = asyncio.Semaphore(os.cpu_count() or 1)
    different = await _storms(range(wanted.first, wanted.first + wanted.seeds), turns) if wanted.seeds else 0
    different += await _kills(wanted.first, wanted.kills, turns) if wanted.kills else 0
    return 1 if different else 0


async def _storms(seeds: range, turns: asyncio.Semaphore) -> int:
    began = monotonic()
    runs = [(seed, False) for seed in seeds]
    outcomes = await asyncio.gather(*(_run(seed, turns, no_pushes=quiet) for seed, quiet in [*runs, (-1, True)]))
    different = sum(len(outcome.differences) for outcome in outcomes)
    posts, pushed = sum(o.posts for o in outcomes), sum(o.pushed for o in outcomes)
    console.print(
        f"{len(outcomes)} storms, {posts:,} posts, {pushed:,} undisturbed pushes, "
        f"{sum(o.holes for o in outcomes)} named holes, "
        f"{sum(o.kills for o in outcomes)} kills: {different} differences; {monotonic() - began:.0f} s"
    )
    return different


async def _kills(first: int, wanted: int, turns: asyncio.Semaphore) -> int:
    began = monotonic()
    parts = [min(KILLS_A_RUN, wanted - done) for done in range(0, wanted, KILLS_A_RUN)]
    outcomes = await asyncio.gather(*(_killed(seed, kills, turns) for seed, kills in enumerate(parts, start=first)))
    different = sum(len(outcome.differences) for outcome in outcomes)
    sums = {name: sum(getattr(o, name) for o in outcomes) for name in deliveries.FIGURES}
    figures = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in sums.items())
    console.print(f"{figures}: {different} differences; {monotonic() - began:.0f} s", soft_wrap=True)
    return different


async def _killed(seed: int, kills: int, turns: asyncio.Semaphore) -> deliveries.Outcome:
    async with turns:
        with tempfile.TemporaryDirectory() as folder:
            run = deliver_scans if seed % 2 else deliver
            outcome = await run(seed, Path(folder), kills=kills)
    different = len(outcome.differences)
    console.print(f"seed {seed}: {outcome.kills} kills, {outcome.alerts} alerts, {different} differences")
    for line in outcome.differences[:10]:
        console.print(f"  {line}", markup=False)
    return outcome


async def _run(seed: int, turns: asyncio.Semaphore, *, no_pushes: bool) -> Outcome:
    async with turns:
        with tempfile.TemporaryDirectory() as folder:
            outcome = await storm(seed, Path(folder), no_pushes=no_pushes)
    name = "no pushes" if no_pushes else f"seed {seed}"
    console.print(f"{name}: {outcome.posts} posts, {outcome.kills} kills, {len(outcome.differences)} differences")
    for line in outcome.differences[:10]:
        console.print(f"  {line}", markup=False)
    return outcome


def _drop(_logger: object, _method: str, _event: object) -> str:
    raise structlog.DropEvent


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
