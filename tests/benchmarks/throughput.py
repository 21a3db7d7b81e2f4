"""Row: posts a second from push to committed, at saturation, beside a bare handler that only counts.

The client is frozen while the server prepares all pushes; so the server has nothing to compute once the clock runs.
"""

from pathlib import Path

from tests.benchmarks.figures import Goal, Row, Run, in_turn, rate_row
from tests.benchmarks.processes import Archive, Process, World, world

GOAL = Goal(limit=0.5, at_most=False)


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Nobody is subscribed: posts are matched, and what matches is alerted to nobody."""
    posts = 4000 if full else 1500
    with world(folder) as place, place.service() as service, place.bare("counter", str(posts)) as counter:
        archive = place.archive()
        archive.wait_until_followed(len(place.stage.facts["sides"]["ours"]["channels"]))
        ours, bare = in_turn(
            lambda: _ours(place, service, archive, posts=posts),
            lambda: _bare(place, counter, posts),
            rounds=9 if full else 5,
        )
        archive.close()
    return [rate_row("push → committed, at saturation", ours, bare, goal=GOAL)]


def _ours(place: World, service: Process, archive: Archive, *, posts: int) -> Run:
    goal = archive.stored() + posts
    service.freeze()
    place.stage.order("post", side="ours", count=posts, push=True)
    with place.measured(service, posts) as run:
        service.thaw()
        archive.wait_until_stored(goal)
    return run[0]


def _bare(place: World, counter: Process, posts: int) -> Run:
    counter.freeze()
    place.stage.order("post", side="bare", count=posts, push=True)
    with place.measured(counter, posts) as run:
        counter.thaw()
        counter.read()
    return run[0]
