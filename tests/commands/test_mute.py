from datetime import timedelta

import pytest

from bot.store import subscriptions
from bot.store.subscriptions import Mute
from tests.commands.kit import Bot, button, labels, text
from tests.kit_archive import NEWS, NOON, post


async def mutes(bot: Bot) -> list[Mute]:
    row = await bot.db.fetch_one("SELECT id FROM chats")
    assert row is not None
    return await subscriptions.mutes_of(bot.db, row["id"], bot.archive.now)


async def test_a_muted_channel_brings_no_alert_until_then(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    assert text(await bot.says("/mute @News1001 8h")) == "Muted in this chat until 10 Mar, 20:00 UTC: Вести"
    await bot.archive.live(post(1, "Сбой"))
    assert await bot.archive.outbox() == []
    bot.archive.now = NOON + timedelta(hours=9)
    await bot.archive.live(post(2, "Сбой", date=bot.archive.now))
    assert [alert.post_key for alert in await bot.archive.outbox()] == ["m2"]


async def test_a_mute_offers_to_be_shorter_and_to_end(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    muted = await bot.taps(f"mute:c{NEWS}".encode())
    assert muted.note == "Muted"
    assert muted.edit is not None
    assert muted.edit.text == "Muted in this chat: Вести"
    shorter = await bot.taps(button(muted.edit, "Only 8 hours"))
    assert shorter.edit is not None
    assert shorter.edit.text == "Muted in this chat until 10 Mar, 20:00 UTC: Вести"
    ended = await bot.taps(button(shorter.edit, "Unmute"))
    assert ended.edit is not None
    assert ended.edit.text == "No longer muted: Вести"
    assert await mutes(bot) == []


async def test_a_topic_is_muted_by_its_title(bot: Bot) -> None:
    await bot.pair()
    assert text(await bot.says("/mute Outages 2d")) == "Muted in this chat until 12 Mar, 12:00 UTC: Outages"
    assert [mute.topic_id is not None for mute in await mutes(bot)] == [True]
    assert text(await bot.says("/unmute outages")) == "No longer muted: Outages"
    assert text(await bot.says("/unmute outages")) == "Outages was not muted."
    assert await mutes(bot) == []


async def test_the_list_of_mutes_ends_each_by_a_button(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    assert "Nothing is muted" in text(await bot.says("/mute"))
    await bot.says("/mute @News1001")
    await bot.says("/mute outages 2d")
    shown = await bot.says("/unmute")
    assert "Muted for good: Вести" in text(shown)
    assert "Muted until 12 Mar, 12:00 UTC: Outages" in text(shown)
    await bot.taps(button(shown.messages[0], "Unmute Outages"))
    assert [mute.channel_id for mute in await mutes(bot)] == [NEWS]


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("/mute outages @News1001 8h", "until 10 Mar, 20:00 UTC"),
        ("/mute @News1001 outages 8h", "until 10 Mar, 20:00 UTC"),
        ("/mute Outages in t.me/News1001 until Monday", "until 17 Mar, 09:00 UTC"),
        ("/mute сбои в @News1001 до понедельника", "until 17 Mar, 09:00 UTC"),
        ("/mute сбои @News1001 до завтра", "until 11 Mar, 09:00 UTC"),
        ("/mute outages @News1001 until Sunday", "until 16 Mar, 09:00 UTC"),
        ("/mute збої @News1001 до п’ятниці", "until 14 Mar, 09:00 UTC"),
        ("/mute «Сбои» @News1001", ""),
    ],
)
async def test_a_topic_is_muted_in_one_channel(bot: Bot, typed: str, until: str) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    shown = await bot.says(typed)
    assert text(shown) == f"Muted in this chat{' ' + until if until else ''}: Outages in Вести"
    (mute,) = await mutes(bot)
    assert (mute.channel_id, mute.topic_id is not None) == (NEWS, True)
    assert "Outages in Вести" in text(await bot.says("/mute"))
    ended = await bot.taps(button(shown.messages[0], "Unmute"))
    assert text(ended) == "No longer muted: Outages in Вести"
    assert await mutes(bot) == []


async def test_a_channel_is_muted_until_monday(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.taps(b"zone:Asia/Almaty")
    assert text(await bot.says("/mute Вести until Monday")) == "Muted in this chat until 17 Mar, 09:00: Вести"


async def test_what_is_unknown_is_not_muted(bot: Bot) -> None:
    await bot.pair()
    assert "There is no channel or topic «@nobody»" in text(await bot.says("/mute @nobody 8h"))
    assert "There is no channel or topic «@nobody»" in text(await bot.says("/unmute @nobody"))
    assert await mutes(bot) == []


async def test_a_time_that_is_none_is_answered_with_an_example_and_mutes_nothing(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    for typed in ("0h", "tomorrow"):
        assert "/mute @name 8h" in text(await bot.says(f"/mute @News1001 {typed}"))
    assert await mutes(bot) == []


async def test_many_mutes_have_pages(bot: Bot) -> None:
    await bot.pair()
    for number in range(20):
        await bot.archive.follow(NEWS + number, title=f"Канал {number:02}")
        await bot.taps(f"mute:c{NEWS + number}".encode())
    first = await bot.says("/mute")
    second = await bot.taps(button(first.messages[0], "›"))
    assert labels(second.edit) == [f"Unmute Канал {number}" for number in range(15, 20)] + ["‹", "2/2"]


@pytest.mark.parametrize("data", [b"mute:c77", b"unmute:t77"])
async def test_a_button_of_what_is_gone_says_so(bot: Bot, data: bytes) -> None:
    await bot.pair()
    assert (await bot.taps(data)).note == "This button no longer works."


async def test_a_word_of_a_title_is_answered_by_the_names_to_type(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести Сибири")
    for command in ("/mute вести 8 ч", "/unmute Вести", "/latest Вести", "/private сибири", "/unfollow Вести"):
        assert "Perhaps: @News1001" in text(await bot.says(command))
