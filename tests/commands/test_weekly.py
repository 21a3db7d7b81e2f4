"""/weekly: the day of the weekly report."""

from datetime import timedelta

import pytest

from bot.models.outgoing import Peer, PeerKind
from bot.store.chats import WeeklyTime
from tests.commands.kit import ANNA, Bot, button, text
from tests.kit_archive import NOON


async def chosen(bot: Bot) -> WeeklyTime | None:
    return (await bot.chat(Peer(kind=PeerKind.USER, id=ANNA))).weekly


@pytest.mark.parametrize(
    ("typed", "when"),
    [("Mon 9:00", (0, 540)), ("в пятницу в 18", (4, 1080)), ("неділя", (6, 540)), ("on", (0, 540)), ("off", None)],
)
async def test_a_day_and_a_time_are_typed(bot: Bot, typed: str, when: tuple[int, int] | None) -> None:
    await bot.pair()
    await bot.says(f"/weekly {typed}")
    weekly = await chosen(bot)
    assert (weekly and (weekly.weekday, weekly.minute)) == when


async def test_a_report_is_not_put_off_by_choosing_its_day_again(bot: Bot) -> None:
    await bot.pair()
    screen = await bot.says("/weekly")
    assert "The weekly report is off in this chat." in text(screen)
    shown = await bot.taps(button(screen.messages[0], "Fri 18:00"))
    assert "Once a week, Fri 18:00, UTC, without a sound" in text(shown)
    bot.archive.now += timedelta(days=1)
    await bot.taps(button(shown.edit, "Fri 18:00"))
    assert await chosen(bot) == WeeklyTime(minute=1080, weekday=4, since=NOON)
    await bot.taps(button(shown.edit, "Sun 18:00"))
    assert await chosen(bot) == WeeklyTime(minute=1080, weekday=6, since=bot.archive.now)
    assert "is no day of the week" in text(await bot.says("/weekly вчера"))
