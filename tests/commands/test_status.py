from datetime import timedelta

import pytest

from bot.commands import registry
from bot.commands.context import Reply
from bot.locales import LANGUAGES, translator
from bot.models.notices import Pong
from bot.models.people import Role
from bot.store import access, channels, marks, meta, readers, unreadable
from bot.store.access import Restrictable
from bot.store.channels import Access
from bot.store.database import Transaction
from bot.store.meta import Pace
from bot.text.markup import LIMIT, units
from tests.commands.kit import BORIS, Bot, text
from tests.kit_archive import ago, post
from tests.kit_clock import NOON


async def read(bot: Bot, *ids: int) -> None:
    """Read channels to their ends, and compare their past."""

    async def job(tx: Transaction) -> None:
        for number in ids:
            await marks.set_mark(tx, number, confirmed_id=3, seen_pts=9, now=bot.archive.now)
            await marks.set_verified(tx, number, below=None, now=bot.archive.now)

    await bot.db.write(job)


async def test_the_status_says_that_all_is_well_in_a_few_lines(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.archive.follow(1002, title="Хроника")
    bot.archive.now += timedelta(milliseconds=500)
    await bot.archive.live(post(1, "Сбой"), post(2, "Погода"), post(3, "Старое", date=ago(days=2)))
    (alert,) = await bot.archive.outbox()
    await bot.says("/ping")  # a notice is no alert
    (ping,) = [waiting for waiting in await bot.archive.outbox() if waiting.post is None]
    await bot.archive.send(ping, 4)
    await bot.archive.send(alert, 5)
    await read(bot, 1001)
    await bot.db.write(lambda tx: marks.set_mark(tx, 1002, confirmed_id=3, seen_pts=9, now=bot.archive.now))
    assert text(await bot.says("/status")).splitlines() == [
        "✅ All is well.",
        "I follow 2 channels.",
        "Nothing is missing in 1 channel, 1 is still being checked.",
        "Last post: 10 Mar, 12:00 UTC, «Вести»",
        "Posts usually reach me within 500 ms.",
        "Alerts in this chat today: 1",
        "Figures, on the server: channelwatch status",
    ]


async def test_it_speaks_of_the_channels_and_alerts_of_the_chat_alone(bot: Bot) -> None:
    anna = await bot.pair()
    await bot.pair(BORIS, role=Role.READER)
    await bot.archive.follow(title="Вести")
    await bot.archive.follow(1002, title="Тайна")
    await bot.db.write(lambda tx: access.restrict(tx, Restrictable.CHANNEL, 1002, [anna.id]))
    await bot.archive.live(post(1, "Погода", date=ago(minutes=5)), post(2, "Сбой", channel_id=1002))
    await read(bot, 1001, 1002)
    told = text(await bot.says("/status", person=BORIS))
    assert "I follow 1 channel.\nNothing is missing in 1 channel.\nLast post: 10 Mar, 11:55 UTC, «Вести»\n" in told
    assert "Тайна" not in told
    assert "on the server" not in told
    assert "I follow 2 channels." in text(await bot.says("/status"))


async def test_it_says_what_is_wrong_with_a_reader_and_what_to_do(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await read(bot, 1001)
    now, reader_id = bot.archive.now, bot.archive.reader_id

    async def job(tx: Transaction) -> None:
        await readers.lose(tx, reader_id, "AUTH_KEY_UNREGISTERED", now=NOON)
        await readers.put_flood_wait(tx, reader_id, "GetHistory", now + timedelta(minutes=5))
        await readers.put_flood_wait(tx, reader_id, "GetDialogs", now + timedelta(minutes=30))
        await readers.put_flood_wait(tx, reader_id, "JoinChannel", now + timedelta(hours=2))

    await bot.db.write(job)
    told = text(await bot.says("/status"))
    assert "All is well" not in told
    assert "Nothing is missing" not in told
    assert "⚠️ Reader account 1 can no longer read. Telegram has logged it out. Run channelwatch login" in told
    assert "⚠️ Not read until a reader account can read: «Вести»." in told
    assert "pause reading channels until 10 Mar, 12:30 UTC" in told
    assert "pause joining channels until 10 Mar, 14:00 UTC" in told
    listed = text(await bot.says("/channels"))
    assert "Вести: ⚠️ not read now, as no reader account can read it" in listed
    assert "What Telegram does not push" not in listed


async def test_it_names_the_channels_that_are_not_read_as_they_should_be(bot: Bot) -> None:
    await bot.pair()
    for number, title in enumerate(("Вести", "Ведомство", "Хроника", "Закрытый", "Пятый")):
        await bot.archive.follow(1001 + number, title=title)
    await bot.says("/follow @rkn_tg")
    await read(bot, *range(1001, 1006))
    swept_at = bot.archive.now
    bot.archive.now += timedelta(minutes=1)

    async def job(tx: Transaction) -> None:
        await marks.leave_unchecked(tx, 1001, now=bot.archive.now)
        for number in range(1002, 1006):
            await channels.set_access(
                tx, bot.archive.reader_id, number, Access.LOST, reason="CHANNEL_PRIVATE", now=swept_at
            )
        await unreadable.put(tx, 1001, {5: 1, 6: None}, unreadable.Edition(program="1.0", layer=1), now=swept_at)

    await bot.db.write(job)
    told = text(await bot.says("/status"))
    assert "⚠️ No longer readable: «Ведомство», «Закрытый», «Пятый» +1. /channels says why.\n" in told
    assert "⚠️ Edits and deletions not checked: «Вести»." in told
    assert "because Telegram is newer: 2." in told
    assert "Not checked yet: 1.\n" in told
    assert "⚠️ 2 posts cannot be read" in text(await bot.says("/channels"))
    shown = text(await bot.says("/channels"))
    assert "⚠️ not checked for edits and deletions since 10 Mar, 12:00 UTC" in shown


async def test_without_channels_it_says_so(bot: Bot) -> None:
    await bot.pair()
    assert text(await bot.says("/status")).startswith("No channels are followed yet.\nAlerts in this chat today: 0\n")


async def test_a_channel_is_still_checked_until_it_was_compared(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести", since=ago(minutes=1))
    await bot.db.write(lambda tx: marks.set_verified(tx, 1001, below=None, now=bot.archive.now))
    assert "\n1 channel is still being checked.\n" in text(await bot.says("/status"))
    await bot.db.write(lambda tx: marks.set_mark(tx, 1001, confirmed_id=3, seen_pts=9, now=bot.archive.now))
    assert "\nNothing is missing in 1 channel.\n" in text(await bot.says("/status"))


async def test_without_a_verifying_round_a_complete_channel_misses_nothing(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.db.write(lambda tx: meta.put_pace(tx, Pace(verifies=False)))
    await bot.db.write(lambda tx: marks.set_mark(tx, 1001, confirmed_id=3, seen_pts=9, now=bot.archive.now))
    assert "Nothing is missing in 1 channel." in text(await bot.says("/status"))


async def test_the_status_says_what_waits(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(post(1, "Сбой"))
    assert "Waiting to be sent: 1" in text(await bot.says("/status"))


async def test_a_status_in_russian_counts_in_russian(bot: Bot) -> None:
    await bot.pair(BORIS, language="ru")
    for number in range(3):
        await bot.archive.follow(1001 + number)
    await read(bot, 1001, 1002)
    await bot.db.write(lambda tx: marks.set_mark(tx, 1003, confirmed_id=3, seen_pts=9, now=bot.archive.now))
    told = text(await bot.says("/status", person=BORIS))
    assert told.startswith(
        "✅ Всё в порядке.\nЯ слежу за 3 каналами.\nВ 2 каналах ничего не пропущено, 1 ещё проверяется.\n"
    )


async def test_ping_is_one_notice_that_times_itself(bot: Bot) -> None:
    chat = await bot.pair()
    assert await bot.says("/ping", key="m-777") == Reply()
    await bot.says("/ping", key="m-777")
    waiting = await bot.archive.outbox()
    assert [(alert.chat.id, alert.notice) for alert in waiting] == [
        (chat.id, Pong(event="m-777", asked_at=bot.archive.now))
    ]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_help_names_every_command_and_fits_into_a_message(bot: Bot, language: str) -> None:
    await bot.pair(BORIS, language=language)
    told = text(await bot.says("/help", person=BORIS))
    assert all(f"/{name}" in told for name in registry.commands())
    assert translator(language).gettext("outage|failure") in told
    assert "re:/" in told
    assert units(told) < LIMIT
