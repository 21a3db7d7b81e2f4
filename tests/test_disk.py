import asyncio
import errno
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.errors import FatalError
from bot.runtime.disk import fatal_in
from bot.runtime.supervisor import Beat, guarded


def refusal(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite words it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal(sqlite3.SQLITE_FULL), "disk is full"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (refusal(sqlite3.SQLITE_IOERR_READ), "disk fails"),
        (OSError(errno.EIO, "Input/output error"), "disk fails"),
        (refusal(sqlite3.SQLITE_CORRUPT_VTAB), "channelwatch restore"),
        (refusal(sqlite3.SQLITE_NOTADB), "channelwatch restore"),
        (OSError(errno.EROFS, "Read-only file system"), "permissions"),
        (ExceptionGroup("deep", [ValueError(), ExceptionGroup("deeper", [refusal(sqlite3.SQLITE_FULL)])]), "is full"),
    ],
    ids=str,
)
def test_what_cannot_heal_has_one_line(error: Exception, words: str) -> None:
    fatal = fatal_in(error, place="bot.db")
    assert fatal is not None
    assert words in str(fatal)
    assert "\n" not in str(fatal)


@pytest.mark.parametrize(("free", "words"), [(0, "disk is full"), (1 << 30, "disk fails")])
def test_sqlite_says_of_a_full_disk_that_it_fails(
    free: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    assert words in str(fatal_in(refusal(sqlite3.SQLITE_IOERR_SHMSIZE), place=tmp_path / "bot.db"))


@pytest.mark.parametrize(
    "error", [refusal(sqlite3.SQLITE_BUSY), refusal(sqlite3.SQLITE_ERROR), sqlite3.ProgrammingError(), TimeoutError()]
)
def test_what_may_heal_has_no_verdict(error: Exception) -> None:
    assert fatal_in(error) is None


async def test_a_loop_ends_at_what_cannot_heal_however_deep_it_is_met() -> None:
    async def loop(_: Beat) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())

    async def fail() -> None:
        raise FatalError("the disk is full")

    with pytest.raises(FatalError, match="the disk is full"):
        await guarded("reader", loop)
