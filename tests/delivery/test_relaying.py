"""Alerts with the files of their posts, against the embedded server; the files are kept by hand."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from telethon import TelegramClient
from telethon.tl import types

from bot.delivery.relaying import Relay
from bot.delivery.worker import Worker
from bot.models import Media
from bot.sandbox import Message, Sandbox, User
from bot.store import chats, media
from bot.store.media import About, Wanted
from bot.store.vault import Stored, Vault
from tests.delivery.kit import WAIT_S, at_work, sender_of, until, utc_now
from tests.store.kit import Newsroom, newsroom, post

SHORT = 0.2  # s that alerts of these tests wait for a file
SCAN = b"%PDF an order " * 100_000  # 1.4 MB: three parts
ORDER = Media(kind="document", id=77, title="order.pdf")
PHOTO = Media(kind="photo", id=78)


@dataclass(kw_only=True)
class Desk:
    """A bot, people who read it, and a channel whose files are kept by hand."""

    sandbox: Sandbox
    room: Newsroom
    client: TelegramClient
    bot: User
    folder: Path
    people: list[User] = field(default_factory=list)

    async def reader(self, name: str, *, wants: bool = True) -> User:
        """Bring somebody who is told of outages, with their files or without."""
        account = self.sandbox.world.add_user(name)
        account.starts(self.bot)
        chat = await self.room.pair(account.id, language="en")
        await self.room.track(chat, "outages", "сбой")
        await self.room.db.write(lambda tx: chats.set_media(tx, chat.id, wanted=wants))
        self.people.append(account)
        return account

    def at_work(self, *, wait: float = WAIT_S) -> AbstractAsyncContextManager[Worker]:
        sender = sender_of(self.client)
        relay = Relay(self.room.db, sender, self.folder, clock=utc_now, wait=wait)
        return at_work(Worker(self.room.db, sender, clock=utc_now, relay=relay))

    async def posts(self, message_id: int, what: Media, text: str = "Сбой", **fields: object) -> None:
        self.room.now = utc_now()
        await self.room.live(post(message_id, text, date=self.room.now, media=what, **fields))

    async def keeps(
        self, content: bytes = SCAN, *, name: str | None = "order.pdf", mime: str = "application/pdf"
    ) -> None:
        """Keep all files that are wanted, as a reader does."""
        incoming = Vault(self.folder).begin()
        incoming.write(content)
        stored = incoming.keep()
        while (wanted := await self.wanted()) is not None:
            await self._keep(wanted, stored, About(mime=mime, name=name, size=stored.size))

    async def wanted(self) -> Wanted | None:
        return await media.next_wanted(self.room.db, self.room.reader_id, utc_now())

    async def _keep(self, wanted: Wanted, stored: Stored, about: About) -> None:
        reader_id = self.room.reader_id
        await self.room.db.write(
            lambda tx: media.keep(tx, wanted.id, stored, about, reader_id=reader_id, now=utc_now())
        )

    def heard(self, account: User) -> list[Message]:
        return [message for message in account.inbox(self.bot) if message.sender_id == self.bot.id]

    async def until_heard(self, account: User, count: int = 1) -> list[Message]:
        async def reached() -> bool:
            return len(self.heard(account)) >= count

        await until(reached)
        return self.heard(account)

    async def until_sent(self, count: int) -> None:
        async def reached() -> bool:
            return len(await self.rows()) == count

        await until(reached)

    async def rows(self) -> Sequence[tuple[str, int | None]]:
        found = await self.room.db.fetch_all("SELECT state, media FROM alerts WHERE state != 'due' ORDER BY id")
        return [(row["state"], row["media"]) for row in found]

    def calls(self, name: str) -> int:
        return sum(call.name == name for call in self.sandbox.calls)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Sandbox() as sandbox, newsroom(tmp_path) as room:
        room.now = utc_now()
        bot = sandbox.world.add_bot("1:token", "Watch", "watch_bot")
        client = sandbox.client(bot)
        await client.connect()
        try:
            await room.follow()
            yield Desk(sandbox=sandbox, room=room, client=client, bot=bot, folder=tmp_path / "media")
        finally:
            sandbox.faults.clear()
            await client.disconnect()
        assert not sandbox.unknown
        assert not sandbox.crashes


def file_of(desk: Desk, message: Message) -> bytes | None:
    content = getattr(message.media, "document", None) or getattr(message.media, "photo", None)
    if content is None:
        return None
    return desk.sandbox.world.media.find(content.id, content.access_hash, content.file_reference).data


def names_of(message: Message) -> list[str]:
    assert message.media is not None
    attributes = message.media.document.attributes
    return [each.file_name for each in attributes if isinstance(each, types.DocumentAttributeFilename)]


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
    await desk.room.db.write(lambda tx: media.leave(tx, wanted.id, media.TOO_LARGE))
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
    assert (desk.calls("SaveFilePart"), desk.calls("UploadMedia"), desk.calls("SendMedia")) == (3, 1, 24)


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
    await desk.room.db.write(
        lambda tx: tx.execute("UPDATE alerts SET state = 'due', sent_at = NULL, message_id = NULL")
    )
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


async def test_of_an_album_comes_the_item_with_the_text_and_how_many_others_there_are(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    desk.room.now = now = utc_now()
    items = [
        post(number, "Сбой" if number == 5 else "", date=now, grouped_id=3, media=Media(kind="photo", id=number))
        for number in (5, 6, 7)
    ]
    await desk.room.live(*items)
    await desk.keeps(b"a jpeg", name=None, mime="image/jpeg")
    async with desk.at_work():
        (message,) = await desk.until_heard(alice)
    assert isinstance(message.media, types.MessageMediaPhoto)
    assert message.text.endswith("+2 more files in the post")


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
    assert desk.calls("SaveBigFilePart") == 22
