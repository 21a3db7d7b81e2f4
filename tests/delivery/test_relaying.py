"""Alerts with the files of their posts, against the embedded server; the files are kept by hand."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from telethon.tl import types

from bot.models import Media, Peer, PeerKind
from bot.runtime.clock import utc_now
from bot.store import addresses, media
from bot.store.blobs import Vault
from tests import kit
from tests.delivery.desk import ORDER, PHOTO, SCAN, SHORT, Desk, at_desk, file_of, names_of
from tests.waiting import until


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_desk(tmp_path) as desk:
        yield desk


async def test_a_document_comes_with_its_name_to_whom_wants_it_and_the_text_to_others(desk: Desk) -> None:
    alice, boris = await desk.reader("Alice"), await desk.reader("Boris", wants=False)
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        (with_file,), (alone,) = await desk.until_heard(alice), await desk.until_heard(boris)
    assert file_of(desk, with_file) == SCAN
    assert names_of(with_file) == ["order.pdf"]
    assert with_file.media is not None
    assert with_file.media.document.mime_type == "application/pdf"
    assert alone.media is None
    assert with_file.text == alone.text
    assert with_file.reply_markup is not None


async def test_a_file_does_not_come_under_a_name_that_reads_as_another(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps(name="order\u202efdp.exe\n")
    async with desk.at_work():
        (message,) = await desk.until_heard(alice)
    assert names_of(message) == ["orderfdp.exe"]


async def test_a_photo_comes_as_a_photo(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, PHOTO)
    await desk.keeps(b"a jpeg", name=None, mime="image/jpeg")
    async with desk.at_work():
        (message,) = await desk.until_heard(alice)
    assert isinstance(message.media, types.MessageMediaPhoto)
    assert file_of(desk, message) == b"a jpeg"


async def test_an_alert_waits_for_its_file_and_other_chats_do_not(desk: Desk) -> None:
    alice, boris = await desk.reader("Alice"), await desk.reader("Boris", wants=False)
    await desk.posts(5, ORDER)
    async with desk.at_work():
        await desk.until_heard(boris)
        assert desk.heard(alice) == []
        await desk.keeps()
        (message,) = await desk.until_heard(alice)
    assert file_of(desk, message) == SCAN


async def test_the_text_goes_alone_where_the_file_takes_too_long_and_that_is_remembered(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    async with desk.at_work(wait=SHORT):
        (message,) = await desk.until_heard(alice)
        await desk.until_sent(1)
    assert message.media is None
    assert await desk.rows() == [("sent", 0)]
    await desk.keeps()
    assert desk.calls("SendMedia") == 0


async def test_the_text_goes_alone_at_once_where_the_file_was_not_kept(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    wanted = await desk.wanted()
    assert wanted is not None
    await desk.room.db.write(lambda tx: media.leave(tx, wanted.id, media.TOO_LARGE, now=utc_now()))
    async with desk.at_work():
        (message,) = await desk.until_heard(alice)
    assert message.media is None


async def test_an_upload_that_takes_too_long_holds_up_nothing(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps()
    desk.sandbox.faults.hold("SaveFilePart")
    async with desk.at_work(wait=SHORT):
        (message,) = await desk.until_heard(alice)
    assert message.media is None


async def test_an_upload_that_came_too_late_for_one_alert_serves_the_next(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps()
    hold = desk.sandbox.faults.hold("SaveFilePart")
    async with desk.at_work(wait=SHORT):
        (message,) = await desk.until_heard(alice)
        assert message.media is None
        hold.release()

        async def reached() -> bool:
            return desk.calls("UploadMedia") == 1

        await until(reached)
        await desk.posts(6, ORDER, "Опять сбой, тот же приказ")
        await desk.keeps()
        assert file_of(desk, (await desk.until_heard(alice, 2))[-1]) == SCAN
    assert desk.calls("UploadMedia") == 1


async def test_one_upload_serves_all_chats_and_what_comes_later(desk: Desk) -> None:
    readers = [await desk.reader(f"Reader {number}") for number in range(12)]
    await desk.posts(5, ORDER)
    async with desk.at_work():
        await desk.keeps()
        for account in readers:
            assert [file_of(desk, message) for message in await desk.until_heard(account)] == [SCAN]
    await desk.posts(6, Media(kind="document", id=99, title="order.pdf"), "Опять сбой, тот же приказ")
    await desk.keeps()
    async with desk.at_work():  # after a restart
        for account in readers:
            assert file_of(desk, (await desk.until_heard(account, 2))[-1]) == SCAN
    assert (desk.calls("SaveFilePart"), desk.calls("UploadMedia"), desk.calls("SendMedia")) == (11, 1, 24)


async def test_a_reference_that_has_expired_is_renewed_once_and_nothing_comes_twice(desk: Desk) -> None:
    readers = [await desk.reader(f"Reader {number}") for number in range(3)]
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        for account in readers:
            await desk.until_heard(account)
        desk.sandbox.world.media.expire()
        await desk.posts(6, ORDER, "Опять сбой, тот же приказ")
        await desk.keeps()
        for account in readers:
            assert file_of(desk, (await desk.until_heard(account, 2))[-1]) == SCAN
        await desk.until_sent(6)
    assert desk.calls("UploadMedia") == 2
    assert [len(desk.heard(account)) for account in readers] == [2, 2, 2]
    sends = [call.request.random_id for call in desk.sandbox.calls if call.name == "SendMedia"]
    assert len(set(sends)) == 6  # the second tries bore the numbers of the first


async def test_an_expired_reference_with_a_number_is_one_too(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.answer("SendMedia", "FILE_REFERENCE_0_EXPIRED")
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        (message,) = await desk.until_heard(alice)
    assert file_of(desk, message) == SCAN
    first, second = [call.request.random_id for call in desk.sandbox.calls if call.name == "SendMedia"]
    assert first == second
    assert desk.calls("UploadMedia") == 2


@pytest.mark.parametrize(
    "error",
    ["CHAT_SEND_DOCS_FORBIDDEN", "CHAT_SEND_MEDIA_FORBIDDEN", "MEDIA_INVALID", "PHOTO_INVALID_DIMENSIONS"],
)
@pytest.mark.parametrize("method", ["SendMedia", "UploadMedia"])
async def test_the_text_goes_alone_where_the_file_is_refused(desk: Desk, method: str, error: str) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.answer(method, error, code=403 if error.startswith("CHAT") else 400)
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        (message,) = await desk.until_heard(alice)
        await desk.until_sent(1)
    assert message.media is None
    assert await desk.rows() == [("sent", 0)]
    assert (await desk.room.db.fetch_all("SELECT suspended FROM chats"))[0]["suspended"] is None


async def test_an_alert_whose_thread_is_gone_takes_its_file_to_the_general_one(desk: Desk) -> None:
    forum = desk.sandbox.world.add_channel("Desk", megagroup=True, members=[desk.bot])
    forum.promote(desk.bot)
    chat, thread_id = await desk.pair(Peer(kind=PeerKind.CHANNEL, id=forum.id)), forum.opens_topic("Outages")
    await desk.room.db.write(lambda tx: addresses.bind_chat(tx, chat.id, thread_id))
    desk.sandbox.faults.answer("SendMedia", "REPLY_MESSAGE_ID_INVALID")
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        await desk.until_sent(1)
    (message,) = [each for each in forum.history(desk.bot).messages.values() if "Сбой" in each.text]
    assert (message.topic, file_of(desk, message)) == (None, SCAN)


async def test_a_flood_wait_brings_the_file_later(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.sandbox.faults.flood_wait("SendMedia", 1)
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        (message,) = await desk.until_heard(alice)
    assert file_of(desk, message) == SCAN


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
    assert desk.heard(alice) == []
    async with desk.at_work():
        (message,) = await desk.until_heard(alice)
    assert file_of(desk, message) == SCAN
    assert desk.calls("UploadMedia") == 1


async def test_what_was_sent_before_a_crash_is_not_sent_again_and_known_to_have_media(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.until_sent(1)
    await kit.send_again(desk.room.db)
    async with desk.at_work():
        await desk.until_sent(1)
    assert await desk.rows() == [("sent", 1)]
    assert len(desk.heard(alice)) == 1


async def test_an_edit_of_an_alert_with_media_is_short_enough_for_a_caption(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps()
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.until_sent(1)
        long = "Сбой. " + "Подробности приказа. " * 150
        edited_at = utc_now() + timedelta(seconds=1)
        await desk.posts(5, ORDER, long, edit_date=edited_at)

        async def edited() -> bool:
            return "Подробности" in desk.heard(alice)[0].text

        await until(edited)
    message = desk.heard(alice)[0]
    assert file_of(desk, message) == SCAN
    assert len(message.text) <= 1024
    refusals = [call for call in desk.sandbox.calls if call.name == "EditMessage"]
    assert len(refusals) == 1


async def test_a_file_that_is_gone_from_the_disk_does_not_come(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    await desk.keeps()
    Vault(desk.folder).path(hashlib.sha256(SCAN).digest()).unlink()
    async with desk.at_work():
        (message,) = await desk.until_heard(alice)
    assert message.media is None


async def test_a_large_file_goes_up_by_the_method_for_large_ones(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    large = bytes(11 << 20)
    await desk.posts(5, ORDER)
    await desk.keeps(large)
    async with desk.at_work():
        (message,) = await desk.until_heard(alice)
    assert file_of(desk, message) == large
    assert desk.calls("SaveBigFilePart") == 88
