"""Output for a terminal, a file or a pipe: tables, posts with marked finds, and the progress of long work."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from time import monotonic
from typing import BinaryIO, TextIO

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from bot.cli import console
from bot.errors import ChannelwatchError
from bot.locales import translator
from bot.locales.locale import gone_words
from bot.models import StoredPost
from bot.runtime.private_files import FILE_MODE
from bot.search.coverage import Coverage

# What would move the cursor, colour the terminal or turn a line around: controls but for line breaks and tabs, and
# the signs that override the direction of writing. One sign stands for one, so that places in a text stay true.
_UNSAFE = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
} | {ord("\r"): " "}
_ENDED_BY_PIPE = 141  # what a shell says of a program that SIGPIPE has ended
_PAUSE = 10.0  # s between two lines of progress


def plain(text: str) -> str:
    """Return a foreign text of the same length, without characters that a terminal would obey."""
    return text.translate(_UNSAFE)


@contextmanager
def ended_by_reader() -> Iterator[None]:
    """End quietly where whoever reads standard output, such as `head`, has enough."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        raise typer.Exit(_ENDED_BY_PIPE) from None


def text_output() -> TextIO:
    """Return standard output, written in UTF-8 a line at a time; raises ChannelwatchError where it is closed."""
    if sys.stdout is None:
        raise ChannelwatchError("standard output is closed: there is nowhere to write to")
    if isinstance(sys.stdout, TextIOWrapper):
        # Half a surrogate pair, which JSON can hold, is written as its escape; a line at a time, for what comes live.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="", line_buffering=True)
    return sys.stdout


@contextmanager
def opened(path: Path | None) -> Iterator[TextIO]:
    """Yield what is written to: standard output, or a file that appears once it is whole."""
    if path is None:
        yield text_output()
        return
    with whole_file(path) as file, TextIOWrapper(file, "utf-8", errors="backslashreplace", newline="") as out:
        yield out


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file of ours alone, which takes its name once it is whole."""
    part = path.with_name(f"{path.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return a table of foreign texts, which are no markup; a narrow terminal breaks lines, and hides nothing."""
    made = Table()
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*map(Text, row))
    return made


def reach(coverage: Coverage, since: datetime | None) -> str:
    """Say from when on the archive is complete, beside a question about the time since a moment.

    Return an empty text where there is no channel.
    """
    start, count = coverage.since, len(coverage.starts)
    if start is None:
        return ""
    where = "" if count == 1 else f" in all {count} channels"
    if coverage.ends:
        who = "it is not followed" if count == 1 else f"{len(coverage.ends)} are not followed"
        where += f"; {who}, and newer posts are not stored"
    if coverage.is_whole:
        return f"The archive is complete from the first post on{where}."
    line = f"The archive is complete since {start:%Y-%m-%d %H:%M} UTC{where}."
    if since is None or coverage.reaches(since):
        return line
    short = sum(begin > since for begin in coverage.starts.values())
    what = "" if count == 1 else f", in {short} of {count} channels"
    return f"The archive does not reach back that far{what}: {line.replace('The archive', 'it', 1)}"


def print_post(
    post: StoredPost, text: str, spans: Sequence[tuple[int, int]], *, reason: str = "", brackets: bool = False
) -> None:
    """Print when and where a post stands, why it is shown, and `text` of it with `spans` marked.

    With `brackets`, spans stand in square brackets where no terminal can colour them.
    """
    moment = "%Y-%m-%d %H:%M UTC"
    heading = [f"{post.date:{moment}}", " ".join(plain(post.channel_title).split()), post.link]
    if not post.is_current:
        heading.append(f"(earlier wording, {post.edit_date or post.date:{moment}})")
    if post.gone_at is not None:
        heading.append(f"({gone_words(post, translator('en'))}, {post.gone_at:{moment}})")
    # a link that is broken cannot be opened, nor can a broken line be searched in a file
    console.print(Text("  ".join(heading), "bold"), soft_wrap=True)
    if reason:
        console.print(Text(f"  {plain(reason)}", "yellow"), soft_wrap=True)
    text, marked, end = plain(text), Text(), 0
    for start, stop in spans:
        found = text[start:stop]
        marked.append(text[end:start])
        marked.append(f"[{found}]" if brackets and not console.is_terminal else found, "reverse")
        end = stop
    console.print(marked.append(text[end:]), soft_wrap=not console.is_terminal)


@contextmanager
def reading_back(since: datetime | None, now: datetime) -> Iterator[Callable[[datetime], None]]:
    """Show how far posts are read, from now back to `since` or to the oldest; yield a function that takes a date."""
    total = None if since is None else (now - since).total_seconds()
    columns: list[ProgressColumn] = [TextColumn("Reading posts back to {task.fields[date]}"), BarColumn()]
    if total is not None:
        columns.append(TaskProgressColumn())
    with _progress(columns, total, date="…") as show:
        yield lambda date: show((now - date).total_seconds(), f"Read back to {date:%Y-%m-%d} …", f"{date:%Y-%m-%d}")


@contextmanager
def reading_file(size: int) -> Iterator[Callable[[int], None]]:
    """Show how much of `size` bytes is read; yield a function that takes the place in the file."""
    columns = TextColumn("Importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with _progress(columns, size) as show:
        yield lambda place: show(place, f"Read {place / size:.0%} …", "")


@contextmanager
def writing_messages(count: int) -> Iterator[Callable[[int], None]]:
    """Show how many of so many messages are written; yield a function that takes how many are."""
    columns = TextColumn("Writing messages"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with _progress(columns, count) as show:
        yield lambda done: show(done, f"Wrote {done / count:.0%} …", "")


@contextmanager
def _progress(
    columns: Sequence[ProgressColumn], total: float | None, *, date: str = ""
) -> Iterator[Callable[[float, str, str], None]]:
    """Show progress on standard error: a bar on a terminal, elsewhere a line now and then.

    The function that is yielded takes the amount that is done, the line, and the date that the bar names.
    """
    terminal = Console(stderr=True)
    if terminal.is_terminal:
        with Progress(*columns, console=terminal, transient=True) as bar:
            task = bar.add_task("", total=total, date=date)
            yield lambda done, _, date: bar.update(task, completed=done, date=date)
        return
    printed_at = monotonic()

    def show(_done: float, line: str, _date: str) -> None:
        nonlocal printed_at
        if monotonic() - printed_at >= _PAUSE:
            terminal.print(line)
            printed_at = monotonic()

    yield show
