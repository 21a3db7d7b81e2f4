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
async def test_it_is_set_as_people_write_it(desk: Bot, typed: str, storms: Storms | None) -> None:
    chat = await desk.pair()
    assert chat.storms == Storms(count=10, minutes=5)
    await desk.says(f"/storms {typed}")
    assert (await desk.chat(chat.peer)).storms == storms


@pytest.mark.parametrize("typed", ["0 5", "5 0", "101 5", "5 61", "5", "many"])
async def test_what_makes_no_sense_is_answered_with_an_example(desk: Bot, typed: str) -> None:
    chat = await desk.pair()
    assert "/storms 10 5" in text(await desk.says(f"/storms {typed}"))
    assert (await desk.chat(chat.peer)).storms == chat.storms


async def test_buttons_set_it_and_switch_it_off(desk: Bot) -> None:
    chat = await desk.pair()
    shown = await desk.says("/storms")
    assert "More than 10 alerts on a topic within 5 min" in text(shown)
    off = await desk.taps(button(shown.messages[0], "Never"))
    assert "Each alert comes by itself here" in text(off)
    assert (await desk.chat(chat.peer)).storms is None
    await desk.taps(button(off.edit, "20 in 10 min"))
    assert (await desk.chat(chat.peer)).storms == Storms(count=20, minutes=10)
    assert "no longer works" in text(await desk.taps(b"storms:0:5"))
    await desk.says("/storms on")
    assert (await desk.chat(chat.peer)).storms == chat.storms
