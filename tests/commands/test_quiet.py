from datetime import timedelta

import pytest

from bot.schedule import Quiet
from tests.commands.kit import ANNA, Bot, button, text
from tests.kit import contents
from tests.kit_archive import NOON, post

NIGHT = Quiet(start=23 * 60, end=7 * 60)


@pytest.mark.parametrize(
    ("typed", "quiet"),
    [
        ("23:00-07:00", NIGHT),
        ("23-7", NIGHT),
        ("23.00 – 7.00", NIGHT),
        ("с 23:00 до 7", NIGHT),
        ("from 23:00 to 7:00.", NIGHT),
        ("С 23 до 7", NIGHT),
        ("c 23 ДО 7!", NIGHT),  # a Latin c
        ("23.00–07.00", NIGHT),
        ("23:00\u201107:00", NIGHT),  # a hyphen that does not break
        ("23,00 — 7,00", NIGHT),
        ("2300-0700", NIGHT),
        ("23 00 - 07 00", NIGHT),
        ("23 7", NIGHT),
        ("23ч-7ч.", NIGHT),
        ("11pm-7am", NIGHT),
        ("11 PM to 7 AM", NIGHT),
        ("с 11 вечера до 7 утра", NIGHT),
        ("from 23 until 7", NIGHT),
        ("12am-7:30am", Quiet(start=0, end=450)),
        ("с часу ночи до 7", None),
        ("0:00-24:00", None),
        ("22:00-24:00", Quiet(start=22 * 60, end=0)),
        ("7-7", None),
        ("25-7", None),
        ("night", None),
        ("23", None),
    ],
)
async def test_hours_are_read_as_people_write_them(bot: Bot, typed: str, quiet: Quiet | None) -> None:
    chat = await bot.pair()
    answer = text(await bot.says(f"/quiet {typed}"))
    found = await bot.chat(chat.peer)
    assert (found.quiet, found.time_zone) == (quiet, "UTC")
    assert ("Quiet hours in this chat" in answer) == (quiet is not None)


async def test_a_city_becomes_the_time_zone_of_the_chat_and_the_answer_says_so(bot: Bot) -> None:
    chat = await bot.pair()
    answer = text(await bot.says("/quiet 23:00-07:00 Europe/Moscow"))
    assert "This chat now uses the time zone Moscow (UTC+3)." in answer
    assert "23:00–07:00, Moscow (UTC+3)" in answer
    assert (await bot.chat(chat.peer)).time_zone == "Europe/Moscow"
    assert "the time zone Berlin" in text(await bot.says("/quiet 22-6 берлин"))
    for typed in ("23-7 мск", "23:00–07:00 (Москва)", "с 23 до 7, по Москве", "23-7 MSK"):
        assert "the time zone Moscow" in text(await bot.says(f"/quiet {typed}"))
    assert "the time zone Berlin" in text(await bot.says("/quiet 22-6 Berlin"))
    assert "I do not know the city «атлантида»" in text(await bot.says("/quiet 22-6 Атлантида"))
    assert (await bot.chat(chat.peer)).time_zone == "Europe/Berlin"


async def test_the_same_time_twice_is_refused_with_a_sentence(bot: Bot) -> None:
    await bot.pair()
    assert "They begin and end at the same time" in text(await bot.says("/quiet 7:00-7:00"))


async def test_buttons_set_common_hours_and_end_them(bot: Bot) -> None:
    chat = await bot.pair()
    shown = await bot.says("/quiet")
    assert "No quiet hours in this chat" in text(shown)
    set_ = await bot.taps(button(shown.messages[0], "23:00–07:00"))
    assert (await bot.chat(chat.peer)).quiet == NIGHT
    assert button(set_.edit, "● 23:00–07:00")
    ended = await bot.taps(button(set_.edit, "No quiet hours"))
    assert "No quiet hours in this chat" in text(ended)
    assert (await bot.chat(chat.peer)).quiet is None


@pytest.mark.parametrize("data", [b"quiet:60-60", b"quiet:1440-60", b"quiet:9999-1", b"quiet:x"])
async def test_what_no_button_says_changes_nothing(bot: Bot, data: bytes) -> None:
    chat = await bot.pair()
    assert "no longer works" in text(await bot.taps(data))
    assert (await bot.chat(chat.peer)).quiet is None


async def test_off_sends_what_waits_at_once(bot: Bot) -> None:
    await bot.pair(ANNA)
    await bot.archive.follow()
    await bot.says("/quiet 23-7")
    night = bot.archive.now = NOON + timedelta(hours=12)
    await bot.archive.live(post(1, "Сбой", date=night), post(2, "Нет связи: сбой", date=night))
    assert "2 waiting posts are sent now." in text(await bot.says("/quiet off"))
    (notice,) = [each for each in await bot.archive.outbox() if each.label == "digest"]
    assert notice.due_at == night
    assert len((await contents(bot.db, notice)).alerts) == 2
    assert "waited" not in text(await bot.says("/quiet off"))


@pytest.mark.parametrize(
    ("words", "hours", "told"),
    [
        ("/quiet 23-9", 21, ""),
        ("/quiet 23-3 ", 15, ""),
        ("/quiet 13-14", 12, "1 waiting post is sent now."),
        ("/quiet 23-7 Moscow", 16, ""),  # 03:00 there
        ("/quiet 23-7 Tokyo", 12, "1 waiting post is sent now."),  # 09:00 there
    ],
)
async def test_what_waits_comes_when_the_new_hours_end(bot: Bot, words: str, hours: int, told: str) -> None:
    await bot.pair(ANNA)
    await bot.archive.follow()
    await bot.says("/quiet 23-7")
    bot.archive.now = NOON + timedelta(hours=12)
    await bot.archive.live(post(1, "Сбой", date=bot.archive.now))
    assert told in ["", *text(await bot.says(words)).splitlines()]
    (notice,) = [each for each in await bot.archive.outbox() if each.label == "digest"]
    assert notice.due_at == NOON + timedelta(hours=hours)


async def test_a_time_zone_that_is_tapped_moves_what_waits(bot: Bot) -> None:
    await bot.pair(ANNA)
    await bot.archive.follow()
    await bot.says("/priority outages digest")
    await bot.archive.live(post(1, "Сбой", date=NOON))
    await bot.taps(b"zone:Europe/Moscow")
    (notice,) = [each for each in await bot.archive.outbox() if each.label == "digest"]
    assert notice.due_at == NOON + timedelta(hours=18)  # 09:00 there
