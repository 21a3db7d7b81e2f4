"""Rows: how much later alerts come while a million posts are exported, bundled, or shown as charts.

Blocks of posts without any of it and beside each of it come in turn. An export or a bundle stands still in between.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from bot.runtime.clock import utc_now
from bot.store import migrations
from tests.benchmarks import bulk
from tests.benchmarks.crowd import invite
from tests.benchmarks.figures import Block, Goal, Row, delay_rows
from tests.benchmarks.latency import block
from tests.benchmarks.processes import Process, World, world

POSTS = 1_000_000
READERS = 4  # a person may tap once a second for long, and a chart takes less
GOALS = {50: Goal(limit=1.1, at_most=True), 99: Goal(limit=1.3, at_most=True)}
QUIET, CHARTS, EXPORT, BUNDLE = "nothing", "charts", "export", "evidence"


@dataclass(kw_only=True)
class _Side:
    blocks: list[Block] = field(default_factory=list)
    done: int = 0  # charts, or runs of a program that ended


def measure(folder: Path, *, full: bool, posts: int = POSTS) -> list[Row]:
    """One block of each kind after the other, again and again."""
    with world(folder) as place, ExitStack() as stack:
        copy = folder / "ours" / "bot.db"
        shutil.copyfile(_archive(posts), copy)
        copy.chmod(0o600)
        place.stage.order("gather", count=READERS)
        service = stack.enter_context(place.service())
        archive = place.archive()
        archive.wait_until_followed(len(place.stage.facts["sides"]["ours"]["channels"]))
        place.stage.order("start", side="ours")
        archive.wait_until_subscribed()
        archive.close()
        place.stage.order("join", tokens=asyncio.run(invite(folder / "ours" / "bot.db", READERS)))
        programs = {
            EXPORT: _Program(place, "export", "--versions", "-o", str(folder / "posts.csv")),
            BUNDLE: _Program(place, "export", "--until", "1d", "--evidence", str(folder / "bundle")),
        }
        for program in programs.values():
            stack.callback(program.end)
        sides = {name: _Side() for name in (QUIET, CHARTS, *programs)}
        for turn in range(1 + (36 if full else 12)):
            for name, side in sides.items():
                with _beside(name, side, place, programs.get(name)):
                    found = block(place, service)
                if turn:  # the first warms up
                    side.blocks.append(found)
    quiet = sides.pop(QUIET)
    return [
        row
        for name, side in sides.items()
        for row in delay_rows(
            f"{name} → alert", GOALS, side.blocks, quiet.blocks, note=f"{side.done} done; beside: nobody does"
        )
    ]


class _Program:
    """A program of the command line that is started anew when it has ended, and stands still where nobody wants it."""

    def __init__(self, place: World, *words: str) -> None:
        self._place = place
        self._words = words
        self._running: Process | None = None

    def go_on(self) -> int:
        """Go on, or begin; return how many ended."""
        ended = self._running is not None and self._running.has_ended()
        if ended:
            self.end()
        if self._running is None:
            self._running = self._place.program(*self._words)
        self._running.thaw()
        return int(ended)

    def rest(self) -> None:
        """Stand still."""
        self._running.freeze()

    def end(self) -> None:
        """End it, and remove what it has written."""
        if self._running is not None:
            self._running.__exit__(None, None, None)
            self._running = None
        made = Path(self._words[-1])
        shutil.rmtree(made, ignore_errors=True)
        made.unlink(missing_ok=True)


@contextmanager
def _beside(name: str, side: _Side, place: World, program: _Program | None) -> Iterator[None]:
    if program is not None:
        side.done += program.go_on()
        yield
        program.rest()
    elif name == CHARTS:
        place.stage.order("look")
        yield
        side.done = place.stage.order("look_away")
    else:
        yield


def _archive(posts: int) -> Path:
    """Return a database of so many posts, which is made once for each schema."""
    schema = sha256("".join(migrations.available().values()).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / "channelwatch-bench-archives"
    path = folder / f"{posts}-{schema}.db"
    if not path.exists():
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        bulk.make(part, posts, until=utc_now())
        part.replace(path)
    return path
