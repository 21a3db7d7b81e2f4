import pytest

from bot.store.chats import Role
from tests.commands.kit import BORIS, GROUP, Bot, button, text


async def heard(desk: Bot) -> bool:
    return (await desk.pair()).confirmations


async def test_a_chat_hears_no_second_channel_until_it_says_so(desk: Bot) -> None:
    await desk.pair()
    shown = await desk.says("/confirmations")
    assert [b.text for row in shown.messages[0].buttons for b in row] == ["On", "● Off"]
    changed = await desk.taps(button(shown.messages[0], "On"))
    assert changed.edit is not None
    assert [b.text for row in changed.edit.buttons for b in row] == ["● On", "Off"]
    assert await heard(desk)


@pytest.mark.parametrize(("typed", "wanted"), [("on", True), ("OFF", False)])
async def test_a_word_after_the_command_does_the_same(desk: Bot, typed: str, *, wanted: bool) -> None:
    await desk.pair()
    await desk.says(f"/confirmations {typed}")
    assert await heard(desk) is wanted


async def test_russian_words_are_understood_in_a_russian_chat(desk: Bot) -> None:
    await desk.pair(language="ru")
    await desk.says("/confirmations да")
    assert await heard(desk)


async def test_what_it_does_not_know_changes_nothing(desk: Bot) -> None:
    await desk.pair()
    assert text(await desk.says("/confirmations maybe")) == "Write /confirmations on or /confirmations off."
    assert not await heard(desk)


async def test_readers_do_not_settle_what_a_group_hears(desk: Bot) -> None:
    await desk.pair()
    await desk.pair(BORIS, Role.READER)
    await desk.says("/start@our_bot", chat=GROUP)
    reply = await desk.says("/confirmations@our_bot on", person=BORIS, chat=GROUP)
    assert "Only owners and editors" in text(reply)
    assert not (await desk.chat(GROUP)).confirmations
