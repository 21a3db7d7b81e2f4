from datetime import timedelta

import pytest

from bot.store import channels, marks, meta, readers, stats
from bot.store.channels import Access, Options
from bot.store.database import Transaction
from bot.store.meta import Pace
from tests.commands.kit import BORIS, Bot, text
from tests.kit_archive import NEWS, ago


async def line(bot: Bot) -> str:
    """Return what the list says of the one channel that is followed."""
    return text(await bot.says("/channels")).splitlines()[-1]


async def stand(bot: Bot, access: Access = Access.JOINED, *, channel_id: int = NEWS, swept: float = 0) -> None:
    """Let the reader reach a channel so, and have read it so many minutes ago."""

    async def job(tx: Transaction) -> None:
        await channels.set_access(tx, bot.archive.reader_id, channel_id, access, now=bot.archive.now)
        await marks.set_mark(tx, channel_id, confirmed_id=1, seen_pts=1, now=ago(minutes=swept))

    await bot.db.write(job)


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
async def test_a_channel_is_shown_with_the_delay_to_expect(bot: Bot, access: Access, said: str, *, fast: bool) -> None:
    await bot.pair()
    await bot.archive.follow()
    await stand(bot, access)
    await bot.db.write(
        lambda tx: channels.apply_options(tx, NEWS, Options(fast=fast), chat_id=None, asked_at=bot.archive.now)
    )
    assert await line(bot) == said


async def test_the_more_channels_are_read_from_outside_the_later_their_posts(bot: Bot) -> None:
    await bot.pair()
    for number in range(25):
        await bot.archive.follow(NEWS + number, title=f"Вести {number:02}")
        await stand(bot, Access.POLLED, channel_id=NEWS + number)
    await bot.db.write(lambda tx: meta.put_pace(tx, Pace(round=120, polls=10)))
    assert await line(bot) == "Вести 09: from outside, up to 6 min late"


async def test_a_channel_that_is_not_read_as_it_should_be_is_late(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await stand(bot, swept=30)
    assert await line(bot) == "Вести: joined, seconds; ⚠️ not read since 10 Mar, 11:30 UTC"
    await stand(bot, swept=1)
    assert await line(bot) == "Вести: joined, seconds"


async def test_a_channel_just_followed_is_being_read(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(since=ago(minutes=1))
    assert await line(bot) == "Вести: joined, seconds; its last posts are being read"
    bot.archive.now += timedelta(minutes=20)
    assert await line(bot) == "Вести: joined, seconds; ⚠️ not read yet"


async def test_an_unusual_silence_is_marked(bot: Bot) -> None:
    await bot.pair(BORIS, language="ru")
    await bot.pair()
    await bot.archive.follow()
    await stand(bot)
    await bot.db.write(lambda tx: stats.begin_silence(tx, NEWS, ago(hours=8)))
    assert await line(bot) == "Вести: joined, seconds; ⚠️ unusually silent since 10 Mar, 04:00 UTC"
    russian = text(await bot.says("/channels", person=BORIS)).splitlines()[-1]
    assert russian == "Вести: состою в нём, задержка — секунды; ⚠️ необычно молчит с 10 мар., 04:00 UTC"


async def test_a_channel_is_shown_as_the_reader_that_sees_to_it_reaches_it(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await stand(bot, Access.LOST)
    second = bot.archive.reader_id + 1

    async def job(tx: Transaction) -> None:
        await tx.execute("INSERT INTO readers (id, account_id, added_at) VALUES (?, 77, 0)", (second,))
        await channels.set_access(tx, second, NEWS, Access.POLLED, now=bot.archive.now)
        await readers.assign(tx, {NEWS: second})

    await bot.db.write(job)
    assert await line(bot) == "Вести: from outside, up to 1 min late"
