"""How many real posts a second are matched on one core, with 10 to 10,000 queries.

Beside each figure of ours stands its ratio to reading the same texts without any query, measured in turn; the
baselines know nothing of look-alike letters, links and tags.
"""

import asyncio
import gc
import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from rich.table import Table

from bot.matching.engine.compiled import Compiled, compile_query
from bot.matching.engine.matcher import Matcher
from bot.matching.query.parser import parse
from bot.matching.words.inflection import Inflector
from bot.matching.words.tokens import analyse
from bot.models import Observation, ObservedBy
from bot.pipeline.ingest import Ingest
from bot.runtime.garbage import collect_seldom
from bot.store import topics
from bot.store.database import Transaction
from tests.benchmarks.figures import in_turn, percentile, ratios, real_texts
from tests.benchmarks.rare_queries import RareQueries
from tests.kit_archive import NOON, open_archive

COUNTS = (10, 100, 1_000, 10_000)
SHARE = 6  # every sixth post in the short form
ROUNDS, ROUNDS_FULL = 5, 9
CHANGES = 300  # queries added and removed again
LONGEST = 20.0  # s for all posts: a baseline that takes longer is asked no larger question
SLICE = 1.0  # s after which a slow baseline is stopped; the posts it has done until then count
GOALS = {"one word each": 0.6, "mixed": 0.3}  # at least, of bare reading, with 10,000 queries

Visit = Callable[[str], object]  # what is done with the text of one post


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """Queries by what they consist of, the most that are asked."""

    words: list[str]
    forms: list[frozenset[str]]  # of each of these words
    kinds: Mapping[str, Mapping[str, Compiled]]  # name of a row → the queries by themselves


def table(folder: Path, *, full: bool) -> Table:
    """Measure; raises SkippedError without the real posts."""
    every = real_texts()
    queries = _queries(every)
    texts = every if full else every[::SHARE]
    gc.collect()
    gc.freeze()  # what is made for measuring is no burden to the service
    rows = Table("posts/s (× bare reading)", *(f"{count:,}" for count in COUNTS), "goal", title="matching")
    for name, kind in queries.kinds.items():
        _add_ours(rows, name, kind, texts, rounds=ROUNDS_FULL if full else ROUNDS)
    rows.add_row("bare reading", *[f"{_rate(analyse, texts):,.0f}"] * len(COUNTS))
    for name, make in BASELINES.items():
        rows.add_row(name, *_baseline(make, queries, texts))
    _add_changes(rows, queries.kinds["mixed"], list(queries.kinds["one word each"].values()))
    took = asyncio.run(_start(folder, queries.kinds["mixed"]))
    rows.add_row(
        "start with so many, from the database", *[""] * 3, f"{took:,.0f} ms", f"≤ 1,000 ms {_judge(took, 1000)}"
    )
    return rows


