"""Storms by the number come in as options; a line for each and the sum go out. Exits with 1 where one differs."""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path
from time import monotonic

import structlog
from rich.console import Console

from tests.chaos.storm import Outcome, storm

console = Console(highlight=False)


async def main() -> int:
    """Run them, as many at once as there are processors."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many storms; one more has no pushes at all")
    parser.add_argument("--first", type=int, default=0, help="the seed to begin with")
    wanted = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[_drop])
    turns = asyncio.Semaphore(os.cpu_count() or 1)
    began = monotonic()
    runs = [(seed, False) for seed in range(wanted.first, wanted.first + wanted.seeds)]
    outcomes = await asyncio.gather(*(_run(seed, turns, no_pushes=quiet) for seed, quiet in [*runs, (-1, True)]))
    different = sum(len(outcome.differences) for outcome in outcomes)
    posts, pushed = sum(o.posts for o in outcomes), sum(o.pushed for o in outcomes)
    console.print(
        f"{len(outcomes)} storms, {posts:,} posts, {pushed:,} undisturbed pushes, "
        f"{sum(o.kills for o in outcomes)} kills: {different} differences; {monotonic() - began:.0f} s"
    )
    return 1 if different else 0


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
