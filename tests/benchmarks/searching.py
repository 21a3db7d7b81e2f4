"""How long searches take in a large archive, made of halves of real posts.

Each search wants the newest 20 posts. Beside it stands the bare FTS5 query of the same words, which reads no post, so
what it finds is not verified.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from rich.table import Table

from bot.commands.search import MOST_ROWS
from bot.matching.engine.compiled import Compiled, necessary
from bot.matching.topics import builtin_topics
from bot.matching.words.tokens import analyse
from bot.models import Observation, ObservedBy, Post, RawFormat
from bot.search.searcher import find_newest
from bot.store import fulltext, versions
from bot.store.database import Reader, Transaction
from bot.store.fulltext import Scope
from tests.benchmarks.figures import percentile, real_texts
from tests.kit_archive import LAST_MONTH, NEWS, Archive, compiled, open_archive
from tests.queries import Asker

POSTS, POSTS_FULL = 200_000, 1_000_000
QUERIES, QUERIES_FULL = 300, 1000
ROUNDS = 3  # of both sides in turn; the median of each query counts
CHANNELS = 20
LIMIT = 20  # posts wanted
GOAL = 30.0  # ms at most, for 95 of 100 searches
_BATCH = 5000  # posts in one transaction
_BARE = "SELECT rowid FROM fulltext WHERE fulltext MATCH ? ORDER BY rowid DESC LIMIT ?"

Piece = tuple[str, str]  # a part of a text, and its words as the index keeps them
Search = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """How long one query took."""

    ours: float  # ms
    bare: float | None  # ms; None where no word narrows the query


def table(folder: Path, *, full: bool) -> Table:
    """Build the archive and measure; raises SkippedError without the real posts."""
    return asyncio.run(_table(folder, real_texts(), full=full))


async def _table(folder: Path, texts: Sequence[str], *, full: bool) -> Table:
    posts = POSTS_FULL if full else POSTS
    async with open_archive(folder) as archive:
        began = perf_counter()
        await _fill(archive, texts, posts)
        made = Table("", "ms p50", "p95", "max", "bare FTS5 p50", "p95", "max", "ratio p50", "goal", "samples")
        made.title = f"search in {posts:,} posts, built in {perf_counter() - began:.0f} s"
        asker = Asker(texts)
        mix = [compiled(query) for query in asker.mixed(QUERIES_FULL if full else QUERIES)]
        narrowed = [query for query in mix if necessary(query) is not None]
        _add(made, "mix of words, phrases, distances …", await _measure(archive.db, narrowed), goal=GOAL)
        one = Scope(channel_ids=[NEWS])
        _add(made, "the same in one of 20 channels", await _measure(archive.db, narrowed, one))
        topics = [compiled(topic.query) for topic in builtin_topics()]
        _add(made, "built-in topics", await _measure(archive.db, topics))
        regexes = [compiled(asker.kinds["regex"]()) for _ in range(20)]
        _add(made, "regexes alone, the newest 50,000", await _measure(archive.db, regexes))
    return made


async def _fill(archive: Archive, texts: Sequence[str], posts: int) -> None:
    """Store posts made of the first half of one text and the second of another."""
    heads, tails = zip(*map(_halves, texts), strict=True)
    dice = Random(1)  # noqa: S311 - a repeatable choice is wanted
    for number in range(CHANNELS):
        await archive.follow(NEWS + number, title=f"Вести {number}")
    for first in range(1, posts + 1, _BATCH):
        numbers = range(first, min(first + _BATCH, posts + 1))
        pieces = [(dice.choice(heads), dice.choice(tails)) for _ in numbers]
        made = [_post(n, head[0] + "\n" + tail[0]) for n, (head, tail) in zip(numbers, pieces, strict=True)]
        await _store(archive, made, [f"{head[1]} {tail[1]}" for head, tail in pieces])


async def _store(archive: Archive, posts: Sequence[Post], words: Sequence[str]) -> None:
    """Store posts as ingest does, but for reading their texts and matching them."""
    seen = Observation(
        events=tuple(posts), observed_by=ObservedBy.BACKFILL, reader_id=archive.reader_id, seen_at=archive.now
    )

    async def job(tx: Transaction) -> None:
        taken = await versions.compare(tx, seen)
        await taken.write(tx)
        rows = zip(taken.added, words, strict=True)
        await fulltext.add(tx, [(added.version_id, added.post.channel_id, indexed) for added, indexed in rows])

    await archive.db.write(job)


def _halves(text: str) -> tuple[Piece, Piece]:
    cut = text.find(" ", len(text) // 2)
    first, second = (text, "") if cut < 0 else (text[:cut], text[cut:])
    return (first, analyse(first).indexed), (second, analyse(second).indexed)


def _post(number: int, text: str) -> Post:
    date = LAST_MONTH + timedelta(minutes=number)
    return Post(
        channel_id=NEWS + number % CHANNELS, message_id=number, date=date, text=text, raw=b"", raw_format=RawFormat.TL
    )


async def _measure(db: Reader, queries: Sequence[Compiled], scope: Scope | None = None) -> list[Timed]:
    return [await _time(db, query, scope) for query in queries]


async def _time(db: Reader, query: Compiled, scope: Scope | None) -> Timed:
    expression = necessary(query)
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(await _clock(lambda: find_newest(db, query, scope, limit=LIMIT, most=MOST_ROWS)))
        if expression is not None:
            bare.append(await _clock(lambda: db.fetch_all(_BARE, (expression, LIMIT))))
    return Timed(ours=median(ours), bare=median(bare) if bare else None)


async def _clock(search: Search) -> float:
    began = perf_counter()
    await search()
    return (perf_counter() - began) * 1000


def _add(table: Table, name: str, timed: Sequence[Timed], *, goal: float | None = None) -> None:
    ours, bare = [one.ours for one in timed], [one.bare for one in timed if one.bare is not None]
    ratio = f"{median(one.ours / one.bare for one in timed if one.bare):.1f}" if bare else ""
    verdict = ""
    if goal is not None:
        met = percentile(ours, 95) <= goal
        verdict = f"[{'green' if met else 'red'}]p95 ≤ {goal:g} {'met' if met else 'missed'}[/]"
    table.add_row(name, *_spread(ours), *(_spread(bare) if bare else ("", "", "")), ratio, verdict, str(len(timed)))


def _spread(times: Sequence[float]) -> tuple[str, str, str]:
    return f"{median(times):.1f}", f"{percentile(times, 95):.1f}", f"{max(times):.0f}"
