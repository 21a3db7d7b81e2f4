from dataclasses import replace
from typing import Any

import pytest

from bot.commands.context import Reply
from bot.commands.topic_settings import split_priority
from bot.models.subscriptions import Priority
from bot.store import addresses, chats, subscriptions
from bot.store.addresses import Binding
from bot.store.chats import Chat, Role
from tests.commands.kit import BORIS, GROUP, Bot, button, text

THREAD = replace(GROUP, thread_id=40)


@pytest.fixture
async def forum(desk: Bot) -> Chat:
    """Pair the forum of a newsroom, which gets alerts on outages."""
    await desk.pair()
    await here(desk, "/start@our_bot")
    await here(desk, "/track@our_bot outages")
    return await desk.chat(GROUP)


async def here(desk: Bot, words: str, **fields: Any) -> Reply:  # noqa: ANN401 - fields of a Request
    return await desk.says(words, **{"chat": GROUP, "forum": True, **fields})


async def thread_of(desk: Bot) -> int | None:
    return (await desk.chat(GROUP)).peer.thread_id


@pytest.mark.usefixtures("forum")
async def test_all_alerts_of_a_chat_come_into_the_thread_in_which_it_is_said(desk: Bot) -> None:
    assert text(await here(desk, "/here", chat=THREAD)) == "Alerts of this chat come into this thread now."
    assert await thread_of(desk) == 40
    assert "come into this thread" in text(await here(desk, "/here"))
    assert await thread_of(desk) is None
    await here(desk, "/here", chat=THREAD)
    assert "general thread" in text(await here(desk, "/here off", chat=THREAD))
    assert await thread_of(desk) is None


@pytest.mark.parametrize("name", ["outages", "Outages", "Сбои", "«outages»"])
async def test_a_topic_gets_a_thread_by_any_of_its_names(desk: Bot, forum: Chat, name: str) -> None:
    said = text(await here(desk, f"/here {name}", chat=THREAD))
    assert said == "Alerts on Outages come into this thread now."
    assert await addresses.bindings(desk.db, forum.id) == [Binding(topic="outages", thread_id=40)]
    assert await thread_of(desk) is None
    said = text(await here(desk, f"/here off {name}"))
    assert said == "Alerts on Outages come where this chat's other alerts come."
    assert await addresses.bindings(desk.db, forum.id) == []


@pytest.mark.parametrize("name", ["No signal", "Нет связи", "off"])
async def test_a_topic_whose_name_begins_like_a_no_gets_a_thread_too(desk: Bot, forum: Chat, name: str) -> None:
    await desk.room.track(forum, name, "связь")
    assert "into this thread now" in text(await here(desk, f"/here {name}", chat=THREAD))
    assert await addresses.bindings(desk.db, forum.id) == [Binding(topic=name, thread_id=40)]
    await here(desk, f"/here off {name}")
    assert await addresses.bindings(desk.db, forum.id) == []


async def test_a_topic_may_stay_in_the_general_thread_where_all_else_moves(desk: Bot, forum: Chat) -> None:
    await here(desk, "/here outages")
    said = text(await here(desk, "/here", chat=THREAD))
    assert said == "Alerts of this chat come into this thread now. Only «Outages» have threads of their own."
    assert await addresses.bindings(desk.db, forum.id) == [Binding(topic="outages", thread_id=1)]


@pytest.mark.usefixtures("forum")
async def test_where_there_are_no_threads_it_says_so(desk: Bot) -> None:
    for reply in (await here(desk, "/here", forum=False), await desk.says("/here outages")):
        assert text(reply).startswith("This chat has no threads.")
    assert "general thread" in text(await here(desk, "/here off", forum=False))


async def test_what_there_is_nothing_of_cannot_be_bound(desk: Bot, forum: Chat) -> None:
    assert text(await here(desk, "/here cucumbers", chat=THREAD)) == "There is no topic cucumbers. See /topics."
    said = text(await here(desk, "/here utilities", chat=THREAD))
    assert said.startswith("This chat does not get alerts on Power, water, heating. To get them, write: /track")
    assert await addresses.bindings(desk.db, forum.id) == []


@pytest.mark.usefixtures("forum")
async def test_readers_leave_threads_as_they_are(desk: Bot) -> None:
    await desk.db.write(lambda tx: chats.admit(tx, BORIS, Role.READER, desk.room.now))
    said = text(await here(desk, "/here", chat=THREAD, person=BORIS))
    assert said == "Only owners and editors can do that here."
    assert await thread_of(desk) is None


async def test_the_screen_of_topics_shows_the_thread_that_each_goes_to(desk: Bot, forum: Chat) -> None:
    await here(desk, "/track@our_bot sovereignty")
    assert "thread" not in text(await here(desk, "/topics@our_bot"))  # none was chosen
    await here(desk, "/here outages", chat=THREAD)
    shown = await here(desk, "/topics@our_bot")
    assert "Outages: 0 alerts · loud · thread 40\n" in text(shown)
    assert "loud · general thread\n" in text(shown)
    links = [entity.value for entity in shown.messages[0].entities if entity.kind == "text_url"]
    assert links == [f"https://t.me/c/{GROUP.id}/{number}" for number in (40, 1)]
    await here(desk, "/here", chat=THREAD)
    await here(desk, "/here outages")
    await desk.db.write(lambda tx: chats.save(tx, replace(forum, language="ru")))
    shown = await here(desk, "/topics@our_bot")
    assert text(shown).count("· ветка 40\n") == text(shown).count("· общая ветка\n") == 1


async def test_where_there_are_no_threads_the_screen_of_topics_names_none(desk: Bot) -> None:
    await desk.pair()
    assert "thread" not in text(await desk.says("/topics"))


async def test_many_topics_with_threads_fit_into_one_screen(desk: Bot, forum: Chat) -> None:
    for number in range(60):
        await desk.room.track(forum, f"Тема {number} с длинным названием для списка", "сбой|авария")
    await here(desk, "/here", chat=replace(GROUP, thread_id=2_000_000))
    (screen,) = (await here(desk, "/topics@our_bot")).messages
    assert len(screen.entities) <= 100  # Telegram takes no more
    assert screen.text.endswith("outage|failure")  # nothing was cut off


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
