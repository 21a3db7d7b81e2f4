"""Files of matched posts, downloaded over TCP from the embedded server."""

import asyncio
import hashlib
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from telethon.tl import types

from bot.errors import FatalError
from bot.models.files import FileReason
from bot.sandbox import Channel
from bot.sources.downloads import GIVE_UP_AFTER, MEGABYTE, Downloads
from bot.store import media, readers
from bot.store.blobs import Blobs
from bot.store.database import Transaction
from bot.store.media import FileState, MediaFile
from tests.waiting import WAIT_S

from .kit import ReaderKit

SCAN = b"%PDF an order " * 100_000  # 1.4 MB: three pieces
PHOTO = b"a jpeg"
TEXT = "An outage of the payment system"


@pytest.fixture
async def news(asking: ReaderKit) -> Channel:
    """Bring a topic, and a channel that is followed."""
    channel = asking.sandbox.world.add_channel("News", username="news", members=[asking.me])
    await asking.follow(channel)
    return channel


def downloads(reader: ReaderKit, *, most: int = 20 * MEGABYTE) -> Downloads:
    return Downloads(reader.account, folder(reader), most=most)


def folder(reader: ReaderKit) -> Path:
    return Path(reader.client.session.filename).parent / "media"


async def take_in(reader: ReaderKit) -> None:
    """Store what was posted."""
    await reader.sweep().sweep_once()


async def download_all(reader: ReaderKit, **options: int) -> None:
    loop = downloads(reader, **options)
    while await loop.download_next():
        pass


async def kept(reader: ReaderKit) -> Sequence[MediaFile]:
    rows = await reader.database.fetch_all("SELECT version_id FROM media ORDER BY id")
    return [(await media.of_versions(reader.database, [row["version_id"]]))[0] for row in rows]


def stored(reader: ReaderKit) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder(reader).rglob("*")) if path.is_file()]


async def test_photos_and_documents_of_matched_posts_are_kept_and_others_are_not(
    reader: ReaderKit, news: Channel
) -> None:
    world = reader.sandbox.world
    news.post(TEXT, media=world.media.photo(PHOTO))
    news.post(
        f"{TEXT}: the order", media=world.media.document(SCAN, name="../../order.pdf", mime_type="application/pdf")
    )
    news.post("A quiet day", media=world.media.photo(b"flowers"))
    await take_in(reader)
    await download_all(reader)
    photo, scan = await kept(reader)
    assert (photo.state, photo.kind, photo.mime, photo.name, photo.size) == (
        FileState.KEPT,
        "photo",
        "image/jpeg",
        None,
        len(PHOTO),
    )
    assert (scan.state, scan.kind, scan.mime, scan.name) == (
        FileState.KEPT,
        "document",
        "application/pdf",
        "../../order.pdf",
    )
    assert scan.sha256 == hashlib.sha256(SCAN).digest()
    blobs = Blobs(folder(reader))
    for file, content in ((photo, PHOTO), (scan, SCAN)):
        assert file.sha256 is not None
        assert blobs.path(file.sha256).read_bytes() == content
        assert blobs.path(file.sha256).stat().st_mode & 0o777 == 0o600
    assert sorted(stored(reader)) == sorted([PHOTO, SCAN])
    assert reader.calls("GetFile") == 4


async def test_the_evidence_names_version_file_time_and_reader(reader: ReaderKit, news: Channel) -> None:
    attached = reader.sandbox.world.media.photo(PHOTO)
    news.post(TEXT, media=attached)
    await take_in(reader)
    await download_all(reader)
    (row,) = await reader.database.fetch_all(
        "SELECT d.*, v.message_id FROM media d JOIN versions v ON v.id = d.version_id"
    )
    assert (row["file_id"], row["reader_id"], row["message_id"]) == (attached.photo.id, reader.reader_id, 1)
    assert row["kept_at"] == round(reader.clock().timestamp() * 1000)


