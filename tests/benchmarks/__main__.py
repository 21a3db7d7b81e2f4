"""Names of rows come in, or none for all; a table of ratios goes out."""

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from tests.benchmarks import (
    archive,
    beside,
    catching_up,
    fanout,
    latency,
    ledger,
    likeness,
    matching,
    requests,
    searches,
    searching,
    start,
    surges,
    throughput,
)
from tests.benchmarks.figures import Cost, Row, SkippedError

T = TypeVar("T")
ROWS = {
    "latency": latency.measure,
    "searches": searches.measure,
    "beside": beside.measure,
    "throughput": throughput.measure,
    "fanout": fanout.measure,
    "catching-up": catching_up.measure,
    "start": start.measure,
}
TABLES = {
    "archive": archive.table,
    "ledger": ledger.table,
    "matching": matching.table,
    "likeness": likeness.table,
    "searching": searching.table,
    "requests": requests.table,
    "surges": surges.table,
}  # each with columns of its own
WIDTH = 140  # of the table, in characters
LIMIT = 400  # s for a row: whatever takes longer hangs
COLOURS = {"met": "green", "missed": "red", "void": "yellow", "": ""}


def main() -> None:
    """Measure and print."""
    names = [*ROWS, *TABLES]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="with every sample, in a quarter of an hour")
    parser.add_argument(
        "--archive", type=int, metavar="POSTS", help="only how an archive of so many posts grows; 5000000 take hours"
    )
    parser.add_argument(
        "--posts", type=int, metavar="POSTS", default=beside.POSTS, help="in the archive of the row beside"
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"only these: {', '.join(names)}")
    wanted = parser.parse_args()
    if unknown := set(wanted.rows) - set(names):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    signal.signal(signal.SIGALRM, _give_up)
    ROWS["beside"] = partial(beside.measure, posts=wanted.posts)
    if wanted.archive:
        large = partial(archive.table, posts=wanted.archive)
        Console(highlight=False, width=WIDTH).print(_measure(large, full=wanted.full, limit=0))
        return
    console, rows = Console(highlight=False, width=WIDTH), []
    asked = wanted.rows or names
    for name in sorted(asked, key=names.index):  # the rows of one table first
        if rows and name in TABLES:
            _print_ratios(rows, console)
            rows = []
        console.print(f"{time.strftime('%H:%M:%S')} {name} …", style="dim")
        if name in TABLES:
            _print_table(name, console, full=wanted.full)
        else:
            rows += _measure(ROWS[name], full=wanted.full)
    if rows:
        _print_ratios(rows, console)


def _print_table(name: str, console: Console, *, full: bool) -> None:
    try:
        console.print(_measure(TABLES[name], full=full))
    except SkippedError as reason:
        console.print(f"{name}: skipped, {reason}", soft_wrap=True)


def _print_ratios(rows: list[Row], console: Console) -> None:
    cores = os.cpu_count() or 1
    console.print(_table(rows, cores))
    console.print(
        "Ours is `python -m bot run`, bare is plain Telethon; each ratio is the median of rounds in turn, or of all "
        f"samples of both for latency. {cores} cores, load {os.getloadavg()[0]:.1f}. A row is void where not the "
        "client was the bottleneck but the server or the machine.",
        style="dim",
    )


def _measure(measure: Callable[..., T], *, full: bool, limit: int = LIMIT) -> T:
    with tempfile.TemporaryDirectory(prefix="channelwatch-bench-") as folder:
        signal.alarm(limit)  # 0: none
        try:
            return measure(Path(folder), full=full)
        finally:
            signal.alarm(0)


def _give_up(_number: int, _frame: object) -> None:
    raise TimeoutError(f"a row took longer than {LIMIT} s")


def _table(rows: list[Row], cores: int) -> Table:
    table = Table("", "ours", "bare", "ratio", "goal", "", "CPU µs/post", "server", "samples")
    for row in rows:
        verdict = row.verdict(cores)
        table.add_row(
            row.name,
            row.ours,
            row.bare,
            f"{row.ratio:.2f}",
            str(row.goal or ""),
            f"[{COLOURS[verdict]}]{verdict}[/]" if verdict else "",
            _pair(row, lambda spent: f"{spent.cpu:,.0f}"),
            _pair(row, lambda spent: f"{spent.server:.0%}"),
            row.note,
        )
    return table


def _pair(row: Row, form: Callable[[Cost], str]) -> str:
    return " / ".join(form(spent) for spent in (row.ours_cost, row.bare_cost) if spent is not None)


if __name__ == "__main__":
    main()