def _queries(texts: Sequence[str]) -> Queries:
    rare, inflector = RareQueries([analyse(text) for text in texts]), Inflector()

    def made(sources: Sequence[str]) -> dict[str, Compiled]:
        return {source: compile_query(parse(source), inflector) for source in sources}

    most = COUNTS[-1]
    words = made(list(islice(rare.words(), most)))
    mixed = made(list(islice(rare.mixed(), most)))
    regexes = iter(made(list(islice(rare.regexes(), most // 100))).items())
    strewn = dict(next(regexes) if n % 100 == 0 else pair for n, pair in enumerate(mixed.items(), start=1))
    return Queries(
        words=list(words),
        forms=[frozenset(*query.forms.values()) for query in words.values()],
        kinds={"one word each": words, "mixed": mixed, "mixed, 1 % regexes": strewn},
    )


def _add_ours(rows: Table, name: str, queries: Mapping[str, Compiled], texts: Sequence[str], *, rounds: int) -> None:
    found, read, costs, ratio = [], [], [], 0.0
    for count in COUNTS:
        matcher = Matcher(dict(islice(queries.items(), count)))
        cell, ratio, cost = _ours(lambda text, m=matcher: m.match(analyse(text)), texts, rounds=rounds)
        found.append(cell)
        costs.append(cost)
        read.append(_ours(lambda text, m=matcher: dict(m.match(analyse(text))), texts, rounds=rounds)[0])
    goal = GOALS.get(name)
    rows.add_row(name, *found, f"≥ {goal} {_judge(goal, ratio)}" if goal else "")
    rows.add_row("  and all places read", *read)
    if name == "one word each":
        growth = costs[-1] / costs[0]
        rows.add_row(
            "  cost of a post, × that with 10", *(f"{c / costs[0]:.2f}" for c in costs), f"≤ 1.6 {_judge(growth, 1.6)}"
        )


def _ours(visit: Visit, texts: Sequence[str], *, rounds: int) -> tuple[str, float, float]:
    """Return the cell, the ratio to bare reading, and the least seconds of one pass."""
    ours, bare = in_turn(lambda: _pass(visit, texts), lambda: _pass(analyse, texts), rounds=rounds)
    ratio = median(ratios(bare, ours))
    return f"{len(texts) / min(ours):,.0f} ({ratio:.2f})", ratio, min(ours)


def _pass(visit: Visit, texts: Sequence[str]) -> float:
    begun = process_time()
    for text in texts:
        visit(text)
    return process_time() - begun


def _rate(visit: Visit, texts: Sequence[str]) -> float:
    """Return texts a second, the best of three rounds; a slow round ends early."""
    best = 0.0
    for _ in range(3):
        begun = process_time()
        for done, text in enumerate(texts, start=1):
            visit(text)
            if done % 20 == 0 and process_time() - begun > SLICE:
                break
        best = max(best, done / (process_time() - begun))
    return best


def _baseline(make: Callable[[Queries, int], Visit], queries: Queries, texts: Sequence[str]) -> list[str]:
    cells: list[str] = []
    for count in COUNTS:
        try:
            rate = _rate(make(queries, count), texts)
        except ModuleNotFoundError as missing:
            return [f"skipped: no {missing.name}"]
        cells.append(f"{rate:,.0f}")
        if len(texts) / rate > LONGEST:
            return [*cells, f"stopped: a pass takes {len(texts) / rate:.0f} s"][: len(COUNTS)]
    return cells


def _substring(queries: Queries, count: int) -> Visit:
    words = queries.words[:count]

    def visit(text: str) -> list[str]:
        lower = text.lower()
        return [word for word in words if word in lower]

    return visit


def _alternation(queries: Queries, count: int) -> Visit:
    forms = sorted({form for each in queries.forms[:count] for form in each}, key=len, reverse=True)
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, forms))})\b")
    return lambda text: pattern.findall(text.lower())


def _automaton(queries: Queries, count: int) -> Visit:
    automaton = importlib.import_module("ahocorasick").Automaton()
    for number, forms in enumerate(queries.forms[:count]):
        for form in forms:
            automaton.add_word(form, (*automaton.get(form, ()), (number, len(form))))
    automaton.make_automaton()

    def visit(text: str) -> set[int]:
        lower = f" {text.lower()} "
        found: set[int] = set()
        for end, values in automaton.iter(lower):
            if not lower[end + 1].isalnum():
                found.update(number for number, length in values if not lower[end - length].isalnum())
        return found

    return visit


BASELINES: dict[str, Callable[[Queries, int], Visit]] = {
    "pyahocorasick, forms at word boundaries": _automaton,
    "substring, the word as typed": _substring,
    "`re`, alternation of forms": _alternation,
}


def _add_changes(rows: Table, queries: Mapping[str, Compiled], others: Sequence[Compiled]) -> None:
    matcher = Matcher(queries)
    times: dict[str, list[float]] = {"adding": [], "removing": []}
    for number, query in enumerate(others[:CHANGES]):
        begun = perf_counter()
        matcher.add(f"added {number}", query)
        between = perf_counter()
        matcher.remove(f"added {number}")
        times["adding"].append((between - begun) * 1e6)
        times["removing"].append((perf_counter() - between) * 1e6)
    for name, found in times.items():
        worst = percentile(found, 99)
        cell = f"{median(found):,.0f} µs, p99 {worst:,.0f}"
        rows.add_row(f"{name} one query beside so many", *[""] * 3, cell, f"≤ 1,000 µs {_judge(worst, 1000)}")


async def _start(folder: Path, queries: Mapping[str, Compiled]) -> float:
    """Return the CPU time, in ms, that a new process spends on its topics before the first post is matched."""

    async def save(tx: Transaction) -> None:
        for name, query in queries.items():
            await topics.save(tx, name=name, query=name, compiled=query.to_json(), now=NOON)

    async with open_archive(folder) as archive:
        await archive.db.write(save)
        nothing = Observation(events=(), observed_by=ObservedBy.LIVE, reader_id=archive.reader_id, seen_at=NOON)
        collect_seldom()
        begun = process_time()
        await Ingest(archive.db, lambda: NOON).store(nothing)
        return (process_time() - begun) * 1e3


def _judge(least: float, most: float) -> str:
    """Say whether the first is at most the second."""
    return "[green]met[/]" if least <= most else "[red]missed[/]"
