"""Whether a database is sound, and whether the log beside it was written for it.

SQLite plays a log that it finds into any file of the name: a backup put in the place of a database whose service was
killed would be corrupted in silence. So each start of the service gives the database a number, in the header of the
file, and writes it into a small file beside it.
"""

import os
import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import aiosqlite

from bot.errors import FatalError
from bot.runtime.disk import fatal_in
from bot.runtime.private_files import FILE_MODE, flush_names

_STEPS = 10_000  # of SQLite's virtual machine between two looks at the clock: about a millisecond


def address(path: Path, **options: str | int) -> str:
    """Return the URI of a file for SQLite."""
    return f"file:{quote(str(path))}?{'&'.join(f'{name}={value}' for name, value in options.items())}"


def find_damage(path: Path, *, within: float | None = None) -> str | None:
    """Read a database; return what is damaged in it, in SQLite's words, None where nothing was found.

    It reads some 70 MB/s, and the whole file unless it may take only `within` seconds. Blocks. Raises FatalError where
    the disk keeps it from reading: that says nothing of the database.
    """
    try:
        with closing(sqlite3.connect(address(path, mode="ro"), uri=True)) as connection:
            if within is not None:
                until = time.monotonic() + within
                connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return str(error)
        if (fatal := fatal_in(error, place=path)) is not None:
            raise fatal from error
        return None  # it took too long, or somebody else has locked it
    return None if found == "ok" else " ".join(found.removeprefix("*** in database main ***").split())


def check_log(path: Path) -> None:
    """Raise FatalError where the log beside a database was written for another file."""
    log, known = _sibling(path, "wal"), _sibling(path, "number")
    if not all(file.exists() and file.stat().st_size for file in (log, known, path)):
        return  # SQLite itself removes the log of an empty file
    try:
        # The file alone: by SQLite, since closing a file that it has open elsewhere would take its locks away.
        with closing(sqlite3.connect(address(path, mode="ro", immutable=1), uri=True)) as connection:
            number = connection.execute("PRAGMA application_id").fetchone()[0]
    except sqlite3.DatabaseError:
        return  # whoever opens it says so
    if str(number) not in known.read_text(encoding="ascii", errors="replace").split():
        raise FatalError(
            f"{log} was not written for this {path.name}: a copy was put in its place by hand, and would be corrupted. "
            f"To go on with the copy: move it elsewhere, then channelwatch restore COPY"
        )


async def number_anew(connection: aiosqlite.Connection, path: Path) -> None:
    """Give a database another number, in the file and beside it; a crash in between leaves one of two that hold."""
    known, number = _sibling(path, "number"), secrets.randbelow(1 << 31)
    (row,) = await connection.execute_fetchall("PRAGMA application_id")
    _write(known, f"{row[0]} {number}\n")
    await connection.execute(f"PRAGMA application_id = {number}")
    ((_, written, moved),) = await connection.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")
    if written == moved:  # else a reader needs what was before
        _write(known, f"{number}\n")


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}-{suffix}")


def _write(path: Path, words: str) -> None:
    coming = _sibling(path, "coming")
    with os.fdopen(os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "w", encoding="ascii") as file:
        file.write(words)
        file.flush()
        os.fsync(file.fileno())
    coming.replace(path)
    flush_names(path.parent)
