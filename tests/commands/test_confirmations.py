import pytest

from bot.models.people import Role
from tests.commands.kit import BORIS, GROUP, Bot, button, text


async def heard(bot: Bot) -> bool:
    return (await bot.pair()).confirmations


async def test_a_chat_hears_no_second_channel_until_it_says_so(bot: Bot) -> None:
    await bot.pair()
    shown = await bot.says("/confirmations")
    assert [b.text for row in shown.messages[0].buttons for b in row] == ["On", "● Off", "All settings"]
    changed = await bot.taps(button(shown.messages[0], "On"))
    assert changed.edit is not None
    assert [b.text for row in changed.edit.buttons for b in row] == ["● On", "Off", "All settings"]
    assert await heard(bot)


@pytest.mark.parametrize(("typed", "wanted"), [("on", True), ("OFF", False)])
async def test_a_word_after_the_command_does_the_same(bot: Bot, typed: str, *, wanted: bool) -> None:
    await bot.pair()
    await bot.says(f"/confirmations {typed}")
    assert await heard(bot) is wanted


async def test_russian_words_are_understood_in_a_russian_chat(bot: Bot) -> None:
    await bot.pair(language="ru")
    await bot.says("/confirmations да")
    assert await heard(bot)


async def test_what_it_does_not_know_changes_nothing(bot: Bot) -> None:
    await bot.pair()
    assert text(await bot.says("/confirmations maybe")) == "Write /confirmations on or /confirmations off."
    assert not await heard(bot)


async def test_readers_do_not_settle_what_a_group_hears(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.says("/start@our_bot", chat=GROUP)
    reply = await bot.says("/confirmations@our_bot on", person=BORIS, chat=GROUP)
    assert "Only owners and editors" in text(reply)
    assert not (await bot.chat(GROUP)).confirmations
