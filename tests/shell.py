"""The command line as tests use it: in this process where its words are what matters, else in one of its own."""

import asyncio
import gc
import logging
import os
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import structlog

from bot.cli import main
from bot.runtime import priority

ROOT = Path(__file__).parents[1]
WAIT_S = 60.0  # a command that takes longer has failed
_MEASURE = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "bot", *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


async def typed(data: Path, *words: object, given: bytes = b"", **env: str) -> tuple[int, str, str]:
    """Carry out a command with its data in a folder; return exit code, standard output and standard error.

    This process does it, in a thread, since a command has a loop of its own: an interpreter that starts and imports
    everything takes longer than most commands.
    """
    return await asyncio.to_thread(_carried_out, tuple(map(str, words)), given, {"DATA_DIR": str(data)} | env)


async def spawned(data: Path, *words: object, given: bytes = b"", **env: str) -> tuple[int, str, str]:
    """Carry out a command in a process of its own."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *map(str, words)),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(data)} | env,
    )
    out, err = await asyncio.wait_for(process.communicate(given), WAIT_S)
    return process.returncode or 0, out.decode(), err.decode()


async def peak_memory(data: Path, *words: object) -> int:
    """Carry out a command in a process of its own; return the most memory that it took, in KiB."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-c",
            _MEASURE,
            *map(str, words),
        ),  # a child of our own begins with our memory
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(data)},
    )
    out, _ = await asyncio.wait_for(process.communicate(), WAIT_S)
    return int(out)


def _carried_out(words: tuple[str, ...], given: bytes, env: dict[str, str]) -> tuple[int, str, str]:
    stdin, stdout, stderr = (TextIOWrapper(BytesIO(content), "utf-8", newline="") for content in (given, b"", b""))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["channelwatch", *words])
        patch.setattr(os, "nice", lambda _: 0)  # of this process, which goes on with other tests
        patch.setattr(priority, "_SESSION", Path(os.devnull))  # likewise
        patch.setattr(sys, "stdin", stdin)
        patch.setattr(sys, "stdout", stdout)
        patch.setattr(sys, "stderr", stderr)
        thresholds = gc.get_threshold()
        patch.setattr(logging.root, "handlers", list(logging.root.handlers))
        with pytest.raises(SystemExit) as ending:
            main()
        gc.set_threshold(*thresholds)
        structlog.reset_defaults()
    assert ending.value.code is None or isinstance(ending.value.code, int)
    return ending.value.code or 0, _written(stdout), _written(stderr)


def _written(stream: TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def without_reach(err: str) -> str:
    """Leave out from when on the archive is complete, which each search says."""
    return "".join(line for line in err.splitlines(keepends=True) if not line.startswith("The archive "))
