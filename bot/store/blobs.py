"""Files come in piece by piece, and lie under the SHA-256 of their bytes afterwards, where only we can read them.

No name from outside becomes part of a path. Methods wait for the disk: a loop calls them in a thread.
"""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot.runtime.private_files import FILE_MODE, FOLDER_MODE, restrict

_COMING = "coming-"  # how files begin that are on their way


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file that is on the disk for good."""

    sha256: bytes
    size: int  # bytes


class Vault:
    """A folder of files, each there once whatever it was called."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: bytes) -> Path:
        """Say where a file lies, or would lie."""
        name = sha256.hex()
        return self._folder / name[:2] / name

    def has(self, sha256: bytes) -> bool:
        """Say whether a file is there."""
        return self.path(sha256).is_file()

    def free(self) -> int:
        """Return the bytes that are free on the disk."""
        return shutil.disk_usage(self._made(self._folder)).free

    def clean(self) -> None:
        """Remove what a crash has left half written; nothing may be coming in meanwhile."""
        if self._folder.is_dir():
            restrict(self._folder, FOLDER_MODE)
            for stray in self._folder.glob(f"{_COMING}*"):
                stray.unlink()

    def begin(self) -> "Incoming":
        """Begin a file. Raises OSError."""
        handle, path = tempfile.mkstemp(prefix=_COMING, dir=self._made(self._folder))  # mode 0600
        return Incoming(self, handle, Path(path))

    def take(self, coming: Path, sha256: bytes) -> None:
        """Move a complete file to its place; one that lies there is the same, or damaged."""
        place = self.path(sha256)
        is_new = not place.parent.exists()
        self._made(place.parent)
        coming.replace(place)
        _flush(place.parent)
        if is_new:
            _flush(self._folder)

    def _made(self, folder: Path) -> Path:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        return folder


class Incoming:
    """A file on its way in; `drop` is called in any case, and does nothing once it is kept."""

    def __init__(self, vault: Vault, handle: int, path: Path) -> None:
        self._vault = vault
        self._file = os.fdopen(handle, "wb")
        self._path = path
        self._hash = hashlib.sha256()
        self.size = 0  # bytes so far

    def write(self, piece: bytes) -> None:
        """Append a piece. Raises OSError."""
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def keep(self) -> Stored:
        """Put it to its place; it stands there after a power cut too. Raises OSError."""
        self._file.flush()
        os.fchmod(self._file.fileno(), FILE_MODE)
        os.fsync(self._file.fileno())
        self._file.close()
        sha256 = self._hash.digest()
        self._vault.take(self._path, sha256)
        return Stored(sha256=sha256, size=self.size)

    def drop(self) -> None:
        """Give up what was not kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """Have the disk know the names in a folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
