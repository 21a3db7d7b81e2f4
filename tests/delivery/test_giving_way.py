"""Files give way to texts: on the line, in the queue of a chat, and in what a group may get in a minute."""

import math
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.delivery.attachments import Attachments
from bot.models import Media, Peer, PeerKind, Post
from bot.runtime.clock import utc_now
from bot.store import attachments
from bot.telegram.media import PART
from bot.telegram.rate_limit import Pacing, Rates
from bot.telegram.sender import Sender
from tests import kit
from tests.delivery.desk import ORDER, SCAN, Desk, at_desk, gather_soon
from tests.delivery.kit import at_work, worker_of
from tests.store.kit import post
from tests.waiting import until


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    gather_soon(monkeypatch)
    async with at_desk(tmp_path) as desk:
        yield desk


async def posts_file(desk: Desk, number: int) -> None:
    """Post a file that no other post has, and keep it."""
    await desk.posts(number, Media(kind="document", id=number, title="order.pdf"), f"Сбой {number}: поезд {number}")
    await desk.keeps(SCAN + bytes(number))


def page(number: int, text: str, album: int) -> Post:
    what = Media(kind="photo", id=number)
    return post(number, text, date=utc_now(), grouped_id=album, media=what)


async def test_little_of_many_files_is_on_the_line_at_once(desk: Desk) -> None:
    readers = [await desk.reader(f"Reader {number}") for number in range(3)]
    for number in range(5, 11):
        await posts_file(desk, number)
    hold = desk.sandbox.faults.hold("SaveFilePart")
    async with desk.at_work():
        for account in readers:
            assert [m.media for m in await desk.until_heard(account, 6)] == [None] * 6
        await hold.reached()
        parts = [call.request.bytes for call in desk.sandbox.calls if call.name == "SaveFilePart"]
        assert 0 < sum(map(len, parts)) <= 3 * PART
        hold.release()


async def test_texts_do_not_wait_for_uploads_that_hang(desk: Desk) -> None:
    alice = await desk.reader("Alice")
    for number in range(5, 9):
        await posts_file(desk, number)
    hold = desk.sandbox.faults.hold("SaveFilePart")
    async with desk.at_work(wait=0.5):
        await hold.reached()
        for number in range(9, 14):
            await posts_file(desk, number)
        heard = await desk.until_heard(alice, 9)
        assert all(message.media is None for message in heard)
        assert (heard[-1].date - heard[0].date).total_seconds() < 4
        hold.release()


async def test_a_text_overtakes_the_files_that_wait_in_its_chat(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "ALBUM_WITHIN", timedelta())
    alice = await desk.reader("Alice")
    await desk.posts(5, ORDER)
    async with desk.at_work():
        await desk.until_heard(alice)
        await desk.until_settled()
    await desk.keeps()
    await desk.posts(6, Media(kind="poll", title="?"), "Другой сбой: поезда стоят")
    async with desk.at_work():
        await desk.until_heard(alice, 3)
    names = [call.name for call in desk.sandbox.calls if call.name in {"SendMessage", "SaveFilePart"}]
    assert names[:3] == ["SendMessage", "SendMessage", "SaveFilePart"]


async def test_files_leave_some_of_a_minute_of_a_group_to_texts(desk: Desk) -> None:
    group = desk.sandbox.world.add_channel("Desk", megagroup=True, members=[desk.bot])
    group.promote(desk.bot)
    await desk.pair(Peer(kind=PeerKind.CHANNEL, id=group.id))
    desk.room.now = utc_now()
    for album in (100, 200):
        await desk.room.live(*(page(album + n, f"Сбой {album}" if n == 0 else "", album) for n in range(9)))
        await desk.keeps_each()
    sender = Sender(desk.client, Pacing(Rates(total=math.inf, chat=math.inf)), monotonic=time.monotonic)
    files = Attachments(desk.room.db, sender, desk.folder, clock=utc_now)
    worker = worker_of(desk.room.db, sender, clock=utc_now, files=files)
    async with at_work(worker):

        async def is_put_off() -> bool:
            return any(files.attempts for files in await kit.states(desk.room.db, "files"))

        await until(is_put_off)
        assert desk.calls("SendMultiMedia") == 1
        await desk.posts(300, Media(kind="poll", title="?"), "Ещё один сбой: поезда стоят")

        async def is_told() -> bool:
            return any("поезда стоят" in each.text for each in group.history(desk.bot).messages.values())

        await until(is_told)
