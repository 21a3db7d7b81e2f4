"""Uploads of files that follow alerts, against the embedded server; the files are kept by hand."""

import hashlib

import pytest
from telethon.tl import types

from bot.models import Media
from bot.models.outgoing import Peer, PeerKind
from bot.sandbox import User
from bot.store import addresses
from bot.store.blobs import Blobs
from tests import kit
from tests.delivery.kit import ORDER, PHOTO, SCAN, DeliveringBot, names_of
from tests.waiting import until


def contents(bot: DeliveringBot, account: User) -> list[bytes | None]:
    """Return the files of all messages that somebody got, None for texts."""
    return [bot.file_of(message) for message in bot.received(account)]


async def test_a_document_follows_with_its_name_to_whom_wants_it_and_others_get_the_text(bot: DeliveringBot) -> None:
    alice, boris = await bot.reader("Alice"), await bot.reader("Boris", wants=False)
    await bot.posts(5, ORDER)
    await bot.keeps()
    async with bot.with_files():
        alert, file = await bot.until_received(alice, 2)
        await bot.until_idle()
    (alone,) = bot.received(boris)
    assert bot.file_of(file) == SCAN
    assert names_of(file) == ["order.pdf"]
    assert file.media is not None
    assert file.media.document.mime_type == "application/pdf"
    assert (alert.media, alert.text) == (None, alone.text)


