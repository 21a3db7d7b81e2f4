from datetime import timedelta

import pytest

from bot.store import assignments, channels, meta, stats
from bot.store.channels import Access, Options
from bot.store.database import Transaction
from bot.store.meta import Pace
from tests.commands.kit import BORIS, Bot, text
from tests.store.kit import NEWS, ago


async def line(desk: Bot) -> str:
    """Return what the list says of the one channel that is followed."""
    return text(await desk.says("/channels")).splitlines()[-1]


async def stand(desk: Bot, access: Access = Access.JOINED, *, channel_id: int = NEWS, swept: float = 0) -> None:
    """Let the reader reach a channel so, and have read it so many minutes ago."""

    async def job(tx: Transaction) -> None:
        await channels.set_access(tx, desk.room.reader_id, channel_id, access, now=desk.room.now)
        await channels.set_mark(tx, channel_id, confirmed_id=1, seen_pts=1, now=ago(minutes=swept))

    await desk.db.write(job)


@pytest.mark.parametrize(
    ("access", "fast", "said"),
    [
        (Access.JOINED, False, "Вести: joined, seconds"),
        (Access.JOINED, True, "Вести: fast, seconds"),
        (Access.POLLED, False, "Вести: from outside, up to 1 min late"),
        (Access.POLLED, True, "Вести: fast, from outside, up to 20 sec late"),
        (Access.PENDING, False, "Вести: its admins have to let my reader account in"),
    ],
)
async def test_a_channel_is_shown_with_the_delay_to_expect(desk: Bot, access: Access, said: str, *, fast: bool) -> None:
    await desk.pair()
    await desk.room.follow()
    await stand(desk, access)
    await desk.db.write(
        lambda tx: channels.apply_options(tx, NEWS, Options(fast=fast), chat_id=None, asked_at=desk.room.now)
    )
    assert await line(desk) == said


async def test_the_more_channels_are_read_from_outside_the_later_their_posts(desk: Bot) -> None:
    await desk.pair()
    for number in range(25):
        await desk.room.follow(NEWS + number, title=f"Вести {number:02}")
        await stand(desk, Access.POLLED, channel_id=NEWS + number)
    await desk.db.write(lambda tx: meta.put_pace(tx, Pace(round=120, polls=10)))
    assert await line(desk) == "Вести 24: from outside, up to 6 min late"
    assert "Read from outside, up to 6 min late: 25." in text(await desk.says("/status"))


async def test_a_channel_that_is_not_read_as_it_should_be_is_late(desk: Bot) -> None:
    await desk.pair()
    await desk.room.follow()
    await stand(desk, swept=30)
    assert await line(desk) == "Вести: joined, seconds; ⚠️ not read since 10 Mar, 11:30 UTC"
    await stand(desk, swept=1)
    assert await line(desk) == "Вести: joined, seconds"


async def test_a_channel_just_followed_is_being_read(desk: Bot) -> None:
    await desk.pair()
    await desk.room.follow(since=ago(minutes=1))
    assert await line(desk) == "Вести: joined, seconds; its last posts are being read"
    desk.room.now += timedelta(minutes=20)
    assert await line(desk) == "Вести: joined, seconds; ⚠️ not read yet"


async def test_an_unusual_silence_is_marked(desk: Bot) -> None:
    await desk.pair(BORIS, language="ru")
    await desk.pair()
    await desk.room.follow()
    await stand(desk)
    await desk.db.write(lambda tx: stats.begin_silence(tx, NEWS, ago(hours=8)))
    assert await line(desk) == "Вести: joined, seconds; ⚠️ unusually silent since 10 Mar, 04:00 UTC"
    russian = text(await desk.says("/channels", person=BORIS)).splitlines()[-1]
    assert russian == "Вести: состою в нём, задержка – секунды; ⚠️ необычно молчит с 10 мар., 04:00 UTC"


async def test_a_channel_is_shown_as_the_reader_that_sees_to_it_reaches_it(desk: Bot) -> None:
    await desk.pair()
    await desk.room.follow()
    await stand(desk, Access.LOST)
    second = desk.room.reader_id + 1

    async def job(tx: Transaction) -> None:
        await tx.execute("INSERT INTO readers (id, account_id, added_at) VALUES (?, 77, 0)", (second,))
        await channels.set_access(tx, second, NEWS, Access.POLLED, now=desk.room.now)
        await assignments.assign(tx, {NEWS: second})

    await desk.db.write(job)
    assert await line(desk) == "Вести: from outside, up to 1 min late"
