from dataclasses import replace
from datetime import timedelta

import pytest

from bot.models import Forward
from bot.models.people import Role
from bot.text.markup import LIMIT, units
from tests.commands.kit import ANNA, BORIS, GROUP, Bot
from tests.kit_archive import NEWS, NOON, OTHER, gone, post

QUOTE = f"quote:{NEWS}:1".encode()


async def quoted(bot: Bot, data: bytes = QUOTE) -> str:
    reply = await bot.taps(data)
    (message,) = reply.messages
    (entity,) = message.entities
    assert (entity.kind, entity.offset, entity.length) == ("pre", 0, units(message.text))
    assert units(message.text) <= LIMIT
    return message.text


async def test_a_quote_has_all_that_an_article_needs(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, "Сбой.\nСайт лежит.", author="Иван Петров"))
    assert await quoted(bot) == (
        "“Сбой.\nСайт лежит.”\n\nВести (Иван Петров), 10 March 2025, 12:00 (UTC)\nhttps://t.me/News1001/1"
    )


async def test_what_an_anonymous_admin_wrote_is_quoted_as_the_group_s(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, "Сбой", author="Вести"))
    assert "\n\nВести, 10 March" in await quoted(bot)


async def test_it_is_written_in_the_language_and_time_zone_of_the_chat(bot: Bot) -> None:
    await bot.pair(language="ru")
    await bot.taps(b"zone:Asia/Kolkata")
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, "Сбой"))
    assert await quoted(bot) == "«Сбой»\n\nВести, 10 марта 2025, 17:30 (UTC+5:30)\nhttps://t.me/News1001/1"


async def test_an_edited_post_says_so_and_is_quoted_as_it_stands(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    first = post(1, "Сбой")
    await bot.archive.live(first)
    await bot.archive.live(replace(first, text="Сбой устранён", raw=b"2", edit_date=NOON + timedelta(minutes=5)))
    shown = await quoted(bot)
    assert shown.startswith("“Сбой устранён”")
    assert "12:00 (UTC), edited 10 March 2025, 12:05 (UTC)" in shown


@pytest.mark.parametrize(
    ("forward", "name"),
    [
        (Forward(channel_id=OTHER, message_id=7, name=None, date=NOON), "Министерство"),
        (Forward(channel_id=None, message_id=None, name="Пресс-служба", date=NOON), "Пресс-служба"),
        (Forward(channel_id=4040, message_id=7, name=None, date=NOON), "another channel"),
    ],
)
async def test_words_that_a_channel_passes_on_are_not_quoted_as_its_own(bot: Bot, forward: Forward, name: str) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.archive.follow(OTHER, title="Министерство")
    await bot.archive.live(post(1, "Сбой", forward=forward))
    assert f"Вести, 10 March 2025, 12:00 (UTC)\nForwarded from {name}\nhttps://" in await quoted(bot)


async def test_a_post_that_is_gone_is_quoted_with_its_last_words(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, "Сбой"))
    bot.archive.now = NOON + timedelta(hours=1)
    await bot.archive.live(gone(1))
    shown = await quoted(bot)
    assert shown.startswith("“Сбой”")
    assert "Deleted, Telegram told us 10 March 2025, 13:00 (UTC)\nhttps://" in shown


async def test_a_text_that_is_too_long_is_cut_and_the_link_kept(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, "Сбой 🙂 " * 700))
    shown = await quoted(bot)
    assert "…”\n\nВести" in shown
    assert shown.endswith("/1")
    assert units(shown) > LIMIT - 20


async def test_without_a_text_what_stands_beside_it_is_quoted(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, ""))
    assert (await quoted(bot)).startswith("(no text)\n\nВести, ")


async def test_in_a_group_any_reader_may_quote(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.says("/start@our_bot", person=ANNA, chat=GROUP)
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, "Сбой"))
    reply = await bot.taps(QUOTE, person=BORIS, chat=GROUP)
    assert reply.messages
