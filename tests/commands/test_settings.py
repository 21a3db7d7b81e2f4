"""/settings, and the exchanges in which somebody types what no button offers."""

from datetime import timedelta

import pytest

from bot.commands import registry
from bot.commands.dispatch import Dispatch
from bot.commands.setting import settings
from bot.models.people import Role
from bot.schedule import Quiet
from tests.commands.kit import ANNA, BORIS, GROUP, Bot, button, labels, text
from tests.kit_archive import InProcess

NIGHT = Quiet(start=21 * 60 + 30, end=7 * 60)


async def test_one_screen_shows_every_setting_with_its_value_and_opens_each(bot: Bot) -> None:
    await bot.pair()
    await bot.says("/quiet 23-7")
    screen = await bot.says("/settings")
    assert "Quiet hours: 23:00–07:00" in text(screen)
    assert "Time zone: UTC" in text(screen)
    assert len(labels(screen.messages[0])) == len(settings()) + 1 == 16  # and the fallback
    for name, setting in settings().items():
        opened = await bot.taps(button(screen.messages[0], setting.title))
        back = await bot.taps(button(opened.edit, "All settings"))
        assert setting.title in text(back), name


async def test_what_is_on_or_off_is_typed_and_kept(bot: Bot) -> None:
    chat = await bot.pair()
    assert (chat.heads, chat.pages, chat.surges) == (False, False, True)
    for typed in ("/heads on", "/pages вкл", "/surges off"):
        await bot.says(typed)
    chat = await bot.chat(chat.peer)
    assert (chat.heads, chat.pages, chat.surges) == (True, True, False)


async def test_a_tap_changes_the_same_message(bot: Bot) -> None:
    chat = await bot.pair()
    screen = await bot.says("/settings")
    opened = await bot.taps(button(screen.messages[0], "Quiet hours"))
    changed = await bot.taps(button(opened.edit, "23:00–07:00"))
    assert changed.messages == ()
    assert "Quiet hours: 23:00–07:00" in text(await bot.taps(button(changed.edit, "All settings")))
    assert (await bot.chat(chat.peer)).quiet == Quiet(start=23 * 60, end=7 * 60)


async def asks_for_hours(bot: Bot, **where: object) -> int:
    """Tap until the bot waits for quiet hours; return the message that asks."""
    opened = await bot.taps(b"settings:quiet", **where)  # type: ignore[arg-type]
    asked = await bot.taps(button(opened.edit, "Type another"), **where)  # type: ignore[arg-type]
    assert "/cancel" in text(asked)
    return bot.last_message


async def test_what_no_button_offers_is_typed_also_after_a_restart(bot: Bot) -> None:
    chat = await bot.pair()
    await asks_for_hours(bot)
    bot.dispatch = Dispatch(bot.db, InProcess(bot.db), lambda: bot.archive.now)
    assert "I do not understand «night»" in text(await bot.says("night"))
    assert "Quiet hours in this chat: 21:30–07:00" in text(await bot.says("21:30-7"))
    assert (await bot.chat(chat.peer)).quiet == NIGHT
    assert "🔎" in text(await bot.says("21:30-7"))  # a search again


async def test_cancel_says_what_it_ends(bot: Bot) -> None:
    await bot.pair()
    assert text(await bot.says("/cancel")) == "There is nothing to cancel."
    await asks_for_hours(bot)
    assert text(await bot.says("/cancel")) == "I no longer wait for your answer: «Quiet hours». Nothing was changed."
    assert "🔎" in text(await bot.says("21:30-7"))


@pytest.mark.parametrize("command", ["/topics", "/nonsense", "/mute nobody"])
async def test_another_command_ends_it_and_says_so(bot: Bot, command: str) -> None:
    await bot.pair()
    await asks_for_hours(bot)
    assert text(await bot.says(command)).startswith(
        "I no longer wait for your answer: «Quiet hours». Nothing was changed.\n\n"
    )
    assert "cancelled" not in text(await bot.says(command))


async def test_the_way_back_ends_it_and_other_taps_leave_it(bot: Bot) -> None:
    chat = await bot.pair()
    number = await asks_for_hours(bot)
    await bot.taps(b"settings:media")
    assert "Quiet hours in this chat" in text(await bot.says("21:30-7"))
    number = await asks_for_hours(bot)
    await bot.taps(b"settings:quiet", message_id=number)
    assert "🔎" in text(await bot.says("22-6"))
    assert (await bot.chat(chat.peer)).quiet == NIGHT


async def test_who_answers_too_late_searches(bot: Bot) -> None:
    await bot.pair()
    await asks_for_hours(bot)
    bot.archive.now += timedelta(hours=2)
    assert "🔎" in text(await bot.says("21:30-7"))


async def test_in_a_group_only_a_reply_of_who_was_asked_is_the_answer(bot: Bot) -> None:
    await bot.says("/start")
    await bot.pair(BORIS, Role.EDITOR)
    await bot.says("/start@our_bot", chat=GROUP)
    number = await asks_for_hours(bot, chat=GROUP)
    assert text(await bot.says("21:30-7", chat=GROUP)) == ""
    assert text(await bot.says("21:30-7", chat=GROUP, reply_to=number, person=BORIS)) == ""
    assert text(await bot.says("21:30-7", chat=GROUP, reply_to=number + 1)) == ""
    assert (await bot.chat(GROUP)).quiet is None
    assert "Quiet hours in this chat" in text(await bot.says("21:30-7", chat=GROUP, reply_to=number))
    assert (await bot.chat(GROUP)).quiet == NIGHT


async def test_an_answer_has_no_more_rights_than_the_command(bot: Bot) -> None:
    await bot.pair(ANNA)
    await bot.pair(BORIS, Role.EDITOR)
    await bot.says("/start@our_bot", chat=GROUP)
    number = await asks_for_hours(bot, chat=GROUP, person=BORIS)
    await bot.taps(f"role:{BORIS}:reader".encode())
    said = text(await bot.says("21:30-7", chat=GROUP, person=BORIS, reply_to=number))
    assert said == "Only owners and editors can do that here.\n/cancel stops this."
    assert (await bot.chat(GROUP)).quiet is None


@pytest.mark.parametrize("data", [b"settings:nothing", b"type:nothing", b"type:", b"settings:quiet:1", b"zone:nowhere"])
async def test_a_forged_tap_is_answered(bot: Bot, data: bytes) -> None:
    await bot.pair()
    answer = await bot.taps(data)
    assert answer.note
    assert answer.edit is None


def test_every_setting_has_a_title_of_its_own() -> None:
    titles = [setting.title for setting in settings().values()]
    assert len(set(titles)) == len(titles)
    assert set(settings()) < set(registry.commands())
