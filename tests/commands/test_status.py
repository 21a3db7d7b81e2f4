from datetime import timedelta

import pytest

import bot as program
from bot.commands import registry
from bot.commands.context import Reply
from bot.commands.status import _quantile
from bot.locales import LANGUAGES, translator
from bot.models.notices import Pong
from bot.store import channels, meta, readers, unreadable
from bot.store.channels import Access
from bot.store.database import Transaction
from bot.store.meta import Pace
from bot.text.markup import LIMIT, units
from tests.commands.kit import BORIS, Bot, text
from tests.kit_archive import ago, post


async def test_the_status_counts_channels_posts_and_alerts(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.says("/follow @rkn_tg")
    await bot.archive.live(post(1, "Сбой"), post(2, "Погода"), post(3, "Старое", date=ago(days=2)))
    (alert,) = await bot.archive.outbox()
    await bot.says("/ping")  # a notice is no alert
    (ping,) = [waiting for waiting in await bot.archive.outbox() if waiting.post is None]
    await bot.archive.send(ping, 4)
    sent_at = bot.archive.now + timedelta(seconds=1.5)
    await bot.archive.send(alert, 5, at=sent_at)
    await bot.db.write(lambda tx: channels.set_mark(tx, 1001, confirmed_id=3, seen_pts=9, now=bot.archive.now))
    await bot.db.write(lambda tx: channels.set_verified(tx, 1001, below=None, now=bot.archive.now))
    bot.archive.now = sent_at
    assert text(await bot.says("/status")).splitlines()[:-2] == [
        "I follow 1 channel.",
        "Read the moment they are posted: 1; not checked yet: 1.",
        "Last checked for missed posts: 10 Mar, 12:00 UTC",
        "Channels verified: 1 of 1; longest ago «Вести», 10 Mar, 12:00 UTC",
        "For details of each, run on the server: channelwatch doctor --gaps",
        "Posts stored: 3; of today: 2",
        "Latest one received: 10 Mar, 12:00 UTC",
        "Half of today's posts were stored within 0 s of being published, 95% within 0 s.",
        "Alerts sent today: 1",
        "Half of them were sent within 1.5 s of the post reaching me, 95% within 1.5 s.",
    ]


async def test_the_status_tells_how_long_posts_took_and_which_were_not_pushed(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    bot.archive.now += timedelta(seconds=2)
    await bot.archive.live(post(1), post(2), post(3))
    bot.archive.now += timedelta(seconds=58)
    await bot.archive.sweep(post(4, "Сбой"))
    (alert,) = await bot.archive.outbox()
    sent_at = bot.archive.now + timedelta(milliseconds=250)
    await bot.archive.send(alert, 5, at=sent_at)
    told = text(await bot.says("/status"))
    assert "Half of today's posts were stored within 2 s of being published, 95% within 60 s." in told
    assert "Half of them were sent within 250 ms of the post reaching me, 95% within 250 ms." in told
    assert "Of today's 4 posts in joined channels, Telegram did not push 1;" in told
    assert "Most in «Вести»: 1 of 4." in told


async def test_the_status_says_of_how_many_channels_it_speaks_and_which_are_the_worst(bot: Bot) -> None:
    await bot.pair()
    for number, title in enumerate(("Вести", "Ведомство", "Хроника", "Закрытый")):
        await bot.archive.follow(1001 + number, title=title)
    assert "None of them has been verified yet." in text(await bot.says("/status"))
    await bot.archive.live(post(2), post(9))
    now = bot.archive.now

    async def read(tx: Transaction) -> None:
        for number in range(3):
            await channels.set_mark(tx, 1001 + number, confirmed_id=2, seen_pts=1, now=now)
        await channels.set_verified(tx, 1002, below=None, now=now - timedelta(hours=2))
        await channels.set_verified(tx, 1003, below=None, now=now - timedelta(hours=9))
        await channels.set_access(tx, bot.archive.reader_id, 1004, Access.LOST, reason="CHANNEL_PRIVATE", now=now)

    await bot.db.write(read)
    told = text(await bot.says("/status"))
    assert "3 of 4 were last checked for missed posts: 10 Mar, 12:00 UTC. The others are lost or not read yet." in told
    assert "Channels verified: 2 of 4; longest ago «Хроника», 10 Mar, 03:00 UTC" in told
    assert "Channels with a gap being filled: 1, the largest in «Вести»" in told


async def test_the_status_says_what_is_wrong_with_a_reader_and_what_to_do(bot: Bot) -> None:
    await bot.pair()
    now, reader_id = bot.archive.now, bot.archive.reader_id

    async def job(tx: Transaction) -> None:
        await readers.lose(tx, reader_id, "AUTH_KEY_UNREGISTERED")
        await readers.count_requests(tx, reader_id, {"GetHistory": 1200}, now)
        await readers.put_flood_wait(tx, reader_id, "GetHistory", now + timedelta(minutes=5))
        await readers.put_flood_wait(tx, reader_id, "GetDialogs", now + timedelta(minutes=30))
        await readers.put_flood_wait(tx, reader_id, "JoinChannel", now + timedelta(hours=2))

    await bot.db.write(job)
    told = text(await bot.says("/status"))
    assert "⚠️ Reader account 1 can no longer read. Telegram has logged it out. Run channelwatch login" in told
    assert "pause reading channels until 10 Mar, 12:30 UTC" in told
    assert "pause joining channels until 10 Mar, 14:00 UTC" in told
    assert "Requests to Telegram in the last hour: 1,200" in told


async def test_nothing_is_called_read_while_the_only_reader_is_lost(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.db.write(lambda tx: channels.set_mark(tx, 1001, confirmed_id=3, seen_pts=9, now=bot.archive.now))
    await bot.db.write(lambda tx: readers.lose(tx, bot.archive.reader_id, "AUTH_KEY_UNREGISTERED"))
    told = text(await bot.says("/status"))
    assert told.splitlines()[1] == "Not read now, as my reader account can no longer read: 1."
    listed = text(await bot.says("/channels"))
    assert "Вести: ⚠️ not read now, as my reader account can no longer read" in listed
    assert "What Telegram does not push" not in listed


async def test_one_channel_is_told_of_as_one(bot: Bot) -> None:
    await bot.pair(BORIS, language="ru")
    await bot.archive.follow()
    await bot.db.write(lambda tx: channels.set_mark(tx, 1001, confirmed_id=3, seen_pts=9, now=bot.archive.now))
    told = text(await bot.says("/status", person=BORIS))
    assert "Последний раз проверен на пропущенные посты" in told
    assert "Целиком он пока не проверен." in told
    await bot.archive.follow(1002, title="Хроника")
    assert "На пропущенные посты проверен 1 из 2, " in text(await bot.says("/status", person=BORIS))


async def test_a_channel_is_verified_that_is_complete_and_compared_while_it_is_read(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.db.write(lambda tx: channels.set_verified(tx, 1001, below=None, now=bot.archive.now))
    assert "It is not verified yet." in text(await bot.says("/status"))
    await bot.db.write(lambda tx: channels.set_mark(tx, 1001, confirmed_id=3, seen_pts=9, now=bot.archive.now))
    assert "Channels verified: 1 of 1; longest ago «Вести», " in text(await bot.says("/status"))
    await bot.db.write(lambda tx: readers.lose(tx, bot.archive.reader_id, "AUTH_KEY_UNREGISTERED"))
    assert "It is not verified yet." in text(await bot.says("/status"))


async def test_a_channel_whose_changes_cannot_be_had_is_said_to_be_unchecked(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    swept_at = bot.archive.now
    await bot.db.write(lambda tx: channels.set_mark(tx, 1001, confirmed_id=3, seen_pts=9, now=swept_at))
    bot.archive.now += timedelta(minutes=1)
    await bot.db.write(lambda tx: channels.leave_unchecked(tx, 1001, now=bot.archive.now))
    await bot.db.write(lambda tx: channels.set_mark(tx, 1001, confirmed_id=4, seen_pts=9, now=bot.archive.now))
    lines = text(await bot.says("/status")).splitlines()
    assert "Last checked for missed posts: 10 Mar, 12:00 UTC" in lines  # not a minute later
    assert any(line.endswith(": 1 of 1; longest «Вести», since 10 Mar, 12:00 UTC") for line in lines)
    shown = text(await bot.says("/channels"))
    assert "⚠️ not checked for edits and deletions since 10 Mar, 12:00 UTC" in shown


async def test_what_cannot_be_read_is_counted(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    edition = unreadable.Edition(program="1.0", layer=1)
    await bot.db.write(lambda tx: unreadable.put(tx, 1001, {5: 1, 6: None}, edition, now=bot.archive.now))
    assert "because Telegram is newer: 2." in text(await bot.says("/status"))
    assert "⚠️ 2 posts cannot be read" in text(await bot.says("/channels"))


async def test_without_a_verifying_round_a_complete_channel_is_verified(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.db.write(lambda tx: meta.put_pace(tx, Pace(verifies=False)))
    await bot.db.write(lambda tx: channels.set_mark(tx, 1001, confirmed_id=3, seen_pts=9, now=bot.archive.now))
    assert "Channels verified: 1 of 1\n" in text(await bot.says("/status"))


async def test_the_status_says_what_waits_and_names_the_versions(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(post(1, "Сбой"))
    told = text(await bot.says("/status"))
    assert "Waiting to be sent: 1" in told
    assert f"channelwatch {program.__version__} · Telethon 1.45" in told


async def test_a_status_in_russian_has_russian_numbers(bot: Bot) -> None:
    await bot.pair(BORIS, language="ru")
    await bot.archive.follow()
    assert "1" in text(await bot.says("/status", person=BORIS))
    assert "I follow" not in text(await bot.says("/status", person=BORIS))


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


def test_quantiles_are_values_that_were_measured() -> None:
    assert _quantile((1.0, 2.0, 3.0, 4.0), 0.5) == 3.0
    assert _quantile((1.0,), 0.95) == 1.0
    assert _quantile(tuple(map(float, range(100))), 0.95) == 95.0
