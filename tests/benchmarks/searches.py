"""Row: how much later alerts come while thirty readers search long posts by an expression, again and again."""

import asyncio
from pathlib import Path

from bot.models.people import Role
from bot.runtime.clock import utc_now
from bot.store import invitations
from bot.store.database import Database
from tests.benchmarks.figures import Cost, Goal, Row, Run, cost, percentile
from tests.benchmarks.latency import BLOCK, RATE
from tests.benchmarks.processes import Process, World, world

READERS = 30
LONG_POSTS = 1500  # of 4,000 letters, which all have to be read: at 40 ms each, a search comes to a thirtieth of them
TYPED = "/search re:/а[аб]{400}в/"
P50, P99 = Goal(limit=1.3, at_most=True), Goal(limit=3, at_most=True)


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Blocks of posts without searches come first, then as many while all the readers search."""
    blocks = 25 if full else 6
    with world(folder) as place:
        place.stage.order("gather", count=READERS)
        place.stage.order("post_long", side="ours", count=LONG_POSTS)
        with place.service() as service:
            archive = place.archive()
            archive.wait_until_followed(len(place.stage.facts["sides"]["ours"]["channels"]))
            place.stage.order("start", side="ours")
            archive.wait_until_subscribed()
            place.stage.order("join", tokens=asyncio.run(_invite(folder / "ours" / "bot.db")))
            _block(place, service)
            quiet = [_block(place, service) for _ in range(blocks)]
            place.stage.order("search", typed=TYPED)
            _block(place, service)  # thirty commands at once take their time, whatever they are
            searched = [_block(place, service) for _ in range(blocks)]
            answers = place.stage.order("rest")
            archive.close()
    costs = cost([run for run, _ in searched]), cost([run for run, _ in quiet])
    samples = [sample for _, block in searched for sample in block], [sample for _, block in quiet for sample in block]
    return [_row(percent, goal, samples, costs, answers) for percent, goal in ((50, P50), (99, P99))]


async def _invite(path: Path) -> list[str]:
    database = await Database.open(path)
    try:
        return [
            (await database.write(lambda tx: invitations.make(tx, role=Role.READER, now=utc_now()))).token
            for _ in range(READERS)
        ]
    finally:
        await database.close()


def _block(place: World, service: Process) -> tuple[Run, list[float]]:
    with place.measured(service, BLOCK) as run:
        samples = place.stage.order("alert", side="ours", count=BLOCK, rate=RATE)
    return run[0], samples


def _row(
    percent: int, goal: Goal, samples: tuple[list[float], list[float]], costs: tuple[Cost, Cost], answers: int
) -> Row:
    searched, quiet = (percentile(side, percent) for side in samples)
    return Row(
        name=f"{READERS} search → alert, p{percent}",
        ours=f"{searched * 1000:.1f} ms",
        bare=f"{quiet * 1000:.1f} ms",
        ratio=searched / quiet,
        goal=goal,
        ours_cost=costs[0],
        bare_cost=costs[1],
        note=f"beside: nobody searches; {len(samples[0]):,} posts each, {answers} answers",
    )
