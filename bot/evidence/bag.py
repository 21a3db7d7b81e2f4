"""A folder after BagIt (RFC 8493): made by one process alone, all its files listed, and the list signed."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

from bot import __version__
from bot.errors import SettingsError
from bot.evidence.signing_key import PrivateKey
from bot.evidence.verify import MANIFEST
from bot.runtime.disk import fatal_in

_UNFINISHED = "unfinished-bundle-of-channelwatch"  # a folder with this file may be emptied


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make a folder anew, which is gone afterwards unless it has another name then.

    What was cut off is no more; raises SettingsError where another process is at it, or the folder is not ours.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        raise _foreign(folder) from None
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(f"{folder} is being written by another export: wait, or name another folder") from None
        found, mark = list(folder.iterdir()), folder / _UNFINISHED
        if found and mark not in found:
            raise _foreign(folder)
        try:
            mark.touch()
            for path in found:
                if path != mark:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            yield
        except OSError as error:
            raise fatal_in(error, place=folder) or error from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _foreign(folder: Path) -> SettingsError:
    return SettingsError(
        f"{folder} is there, and is no unfinished bundle of ours: move it away, or name another folder"
    )


def write_manifests(folder: Path, description: str, *, made_at: datetime, key: PrivateKey) -> None:
    """List the files below `data` with their SHA-256, sign the list, and write down what the bag is: it is finished."""
    _put(folder / "bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    count = size = 0
    with opened(folder / MANIFEST) as file:
        for path in sorted(path for path in (folder / "data").rglob("*") if path.is_file()):
            count, size = count + 1, size + path.stat().st_size
            file.write(_listed(path, folder))
    line = description.replace("\n", " ")
    _put(
        folder / "bag-info.txt",
        f"Bag-Software-Agent: channelwatch {__version__}\nBagging-Date: {made_at:%Y-%m-%d}\n"
        f"Payload-Oxum: {size}.{count}\nExternal-Description: {line}\n",
    )
    signature = key.sign((folder / MANIFEST).read_bytes())
    (folder / f"{MANIFEST}.sig").write_bytes(signature)
    tags = sorted(path for path in folder.iterdir() if path.is_file() and path.name != _UNFINISHED)
    _put(folder / "tagmanifest-sha256.txt", "".join(_listed(path, folder) for path in tags))
    (folder / _UNFINISHED).unlink()


def _listed(path: Path, folder: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{digest}  {path.relative_to(folder).as_posix()}\n"


def opened(path: Path) -> TextIO:
    """Open a text file to be written, alike on all systems."""
    return path.open("w", encoding="utf-8", newline="\n")


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