async def test_the_same_content_is_stored_once_and_the_same_file_is_downloaded_once(
    reader: ReaderKit, news: Channel
) -> None:
    world = reader.sandbox.world
    other = world.add_channel("Echo", username="echo", members=[reader.me])
    await reader.follow(other)
    same = world.media.document(SCAN, name="order.pdf")
    news.post(TEXT, media=same)
    other.post(f"{TEXT}, forwarded", media=same)
    other.post(f"{TEXT}, uploaded anew", media=world.media.document(SCAN, name="copy.pdf"))
    await take_in(reader)
    await download_all(reader)
    assert [(file.state, file.name) for file in await kept(reader)] == [
        (FileState.KEPT, "order.pdf"),
        (FileState.KEPT, "order.pdf"),
        (FileState.KEPT, "copy.pdf"),
    ]
    assert stored(reader) == [SCAN]
    assert reader.calls("GetFile") == 6  # two downloads of three pieces


async def test_the_items_of_an_album_are_kept_though_they_come_one_by_one(reader: ReaderKit, news: Channel) -> None:
    world = reader.sandbox.world
    photos = [world.media.photo(content) for content in (b"one", b"two", b"three")]
    news.album(photos[:2], TEXT)
    await take_in(reader)
    first = news.kept.messages[1]
    news.post(media=photos[2], grouped=first.grouped)
    await take_in(reader)
    await download_all(reader)
    assert sorted(stored(reader)) == sorted([b"one", b"two", b"three"])


async def test_what_an_edit_puts_in_place_of_a_file_is_kept_beside_it(reader: ReaderKit, news: Channel) -> None:
    world = reader.sandbox.world
    post = news.post(TEXT, media=world.media.photo(b"before"))
    await take_in(reader)
    await download_all(reader)
    reader.clock.advance(timedelta(minutes=1))
    news.edit(post.id, TEXT, media=world.media.photo(b"after"))
    await take_in(reader)
    await download_all(reader)
    assert sorted(stored(reader)) == sorted([b"before", b"after"])


@pytest.mark.parametrize(("most", "reason"), [(MEGABYTE, FileReason.TOO_LARGE), (0, FileReason.OFF)])
async def test_what_is_too_large_is_left_with_the_reason(
    reader: ReaderKit, news: Channel, most: int, reason: str
) -> None:
    news.post(TEXT, media=reader.sandbox.world.media.document(SCAN, name="order.pdf"))
    await take_in(reader)
    await download_all(reader, most=most)
    (file,) = await kept(reader)
    assert (file.state, file.reason) == (FileState.LEFT, reason)
    assert (file.name, file.size) == (("order.pdf", len(SCAN)) if most else (None, None))
    assert reader.calls("GetFile") == 0


async def test_an_expired_reference_is_had_anew_from_the_message(reader: ReaderKit, news: Channel) -> None:
    world = reader.sandbox.world
    news.post(TEXT, media=world.media.photo(PHOTO))
    await take_in(reader)
    world.media.expire()
    await download_all(reader)
    assert stored(reader) == [PHOTO]
    assert reader.calls("GetMessages") == 1


async def test_what_another_reader_has_seen_is_asked_for_anew(reader: ReaderKit, news: Channel) -> None:
    news.post(TEXT, media=reader.sandbox.world.media.photo(PHOTO))
    await take_in(reader)

    async def seen_by_another(tx: Transaction) -> None:
        other = await readers.register(tx, 777, reader.clock(), "reader-2.session")
        await tx.execute("UPDATE versions SET reader_id = :other", {"other": other})

    await reader.database.write(seen_by_another)
    await download_all(reader)
    assert stored(reader) == [PHOTO]
    assert reader.calls("GetMessages") == 1


@pytest.mark.parametrize("fate", [FileReason.GONE, FileReason.REPLACED])
async def test_what_cannot_be_had_any_more_is_given_up(reader: ReaderKit, news: Channel, fate: str) -> None:
    world = reader.sandbox.world
    post = news.post(TEXT, media=world.media.photo(PHOTO))
    await take_in(reader)
    if fate == FileReason.GONE:
        news.delete(post.id)
    else:
        news.edit(post.id, TEXT, media=world.media.photo(b"another"))
    world.media.expire()
    await download_all(reader)
    (file,) = await kept(reader)
    assert (file.state, file.reason) == (FileState.LEFT, fate)
    assert stored(reader) == []


