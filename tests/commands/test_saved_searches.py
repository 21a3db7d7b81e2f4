from datetime import timedelta

import pytest

from bot.models.people import Role
from bot.store import saved_searches
from tests.commands.kit import BORIS, GROUP, Bot, button, labels, text
from tests.kit_archive import NOON, post


async def found(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(post(1, "Сбой в банке"))


async def test_a_search_is_saved_run_and_removed_at_taps(bot: Bot) -> None:
    await found(bot)
    assert "No searches are saved in this chat yet" in text(await bot.says("/searches"))
    answer = await bot.says("сбой in:вести")
    save = button(answer.messages[0], "Save this search")
    for _ in range(2):
        assert text(await bot.taps(save)) == "Saved. /searches shows it."
    screen = (await bot.says("/searches")).messages[0]
    assert screen.text == "Saved searches\n\n1. сбой in:вести"
    again = await bot.taps(button(screen, "🔎"))
    assert text(again) == text(answer)
    assert "Save this search" not in labels(again.messages[0])
    assert "No searches are saved" in text(await bot.taps(button(screen, "🗑")))
    assert text(await bot.taps(button(screen, "🔎"))) == "This button no longer works."


async def test_saved_searches_are_the_chats_own(bot: Bot) -> None:
    await found(bot)
    await bot.says("/start@our_bot", chat=GROUP)
    await bot.pair(BORIS, Role.READER)
    answer = await bot.says("/search@our_bot сбой", chat=GROUP)
    save = button(answer.messages[0], "Save")
    assert "Only owners and editors" in text(await bot.taps(save, chat=GROUP, person=BORIS))
    await bot.taps(save, chat=GROUP)
    screen = (await bot.says("/searches", chat=GROUP)).messages[0]
    assert "Сбой в банке" in text(await bot.taps(button(screen, "🔎"), chat=GROUP, person=BORIS))
    assert "No searches are saved" in text(await bot.says("/searches"))
    assert text(await bot.taps(button(screen, "🔎"))) == "This button no longer works."


async def test_a_chat_saves_so_many_searches_and_no_more(bot: Bot) -> None:
    await found(bot)
    for number in range(saved_searches.MOST):
        answer = await bot.says(f"сбой -{number}")
        await bot.taps(button(answer.messages[0], "Save"))
    answer = await bot.says("сбой")
    assert "too many saved searches" in text(await bot.taps(button(answer.messages[0], "Save")))
    assert len((await bot.says("/searches")).messages[0].buttons) == saved_searches.MOST


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("бегемот", ["Track this", "Save this search", "Who else?"]),
        ("бегемот in:вести", ["Track this", "Save this search", "Who else?"]),
        ("бегемот since:7d", ["Save this search", "Who else?"]),  # a topic has no dates
        ("since:1d", ["Save this search"]),
    ],
)
async def test_what_is_not_found_yet_can_be_tracked_and_saved(bot: Bot, typed: str, offered: list[str]) -> None:
    await found(bot)
    bot.archive.now = NOON + timedelta(days=9)
    answer = (await bot.says(typed)).messages[0]
    assert "Nothing found" in answer.text
    assert [label for label in labels(answer) if "back" not in label] == offered
    assert text(await bot.taps(button(answer, "Save"))) == "Saved. /searches shows it."
    if "Track this" in offered:
        await bot.taps(button(answer, "Track this"))
        shown = await bot.says("Звери")
        assert "Looking for: бегемот" in text(shown)
