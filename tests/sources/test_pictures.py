"""Text in pictures: read by a program apart, a part of its post from then on, and an alert once; faults end nothing."""

import base64
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.models import Media, Post
from bot.models.files import FileReason
from bot.parts import Part, PartKind
from bot.runtime import tesseract
from bot.sources.pictures import MOST_ATTEMPTS, PAUSE, Pictures
from bot.store import channels, media, pictures
from bot.store.blobs import Blobs
from bot.store.channels import Options
from bot.store.media import FileInfo
from tests.kit_archive import NEWS, NOON, OTHER, Archive, compiled, find_hits, post

# «Сбой в банке», black on white
PNG = """
iVBORw0KGgoAAAANSUhEUgAAAKwAAAAwAQAAAACk7qxNAAAA80lEQVQ4y+3SMYrDMBAFUBkVKVVslcpFTrBliFidKaTZhRAHfIBc
wLBXMaRwisBcweCAWhs3MgyaHdkyuEiTbouo0rxiRn+QoGenFW9+iRVRNlZLlo55F6rzglF0fMlDlS7YoY2Fzxbc0VPu6WZqdFQb
zFEBfGWriUtVamaFwq0ANMrADV2ri27JAuqsB9i6buLK/hYjnwJ/DsPMpniQvTBfATZ9ZGC+U52iP8pSyTaZRkZW6H/6UiUzhybF
2PvAvdfdHIdHMls/sh5i+IYfqMlWXu8bjvMdV9VynCP3JuEks07iYjk8c0o5fgAYI99/8J/wH4nsyMHGBkidAAAAAElFTkSuQmCC"""
PICTURE = Part(kind=PartKind.PICTURE, text="Сбой в банке")
HEAD = "level page_num block_num par_num line_num word_num left top width height conf text"
ROWS = [HEAD, "5 1 1 1 1 1 0 0 9 9 95 Сбой", "5 1 1 1 1 2 0 0 9 9 95 в", "5 1 1 1 1 3 0 0 9 9 95 банке"]
TABLE = "\n".join(ROWS).replace(" ", "\t")
UNSURE = TABLE.replace("95", "20")


def photo(message_id: int, text: str = "", *, file_id: int = 78, **fields: Any) -> Post:  # noqa: ANN401 - the fields of a Post
    return post(message_id, text, media=Media(kind="photo", id=file_id), **fields)


def stand_in(folder: Path, does: str) -> None:
    """Put a program of tesseract's name and languages there, which does this with a picture."""
    script = folder / "tesseract"
    script.write_text(f"""#!/bin/sh
case $1 in --version) echo 'tesseract 0';; --list-langs) echo rus;; *) echo run >> {folder}/runs; {does};; esac
""")
    script.chmod(0o700)


