"""The filter: JSON Lines come in; each goes out again with the topics found in its text."""

import json
import os
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Annotated, Any, BinaryIO

import typer

from bot.cli.queries import SHELL_WORDS, compiled
from bot.cli.shell import cli
from bot.errors import ChannelwatchError
from bot.matching.matcher import Matcher
from bot.matching.text import analyse

_ENDED_BY_PIPE = 141  # what a shell says of a program that SIGPIPE has ended
_ROW = 'one object such as {"text": "…"} on a line of its own'


@cli.command()
def match(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(help="JSON Lines with a «text» field; - is standard input.")
    ] = "-",  # type: ignore[assignment]  # Typer opens it
    *,
    topic: Annotated[list[str] | None, typer.Option(help=f"A built-in topic; may be repeated: {SHELL_WORDS}.")] = None,
    query: Annotated[str | None, typer.Option(help="A query instead of topics.")] = None,
) -> None:
    """Write each line again with `matches`: the topics found in its text, and where (Python characters).

    Example: channelwatch match --topic outages < posts.jsonl
    """
    matcher = Matcher(compiled(topic, query))
    if isinstance(sys.stdout, TextIOWrapper):
        # Half a surrogate pair, which JSON can hold, is written as its escape; a line at a time, for what comes live.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    try:
        for row in _rows(file):
            found = matcher.match(analyse(row["text"]))
            row["matches"] = [{"topic": name, "spans": spans} for name, spans in found.items()]
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    except BrokenPipeError:  # whoever reads, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        raise typer.Exit(_ENDED_BY_PIPE) from None


def _rows(file: BinaryIO) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except UnicodeDecodeError:
            raise ChannelwatchError(f"line {number} is not in UTF-8: save the file in UTF-8") from None
        except (ValueError, RecursionError) as error:  # ValueError itself: a number of thousands of digits
            reason = getattr(error, "msg", error)
            raise ChannelwatchError(f"line {number} is no JSON ({reason}): each is to be {_ROW}") from None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise ChannelwatchError(f"line {number} has no «text» string: each is to be {_ROW}")
        yield row
