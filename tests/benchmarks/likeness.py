"""The texts of real posts come in, as they are and with words changed; what comparing one with 100,000 costs goes out.

A new post is looked up and remembered. It was read before, for the fingerprint of its words; beside the cost stands
that of reading it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import mean, median
from time import perf_counter, process_time, thread_time
from typing import TypeVar

from rich.table import Table

from bot.matching.similarity.features import features
from bot.matching.similarity.index import MOST, SimilarityIndex
from bot.models import ComparedPost
from bot.pipeline.decisions.grouping import DUPLICATE_WITHIN
from bot.pipeline.dedup import READ_AT_ONCE
from bot.pipeline.ingest import Ingest
from tests.benchmarks.figures import percentile, real_texts
from tests.kit_archive import NEWS, NOON, OTHER, Archive, open_archive, post

T = TypeVar("T")
CHANNELS = 500
SAMPLES, SAMPLES_FULL = 4_000, 20_000
TOLD, TOLD_FULL = 2_000, 10_000  # posts in 48 hours that a service reads after its start
GOAL = 100.0  # µs for a post
SPACING = timedelta(seconds=8)  # of these
CHANGED = 0.5  # of the words of a text, so that it is another one


def table(folder: Path, *, full: bool) -> Table:
    """Measure; raises SkippedError without the real posts."""
    texts, random = real_texts(), Random(7)  # noqa: S311 - the same texts each time
    count = SAMPLES_FULL if full else SAMPLES
    varied = _varied(texts, random)
    began = perf_counter()
    memory = SimilarityIndex(within=DUPLICATE_WITHIN)
    # Real posts are a tenth, with templates and reposts among them as they come.
    for number in range(MOST):
        memory.add(_said(number, texts[number % len(texts)] if number % 10 == 0 else next(varied), random))
    made = Table("µs", "mean", "p50", "p99", "reading p50", "ratio p50", "goal", "samples")
    made.title = f"likeness: a post beside {len(memory):,} remembered, built in {perf_counter() - began:.0f} s"
    _add(made, "a post with news of its own", memory, [next(varied) for _ in range(count)], random)
    _add(made, "a post that may have been told", memory, random.choices(texts, k=count), random)
    took, posts = asyncio.run(_start(folder, texts, TOLD_FULL if full else TOLD))
    made.add_row(f"one of the first {posts:,} posts after a start, at most", f"{took * 1e6:,.0f}")
    return made


def _varied(texts: Sequence[str], random: Random) -> Iterable[str]:
    words = [word for text in texts for word in text.split(" ")]
    while True:
        text = random.choice(texts).split(" ")
        yield " ".join(random.choice(words) if random.random() < CHANGED else word for word in text)


def _said(number: int, text: str, random: Random) -> ComparedPost:
    channel, date = random.randrange(CHANNELS), NOON - random.random() * DUPLICATE_WITHIN
    return ComparedPost(channel_id=channel, post_key=f"m{number}", text=text, date=date, origin=(channel, number))


def _add(made: Table, name: str, memory: SimilarityIndex, texts: Sequence[str], random: Random) -> None:
    first = MOST + made.row_count * len(texts)
    posts = [_said(first + number, text, random) for number, text in enumerate(texts)]

    def look_up(said: ComparedPost) -> None:
        memory.add(said)
        memory.similar(said)

    ours, reading = [], []
    for said in posts:
        reading.append(_took(features, said.text))
        ours.append(_took(look_up, said))
    made.add_row(
        name,
        *(f"{figure:.0f}" for figure in (mean(ours), median(ours), percentile(ours, 99), median(reading))),
        f"{median(ours) / median(reading):.2f}",
        f"≤ {GOAL:.0f} µs {'[green]met[/]' if mean(ours) <= GOAL else '[red]missed[/]'}",
        f"{len(posts):,}",
    )


def _took(visit: Callable[[T], object], what: T) -> float:
    """Return the µs of CPU time that something takes."""
    began = thread_time()
    visit(what)
    return (thread_time() - began) * 1e6


async def _start(folder: Path, texts: Sequence[str], count: int) -> tuple[float, int]:
    """Return the most seconds that a post takes which a new process tells of, and how many take part of that."""
    async with open_archive(folder) as archive:
        for channel in (NEWS, OTHER):
            await archive.follow(channel)
        await archive.track(await archive.pair(), "все", "re:/./")
        dates = [NOON - number * SPACING for number in range(count)]
        await archive.live(
            *(post(n, f"{n} {texts[n % len(texts)]}", date=date) for n, date in enumerate(dates, start=1))
        )
        archive.ingest = Ingest(archive.db, lambda: NOON)
        posts = count // READ_AT_ONCE + 1
        return max([await _taken(archive, number) for number in range(1, posts + 1)]), posts


async def _taken(archive: Archive, number: int) -> float:
    began = process_time()
    await archive.live(post(number, f"Новое {number}", channel_id=OTHER))
    return process_time() - began
