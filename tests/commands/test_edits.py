import pytest

from bot.models.alerts import Edits
from bot.models.people import Role
from tests.commands.kit import BORIS, GROUP, Bot, button, text


async def wanted(bot: Bot) -> Edits:
    return (await bot.pair()).edits


async def test_words_are_what_a_chat_is_told_of_until_it_says_otherwise(bot: Bot) -> None:
    await bot.pair()
    shown = await bot.says("/edits")
    assert [b.text for row in shown.messages[0].buttons for b in row] == ["All", "● Words", "None", "All settings"]
    changed = await bot.taps(button(shown.messages[0], "None"))
    assert changed.edit is not None
    assert [b.text for row in changed.edit.buttons for b in row] == ["All", "Words", "● None", "All settings"]
    assert await wanted(bot) is Edits.NONE


@pytest.mark.parametrize(
    ("typed", "edits"), [("all", Edits.ALL), ("Words", Edits.WORDS), ("NONE", Edits.NONE)], ids=str
)
async def test_a_word_after_the_command_does_the_same(bot: Bot, typed: str, edits: Edits) -> None:
    await bot.pair()
    shown = await bot.says(f"/edits {typed}")
    assert button(shown.messages[0], "●").data == f"edits:{edits}".encode()
    assert await wanted(bot) is edits


async def test_russian_words_are_understood_in_a_russian_chat(bot: Bot) -> None:
    await bot.pair(language="ru")
    await bot.says("/edits все")
    assert await wanted(bot) is Edits.ALL


async def test_what_it_does_not_know_changes_nothing(bot: Bot) -> None:
    await bot.pair()
    assert text(await bot.says("/edits some")) == "Write /edits all, /edits words or /edits none."
    assert await wanted(bot) is Edits.WORDS


async def test_readers_do_not_settle_what_a_group_is_told_of(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.says("/start@our_bot", chat=GROUP)
    assert "Only owners and editors" in text(await bot.says("/edits@our_bot all", person=BORIS, chat=GROUP))
    assert (await bot.chat(GROUP)).edits is Edits.WORDS