class Desk:
    """A channel whose pictures are read, and whoever reads them."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self.archive = archive
        self.folder = folder

    def reads(self, *, within: float = 20) -> Pictures:
        archive = self.archive
        return Pictures(
            archive.db, archive.ingest, self.folder / "media", ["rus"], clock=lambda: archive.now, within=within
        )

    async def download(self, content: bytes = b"a jpeg") -> None:
        """Keep the files that are wanted, as a reader does."""
        db, reader_id, now = self.archive.db, self.archive.reader_id, self.archive.now
        blob = Blobs(self.folder / "media").put(content)
        info = FileInfo(mime="image/jpeg", name=None, size=blob.size)
        while (file := await media.next_download(db, reader_id, now)) is not None:
            await db.write(lambda tx, i=file.id: media.keep(tx, i, blob, info, reader_id=reader_id, now=now))

    async def parts(self, message_id: int = 1) -> Sequence[Part]:
        return (await self.archive.stored(message_id)).parts

    def runs(self) -> int:
        return len((self.folder / "runs").read_text().splitlines())


@pytest.fixture
async def desk(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for channel_id in (NEWS, OTHER):
        await archive.follow(channel_id, title=f"Вести {channel_id}")
        await archive.db.write(
            lambda tx, c=channel_id: channels.apply_options(tx, c, Options(ocr=True), chat_id=None, asked_at=NOON)
        )
    await archive.track(await archive.pair(), "outages", "сбой банк")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Desk(archive, tmp_path)


async def test_what_a_program_reads_is_a_part_of_the_post_for_good_and_alerts_once(desk: Desk) -> None:
    archive = desk.archive
    stand_in(desk.folder, f"printf '%s' '{TABLE}'")
    await archive.live(photo(1), photo(2, "Слово " * 100, file_id=79), photo(3, "Привет", file_id=80))
    reads = desk.reads()
    assert await reads.prepare()
    assert not await reads.read_next()  # nothing is on the disk yet
    await desk.download()
    assert await archive.labels() == []
    assert [await reads.read_next() for _ in range(3)] == [True, True, False]  # not that with words of its own
    assert await desk.parts() == (PICTURE,)
    shown, _ = await archive.outbox()
    assert (shown.label, shown.parts) == ("alert", [["picture", "Сбой в банке", [[0, 4], [7, 12]]]])
    assert [hit.post.message_id for hit in await find_hits(archive.db, compiled("сбой банк"), limit=9)] == [3, 1]

    await archive.send_all()
    runs = desk.runs()
    await archive.live(photo(9, channel_id=OTHER))
    await desk.download()
    assert await reads.read_next()
    assert (await archive.stored(9, OTHER)).parts == (PICTURE,)
    assert desk.runs() == runs == 2  # the same photo is read once …
    assert await archive.labels() == ["edit"]  # … and joins the alert of the first

    await archive.send_all()
    await archive.sweep(photo(1))
    assert await desk.parts() == (PICTURE,)
    await archive.sweep(photo(1, "Подпись", edit_date=NOON + timedelta(minutes=1)))
    assert await desk.parts() == (PICTURE,)
    assert not {"alert"} & set(await archive.labels())
    assert (await pictures.statistics(archive.db)).read == 3


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("sleep 60", "too_long"),
        ("kill -SEGV $$", "failed"),
        ("exit 1", "failed"),
        ("head -c 5000000 /dev/zero", "garbage"),
        ("printf '\\377'", "garbage"),
        ("echo what", "garbage"),
    ],
)
async def test_a_picture_that_cannot_be_read_is_given_up_after_some_attempts(
    desk: Desk, does: str, reason: str
) -> None:
    archive = desk.archive
    stand_in(desk.folder, does)
    await archive.live(photo(1))
    await desk.download()
    reads = desk.reads(within=0.2 if reason == "too_long" else 20)
    await reads.prepare()
    for _ in range(MOST_ATTEMPTS):
        assert await reads.read_next()
        assert not await reads.read_next()
        archive.now += PAUSE
    assert not await reads.read_next()
    row = await archive.db.fetch_one("SELECT state, reason, attempts FROM pictures")
    assert row is not None
    assert tuple(row) == ("left", reason, MOST_ATTEMPTS)
    assert await desk.parts() == ()


async def test_words_that_the_program_is_not_sure_of_are_none_and_a_lost_file_is_given_up(desk: Desk) -> None:
    archive = desk.archive
    stand_in(desk.folder, f"printf '%s' '{UNSURE}'")
    await archive.live(photo(1), photo(2, file_id=79))
    await archive.db.write(lambda tx: media.give_up(tx, 2, FileReason.TOO_LARGE, now=NOON))
    await desk.download()
    reads = desk.reads()
    await reads.prepare()
    assert [await reads.read_next() for _ in range(3)] == [True, True, False]
    counts = await pictures.statistics(archive.db)
    assert (counts.channels, counts.read, counts.left, await desk.parts()) == (2, 1, 1, ())


async def test_without_the_program_nothing_is_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(desk.folder))
    await desk.archive.live(photo(1))
    assert not await desk.reads().prepare()
    assert (await pictures.statistics(desk.archive.db)).wanted == 1


@pytest.mark.skipif(not tesseract.is_installed(), reason="tesseract is not installed")
async def test_tesseract_itself_reads_a_picture(tmp_path: Path) -> None:
    engine = await tesseract.find(["rus", "xyz"])
    if engine is None:
        pytest.skip("tesseract has no Russian here")
    (tmp_path / "picture").write_bytes(base64.b64decode(PNG))
    assert await engine.read(tmp_path / "picture") == "Сбой в банке"
