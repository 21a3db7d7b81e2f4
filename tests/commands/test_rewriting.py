"""Queries with two meanings, and a small «or»: what the buttons under the answer do."""

import pytest

from bot.models.people import Role
from bot.store import topics
from tests.commands.kit import BORIS, GROUP, Bot, button, text
from tests.kit_archive import post

TWO_MEANINGS = "«ключевая ставка» | ЦБ ~5 ставка"
NEAR, EITHER = "(«ключевая ставка»|ЦБ) ~5 ставка", "«ключевая ставка»|(ЦБ ~5 ставка)"


async def news(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(
        post(1, "Ключевая ставка снижена"),
        post(2, "ЦБ обсудит ставку"),
        post(3, "ЦБ: ключевая ставка не меняется, ставка"),
    )


def labels(reply: object) -> list[str]:
    return [each.text for row in reply.messages[0].buttons for each in row]


@pytest.mark.parametrize("command", ["/search", "/test", "/track Ставка:"])
async def test_a_query_with_two_meanings_offers_both(bot: Bot, command: str) -> None:
    await news(bot)
    asked = await bot.says(f"{command} {TWO_MEANINGS}")
    assert "can be read in two ways" in text(asked)
    assert labels(asked) == [NEAR, EITHER]


async def test_each_reading_is_searched_by_its_button(bot: Bot) -> None:
    await news(bot)
    asked = await bot.says(f"/search since:7d {TWO_MEANINGS} -учения")
    near = await bot.taps(button(asked.messages[0], NEAR))
    either = await bot.taps(button(asked.messages[0], EITHER))
    assert text(near).startswith(f"🔎 since:7d {NEAR} -учения")
    assert text(either).startswith(f"🔎 since:7d {EITHER} -учения")
    assert ("снижена" in text(near), "снижена" in text(either)) == (False, True)
    assert "обсудит" in text(near) + text(either)


async def test_a_filter_amid_a_query_with_two_meanings_is_kept(bot: Bot) -> None:
    await news(bot)
    asked = await bot.says("/search банк | ЦБ in:@News1001 since:7d ~5 ставка")
    assert "can be read in two ways" in text(asked)
    near = await bot.taps(button(asked.messages[0], labels(asked)[0]))
    assert text(near).startswith("🔎 (банк|ЦБ) ~5 ставка in:@News1001 since:7d")


async def test_a_topic_is_made_of_the_reading_that_was_tapped(bot: Bot) -> None:
    await news(bot)
    asked = await bot.says(f"/track Ставка: {TWO_MEANINGS}")
    shown = await bot.taps(button(asked.messages[0], EITHER))
    await bot.taps(button(shown.messages[0], "Save"))
    topic = await topics.find(bot.db, "Ставка")
    assert topic is not None
    assert topic.query == EITHER


@pytest.mark.parametrize("typed", ["снижена или обсудит", "снижена or обсудит"])
async def test_a_small_or_becomes_the_sign_by_a_button(bot: Bot, typed: str) -> None:
    await news(bot)
    asked = await bot.says(f"/search {typed}")
    assert "Nothing found" in text(asked)
    label, *_ = labels(asked)
    found = await bot.taps(button(asked.messages[0], label))
    assert "🔎 снижена | обсудит" in text(found)
    assert ("Ключевая ставка снижена" in text(found), "ЦБ обсудит ставку" in text(found)) == (True, True)


async def test_in_a_search_no_name_stands_before_a_colon(bot: Bot) -> None:
    await news(bot)
    asked = await bot.says("/search снижена или обсудит: ставка")
    assert "🔎 снижена | обсудит: ставка" in text(await bot.taps(button(asked.messages[0], "или → |")))


async def test_another_chat_cannot_use_what_an_answer_remembers(bot: Bot) -> None:
    await news(bot)
    await bot.pair(BORIS)
    asked = await bot.says("/search снижена или обсудит")
    data = asked.messages[0].buttons[0][0].data
    assert data is not None
    assert "too old" in text(await bot.taps(data, person=BORIS))
    assert "Ключевая ставка снижена" in text(await bot.taps(data))


async def test_a_small_or_that_then_has_two_meanings_offers_both(bot: Bot) -> None:
    await news(bot)
    tried = await bot.says("/test ключевая или ЦБ ~5 ставка")
    asked = await bot.taps(button(tried.messages[0], "или → |"))
    assert labels(asked) == ["(ключевая|ЦБ) ~5 ставка", "ключевая|(ЦБ ~5 ставка)"]
    shown = await bot.taps(button(asked.messages[0], "(ключевая|ЦБ) ~5 ставка"))
    assert "Looking for: (ключевая|цб) ~5 ставка" in text(shown)


async def test_the_name_of_a_topic_keeps_its_or(bot: Bot) -> None:
    await news(bot)
    tried = await bot.says("/track Свет или вода: свет или «или вода» или re:/ или /")
    shown = await bot.taps(button(tried.messages[0], "или → |"))
    assert text(shown).startswith('Свет или вода\nLooking for: свет, "или вода", re:/ или /')


@pytest.mark.parametrize("query", ["сбой|авария", "«сбой или авария»", "сбой ИЛИ авария", "или"])
async def test_nothing_is_offered_where_nothing_is_unclear(bot: Bot, query: str) -> None:
    await news(bot)
    assert labels(await bot.says(f"/test {query}")) == ["Track this"]


async def test_a_reader_may_not_make_a_topic_by_a_button(bot: Bot) -> None:
    await news(bot)
    await bot.pair(BORIS, role=Role.READER)
    await bot.says("/start@our_bot", chat=GROUP)
    asked = await bot.says(f"/track Ставка: {TWO_MEANINGS}", chat=GROUP)
    answer = await bot.taps(button(asked.messages[0], NEAR), person=BORIS, chat=GROUP)
    assert "Only owners and editors can do that here" in text(answer)
