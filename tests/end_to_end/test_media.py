"""Files of posts, from a channel through the reader account onto the disk, and through the bot into chats."""

import hashlib
from pathlib import Path

import pytest
from telethon.tl import types

from tests.end_to_end.kit import Newsroom, Person, newsroom

SCAN = b"%PDF an order " * 100_000  # 1.4 MB
ORDER = "Приказ: из-за массового сбоя сайт банка недоступен."


async def content(person: Person, message: types.Message) -> bytes | None:
    return await person.client.download_media(message, bytes)  # type: ignore[no-any-return]


def kept(room: Newsroom) -> list[str]:
    folder = room.settings.data_dir / "media"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_a_scan_comes_with_its_alert_to_whom_wants_it_and_lies_on_the_disk_by_its_hash(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        world = room.sandbox.world
        channel = world.add_channel("Agency", username="agency", members=[room.reader])
        owner, colleague = await room.owner(follows=[channel]), await room.invited("Colleague")
        await owner.asks("/media on")
        post = channel.post(ORDER, media=world.media.document(SCAN, name="order.pdf", mime_type="application/pdf"))
        with_file, alone = await owner.alert("массового сбоя"), await colleague.alert("массового сбоя")
        assert (with_file.file.name, with_file.file.mime_type) == ("order.pdf", "application/pdf")
        assert await content(owner, with_file) == SCAN
        assert alone.media is None
        sha256 = hashlib.sha256(SCAN).hexdigest()
        assert kept(room) == [f"{sha256[:2]}/{sha256}"]
        shown = (await owner.asks(f"/post https://t.me/agency/{post.id}")).message
        assert f"File kept: order.pdf, 1.3 MB, SHA-256 {sha256[:12]}" in shown
        channel.edit(post.id, ORDER.replace("банка", "вуза"))
        assert (await owner.edit("вуза")).file.name == "order.pdf"


async def test_a_photo_comes_as_one_and_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async with newsroom(tmp_path, sweep_interval=0.5) as room:
        world = room.sandbox.world
        channel = world.add_channel("Agency", username="agency", members=[room.reader])
        owner = await room.owner(follows=[channel])
        await owner.asks("/media on")
        channel.post(ORDER, media=world.media.photo(b"a jpeg"))
        assert await content(owner, await owner.alert("массового сбоя")) == b"a jpeg"
        await room.stop()
        (room.settings.data_dir / "media" / "coming-left").write_bytes(b"half of a file")
        await room.start()
        channel.post(f"Вечером: {ORDER}", media=world.media.photo(b"another jpeg"))
        assert await content(owner, await owner.alert("Вечером")) == b"another jpeg"
        assert len(kept(room)) == 2


@pytest.mark.parametrize("limit", [0, 1])
async def test_what_is_too_large_for_the_settings_is_not_kept_and_the_text_comes(tmp_path: Path, limit: int) -> None:
    async with newsroom(tmp_path, media_max_mb=limit) as room:
        world = room.sandbox.world
        channel = world.add_channel("Agency", username="agency", members=[room.reader])
        owner = await room.owner(follows=[channel])
        await owner.asks("/media on")
        channel.post(ORDER, media=world.media.document(SCAN, name="order.pdf"))
        assert (await owner.alert("массового сбоя")).media is None
        assert kept(room) == []
