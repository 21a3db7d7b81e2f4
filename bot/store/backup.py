"""Backups: a copy of the database as it is at one moment, and the way back. Both block."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.errors import ChannelwatchError, FatalError
from bot.runtime.disk import fatal_in
from bot.runtime.private_files import FILE_MODE, flush_names
from bot.store import integrity, migrations
from bot.store.rows import from_ms

_PAGES = 4096  # that are copied at once: a key that ends the program is heard in between
_BY_SQLITE = ("-journal", "-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a copy holds."""

    path: Path
    size: int  # bytes
    posts: int  # messages of channels
    until: datetime | None  # the date of the newest; None: there is none


def back_up(database: Path, target: Path, *, now: datetime, overwrite: bool = False) -> Backup:
    """Copy a database, which may be in use, and check the copy; in a folder, it gets a name with the date.

    The copy appears under its name when it is complete and on the disk. Raises ChannelwatchError.
    """
    if not database.exists():
        raise FatalError(f"There is no database at {database}: check DATA_DIR.")
    if target.is_dir():
        target /= f"channelwatch-{now:%Y%m%d-%H%M%S}.db"
    if target.exists() and target.samefile(database):
        raise ChannelwatchError(f"{target} is the database itself: name another file or folder")
    if target.exists() and not target.is_file():
        raise ChannelwatchError(f"{target} is no file")
    if target.exists() and not overwrite:
        raise ChannelwatchError(f"{target} exists: name another file, a folder, or add --overwrite")
    integrity.check_log(database)
    with _copied(database, target) as (copy, found):
        copy.replace(target)
    flush_names(target.parent)
    return found


def restore(backup: Path, database: Path, *, now: datetime) -> tuple[Backup, Path | None]:
    """Put a copy in the place of the database, which nobody may be using; return also where that is kept from now on.

    Raises ChannelwatchError; the database is then as it was.
    """
    if not backup.is_file():
        raise ChannelwatchError(f"There is no backup at {backup}")
    if database.exists() and backup.samefile(database):
        raise ChannelwatchError(f"{backup} is the database itself: move it elsewhere first")
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = database.with_name(f"{database.name}-{now:%Y%m%d-%H%M%S}") if database.exists() else None
    with _copied(backup, database) as (copy, found):
        if kept is not None:
            _link(database, kept)
        for suffix in ("-wal", "-shm", "-number"):
            log = database.with_name(database.name + suffix)
            if kept is not None and suffix == "-wal" and log.exists():
                log.rename(f"{kept}{suffix}")  # it holds the last that was written
            log.unlink(missing_ok=True)
        copy.replace(database)
    flush_names(database.parent)
    return found, kept


def _link(path: Path, other: Path) -> None:
    """Give a file another name, and keep the first where the disk can do that: so there is a database at any moment."""
    try:
        other.hardlink_to(path)
    except OSError:
        path.rename(other)


@contextmanager
def _copied(source: Path, target: Path) -> Iterator[tuple[Path, Backup]]:
    """Yield a sound copy beside its target, which is removed unless it was moved. Raises ChannelwatchError."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)  # mode 0600
    except OSError as error:
        raise fatal_in(error, place=target) or ChannelwatchError(
            f"{target} cannot be written: {error.strerror}"
        ) from error
    os.close(handle)
    copy = Path(name)
    try:
        yield copy, _copy(source, copy, target)
    finally:
        for suffix in ("", *_BY_SQLITE):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)


def _copy(source: Path, copy: Path, target: Path) -> Backup:
    try:
        with (
            closing(sqlite3.connect(integrity.address(source, mode="ro"), uri=True, isolation_level=None)) as reading,
            closing(sqlite3.connect(copy, isolation_level=None)) as writing,
        ):
            reading.execute("BEGIN")  # one moment, however long it takes, and whoever writes
            _check_kind(reading, source)
            reading.backup(writing, pages=_PAGES, progress=lambda *_: None)
            writing.execute("PRAGMA journal_mode = DELETE")  # one file
            writing.execute("PRAGMA application_id = 0")  # no log belongs to it
            posts, newest = writing.execute("SELECT count(*), (max(id) >> 20) * 1000 FROM posts").fetchone()
        damage = integrity.find_damage(copy)
    except sqlite3.DatabaseError as error:
        is_of_source = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
        raise _refusal(source, error) if is_of_source else fatal_in(error, place=target) or error from error
    if damage is not None:
        raise _refusal(source, damage)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    copy.chmod(FILE_MODE)
    until = None if newest is None else from_ms(newest)
    return Backup(path=target, size=copy.stat().st_size, posts=posts, until=until)


def _check_kind(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ChannelwatchError where a database is none of this program's, or of a newer version of it."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not {"posts", "versions", "messages"} <= tables:
        raise ChannelwatchError(f"{path} is no database of channelwatch")
    if version > max(migrations.available()):
        raise ChannelwatchError(f"{path} was made by a newer version of channelwatch: install that one")


def _refusal(path: Path, reason: object) -> ChannelwatchError:
    return ChannelwatchError(f"{path} is damaged ({reason}): nothing was written. Take an earlier backup.")
