"""How far a long reading of the archive has come: dates come in; a bar is shown on a terminal, lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

_PAUSE = 10.0  # s between two lines


@contextmanager
def reading(since: datetime | None, now: datetime) -> Iterator[Callable[[datetime], None]]:
    """Give what is to be told down to which date posts are read, from now back to `since` or to the oldest."""
    terminal = Console(stderr=True)
    if not terminal.is_terminal:
        yield _Lines(terminal).reach
        return
    columns = TextColumn("Reading posts back to {task.fields[date]}"), BarColumn()
    with Progress(*columns, console=terminal, transient=True) as shown:
        total = None if since is None else (now - since).total_seconds()
        task = shown.add_task("", total=total, date="…")
        yield lambda date: shown.update(task, completed=(now - date).total_seconds(), date=f"{date:%Y-%m-%d}")


class _Lines:
    """Says now and then how far the reading is."""

    def __init__(self, to: Console) -> None:
        self._to = to
        self._said = monotonic()

    def reach(self, date: datetime) -> None:
        if monotonic() - self._said >= _PAUSE:
            self._to.print(f"Read back to {date:%Y-%m-%d} …")
            self._said = monotonic()
