"""Row: how long after a post its alert is in the subscriber's client, at 20 posts a second, beside a bare relay."""

from pathlib import Path

from tests.benchmarks.figures import Block, Goal, Row, cost, delay_rows, in_turn
from tests.benchmarks.processes import Process, World, world

RATE = 20.0  # posts a second
BLOCK = 40  # posts in a turn of one side
GOALS = {50: Goal(limit=2, at_most=True), 99: Goal(limit=2, at_most=True)}
CPU = Goal(limit=2.5, at_most=True)


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Both sides run all the time; blocks of posts go to one and the other in turn."""
    with world(folder) as place, place.service() as service:
        archive = place.archive()
        archive.wait_until_followed(len(place.stage.facts["sides"]["ours"]["channels"]))
        place.stage.order("start", side="ours")
        archive.wait_until_subscribed()
        archive.close()
        place.stage.order("start", side="bare")
        facts = place.stage.facts
        with place.bare("relay", facts["sides"]["bare"]["token"], str(facts["subscriber"])) as relay:
            ours, bare = in_turn(
                lambda: block(place, service, "ours"),
                lambda: block(place, relay, "bare"),
                rounds=50 if full else 8,
            )
    costs = cost([run for run, _ in ours]), cost([run for run, _ in bare])
    return [
        *delay_rows("post → alert", GOALS, ours, bare, note=f"{RATE:g}/s"),
        Row(
            name="post → alert, CPU",
            ours=f"{costs[0].cpu / 1000:.1f} ms",
            bare=f"{costs[1].cpu / 1000:.1f} ms",
            ratio=costs[0].cpu / costs[1].cpu,
            goal=CPU,
            ours_cost=costs[0],
            bare_cost=costs[1],
        ),
    ]


def block(place: World, client: Process, side: str = "ours") -> Block:
    """Post a block to one side."""
    with place.measured(client, BLOCK) as run:
        samples = place.stage.order("alert", side=side, count=BLOCK, rate=RATE)
    return run[0], samples
