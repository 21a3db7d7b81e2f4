import pytest

from bot.schedule import Storms
from tests.commands.kit import Bot, button, text


@pytest.mark.parametrize(
    ("typed", "storms"),
    [
        ("20 10", Storms(count=20, minutes=10)),
        ("20 in 10 min", Storms(count=20, minutes=10)),
        ("20 за 10 минут", Storms(count=20, minutes=10)),
        ("20/10", Storms(count=20, minutes=10)),
        ("20–10", Storms(count=20, minutes=10)),
        ("Off", None),
        ("Выключить.", None),
        ("выкл", None),
    ],
)
async def test_it_is_set_as_people_write_it(bot: Bot, typed: str, storms: Storms | None) -> None:
    chat = await bot.pair()
    assert chat.storms == Storms(count=4, minutes=5)
    await bot.says(f"/storms {typed}")
    assert (await bot.chat(chat.peer)).storms == storms


@pytest.mark.parametrize("typed", ["0 5", "5 0", "101 5", "5 61", "5", "many"])
async def test_what_makes_no_sense_is_answered_with_an_example(bot: Bot, typed: str) -> None:
    chat = await bot.pair()
    assert "/storms 4 5" in text(await bot.says(f"/storms {typed}"))
    assert (await bot.chat(chat.peer)).storms == chat.storms


async def test_buttons_set_it_and_switch_it_off(bot: Bot) -> None:
    chat = await bot.pair()
    shown = await bot.says("/storms")
    assert "More than 4 alerts on a topic within 5 min" in text(shown)
    assert "A new event among them is still sent separately" in text(shown)
    off = await bot.taps(button(shown.messages[0], "Never"))
    assert "Each alert is sent separately in this chat" in text(off)
    assert (await bot.chat(chat.peer)).storms is None
    await bot.taps(button(off.edit, "20 in 10 min"))
    assert (await bot.chat(chat.peer)).storms == Storms(count=20, minutes=10)
    assert "no longer works" in text(await bot.taps(b"storms:0:5"))
    await bot.says("/storms on")
    assert (await bot.chat(chat.peer)).storms == chat.storms
