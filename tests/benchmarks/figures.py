"""Measurements of ours and of the baseline come in; ratios, verdicts and rows of the table go out.

All is pure, but for reading the real posts that some tables are measured on.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

T = TypeVar("T")
REAL_POSTS = Path(__file__).parents[3] / "shared" / "data" / "posts.jsonl"  # beside the project, never in it
LEAST_ROUNDS = 5
SERVER_BOUND = 0.8  # of the wall time: a server that computes longer is what was measured
MACHINE_BOUND = 0.95  # of all cores: beyond it client and server wait for each other's core


class SkippedError(Exception):
    """Something cannot be measured here, for the reason given."""


def real_texts() -> list[str]:
    """Return the texts of the real posts; raises SkippedError where they are not."""
    if not REAL_POSTS.exists():
        raise SkippedError(f"the real posts are not here: {REAL_POSTS}")
    return [json.loads(line)["text"] for line in REAL_POSTS.read_text("utf-8").splitlines()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One measurement of one side."""

    posts: int
    wall: float  # s
    client_cpu: float  # s of the process that is measured, all its threads
    server_cpu: float  # s of the server's process

    @property
    def rate(self) -> float:
        """Posts a second."""
        return self.posts / self.wall


Block = tuple[Run, list[float]]  # some posts, and the seconds until the alert of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a ratio is to reach."""

    limit: float
    at_most: bool  # else at least

    def is_met(self, ratio: float) -> bool:
        """Say whether a ratio is good enough."""
        return ratio <= self.limit if self.at_most else ratio >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.limit:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a post costs one side."""

    cpu: float  # µs of the client's process
    server: float  # the server's share of the wall time
    client: float  # the client's share; above 1 where several threads compute


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    name: str
    ours: str
    bare: str
    ratio: float
    goal: Goal | None = None
    ours_cost: Cost | None = None
    bare_cost: Cost | None = None
    note: str = ""

    def verdict(self, cores: int) -> str:
        """Judge the ratio; `void` says nothing of it, since something else than the client was the bottleneck."""
        if any(is_void(cost, cores) for cost in (self.ours_cost, self.bare_cost) if cost is not None):
            return "void"
        if self.goal is None:
            return ""
        return "met" if self.goal.is_met(self.ratio) else "missed"


def in_turn(ours: Callable[[], T], bare: Callable[[], T], *, rounds: int) -> tuple[list[T], list[T]]:
    """Measure both sides A B A B …; a first pair warms up both and is not counted."""
    if rounds < LEAST_ROUNDS:
        raise ValueError(f"{rounds} rounds say little; {LEAST_ROUNDS} are the least")
    pairs = [(ours(), bare()) for _ in range(rounds + 1)][1:]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def ratios(ours: Sequence[float], bare: Sequence[float]) -> list[float]:
    """Divide round by round, so that what slows the whole machine for a while slows both sides of a ratio."""
    return [a / b for a, b in zip(ours, bare, strict=True)]


def cost(runs: Sequence[Run]) -> Cost:
    """Return the median cost of the rounds of one side."""
    return Cost(
        cpu=median(run.client_cpu / run.posts for run in runs) * 1e6,
        server=median(run.server_cpu / run.wall for run in runs),
        client=median(run.client_cpu / run.wall for run in runs),
    )


def is_void(spent: Cost, cores: int) -> bool:
    """Say whether the server, or the machine, was the bottleneck."""
    return spent.server > SERVER_BOUND or spent.server + spent.client > MACHINE_BOUND * cores


def percentile(samples: Sequence[float], percent: int) -> float:
    """Return the value below which so many percent (1 to 99) of the samples lie."""
    return quantiles(samples, n=100, method="inclusive")[percent - 1]


def delay_rows(
    name: str, goals: Mapping[int, Goal], ours: Sequence[Block], bare: Sequence[Block], *, note: str
) -> list[Row]:
    """Compare two sides by how long alerts take: a row for each percentile that has a goal."""
    samples = [[sample for _, block in side for sample in block] for side in (ours, bare)]
    costs = [cost([run for run, _ in side]) for side in (ours, bare)]
    rows = list[Row]()
    for percent, goal in goals.items():
        slow, quick = (percentile(side, percent) for side in samples)
        rows.append(
            Row(
                name=f"{name}, p{percent}",
                ours=f"{slow * 1000:.1f} ms",
                bare=f"{quick * 1000:.1f} ms",
                ratio=slow / quick,
                goal=goal,
                ours_cost=costs[0],
                bare_cost=costs[1],
                note=f"{len(samples[0]):,} posts each, {note}",
            )
        )
    return rows


def rate_row(name: str, ours: Sequence[Run], bare: Sequence[Run], *, goal: Goal) -> Row:
    """Compare two sides by their posts a second."""
    found = ratios([run.rate for run in ours], [run.rate for run in bare])
    return Row(
        name=name,
        ours=f"{median(run.rate for run in ours):,.0f}/s",
        bare=f"{median(run.rate for run in bare):,.0f}/s",
        ratio=median(found),
        goal=goal,
        ours_cost=cost(ours),
        bare_cost=cost(bare),
        note=f"{ours[0].posts:,} posts × {len(ours)}; {min(found):.2f}–{max(found):.2f}",
    )
