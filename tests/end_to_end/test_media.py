"""Files of posts, from a channel through the reader account onto the disk, and through the bot into chats."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from telethon.tl import types

from bot.sandbox.faults import Hold
from tests.chaos.deliveries import running
from tests.end_to_end.test_process import environment
from tests.kit import is_idle
from tests.kit_service import WAIT_S, Person, Service, running_service
from tests.waiting import until

SCAN = b"%PDF an order " * 100_000  # 1.4 MB
ORDER = "Приказ: из-за массового сбоя сайт банка недоступен."


async def content(person: Person, message: types.Message) -> bytes | None:
    return await person.client.download_media(message, bytes)  # type: ignore[no-any-return]


def kept(service: Service) -> list[str]:
    folder = service.settings.data_dir / "media"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_a_scan_follows_its_alert_to_whom_wants_it_and_lies_on_the_disk_by_its_hash(service: Service) -> None:
    world = service.sandbox.world
    channel = world.add_channel("Agency", username="agency", members=[service.reader])
    owner, colleague = await service.owner(follows=[channel]), await service.invited("Colleague")
    await owner.asks("/media on")
    post = channel.post(ORDER, media=world.media.document(SCAN, name="order.pdf", mime_type="application/pdf"))
    alert, alone = await owner.alert("массового сбоя"), await colleague.alert("массового сбоя")
    assert (alert.media, alone.media) == (None, None)
    (file,) = await files(owner)
    assert (file.file.name, file.file.mime_type, file.text) == ("order.pdf", "application/pdf", "")
    assert (file.reply_to.reply_to_msg_id, file.silent) == (alert.id, True)
    assert await content(owner, file) == SCAN
    sha256 = hashlib.sha256(SCAN).hexdigest()
    assert kept(service) == [f"{sha256[:2]}/{sha256}"]
    shown = (await owner.asks(f"/post https://t.me/agency/{post.id}")).message
    assert f"File kept: order.pdf, 1.3 MB, SHA-256 {sha256[:12]}" in shown
    saved = await owner.asks(f"/save https://t.me/agency/{post.id} Orders")
    for label in ("Open the case", "Dossier as a file", "HTML page"):
        (now,) = await owner.client.get_messages(saved.chat_id, ids=[saved.id])
        await now.click(text=label)
    await owner.until(lambda: len(pages(owner)) == 2)
    dossier = await content(owner, pages(owner)[1])
    assert sha256.encode() in dossier
    assert pages(owner)[1].text == f"SHA-256 {hashlib.sha256(dossier).hexdigest()}"
    channel.edit(post.id, ORDER.replace("банка", "вуза"))
    await owner.edit("вуза")
    assert len(pages(owner)) == 2
    assert pages(colleague) == []


async def test_a_photo_comes_as_one_and_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async with running_service(tmp_path, sweep_interval=0.5) as service:
        world = service.sandbox.world
        channel = world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        await owner.asks("/media on")
        channel.post(ORDER, media=world.media.photo(b"a jpeg"))
        (photo,) = await files(owner)
        assert await content(owner, photo) == b"a jpeg"
        await service.stop()
        (service.settings.data_dir / "media" / "coming-left").write_bytes(b"half of a file")
        await service.start()
        channel.post(f"Вечером: {ORDER}", media=world.media.photo(b"another jpeg"))
        _, other = await files(owner, 2)
        assert await content(owner, other) == b"another jpeg"
        assert len(kept(service)) == 2


async def test_an_album_comes_whole_and_its_order_stays(service: Service) -> None:
    world = service.sandbox.world.media
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    await owner.asks("/media on")
    video = world.document(b"a film", mime_type="video/mp4", attributes=[types.DocumentAttributeVideo(3.0, 640, 480)])
    channel.album([world.photo(b"page 1"), video, world.photo(b"page 3")], ORDER)
    alert = await owner.alert("массового сбоя")
    album = await files(owner, 3)
    assert [await content(owner, message) for message in album] == [b"page 1", b"a film", b"page 3"]
    assert alert.buttons
    assert {message.reply_to.reply_to_msg_id for message in album} == {alert.id}
    assert {message.grouped_id for message in album} == {album[0].grouped_id} != {None}
    assert album[1].video.attributes[0].duration == 3.0
    channel.edit(1, ORDER, media=world.photo(b"page 1, corrected"))
    corrected = (await files(owner, 4))[-1]
    assert await content(owner, corrected) == b"page 1, corrected"
    assert (corrected.text, corrected.reply_to.reply_to_msg_id) == ("The post shows this file now:", alert.id)


async def test_where_a_chat_lets_in_photos_but_no_videos_the_photos_of_an_album_come(service: Service) -> None:
    world, faults = service.sandbox.world.media, service.sandbox.faults
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    await owner.asks("/media on")
    faults.answer("SendMultiMedia", "CHAT_SEND_VIDEOS_FORBIDDEN", code=403)
    attributes = [types.DocumentAttributeVideo(3.0, 640, 480)]
    video = world.document(b"a film", mime_type="video/mp4", attributes=attributes)
    hold = faults.hold("SendMedia")
    channel.album([world.photo(b"page 1"), video, world.photo(b"page 3")], ORDER)
    await asyncio.wait_for(hold.reached(), WAIT_S)
    faults.answer("SendMedia", "CHAT_SEND_VIDEOS_FORBIDDEN", code=403)
    hold.release()
    await files(owner, 2)
    await settled(service)
    assert [await content(owner, message) for message in pages(owner)] == [b"page 1", b"page 3"]


@pytest.mark.parametrize(("method", "uploads"), [("UploadMedia", 6), ("SendMedia", 3), ("SendMultiMedia", 3)])
async def test_a_kill_while_files_are_on_their_way_doubles_nothing_and_leaves_nothing_behind(
    service: Service, method: str, uploads: int
) -> None:
    """The server has done what it was asked for; the answer never arrives."""
    world, faults = service.sandbox.world.media, service.sandbox.faults
    channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
    owner = await service.owner(follows=[channel])
    await owner.asks("/media on")
    await service.stop()
    env = environment(service)
    async with running(env) as (process, ready):
        await ready
        hold = faults.hold(method)
        if method == "SendMedia":  # of an album, which is refused as one
            faults.answer("SendMultiMedia", "MEDIA_INVALID")
        channel.album([world.photo(b"page 1"), world.photo(b"page 2"), world.photo(b"page 3")], ORDER)
        at_once = 3 if method == "UploadMedia" else 1

        async def are_held(count: int = at_once, hold: Hold = hold) -> bool:
            return hold.held == count

        await until(are_held)
        process.kill()
        await process.wait()
    faults.clear()
    await service.start()
    await owner.until(lambda: len(pages(owner)) >= 3)
    await settled(service)
    await owner.asks("/ping")
    assert [await content(owner, message) for message in pages(owner)] == [b"page 1", b"page 2", b"page 3"]
    assert len(owner.alerts) == 1
    assert len(kept(service)) == 3
    assert sum(call.name == "UploadMedia" for call in service.sandbox.calls) == uploads


def pages(person: Person) -> list[types.Message]:
    return [message for message in person.heard if message.media is not None]


async def files(person: Person, count: int = 1) -> list[types.Message]:
    """Wait for so many messages with files, and return them."""
    await person.until(lambda: len(pages(person)) >= count)
    return pages(person)


async def settled(service: Service) -> None:
    async with service.archive() as db:

        async def nothing_is_due() -> bool:
            return await is_idle(db)

        await until(nothing_is_due)


@pytest.mark.parametrize("limit", [0, 1])
async def test_what_is_too_large_for_the_settings_is_not_kept_and_the_text_comes(tmp_path: Path, limit: int) -> None:
    async with running_service(tmp_path, media_max_mb=limit) as service:
        world = service.sandbox.world
        channel = world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        await owner.asks("/media on")
        channel.post(ORDER, media=world.media.document(SCAN, name="order.pdf"))
        alert = await owner.alert("массового сбоя")
        if "more file" not in alert.text:
            await owner.edit("+1 more file in the post")
        await settled(service)
        assert pages(owner) == []
        assert kept(service) == []
