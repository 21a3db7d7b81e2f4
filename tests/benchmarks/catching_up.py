"""Row: posts a second while catching up from the marks, beside a loop of GetHistory that throws the posts away."""

import time
from pathlib import Path

from tests.benchmarks.figures import Goal, Row, Run, in_turn, rate_row
from tests.benchmarks.processes import NO_LIMIT, Archive, Process, World, world

GOAL = Goal(limit=0.5, at_most=False)
SWEEP_INTERVAL = 0.5  # s
FROZEN = 1.0  # s at least: when the service goes on, its next sweep is due


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Let posts appear while the service is frozen, without a push; it sweeps, unpaced, as soon as it goes on."""
    with world(folder) as place, place.service(SWEEP_INTERVAL=str(SWEEP_INTERVAL), REQUEST_RATE=NO_LIMIT) as service:
        channels = place.stage.facts["sides"]["bare"]["channels"]
        posts = (1000 if full else 200) * len(channels)
        archive = place.archive()
        archive.wait_until_followed(len(channels))
        with place.bare("history", *channels) as history:
            ours, bare = in_turn(
                lambda: _ours(place, service, archive, posts=posts),
                lambda: _bare(place, history, posts=posts, channels=len(channels)),
                rounds=5,
            )
        archive.close()
    return [rate_row(f"catching up in {len(channels)} channels", ours, bare, goal=GOAL)]


def _ours(place: World, service: Process, archive: Archive, *, posts: int) -> Run:
    goal = archive.stored() + posts
    service.freeze()
    until = time.monotonic() + FROZEN
    place.stage.order("post", side="ours", count=posts, push=False)
    time.sleep(max(0.0, until - time.monotonic()))
    with place.measured(service, posts) as run:
        service.thaw()
        archive.wait_until_stored(goal)
    return run[0]


def _bare(place: World, history: Process, *, posts: int, channels: int) -> Run:
    place.stage.order("post", side="bare", count=posts, push=False)
    with place.measured(history, posts) as run:
        history.write(str(posts // channels))
        history.read()
    return run[0]