async def test_a_file_does_not_come_under_a_name_that_reads_as_another(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    await bot.keeps(name="order\u202efdp.exe\n")
    async with bot.with_files():
        _, file = await bot.until_received(alice, 2)
    assert names_of(file) == ["orderfdp.exe"]


async def test_a_photo_comes_as_a_photo(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, PHOTO)
    await bot.keeps(b"a jpeg", name=None, mime="image/jpeg")
    async with bot.with_files():
        _, file = await bot.until_received(alice, 2)
    assert isinstance(file.media, types.MessageMediaPhoto)
    assert bot.file_of(file) == b"a jpeg"


async def test_an_upload_that_was_too_slow_for_one_reply_serves_the_next(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    await bot.keeps()
    hold = bot.sandbox.faults.hold("SaveFilePart")
    async with bot.with_files(wait=0.01):
        await hold.reached()
        await bot.posts(6, ORDER, "Опять сбой, тот же приказ")
        await bot.keeps()
        hold.release()
        await bot.until_idle()
    assert contents(bot, alice).count(SCAN) == 2
    assert bot.calls("UploadMedia") == 1


async def test_one_upload_serves_all_chats_and_what_comes_later(bot: DeliveringBot) -> None:
    readers = [await bot.reader(f"Reader {number}") for number in range(12)]
    await bot.posts(5, ORDER)
    async with bot.with_files():
        await bot.keeps()
        for account in readers:
            assert bot.file_of((await bot.until_received(account, 2))[-1]) == SCAN
    await bot.posts(6, Media(kind="document", id=99, title="order.pdf"), "Опять сбой, тот же приказ")
    await bot.keeps()
    async with bot.with_files():  # after a restart
        for account in readers:
            assert bot.file_of((await bot.until_received(account, 4))[-1]) == SCAN
    assert (bot.calls("SaveFilePart"), bot.calls("UploadMedia"), bot.calls("SendMedia")) == (11, 1, 24)


async def test_a_reference_that_has_expired_is_renewed_once_and_nothing_comes_twice(bot: DeliveringBot) -> None:
    readers = [await bot.reader(f"Reader {number}") for number in range(3)]
    await bot.posts(5, ORDER)
    await bot.keeps()
    async with bot.with_files():
        for account in readers:
            await bot.until_received(account, 2)
        bot.sandbox.world.media.expire()
        await bot.posts(6, ORDER, "Опять сбой, тот же приказ")
        await bot.keeps()
        for account in readers:
            await bot.until_received(account, 4)
        await bot.until_idle()
    assert [contents(bot, account) for account in readers] == [[None, SCAN, None, SCAN]] * 3
    assert bot.calls("UploadMedia") == 2
    sends = [call.request.random_id for call in bot.sandbox.calls if call.name == "SendMedia"]
    assert len(set(sends)) == 6  # the second tries bore the numbers of the first


async def test_an_expired_reference_with_a_number_is_one_too(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    bot.sandbox.faults.answer("SendMedia", "FILE_REFERENCE_0_EXPIRED")
    await bot.posts(5, ORDER)
    await bot.keeps()
    async with bot.with_files():
        await bot.until_received(alice, 2)
    assert contents(bot, alice) == [None, SCAN]
    first, second = [call.request.random_id for call in bot.sandbox.calls if call.name == "SendMedia"]
    assert first == second
    assert bot.calls("UploadMedia") == 2


@pytest.mark.parametrize(
    "error",
    ["CHAT_SEND_DOCS_FORBIDDEN", "CHAT_SEND_MEDIA_FORBIDDEN", "MEDIA_INVALID", "PHOTO_INVALID_DIMENSIONS"],
)
@pytest.mark.parametrize("method", ["SendMedia", "UploadMedia"])
async def test_the_text_stands_alone_where_the_file_is_refused(bot: DeliveringBot, method: str, error: str) -> None:
    alice = await bot.reader("Alice")
    bot.sandbox.faults.answer(method, error, code=403 if error.startswith("CHAT") else 400)
    await bot.posts(5, ORDER)
    await bot.keeps()
    async with bot.with_files():
        await bot.until_received(alice)
        await bot.until_idle()
    assert contents(bot, alice) == [None]
    assert {each.state for each in await kit.states(bot.archive.db)} == {"sent"}
    assert (await bot.archive.db.fetch_all("SELECT suspended FROM chats"))[0]["suspended"] is None


async def test_a_file_follows_an_alert_whose_thread_is_gone_to_the_general_one(bot: DeliveringBot) -> None:
    forum = bot.sandbox.world.add_channel("Desk", megagroup=True, members=[bot.account])
    forum.promote(bot.account)
    chat, thread_id = await bot.subscribed(Peer(kind=PeerKind.CHANNEL, id=forum.id)), forum.open_topic("Outages")
    await bot.archive.db.write(lambda tx: addresses.bind_chat(tx, chat.id, thread_id))
    bot.sandbox.faults.answer("SendMessage", "REPLY_MESSAGE_ID_INVALID")
    await bot.posts(5, ORDER)
    await bot.keeps()
    async with bot.with_files():
        await bot.until_idle()
    messages = list(forum.history(bot.account).messages.values())
    (alert,) = [each for each in messages if "Сбой" in each.text]
    (file,) = [each for each in messages if each.media is not None]
    assert (alert.topic, file.topic, file.reply_to) == (None, None, alert.id)
    assert bot.file_of(file) == SCAN


async def test_a_flood_wait_brings_the_file_later(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    bot.sandbox.faults.flood_wait("SendMedia", 1)
    await bot.posts(5, ORDER)
    await bot.keeps()
    async with bot.with_files():
        await bot.until_received(alice, 2)
    assert contents(bot, alice) == [None, SCAN]


async def test_after_a_kill_between_upload_and_send_it_is_sent_without_another_upload(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    await bot.keeps()
    bot.sandbox.faults.answer("SendMedia", "RPC_CALL_FAIL", code=500)
    async with bot.with_files() as worker:

        async def asked() -> bool:
            return bot.calls("SendMedia") == 1

        await until(asked)
        worker.stop()
    assert contents(bot, alice) == [None]
    async with bot.with_files():
        await bot.until_received(alice, 2)
    assert contents(bot, alice) == [None, SCAN]
    assert bot.calls("UploadMedia") == 1


async def test_what_was_sent_before_a_crash_is_not_sent_again(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    await bot.keeps()
    async with bot.with_files():
        await bot.until_received(alice, 2)
        await bot.until_idle()
    await kit.send_again(bot.archive.db)
    async with bot.with_files():
        await bot.until_idle()
    assert contents(bot, alice) == [None, SCAN]


async def test_a_file_that_is_gone_from_the_disk_does_not_come(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    await bot.keeps()
    Blobs(bot.folder).path(hashlib.sha256(SCAN).digest()).unlink()
    async with bot.with_files():
        await bot.until_received(alice)
        await bot.until_idle()
    assert contents(bot, alice) == [None]


async def test_a_large_file_goes_up_by_the_method_for_large_ones(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    large = bytes(11 << 20)
    await bot.posts(5, ORDER)
    await bot.keeps(large)
    async with bot.with_files():
        await bot.until_received(alice, 2)
    assert contents(bot, alice) == [None, large]
    assert bot.calls("SaveBigFilePart") == 88
