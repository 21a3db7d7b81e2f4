from datetime import timedelta

import pytest

from bot.models.people import Role
from bot.store.chats import ReportTime
from tests.commands.kit import BORIS, GROUP, Bot, button, text


async def test_a_receipt_is_switched_on_set_to_a_time_and_switched_off(bot: Bot) -> None:
    chat = await bot.pair()
    assert "The daily report is off in this chat." in text(await bot.says("/receipt"))
    reply = await bot.says("/receipt on")
    assert text(reply).splitlines() == [
        "Every day at 09:00, UTC, I tell this chat, without a sound, whether anything is missing.",
    ]
    assert "at 21:30, UTC" in text(await bot.says("/receipt 21:30"))
    assert (await bot.chat(chat.peer)).report == ReportTime(minute=21 * 60 + 30, since=bot.archive.now)
    assert "at 21:30, UTC" in text(await bot.says("/receipt"))
    assert "at 08:00, UTC" in text(await bot.taps(button(reply.messages[0], "08:00")))
    assert "The daily report is off in this chat." in text(await bot.says("/receipt off"))
    assert (await bot.chat(chat.peer)).report is None


async def test_another_setting_leaves_the_last_receipt_as_it_was(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.says("/receipt on")
    asked_at = bot.archive.now
    bot.archive.now += timedelta(days=1)
    await bot.says("/media on")
    assert (await bot.chat(chat.peer)).report == ReportTime(minute=9 * 60, since=asked_at)


@pytest.mark.parametrize("typed", ["25:00", "soon", "9:60", "-1"])
async def test_what_is_no_time_is_answered_with_one_line(bot: Bot, typed: str) -> None:
    await bot.pair()
    told = text(await bot.says(f"/receipt {typed}"))
    assert told == f"«{typed}» is not a time of day. Write on, off or, for example, 08:30."


async def test_what_a_group_gets_is_for_owners_and_editors_to_say(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.says("/start@our_bot", chat=GROUP)
    assert "Only owners" in text(await bot.says("/receipt@our_bot on", person=BORIS, chat=GROUP))
    assert "Every day at" in text(await bot.says("/receipt@our_bot on", chat=GROUP))
    assert "Every day at" in text(await bot.says("/receipt on", person=BORIS))
