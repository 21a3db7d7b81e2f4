"""The command `match`, a filter: each line of JSON is written again with the topics found in its text."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, BinaryIO, NoReturn

import typer

from bot.cli import cli
from bot.cli.output import ended_by_reader, text_output
from bot.cli.queries import SHELL_WORDS, compile_queries
from bot.errors import ChannelwatchError
from bot.matching.engine.matcher import Matcher
from bot.matching.words.tokens import analyse

_NEXT = re.compile(r"[\s,:]*")  # what stands between the parts of a JSON object
_ROW = 'one object such as {"text": "…"} on a line of its own'


@cli.command()
def match(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(help="JSON Lines with a «text» field; - reads standard input.")
    ] = "-",  # type: ignore[assignment]  # Typer opens it
    *,
    topic: Annotated[
        list[str] | None,
        typer.Option(help=f"A topic from a file: yours in DATA_DIR/topics or one of {SHELL_WORDS}; may be repeated."),
    ] = None,
    query: Annotated[str | None, typer.Option(help="A query instead of topics.")] = None,
) -> None:
    """Copy each line and add `matches`: the topics found in its text, and where (Python characters).

    Everything else stays as it is. A line without a text (missing or null) has no matches.

    A text that is not a string, or a line that is not a JSON object, ends the run with the line's number.

    Example: channelwatch match --topic outages < posts.jsonl
    """
    matcher = Matcher(compile_queries(topic, query))
    out = text_output()
    rows = texts = 0
    with ended_by_reader():
        for row in _rows(file):
            rows, texts = rows + 1, texts + (row.text is not None)
            found = matcher.match(analyse(row.text or ""))
            matches = [{"topic": name, "spans": spans} for name, spans in found.items()]
            out.write(row.with_matches(json.dumps(matches, ensure_ascii=False)) + "\n")
    if rows and not texts:
        raise ChannelwatchError(f"no line has a «text», so nothing can match: each line must be {_ROW}")


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
            raise ChannelwatchError(f"line {number} is not JSON ({reason}): each must be {_ROW}") from None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str | None):
            raise ChannelwatchError(f"line {number} has no «text» string: each must be {_ROW}")
        yield _Row(line=written, text=row.get("text"), marked="matches" in row)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")
