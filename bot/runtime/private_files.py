"""Keeps the files of the data folder private to their owner."""

import os
import stat
from pathlib import Path

import structlog

from bot.errors import FatalError

log = structlog.get_logger(__name__)

FOLDER_MODE = 0o700
FILE_MODE = 0o600
SUFFIXES = ("", "-wal", "-shm")  # what SQLite puts beside a database takes over its mode when it is made


def prepare(path: Path) -> None:
    """Make a file and its folder where they are missing, and take away what others may do with the file.

    A folder that is there keeps its mode: it may serve others, too. Raises FatalError where the folder or the file
    cannot be written, and for a folder in which others could exchange our files.
    """
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _refuse_shared(path.parent)
        if not path.exists():
            # one that is there is not opened: closing it would take SQLite's locks away from this process
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
    except OSError as error:
        raise FatalError(f"{path} cannot be written: {error.strerror}. Check DATA_DIR and its permissions.") from error
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.R_OK | os.W_OK | os.X_OK):
        raise FatalError(f"{path} cannot be written. Check the owner and the permissions of the folder {path.parent}.")
    for suffix in SUFFIXES:
        restrict(path.with_name(path.name + suffix), FILE_MODE)


def _refuse_shared(folder: Path) -> None:
    found, place = folder.stat(), folder.resolve()
    if place == Path(place.anchor) or found.st_mode & stat.S_ISVTX:
        raise FatalError(f"DATA_DIR is {place}, which everybody shares: name a folder in it, such as {place / 'data'}")
    if found.st_uid != os.geteuid():
        raise FatalError(f"DATA_DIR is {place}, which belongs to another user: run this as that user, or set another")


def restrict(path: Path, mode: int) -> None:
    """Take away what others may do with a file of ours, with a log line; a missing file is left missing."""
    if not path.exists():
        return
    found = stat.S_IMODE(path.stat().st_mode)
    if found & ~mode == 0:
        return
    try:
        path.chmod(mode)
    except PermissionError:
        log.warning(
            "others can read this file and its permissions cannot be changed", path=str(path), mode=f"{found:04o}"
        )
    else:
        log.warning(
            "others could read this file; permissions fixed", path=str(path), mode=f"{found:04o}", now=f"{mode:04o}"
        )


def write_private(path: Path, content: bytes) -> None:
    """Write a new file of ours alone, on the disk for good; one that is there is replaced."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    flush_names(path.parent)


def flush_names(folder: Path) -> None:
    """Flush the names in a folder to the disk, so that files moved there are there after a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
