"""Row: how much later alerts come while thirty readers search long posts by an expression, again and again."""

import asyncio
from pathlib import Path

from tests.benchmarks.crowd import invite
from tests.benchmarks.figures import Goal, Row, delay_rows
from tests.benchmarks.latency import block
from tests.benchmarks.processes import world

READERS = 30
LONG_POSTS = 1500  # of 4,000 letters, which all have to be read: at 40 ms each, a search comes to a thirtieth of them
TYPED = "/search re:/а[аб]{400}в/"
GOALS = {50: Goal(limit=1.3, at_most=True), 99: Goal(limit=3, at_most=True)}


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
            place.stage.order("join", tokens=asyncio.run(invite(folder / "ours" / "bot.db", READERS)))
            block(place, service)
            quiet = [block(place, service) for _ in range(blocks)]
            place.stage.order("search", typed=TYPED)
            block(place, service)  # thirty commands at once take their time, whatever they are
            searched = [block(place, service) for _ in range(blocks)]
            answers = place.stage.order("rest")
            archive.close()
    note = f"{answers} answers; beside: nobody searches"
    return delay_rows(f"{READERS} search → alert", GOALS, searched, quiet, note=note)
