import pytest

from bot.models.people import Role
from bot.store import chats
from tests.commands.kit import ANNA, BORIS, GROUP, Bot, button, text
from tests.kit_archive import NEWS, post

EVERYBODYS = f"snooze:{NEWS}:1".encode()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("ru", "Мой язык с вами: Русский."),
        ("Русский", "Мой язык с вами: Русский."),
        ("українською", "Моя мова з вами: Українська."),
        ("EN", "I speak English with you"),
        ("по-английски", "I speak English with you"),
        ("англійською", "I speak English with you"),
    ],
)
async def test_a_language_is_set_by_its_code_or_its_name(bot: Bot, typed: str, said: str) -> None:
    await bot.pair()
    reply = await bot.says(f"/language {typed}")
    assert said in text(reply)
    assert reply.menu == ("ru" if "Русский" in said else "uk" if "Українська" in said else "en")


async def test_without_a_word_it_is_asked_for_by_buttons(bot: Bot) -> None:
    await bot.pair()
    shown = await bot.says("/language")
    assert button(shown.messages[0], "● English")
    changed = await bot.taps(button(shown.messages[0], "Русский"))
    assert changed.edit is not None
    assert button(changed.edit, "● Русский")
    assert "ничего не заглушено" in text(await bot.says("/mute"))


async def test_what_we_do_not_speak_changes_nothing(bot: Bot) -> None:
    await bot.pair()
    assert "I speak English, Russian and Ukrainian" in text(await bot.says("/language fr"))
    assert text(await bot.taps(b"language:fr")) == "This button no longer works."


async def test_starting_again_keeps_it_and_telegrams_language_does_not_count_any_more(bot: Bot) -> None:
    await bot.pair()
    await bot.says("/language ru")
    again = await bot.says("/start", language="en")
    assert "Темы" in text(again)
    assert [chat.language for chat in await chats.with_own_menu(bot.db)] == ["ru"]


async def test_a_group_has_its_own_and_notes_are_in_that_of_who_taps(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.says("/language ru", person=BORIS)
    await bot.says("/start@our_bot", person=ANNA, chat=GROUP)
    refused = await bot.taps(EVERYBODYS, person=BORIS, chat=GROUP)
    assert refused.note == "Здесь это могут только владельцы и редакторы."
    assert "Topics of this chat" in text(await bot.says("/topics@our_bot", person=BORIS, chat=GROUP))
    await bot.says("/language@our_bot ru", person=ANNA, chat=GROUP)
    assert "Темы этого чата" in text(await bot.says("/topics@our_bot", person=ANNA, chat=GROUP))
    assert "Topics of this chat" in text(await bot.says("/topics", person=ANNA))
    await bot.archive.follow(title="Вести")
    await bot.archive.live(post(1, "Сбой"))
    done = await bot.taps(f"blame:{NEWS}:1:note".encode(), person=ANNA, chat=GROUP)
    assert (done.note, done.buttons and done.buttons[0][0].text) == ("I no longer know this post.", None)
    await bot.says("/track@our_bot outages", person=ANNA, chat=GROUP)
    await bot.archive.live(post(2, "Ещё сбой"))
    done = await bot.taps(f"blame:{NEWS}:2:note".encode(), person=ANNA, chat=GROUP)
    assert (done.note, done.buttons and done.buttons[0][0].text) == ("Noted. Thank you.", "Открыть")


async def test_readers_do_not_set_the_language_of_a_group(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.says("/start@our_bot", person=ANNA, chat=GROUP)
    assert "Only owners and editors" in text(await bot.says("/language@our_bot ru", person=BORIS, chat=GROUP))


async def test_a_group_is_brought_in_in_the_language_of_who_brings_it(bot: Bot) -> None:
    await bot.pair()
    await bot.says("/language ru")
    assert "Темы" in text(await bot.says("/start@our_bot", person=ANNA, chat=GROUP, language="en"))
