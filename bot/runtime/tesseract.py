"""Tesseract, the program that reads text in pictures: found on this machine, and run as a stranger.

A picture comes from anybody, and decoders of pictures have had holes: each runs in a process of its own that gives way
to all others, with a limit of memory and of time. https://tesseract-ocr.github.io/tessdoc/Command-Line-Usage.html
"""

import asyncio
import os
import resource
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

PROGRAM = "tesseract"
WITHIN = 60.0  # s that a picture may take
MEMORY = 1 << 30  # bytes of addresses
LONGEST = 4000  # characters of a picture's text
_MOST_OUTPUT = 4 << 20  # bytes: a page full of small print has a tenth of that
_ASKED_WITHIN = 10.0  # s for the list of languages
_NICE = 19
_NEEDED = ("PATH", "LANG", "TESSDATA_PREFIX", "TMPDIR")  # of the environment; our keys are none of its business
_CERTAIN = 60.0  # per cent: what the program is less sure of is mostly texture
_LEAST_WORDS = 2  # of a picture; fewer are a logo, or noise
_WORD_LEVEL = "5"  # of a row that is a word
_LINE = ("page_num", "block_num", "par_num", "line_num")


class PictureError(Exception):
    """A picture could not be read; `reason` is a word of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Tesseract:
    """The program, as it is installed."""

    path: str
    version: str
    languages: tuple[str, ...]  # that are asked for, and there

    @property
    def name(self) -> str:
        """What read a text, as the evidence has it."""
        return f"{self.version} ({'+'.join(self.languages)})"

    async def read(self, picture: Path, *, within: float = WITHIN) -> str:
        """Return the text in a picture, line by line; empty where there is none. Raises PictureError."""
        output = await _run([self.path, str(picture), "stdout", "-l", "+".join(self.languages), "tsv"], within=within)
        return "\n".join(_lines(output))[:LONGEST]


def is_installed() -> bool:
    """Tell whether the program is on this machine."""
    return shutil.which(PROGRAM) is not None


async def find(wanted: Sequence[str]) -> Tesseract | None:
    """Return the program with those of the wanted languages that it has; None where it is not there or has none."""
    path = shutil.which(PROGRAM)
    if path is None:
        return None
    try:
        version = (await _run([path, "--version"], within=_ASKED_WITHIN)).splitlines()
        there = (await _run([path, "--list-langs"], within=_ASKED_WITHIN)).split()
    except PictureError:
        return None
    languages = tuple(language for language in wanted if language in there)
    return Tesseract(path=path, version=version[0] if version else PROGRAM, languages=languages) if languages else None


async def _run(command: Sequence[str], *, within: float) -> str:
    """Return what a program prints. Raises PictureError."""
    environment = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    environment["OMP_THREAD_LIMIT"] = "1"  # else it takes all processors for a tenth more speed
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=environment, start_new_session=True
        )
    except OSError as error:
        raise PictureError("failed") from error
    try:
        _limit(process.pid)
        async with asyncio.timeout(within):
            output = await _output(process)
            code = await process.wait()
    except TimeoutError:
        raise PictureError("too_long") from None
    finally:
        await _end(process)
    if code:
        raise PictureError("failed")
    return output


def _limit(pid: int) -> None:
    """Let a process give way to all others, and take no more than its share of memory; it may have ended already."""
    with suppress(OSError, AttributeError):  # only Linux lets another process limit it
        os.setpriority(os.PRIO_PROCESS, pid, _NICE)
        resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY, MEMORY))


async def _output(process: Process) -> str:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        await process.stdout.readexactly(_MOST_OUTPUT)
    except asyncio.IncompleteReadError as whole:
        try:
            return whole.partial.decode()
        except UnicodeDecodeError:
            raise PictureError("garbage") from None
    raise PictureError("garbage")


async def _end(process: Process) -> None:
    """End a process with all that it has started, if it has not ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _lines(output: str) -> Iterator[str]:
    """Yield the lines of a table of words (TSV), of the words that the program is sure of. Raises PictureError."""
    head, *rows = output.split("\n")
    columns = head.rstrip("\r").split("\t")
    if not {*_LINE, "level", "conf", "text"} <= set(columns):
        raise PictureError("garbage")
    words = list(_certain(dict(zip(columns, row.rstrip("\r").split("\t"), strict=False)) for row in rows))
    if len(words) < _LEAST_WORDS:
        return
    for _, line in groupby(words, key=lambda word: [word[column] for column in _LINE]):
        yield " ".join(word["text"] for word in line)


def _certain(rows: Iterable[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    for row in rows:
        if row.get("level") != _WORD_LEVEL or not any(map(str.isalnum, row.get("text", ""))):
            continue
        try:
            is_certain = float(row["conf"]) >= _CERTAIN
        except ValueError:
            raise PictureError("garbage") from None
        if is_certain:
            yield row
