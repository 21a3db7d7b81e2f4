"""Row: posts a second that are stored while catching up from the marks, beside what Telegram gives at most."""

import time
from pathlib import Path
from statistics import median

from tests.benchmarks.figures import LEAST_ROUNDS, Goal, Row, Run, cost
from tests.benchmarks.processes import NO_LIMIT, Archive, Process, World, world

TELEGRAM = 100  # posts a second: a page of them, to an account that asks once a second
GOAL = Goal(limit=40, at_most=False)
SWEEP_INTERVAL = 0.5  # s
FROZEN = 1.0  # s at least: when the service goes on, its next sweep is due
REST = 0.2  # s after the last mark was written: no sweep is under way, which would go on, and the next come later


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Let posts appear while the service is frozen, without a push; it sweeps, unpaced, as soon as it goes on."""
    with world(folder) as place, place.service(SWEEP_INTERVAL=str(SWEEP_INTERVAL), REQUEST_RATE=NO_LIMIT) as service:
        channels = len(place.stage.facts["sides"]["ours"]["channels"])
        posts = (1000 if full else 200) * channels
        archive = place.archive()
        archive.wait_until_followed(channels)
        runs = [_ours(place, service, archive, posts=posts) for _ in range(LEAST_ROUNDS + 1)][1:]
        archive.close()
    rates = [run.rate for run in runs]
    row = Row(
        name=f"catching up in {channels} channels",
        ours=f"{median(rates):,.0f}/s",
        bare=f"{TELEGRAM}/s",
        ratio=median(rates) / TELEGRAM,
        goal=GOAL,
        ours_cost=cost(runs),
        note=f"{posts:,} posts × {len(runs)}; {min(rates):,.0f}–{max(rates):,.0f}/s; bare is what Telegram gives",
    )
    return [row]


def _ours(place: World, service: Process, archive: Archive, *, posts: int) -> Run:
    goal = archive.stored() + posts
    archive.wait_until_marked()
    time.sleep(REST)
    service.freeze()
    until = time.monotonic() + FROZEN
    place.stage.order("post", side="ours", count=posts, push=False)
    time.sleep(max(0.0, until - time.monotonic()))
    with place.measured(service, posts) as run:
        service.thaw()
        archive.wait_until_stored(goal)
    return run[0]
