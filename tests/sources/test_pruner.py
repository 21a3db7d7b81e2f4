"""The oldest files go where all of them take too much room; the database is real, and so is the folder."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from bot.models import Media
from bot.models.files import FileReason
from bot.runtime.clock import utc_now
from bot.sources.pruner import Pruner
from bot.store import media
from bot.store.blobs import Blobs
from bot.store.media import FileInfo
from tests.kit_archive import NOON, Archive, ago, open_archive, post

SIZE = 1000


async def keep(archive: Archive, blobs: Blobs, number: int, *, at: datetime, content: bytes | None = None) -> bytes:
    """Store a post with a file, and the file; return its hash."""
    archive.now = at
    await archive.live(post(number, f"Сбой {number}", date=at, media=Media(kind="document", id=number)))
    blob = blobs.put((content or f"{number}".encode()).ljust(SIZE))
    info = FileInfo(mime="text/plain", name=None, size=SIZE)
    rows = await archive.db.fetch_all("SELECT max(id) AS id FROM media")
    await archive.db.write(lambda tx: media.keep(tx, rows[0]["id"], blob, info, reader_id=1, now=at))
    return blob.sha256


def pruner(archive: Archive, folder: Path, *, most: int) -> Pruner:
    return Pruner(archive.db, folder, most=most * SIZE, clock=lambda: NOON)


async def test_the_oldest_go_and_what_alerts_of_late_show_stays(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "media")
    async with open_archive(tmp_path) as archive:
        await archive.follow(since=ago(days=90))
        await archive.track(await archive.pair(), "сбои", "сбой")
        kept = [await keep(archive, blobs, 100 - days, at=ago(days=days)) for days in (50, 40, 35, 20, 10)]
        assert await pruner(archive, tmp_path / "media", most=5).prune() == 0
        assert await pruner(archive, tmp_path / "media", most=3).prune() == 2
        assert [blobs.has(sha256) for sha256 in kept] == [False, False, True, True, True]
        assert await pruner(archive, tmp_path / "media", most=0).prune() == 1
        assert [blobs.has(sha256) for sha256 in kept] == [False, False, False, True, True]
        counts = await media.statistics(archive.db)
        assert (counts.kept, counts.pruned, counts.bytes) == (2, 3, 2 * SIZE)
        (gone,) = await media.of_versions(archive.db, [await first_version(archive)])
        assert (gone.reason, gone.sha256) == (FileReason.PRUNED, kept[0])  # what it was is still known
        stray = blobs.put(b"a kill came before its row was written").sha256
        await media.remove_strays(archive.db, blobs, before=utc_now() - timedelta(hours=1))
        assert blobs.has(stray)  # its row may be about to be written
        await media.remove_strays(archive.db, blobs, before=utc_now() + timedelta(hours=1))
        assert [blobs.has(sha256) for sha256 in (stray, *kept)] == [False, False, False, False, True, True]


async def first_version(archive: Archive) -> int:
    return int(await archive.db.fetch_value("SELECT min(version_id) FROM media"))


async def test_a_content_of_two_posts_counts_once_and_stays_while_one_of_them_is_shown(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "media")
    async with open_archive(tmp_path) as archive:
        await archive.follow(since=ago(days=90))
        await archive.track(await archive.pair(), "сбои", "сбой")
        for number, days in ((1, 50), (2, 10)):
            await keep(archive, blobs, number, at=ago(days=days), content=b"the same")
        assert await media.total_size(archive.db) == SIZE
        assert await pruner(archive, tmp_path / "media", most=0).prune() == 0
        assert blobs.has(hashlib.sha256(b"the same".ljust(SIZE)).digest())


async def test_many_files_go_in_steps(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "media")
    async with open_archive(tmp_path) as archive:
        await archive.follow(since=ago(days=90))
        chat = await archive.pair()
        await archive.track(chat, "сбои", "сбой")
        last = [await keep(archive, blobs, number, at=ago(days=40)) for number in range(1, 251)][-1]
        assert await pruner(archive, tmp_path / "media", most=1).prune() == 249
        assert blobs.has(last)