async def test_a_failure_is_tried_again_later_and_in_the_end_given_up(reader: ReaderKit, news: Channel) -> None:
    news.post(TEXT, media=reader.sandbox.world.media.photo(PHOTO))
    await take_in(reader)
    reader.sandbox.faults.answer("GetFile", "CHANNEL_PRIVATE")
    await download_all(reader)
    (file,) = await kept(reader)
    assert (file.state, file.reason) == (FileState.WANTED, "CHANNEL_PRIVATE")
    reader.clock.advance(GIVE_UP_AFTER)
    reader.sandbox.faults.answer("GetFile", "CHANNEL_PRIVATE")
    await download_all(reader)
    (file,) = await kept(reader)
    assert (file.state, file.reason) == (FileState.LEFT, "CHANNEL_PRIVATE")


async def test_a_wait_that_telegram_asks_for_is_obeyed(reader: ReaderKit, news: Channel) -> None:
    news.post(TEXT, media=reader.sandbox.world.media.photo(PHOTO))
    await take_in(reader)
    reader.sandbox.faults.flood_wait("GetFile", 300)
    await download_all(reader)
    reader.clock.advance(timedelta(seconds=299))
    await download_all(reader)
    assert reader.calls("GetFile") == 1
    (file,) = await kept(reader)
    assert (file.state, file.reason) == (FileState.WANTED, "FLOOD_WAIT_300")


async def test_a_download_that_is_cut_off_leaves_nothing_behind_and_is_wanted_still(
    reader: ReaderKit, news: Channel
) -> None:
    news.post(TEXT, media=reader.sandbox.world.media.document(SCAN))
    await take_in(reader)
    hold = reader.sandbox.faults.hold("GetFile")
    running = asyncio.create_task(downloads(reader).run())
    async with asyncio.timeout(WAIT_S):
        await hold.reached()
    running.cancel()
    await asyncio.wait({running})
    assert stored(reader) == []
    hold.release()
    reader.clock.advance(timedelta(minutes=1))
    await download_all(reader)
    assert stored(reader) == [SCAN]


async def test_a_full_disk_puts_files_off(reader: ReaderKit, news: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Blobs, "free", lambda _: 1000)
    news.post(TEXT, media=reader.sandbox.world.media.photo(PHOTO))
    await take_in(reader)
    await download_all(reader)
    (file,) = await kept(reader)
    assert (file.state, file.reason) == (FileState.WANTED, FileReason.NO_ROOM)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow above so many bytes, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_is_full_all_the_same_is_fatal_and_leaves_no_half_file(
    reader: ReaderKit, news: Channel
) -> None:
    news.post(TEXT, media=reader.sandbox.world.media.document(SCAN, name="order.pdf", mime_type="application/pdf"))
    await take_in(reader)
    with largest_file(MEGABYTE), pytest.raises(FatalError, match=r"The disk is full: .*media"):
        await download_all(reader)
    assert stored(reader) == []


async def test_photos_of_a_long_post_are_kept_also_those_of_its_rest(reader: ReaderKit, news: Channel) -> None:
    world = reader.sandbox.world
    photos = [world.media.photo(content).photo for content in (b"first", b"last")]
    caption = types.PageCaption(types.TextPlain(TEXT), types.TextEmpty())
    blocks = [types.PageBlockPhoto(photo.id, caption) for photo in photos]
    news.post(rich=types.RichMessage(blocks, photos, []), shown=1)
    await take_in(reader)
    world.media.expire()
    await download_all(reader)
    assert sorted(stored(reader)) == [b"first", b"last"]
    files = await media.of_versions(reader.database, [(await kept(reader))[0].version_id])
    assert [file.file_id for file in files] == [photo.id for photo in photos]
