"""What a disk or a database refuses for good: one verdict and one line, wherever it is met."""

import errno
import shutil
import sqlite3
from pathlib import Path

from bot.errors import FatalError

_FULL = "The disk is full: {place} cannot be written ({error}). Make room and start again."
_FAILS = "The disk fails: {place} cannot be read or written ({error}). Check the disk and start again."
_CLOSED = "{place} cannot be written ({error}). Check its permissions and how its disk is mounted."
_DAMAGED = "The database is damaged: {place} ({error}). Stop the service, then: channelwatch restore BACKUP"
_OF_SQLITE = {  # by primary result code: https://sqlite.org/rescode.html
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _FAILS,
    sqlite3.SQLITE_READONLY: _CLOSED,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
_OF_SYSTEM = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EIO: _FAILS,
    errno.EROFS: _CLOSED,
}

_ROOM = (
    1 << 20
)  # bytes that a disk has to have free: without, SQLite says of the file for its locks that the disk fails


def fatal_in(error: BaseException, *, place: object = "a file of DATA_DIR") -> FatalError | None:
    """Return the FatalError that an error is, holds in a group, or means: a full disk, a damaged database.

    None for what may heal. `place` is the file or folder that the line names.
    """
    if isinstance(error, FatalError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, (fatal_in(each, place=place) for each in error.exceptions)), None)
    sentence = None
    if isinstance(error, sqlite3.Error):
        sentence = _OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)  # Python's own errors have no code
    elif isinstance(error, OSError):
        sentence = _OF_SYSTEM.get(error.errno or 0)
    if sentence == _FAILS and isinstance(place, Path) and _is_full(place):
        sentence = _FULL
    if sentence is None:
        return None
    fatal = FatalError(sentence.format(place=place, error=error))
    fatal.__cause__ = error
    return fatal


def _is_full(place: Path) -> bool:
    try:
        return shutil.disk_usage(place if place.exists() else place.parent).free < _ROOM
    except OSError:
        return False
