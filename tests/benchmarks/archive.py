"""What an archive costs whoever pays for the server: bytes on the disk, computing time, and how both grow.

Posts of the usual mix go through the product's own ingest with the built-in topics and no subscriber, as a page of
history brings them, a hundred at once, or as pushes, one by one. A large archive and a small one are measured in turn.
"""

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from rich.table import Table

from bot.commands.search import MOST_ROWS
from bot.matching.engine.compiled import necessary
from bot.matching.topics import builtin_topics
from bot.search.searcher import find_newest
from bot.store import topics
from bot.store.database import Transaction
from tests.benchmarks.figures import percentile, ratios
from tests.benchmarks.mix import CHANNELS, Mix
from tests.benchmarks.texts import pool
from tests.kit_archive import NEWS, Archive, compiled, open_archive
from tests.queries import Asker

SMALL = 100_000  # posts
PAGE = 100  # posts in one transaction
TURN = 10 * PAGE  # posts of one archive before it is the other's turn
ROUNDS = 15
SINGLE = 2000  # posts that come one by one
QUERIES, QUERIES_FULL = 300, 1000
WANTED = 20  # posts of a search
BYTES, GROWTH, FIRST, WARM = 2200, 1.3, 150.0, 50.0  # goals, at most: a post; times; ms


def table(folder: Path, *, full: bool, posts: int | None = None) -> Table:
    """Measure an archive of 100,000 posts, and one of so many `posts`; with more searches in `full`."""
    return asyncio.run(_table(folder, posts=posts, queries=QUERIES_FULL if full else QUERIES))


async def _table(folder: Path, *, posts: int | None, queries: int) -> Table:
    made = Table("", "", "goal", "", title=f"an archive of {posts or SMALL:,} posts in {CHANNELS} channels")
    async with filled(folder / "small", SMALL) as place:
        size = place.size()
        _add(made, "bytes on the disk, a post", size / SMALL, BYTES, "{:,.0f}")
        made.add_row("CPU seconds per million posts, by hundreds", f"{place.cpu * 1e6:,.0f}")
        made.add_row("  one by one, as pushes come", f"{(await place.store(SINGLE, size=1)).cpu * 1e6:,.0f}")
        if posts:
            async with filled(folder / "large", posts) as large:
                _add(made, f"bytes, of {posts:,}", large.size() / posts, BYTES, "{:,.0f}")
                made.add_row("  CPU seconds per million posts", f"{large.cpu * 1e6:,.0f}")
                grown = await _grown(place, large)
                _add(made, f"cost of a post, × that in an archive of {SMALL:,}", grown, GROWTH, "{:.2f}")
                await _search(made, large.archive, queries)
        else:
            await _search(made, place.archive, queries)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What storing a post took."""

    cpu: float  # s
    time: float  # s


class Place:
    """An archive, and the posts that go on coming."""

    def __init__(self, archive: Archive, path: Path) -> None:
        self.archive = archive
        self.cpu = 0.0  # s a post
        self._path = path
        self._mix = Mix(pool(1))
        self._empty = self._stored()

    async def store(self, posts: int, *, size: int = PAGE) -> Spent:
        """Store more posts, so many at once; return what one took, without making it up."""
        cpu = time = 0.0
        for observation in self._mix.observations(posts, size, self.archive.reader_id):
            begun, began = process_time(), perf_counter()
            await self.archive.ingest.store(observation)
            cpu, time = cpu + process_time() - begun, time + perf_counter() - began
        return Spent(cpu=cpu / posts, time=time / posts)

    def size(self) -> int:
        """Return the bytes that the posts take; those of the topics are none of them."""
        return self._stored() - self._empty

    def _stored(self) -> int:
        """Return the bytes of all pages, be they in the log yet."""
        with closing(sqlite3.connect(self._path)) as connection:
            connection.execute("PRAGMA wal_checkpoint")
        return self._path.stat().st_size


@asynccontextmanager
async def filled(folder: Path, posts: int) -> AsyncIterator[Place]:
    """Yield an archive in a new folder, with so many posts."""
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs
    queries = [(topic.name, topic.query, compiled(topic.query).to_json()) for topic in builtin_topics()]

    async def save(tx: Transaction) -> None:
        for name, query, plan in queries:
            await topics.save(tx, name=name, query=query, compiled=plan, now=archive.now)

    async with open_archive(folder) as archive:
        for number in range(CHANNELS):
            await archive.follow(NEWS + number, title=f"Вести {number}")
        await archive.db.write(save)
        place = Place(archive, folder / "data" / "bot.db")
        gc.collect()
        gc.freeze()  # what is made for measuring is no burden to the service
        place.cpu = (await place.store(posts)).cpu
        yield place


async def _grown(small: Place, large: Place) -> float:
    """Return how many times what a post costs in a small archive it costs in a large one."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        bare.append((await small.store(TURN)).cpu)
        ours.append((await large.store(TURN)).cpu)
    return median(ratios(ours, bare))


async def _search(made: Table, archive: Archive, count: int) -> None:
    """Put each question twice; the first time, what it reads is mostly not in SQLite's memory."""
    mix = [compiled(query) for query in Asker(list(pool(1))).mixed(count)]
    queries = [query for query in mix if necessary(query) is not None]
    for name, goal in (("asked first", FIRST), ("asked again", WARM)):
        times = []
        for query in queries:
            begun = perf_counter()
            await find_newest(archive.db, query, limit=WANTED, most=MOST_ROWS)
            times.append((perf_counter() - begun) * 1000)
        p50 = f"p50 {median(times):.1f} ms"
        _add(made, f"search {name}, p95 ({p50})", percentile(times, 95), goal, "{:.0f} ms")


def _add(made: Table, name: str, found: float, goal: float, form: str) -> None:
    verdict = "[green]met[/]" if found <= goal else "[red]missed[/]"
    made.add_row(name, form.format(found), "≤ " + form.format(goal), verdict)
