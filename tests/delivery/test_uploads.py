"""Uploads of files that follow alerts, against the embedded server; the files are kept by hand."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from telethon.tl import types

from bot.models import Media, Peer, PeerKind
from bot.sandbox import User
from bot.store import addresses
from bot.store.blobs import Blobs
from tests import kit
from tests.delivery.desk import ORDER, PHOTO, SCAN, Desk, at_desk, file_of, gather_soon, names_of
from tests.waiting import until


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    gather_soon(monkeypatch)
    async with at_desk(tmp_path) as desk:
        yield desk


def contents(desk: Desk, account: User) -> list[bytes | None]:
    """Return the files of all messages that somebody got, None for texts."""
    return [file_of(desk, message) for message in desk.heard(account)]


async def test_a_document_follows_with_its_name_to_whom_wants_it_and_others_get_the_text(desk: Desk) -> None:
    alice, boris = await desk.reader("Alice"), await desk.reader("Boris", wants=False)
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        alert, file = await desk.until_heard(alice, 2)
        await desk.until_settled()
    (alone,) = desk.heard(boris)
    assert file_of(desk, file) == SCAN
    assert names_of(file) == ["order.pdf"]
    assert file.media is not None
    assert file.media.document.mime_type == "application/pdf"
    assert (alert.media, alert.text) == (None, alone.text)


async def test_a_file_does_not_come_under_a_name_that_reads_as_another(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps(name="order\u202efdp.exe\n")
    async with desk.at_work():
        _, file = await desk.until_heard(alice, 2)
    assert names_of(file) == ["orderfdp.exe"]


async def test_a_photo_comes_as_a_photo(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, PHOTO)
    await desk.keeps(b"a jpeg", name=None, mime="image/jpeg")
    async with desk.at_work():
        _, file = await desk.until_heard(alice, 2)
    assert isinstance(file.media, types.MessageMediaPhoto)
    assert file_of(desk, file) == b"a jpeg"


async def test_an_upload_that_was_too_slow_for_one_reply_serves_the_next(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps()
    hold = desk.sandbox.faults.hold("SaveFilePart")
    async with desk.at_work(wait=0.01):
        await hold.reached()
        await desk.posts(6, ORDER, "Опять сбой, тот же приказ")
        await desk.keeps()
        hold.release()
        await desk.until_settled()
    assert contents(desk, alice).count(SCAN) == 2
    assert desk.calls("UploadMedia") == 1


async def test_one_upload_serves_all_chats_and_what_comes_later(desk: Desk) -> None:
    readers = [await desk.reader(f"Reader {number}") for number in range(12)]
    await desk.posts(5, ORDER)
    async with desk.at_work():
        await desk.keeps()
        for account in readers:
            assert file_of(desk, (await desk.until_heard(account, 2))[-1]) == SCAN
    await desk.posts(6, Media(kind="document", id=99, title="order.pdf"), "Опять сбой, тот же приказ")
    await desk.keeps()
    async with desk.at_work():  # after a restart
        for account in readers:
            assert file_of(desk, (await desk.until_heard(account, 4))[-1]) == SCAN
    assert (desk.calls("SaveFilePart"), desk.calls("UploadMedia"), desk.calls("SendMedia")) == (11, 1, 24)


async def test_a_reference_that_has_expired_is_renewed_once_and_nothing_comes_twice(desk: Desk) -> None:
    readers = [await desk.reader(f"Reader {number}") for number in range(3)]
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        for account in readers:
            await desk.until_heard(account, 2)
        desk.sandbox.world.media.expire()
        await desk.posts(6, ORDER, "Опять сбой, тот же приказ")
        await desk.keeps()
        for account in readers:
            await desk.until_heard(account, 4)
        await desk.until_settled()
    assert [contents(desk, account) for account in readers] == [[None, SCAN, None, SCAN]] * 3
    assert desk.calls("UploadMedia") == 2
    sends = [call.request.random_id for call in desk.sandbox.calls if call.name == "SendMedia"]
    assert len(set(sends)) == 6  # the second tries bore the numbers of the first


async def test_an_expired_reference_with_a_number_is_one_too(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.answer("SendMedia", "FILE_REFERENCE_0_EXPIRED")
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        await desk.until_heard(alice, 2)
    assert contents(desk, alice) == [None, SCAN]
    first, second = [call.request.random_id for call in desk.sandbox.calls if call.name == "SendMedia"]
    assert first == second
    assert desk.calls("UploadMedia") == 2


@pytest.mark.parametrize(
    "error",
    ["CHAT_SEND_DOCS_FORBIDDEN", "CHAT_SEND_MEDIA_FORBIDDEN", "MEDIA_INVALID", "PHOTO_INVALID_DIMENSIONS"],
)
@pytest.mark.parametrize("method", ["SendMedia", "UploadMedia"])
async def test_the_text_stands_alone_where_the_file_is_refused(desk: Desk, method: str, error: str) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.answer(method, error, code=403 if error.startswith("CHAT") else 400)
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.until_settled()
    assert contents(desk, alice) == [None]
    assert {each.state for each in await kit.states(desk.room.db)} == {"sent"}
    assert (await desk.room.db.fetch_all("SELECT suspended FROM chats"))[0]["suspended"] is None


async def test_a_file_follows_an_alert_whose_thread_is_gone_to_the_general_one(desk: Desk) -> None:
    forum = desk.sandbox.world.add_channel("Desk", megagroup=True, members=[desk.bot])
    forum.promote(desk.bot)
    chat, thread_id = await desk.pair(Peer(kind=PeerKind.CHANNEL, id=forum.id)), forum.open_topic("Outages")
    await desk.room.db.write(lambda tx: addresses.bind_chat(tx, chat.id, thread_id))
    desk.sandbox.faults.answer("SendMessage", "REPLY_MESSAGE_ID_INVALID")
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        await desk.until_settled()
    messages = list(forum.history(desk.bot).messages.values())
    (alert,) = [each for each in messages if "Сбой" in each.text]
    (file,) = [each for each in messages if each.media is not None]
    assert (alert.topic, file.topic, file.reply_to) == (None, None, alert.id)
    assert file_of(desk, file) == SCAN


async def test_a_flood_wait_brings_the_file_later(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.flood_wait("SendMedia", 1)
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        await desk.until_heard(alice, 2)
    assert contents(desk, alice) == [None, SCAN]


async def test_after_a_kill_between_upload_and_send_it_is_sent_without_another_upload(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps()
    desk.sandbox.faults.answer("SendMedia", "RPC_CALL_FAIL", code=500)
    async with desk.at_work() as worker:

        async def asked() -> bool:
            return desk.calls("SendMedia") == 1

        await until(asked)
        worker.stop()
    assert contents(desk, alice) == [None]
    async with desk.at_work():
        await desk.until_heard(alice, 2)
    assert contents(desk, alice) == [None, SCAN]
    assert desk.calls("UploadMedia") == 1


async def test_what_was_sent_before_a_crash_is_not_sent_again(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        await desk.until_heard(alice, 2)
        await desk.until_settled()
    await kit.send_again(desk.room.db)
    async with desk.at_work():
        await desk.until_settled()
    assert contents(desk, alice) == [None, SCAN]


async def test_a_file_that_is_gone_from_the_disk_does_not_come(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps()
    Blobs(desk.folder).path(hashlib.sha256(SCAN).digest()).unlink()
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.until_settled()
    assert contents(desk, alice) == [None]


async def test_a_large_file_goes_up_by_the_method_for_large_ones(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    large = bytes(11 << 20)
    await desk.posts(5, ORDER)
    await desk.keeps(large)
    async with desk.at_work():
        await desk.until_heard(alice, 2)
    assert contents(desk, alice) == [None, large]
    assert desk.calls("SaveBigFilePart") == 88
