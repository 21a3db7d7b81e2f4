import pytest

from bot.commands.topic_settings import split_priority
from bot.store import subscriptions
from bot.store.chats import Chat
from bot.store.subscriptions import Priority
from tests.commands.kit import Bot, button, text

URGENT, LOUD, SILENT, DIGEST = Priority


@pytest.mark.parametrize(
    ("typed", "name", "priority"),
    [
        ("Payments silent", "Payments", SILENT),
        ("Payments loud!", "Payments", URGENT),
        ("Payments LOUD", "Payments", LOUD),
        ("Power, water, heating digest", "Power, water, heating", DIGEST),
        ("Сбои: тихо", "Сбои", SILENT),
        ("Сбои без звука", "Сбои", SILENT),
        ("Сбои громко!", "Сбои", URGENT),
        ("Сбои  в  сводку", "Сбои", DIGEST),
        ("сбои в дайджест", "сбои", DIGEST),
        ("Сбои – ТИХО", "Сбои", SILENT),
        ("Сбои громко !", "Сбои", URGENT),
        ("Payments", "Payments", None),
        ("silent", "silent", None),
    ],
)
def test_a_priority_is_taken_off_the_end(typed: str, name: str, priority: Priority | None) -> None:
    assert split_priority(typed) == (name, priority)


async def priorities(desk: Bot, chat: Chat) -> dict[str, Priority]:
    return {each.topic: each.priority for each in await subscriptions.of_chat(desk.db, chat.id)}


async def test_it_is_set_by_name_or_title(desk: Bot) -> None:
    chat = await desk.pair()
    assert await priorities(desk, chat) == {"outages": LOUD, "sovereignty": LOUD}
    assert "● silent" in text(await desk.says("/priority outages silent"))
    await desk.says("/priority Digital sovereignty loud!")
    assert await priorities(desk, chat) == {"outages": SILENT, "sovereignty": URGENT}
    await desk.says("/track outages")
    assert (await priorities(desk, chat))["outages"] is SILENT


async def test_without_a_name_each_topic_of_the_chat_is_a_button_that_opens_the_choices(desk: Bot) -> None:
    chat = await desk.pair()
    listed = await desk.says("/priority")
    opened = await desk.taps(button(listed.messages[0], "Outages: loud"))
    assert "● loud" in text(opened)
    chosen = await desk.taps(button(opened.edit, "digest"))
    assert (await priorities(desk, chat))["outages"] is DIGEST
    assert button((await desk.taps(button(chosen.edit, "All topics"))).edit, "Outages: digest")


async def test_a_topic_may_be_called_like_a_priority(desk: Bot) -> None:
    chat = await desk.pair()
    await desk.tracks("Night silent: тишина")
    assert "● loud" in text(await desk.says("/priority Night silent"))
    await desk.says("/priority Night silent digest")
    assert (await priorities(desk, chat))["Night silent"] is DIGEST


async def test_what_is_unknown_or_not_subscribed_is_said(desk: Bot) -> None:
    await desk.pair()
    assert "There is no topic Nothing" in text(await desk.says("/priority Nothing loud"))
    assert "does not get alerts on Power, water, heating" in text(await desk.says("/priority utilities loud"))
    assert "This topic is gone." in text(await desk.taps(b"prio:99"))
