"""The command `match`, a filter: each line of JSON is written again with the topics found in its text."""

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Annotated, BinaryIO, NoReturn

import typer

from bot.cli import cli
from bot.cli.queries import SHELL_WORDS, compile_queries
from bot.errors import ChannelwatchError
from bot.matching.engine.matcher import Matcher
from bot.matching.words.tokens import analyse

_ENDED_BY_PIPE = 141  # what a shell says of a program that SIGPIPE has ended
_NEXT = re.compile(r"[\s,:]*")  # what stands between the parts of a JSON object
_ROW = 'one object such as {"text": "…"} on a line of its own'


@cli.command()
def match(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(help="JSON Lines with a «text» field; - is standard input.")
    ] = "-",  # type: ignore[assignment]  # Typer opens it
    *,
    topic: Annotated[
        list[str] | None,
        typer.Option(help=f"A topic of a file, yours in DATA_DIR/topics or one of {SHELL_WORDS}; may be repeated."),
    ] = None,
    query: Annotated[str | None, typer.Option(help="A query instead of topics.")] = None,
) -> None:
    """Write each line again with `matches`: the topics found in its text, and where (Python characters).

    All else stays as it is written. A line without a text (missing or null) has no matches.
    A text that is no string, or a line that is no JSON object, ends the work with the line's number.

    Example: channelwatch match --topic outages < posts.jsonl
    """
    matcher = Matcher(compile_queries(topic, query))
    if sys.stdout is None:
        raise ChannelwatchError("standard output is closed: there is nowhere to write to")
    if isinstance(sys.stdout, TextIOWrapper):
        # Half a surrogate pair, which JSON can hold, is written as its escape; a line at a time, for what comes live.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    rows = texts = 0
    try:
        for row in _rows(file):
            rows, texts = rows + 1, texts + (row.text is not None)
            found = matcher.match(analyse(row.text or ""))
            matches = [{"topic": name, "spans": spans} for name, spans in found.items()]
            sys.stdout.write(row.with_matches(json.dumps(matches, ensure_ascii=False)) + "\n")
    except BrokenPipeError:  # whoever reads, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        raise typer.Exit(_ENDED_BY_PIPE) from None
    if rows and not texts:
        raise ChannelwatchError(f"no line has a «text», so nothing can match: each is to be {_ROW}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One object as it is written, so that no number and no escape of it changes."""

    line: str
    text: str | None  # None: it has none
    marked: bool  # has matches of an earlier run, which give way

    def with_matches(self, matches: str) -> str:
        """Return the object with this member, in JSON, at its end."""
        members = [member for key, member in _members(self.line) if key != "matches"] if self.marked else []
        kept = ", ".join(members) if self.marked else self.line[1:-1].rstrip()
        return f'{{{kept}{", " if kept.strip() else ""}"matches": {matches}}}'


def _members(line: str) -> Iterator[tuple[str, str]]:
    """Yield the keys of a JSON object, each with its member as it is written."""
    decoder, place = json.JSONDecoder(), 1
    while (start := _NEXT.match(line, place).end()) < len(line) - 1:  # type: ignore[union-attr]  # it always matches
        key, end = decoder.raw_decode(line, start)
        _, place = decoder.raw_decode(line, _NEXT.match(line, end).end())  # type: ignore[union-attr]
        yield key, line[start:place]


def _rows(file: BinaryIO) -> Iterator[_Row]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            written = line.decode("utf-8", "surrogatepass").removeprefix("\ufeff").strip()
            row = json.loads(written, parse_constant=_refuse)
        except UnicodeDecodeError:
            raise ChannelwatchError(f"line {number} is not in UTF-8: save the file in UTF-8") from None
        except (ValueError, RecursionError) as error:  # ValueError itself: a number of thousands of digits
            reason = getattr(error, "msg", error)
            raise ChannelwatchError(f"line {number} is no JSON ({reason}): each is to be {_ROW}") from None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str | None):
            raise ChannelwatchError(f"line {number} has no «text» string: each is to be {_ROW}")
        yield _Row(line=written, text=row.get("text"), marked="matches" in row)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
