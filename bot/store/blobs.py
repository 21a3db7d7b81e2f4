"""Blobs: files on the disk, each under the SHA-256 of its bytes, which only our user can read.

No name from outside becomes part of a path. Methods wait for the disk: a loop calls them in a thread.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.runtime.private_files import FILE_MODE, FOLDER_MODE, flush_names

_NAME = re.compile(r"[0-9a-f]{64}")
_COMING = "coming-"  # prefix of files that are being written


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A file that is on the disk for good."""

    sha256: bytes
    size: int  # bytes


class Blobs:
    """A folder of blobs; the same bytes are there once, under whatever names they come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: bytes) -> Path:
        """Return the path of a blob, be it there or not."""
        name = sha256.hex()
        return self._folder / name[:2] / name

    def has(self, sha256: bytes) -> bool:
        """Say whether a blob is there."""
        return self.path(sha256).is_file()

    def free(self) -> int:
        """Return the bytes that are free on the disk."""
        return shutil.disk_usage(self._made(self._folder)).free

    def remove(self, hashes: Iterable[bytes]) -> None:
        """Remove blobs; those that are not there are gone already."""
        for sha256 in hashes:
            self.path(sha256).unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove files that a crash has left half written; nobody may be writing meanwhile."""
        if self._folder.is_dir():
            for stray in self._folder.glob(f"{_COMING}*"):
                stray.unlink()

    def older(self, first: int, than: float) -> list[bytes]:
        """Return the blobs whose SHA-256 has a first byte, and that were written before a moment (s since 1970)."""
        folder = self._folder / f"{first:02x}"
        found = [each for each in folder.glob("*") if _NAME.fullmatch(each.name)]
        return [bytes.fromhex(each.name) for each in found if each.stat().st_mtime < than]

    def begin(self) -> "Incoming":
        """Begin to write a blob. Raises OSError."""
        handle, path = tempfile.mkstemp(prefix=_COMING, dir=self._made(self._folder))  # mode 0600
        return Incoming(self, handle, Path(path))

    def put(self, content: bytes) -> Blob:
        """Write a blob at once. Raises OSError."""
        coming = self.begin()
        try:
            coming.write(content)
            return coming.keep()
        finally:
            coming.drop()

    def take(self, coming: Path, sha256: bytes) -> None:
        """Move a complete file to its place; a file that is there is the same, or damaged."""
        place = self.path(sha256)
        is_new = not place.parent.exists()
        self._made(place.parent)
        coming.replace(place)
        flush_names(place.parent)
        if is_new:
            flush_names(self._folder)

    def _made(self, folder: Path) -> Path:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        return folder


class Incoming:
    """A blob that is being written; `drop` is called in any case, and does nothing once it is kept."""

    def __init__(self, blobs: Blobs, handle: int, path: Path) -> None:
        self._blobs = blobs
        self._file = os.fdopen(handle, "wb")
        self._path = path
        self._hash = hashlib.sha256()
        self.size = 0  # bytes so far

    def write(self, piece: bytes) -> None:
        """Append a piece. Raises OSError."""
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def keep(self) -> Blob:
        """Move the file to its place, where it is after a power cut too. Raises OSError."""
        self._file.flush()
        os.fchmod(self._file.fileno(), FILE_MODE)
        os.fsync(self._file.fileno())
        self._file.close()
        sha256 = self._hash.digest()
        self._blobs.take(self._path, sha256)
        return Blob(sha256=sha256, size=self.size)

    def drop(self) -> None:
        """Delete a file that was not kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)
