"""Files give way to texts: on the line, in the queue of a chat, and in what a group may get in a minute."""

import math
import time
from datetime import timedelta

from bot.delivery.attachments import Attachments
from bot.models import Media, Post
from bot.models.outgoing import Peer, PeerKind
from bot.runtime.clock import utc_now
from bot.telegram.media import PART
from bot.telegram.rate_limit import Pacing, Rates
from bot.telegram.sender import Sender
from tests import kit
from tests.delivery.kit import ORDER, SCAN, DeliveringBot, at_work, worker_of
from tests.kit_archive import post
from tests.waiting import until


async def posts_file(bot: DeliveringBot, number: int) -> None:
    """Post a file that no other post has, and keep it."""
    await bot.posts(number, Media(kind="document", id=number, title="order.pdf"), f"Сбой {number}: поезд {number}")
    await bot.keeps(SCAN + bytes(number))


def page(number: int, text: str, album: int) -> Post:
    what = Media(kind="photo", id=number)
    return post(number, text, date=utc_now(), grouped_id=album, media=what)


async def test_little_of_many_files_is_on_the_line_at_once(bot: DeliveringBot) -> None:
    readers = [await bot.reader(f"Reader {number}") for number in range(3)]
    for number in range(5, 11):
        await posts_file(bot, number)
    hold = bot.sandbox.faults.hold("SaveFilePart")
    async with bot.with_files():
        for account in readers:
            assert [m.media for m in await bot.until_received(account, 6)] == [None] * 6
        await hold.reached()
        parts = [call.request.bytes for call in bot.sandbox.calls if call.name == "SaveFilePart"]
        assert 0 < sum(map(len, parts)) <= 3 * PART
        hold.release()


async def test_texts_do_not_wait_for_uploads_that_hang(bot: DeliveringBot) -> None:
    alice = await bot.reader("Alice")
    for number in range(5, 9):
        await posts_file(bot, number)
    hold = bot.sandbox.faults.hold("SaveFilePart")
    async with bot.with_files(wait=0.5):
        await hold.reached()
        for number in range(9, 14):
            await posts_file(bot, number)
        heard = await bot.until_received(alice, 9)
        assert all(message.media is None for message in heard)
        assert (heard[-1].date - heard[0].date).total_seconds() < 4
        hold.release()


async def test_a_text_overtakes_the_files_that_wait_in_its_chat(
    bot: DeliveringBot,
) -> None:
    bot.album_within = timedelta()
    alice = await bot.reader("Alice")
    await bot.posts(5, ORDER)
    async with bot.with_files():
        await bot.until_received(alice)
        await bot.until_idle()
    await bot.keeps()
    await bot.posts(6, Media(kind="poll", title="?"), "Другой сбой: поезда стоят")
    async with bot.with_files():
        await bot.until_received(alice, 3)
    names = [call.name for call in bot.sandbox.calls if call.name in {"SendMessage", "SaveFilePart"}]
    assert names[:3] == ["SendMessage", "SendMessage", "SaveFilePart"]


async def test_files_leave_some_of_a_minute_of_a_group_to_texts(bot: DeliveringBot) -> None:
    group = bot.sandbox.world.add_channel("Desk", megagroup=True, members=[bot.account])
    group.promote(bot.account)
    await bot.subscribed(Peer(kind=PeerKind.CHANNEL, id=group.id))
    bot.archive.now = utc_now()
    for album in (100, 200):
        await bot.archive.live(*(page(album + n, f"Сбой {album}" if n == 0 else "", album) for n in range(9)))
        await bot.keeps_each()
    sender = Sender(bot.client, Pacing(Rates(total=math.inf, chat=math.inf)), monotonic=time.monotonic)
    files = Attachments(bot.archive.db, sender, bot.folder, clock=utc_now)
    worker = worker_of(bot.archive.db, sender, clock=utc_now, files=files)
    async with at_work(worker):

        async def is_put_off() -> bool:
            return any(files.attempts for files in await kit.states(bot.archive.db, "files"))

        await until(is_put_off)
        assert bot.calls("SendMultiMedia") == 1
        await bot.posts(300, Media(kind="poll", title="?"), "Ещё один сбой: поезда стоят")

        async def is_told() -> bool:
            return any("поезда стоят" in each.text for each in group.history(bot.account).messages.values())

        await until(is_told)
