from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.notices import ChannelSilent
from bot.monitoring.silence import SilenceMonitor
from bot.rendering.notices import render_notice
from bot.store import channels, stats
from bot.store.channels import Access
from tests.store.kit import NEWS, NOON, OTHER, Newsroom, ago, newsroom, post

HOURLY = [ago(hours=hours) for hours in range(24 * 7 * 6, 0, -1)]  # six weeks, until an hour ago


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with newsroom(tmp_path) as room:
        await room.pair()
        yield room


async def speak(room: Newsroom, dates: list[datetime], channel_id: int = NEWS) -> None:
    await room.follow(channel_id, since=ago(days=60))
    number = max([0, *[row["message_id"] for row in await room.db.fetch_all("SELECT message_id FROM posts")]])
    await room.sweep(*(post(n, date=date, channel_id=channel_id) for n, date in enumerate(dates, start=number + 1)))


async def read(room: Newsroom, channel_id: int = NEWS, *, hours: float = 0) -> None:
    """Let the sweep find a channel complete so many hours after noon."""
    room.now = NOON + timedelta(hours=hours)
    await room.db.write(lambda tx: channels.set_mark(tx, channel_id, confirmed_id=1, seen_pts=1, now=room.now))


async def told(room: Newsroom) -> list[ChannelSilent]:
    return [alert.notice for alert in await room.outbox() if isinstance(alert.notice, ChannelSilent)]


async def silent(room: Newsroom) -> dict[int, datetime]:
    """Return since when channels are silent, as people were told."""
    found = await stats.speaking_channels(room.db)
    return {each.channel_id: each.silent_since for each in found if each.silent_since is not None}


def listening(room: Newsroom) -> SilenceMonitor:
    return SilenceMonitor(room.db, clock=lambda: room.now)


async def test_an_unusual_silence_is_told_once_without_a_sound(room: Newsroom) -> None:
    await speak(room, HOURLY)
    silence = listening(room)
    for hours in (1, 3):
        await read(room, hours=hours)
        assert await silence.look() == 0
    for hours in (12, 13, 40):
        await read(room, hours=hours)
        await silence.look()
        await listening(room).look()  # a restart
    (notice,) = await told(room)
    assert (notice.channel, notice.since, notice.expected) == ("Вести", HOURLY[-1], 13)
    assert [alert.silent for alert in await room.outbox()] == [True]
    assert await silent(room) == {NEWS: HOURLY[-1]}


async def test_it_is_told_again_only_after_the_channel_has_spoken(room: Newsroom) -> None:
    await speak(room, HOURLY)
    silence = listening(room)
    await read(room, hours=12)
    assert await silence.look() == 1
    await speak(room, [NOON + timedelta(hours=13)])
    await read(room, hours=14)
    assert await silence.look() == 0
    assert await silent(room) == {}
    await read(room, hours=14 + 48)
    assert await silence.look() == 1


async def test_silence_is_known_only_as_far_as_the_channel_was_read(room: Newsroom) -> None:
    await speak(room, HOURLY)
    await read(room, hours=0.5)
    room.now += timedelta(days=3)  # the program was off
    assert await listening(room).look() == 0


async def test_only_channels_that_can_be_read_are_listened_to(room: Newsroom) -> None:
    await speak(room, HOURLY)
    await read(room, hours=40)
    await room.db.write(
        lambda tx: channels.set_access(tx, room.reader_id, NEWS, Access.LOST, reason="CHANNEL_PRIVATE", now=room.now)
    )
    assert await listening(room).look() == 0


async def test_a_channel_of_which_little_is_known_is_not_judged(room: Newsroom) -> None:
    await speak(room, HOURLY[-24 * 10 :])
    await read(room, hours=40)
    assert await listening(room).look() == 0


async def test_not_all_baselines_are_learnt_at_once(room: Newsroom) -> None:
    for channel_id in (NEWS, OTHER):
        await speak(room, HOURLY, channel_id)
        await read(room, channel_id, hours=40)
    silence = SilenceMonitor(room.db, clock=lambda: NOON, learn_at_once=1)
    assert [await silence.look(), await silence.look(), await silence.look()] == [1, 1, 0]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            "is unusually silent: its last post is from 10 Mar, 11:00 UTC; normally about 13 more would have followed.",
        ),
        ("ru", "необычно молчит: последний пост вышел 10 мар., 11:00 UTC; обычно с тех пор их было бы около 13."),
    ],
)
def test_the_notice_says_since_when_and_what_would_have_come(language: str, said: str) -> None:
    notice = ChannelSilent(event="", channel="Вести", since=HOURLY[-1], expected=13)
    locale = Locale(t=translator(language), time_zone="UTC", now=NOON)
    assert render_notice(notice, locale).text == f"«Вести» {said}"
