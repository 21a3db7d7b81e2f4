from datetime import datetime, timedelta

import pytest

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.notices import ChannelSilent
from bot.monitoring.silence import SilenceMonitor
from bot.rendering.notices import render_notice
from bot.store import channels, marks, stats
from bot.store.channels import Access
from tests.kit_archive import NEWS, NOON, OTHER, Archive, ago, post

HOURLY = [ago(hours=hours) for hours in range(24 * 7 * 6, 0, -1)]  # six weeks, until an hour ago


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.pair()
    return archive


async def speak(archive: Archive, dates: list[datetime], channel_id: int = NEWS) -> None:
    await archive.follow(channel_id, since=ago(days=60))
    number = max([0, *[row["message_id"] for row in await archive.db.fetch_all("SELECT message_id FROM posts")]])
    await archive.sweep(*(post(n, date=date, channel_id=channel_id) for n, date in enumerate(dates, start=number + 1)))


async def read(archive: Archive, channel_id: int = NEWS, *, hours: float = 0) -> None:
    """Let the sweep find a channel complete so many hours after noon."""
    archive.now = NOON + timedelta(hours=hours)
    await archive.db.write(lambda tx: marks.set_mark(tx, channel_id, confirmed_id=1, seen_pts=1, now=archive.now))


async def told(archive: Archive) -> list[ChannelSilent]:
    return [alert.notice for alert in await archive.outbox() if isinstance(alert.notice, ChannelSilent)]


async def silent(archive: Archive) -> dict[int, datetime]:
    """Return since when channels are silent, as people were told."""
    found = await stats.active_channels(archive.db)
    return {each.channel_id: each.silent_since for each in found if each.silent_since is not None}


def listening(archive: Archive) -> SilenceMonitor:
    return SilenceMonitor(archive.db, clock=lambda: archive.now)


async def test_an_unusual_silence_is_told_once_without_a_sound(archive: Archive) -> None:
    await speak(archive, HOURLY)
    silence = listening(archive)
    for hours in (1, 3):
        await read(archive, hours=hours)
        assert await silence.look() == 0
    for hours in (12, 13, 40):
        await read(archive, hours=hours)
        await silence.look()
        await listening(archive).look()  # a restart
    (notice,) = await told(archive)
    assert (notice.channel, notice.since, notice.expected) == ("Вести", HOURLY[-1], 13)
    assert [alert.silent for alert in await archive.outbox()] == [True]
    assert await silent(archive) == {NEWS: HOURLY[-1]}


async def test_it_is_told_again_only_after_the_channel_has_spoken(archive: Archive) -> None:
    await speak(archive, HOURLY)
    silence = listening(archive)
    await read(archive, hours=12)
    assert await silence.look() == 1
    await speak(archive, [NOON + timedelta(hours=13)])
    await read(archive, hours=14)
    assert await silence.look() == 0
    assert await silent(archive) == {}
    await read(archive, hours=14 + 48)
    assert await silence.look() == 1


async def test_silence_is_known_only_as_far_as_the_channel_was_read(archive: Archive) -> None:
    await speak(archive, HOURLY)
    await read(archive, hours=0.5)
    archive.now += timedelta(days=3)  # the program was off
    assert await listening(archive).look() == 0


async def test_only_channels_that_can_be_read_are_listened_to(archive: Archive) -> None:
    await speak(archive, HOURLY)
    await read(archive, hours=40)
    await archive.db.write(
        lambda tx: channels.set_access(
            tx, archive.reader_id, NEWS, Access.LOST, reason="CHANNEL_PRIVATE", now=archive.now
        )
    )
    assert await listening(archive).look() == 0


async def test_a_channel_of_which_little_is_known_is_not_judged(archive: Archive) -> None:
    await speak(archive, HOURLY[-24 * 10 :])
    await read(archive, hours=40)
    assert await listening(archive).look() == 0


async def test_not_all_baselines_are_learnt_at_once(archive: Archive) -> None:
    for channel_id in (NEWS, OTHER):
        await speak(archive, HOURLY, channel_id)
        await read(archive, channel_id, hours=40)
    silence = SilenceMonitor(archive.db, clock=lambda: NOON, learn_at_once=1)
    assert [await silence.look(), await silence.look(), await silence.look()] == [1, 1, 0]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            (
                "is unusually silent: its last post is from 10 Mar, 11:00 UTC; "
                "normally there would have been about 13 more."
            ),
        ),
        ("ru", "необычно молчит: последний пост вышел 10 мар., 11:00 UTC; обычно с тех пор их было бы около 13."),
    ],
)
def test_the_notice_says_since_when_and_what_would_have_come(language: str, said: str) -> None:
    notice = ChannelSilent(event="", channel="Вести", since=HOURLY[-1], expected=13)
    locale = Locale(t=translator(language), time_zone="UTC", now=NOON)
    assert render_notice(notice, locale).text == f"«Вести» {said}"
