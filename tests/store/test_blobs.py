import hashlib
from pathlib import Path

import pytest

from bot.store.blobs import Blobs

CONTENT = b"an order, as a scan"
SHA256 = hashlib.sha256(CONTENT).digest()


def put(blobs: Blobs, *pieces: bytes) -> None:
    incoming = blobs.begin()
    for piece in pieces:
        incoming.write(piece)
    incoming.keep()
    incoming.drop()


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_lies_under_its_hash_and_only_we_can_read_it(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "media")
    put(blobs, CONTENT[:7], CONTENT[7:])
    place = blobs.path(SHA256)
    assert place == tmp_path / "media" / SHA256.hex()[:2] / SHA256.hex()
    assert place.read_bytes() == CONTENT
    assert blobs.has(SHA256)
    assert place.stat().st_mode & 0o777 == 0o600
    assert [folder.stat().st_mode & 0o777 for folder in (place.parent, tmp_path / "media")] == [0o700, 0o700]


def test_the_same_content_is_there_once_and_a_damaged_file_is_mended(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    put(blobs, CONTENT)
    blobs.path(SHA256).write_bytes(b"damaged")
    put(blobs, CONTENT)
    assert files(tmp_path) == [f"{SHA256.hex()[:2]}/{SHA256.hex()}"]
    assert blobs.path(SHA256).read_bytes() == CONTENT


def test_what_is_dropped_or_was_left_by_a_crash_goes(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    put(blobs, CONTENT)
    dropped, left = blobs.begin(), blobs.begin()
    dropped.drop()
    left.write(b"half of it")
    assert len(files(tmp_path)) == 2
    Blobs(tmp_path).clean()
    assert files(tmp_path) == [f"{SHA256.hex()[:2]}/{SHA256.hex()}"]
    left.drop()


@pytest.mark.parametrize("folder", ["", "none yet"])
def test_cleaning_a_new_folder_does_nothing(tmp_path: Path, folder: str) -> None:
    Blobs(tmp_path / folder).clean()
    assert files(tmp_path) == []
