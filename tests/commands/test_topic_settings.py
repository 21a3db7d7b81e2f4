from dataclasses import replace
from typing import Any

import pytest

from bot.commands.context import Reply
from bot.commands.topic_settings import split_priority
from bot.models.alerts import Priority
from bot.models.people import Role
from bot.store import addresses, chats, people, subscriptions
from bot.store.addresses import Binding
from bot.store.chats import Chat
from tests.commands.kit import BORIS, GROUP, Bot, button, text

THREAD = replace(GROUP, thread_id=40)


@pytest.fixture
async def forum(bot: Bot) -> Chat:
    """Pair the forum of a open_archive, which gets alerts on outages."""
    await bot.pair()
    await here(bot, "/start@our_bot")
    await here(bot, "/track@our_bot outages")
    return await bot.chat(GROUP)


async def here(bot: Bot, words: str, **fields: Any) -> Reply:  # noqa: ANN401 - fields of a Request
    return await bot.says(words, **{"chat": GROUP, "forum": True, **fields})


async def thread_of(bot: Bot) -> int | None:
    return (await bot.chat(GROUP)).peer.thread_id


@pytest.mark.usefixtures("forum")
async def test_all_alerts_of_a_chat_come_into_the_thread_in_which_it_is_said(bot: Bot) -> None:
    assert text(await here(bot, "/here", chat=THREAD)) == "Alerts of this chat now go to this thread."
    assert await thread_of(bot) == 40
    assert "now go to this thread" in text(await here(bot, "/here"))
    assert await thread_of(bot) is None
    await here(bot, "/here", chat=THREAD)
    assert "general thread" in text(await here(bot, "/here off", chat=THREAD))
    assert await thread_of(bot) is None


@pytest.mark.parametrize("name", ["outages", "Outages", "Сбои", "«outages»"])
async def test_a_topic_gets_a_thread_by_any_of_its_names(bot: Bot, forum: Chat, name: str) -> None:
    said = text(await here(bot, f"/here {name}", chat=THREAD))
    assert said == "Alerts on Outages now go to this thread."
    assert await addresses.bindings(bot.db, forum.id) == [Binding(topic="outages", thread_id=40)]
    assert await thread_of(bot) is None
    said = text(await here(bot, f"/here off {name}"))
    assert said == "Alerts on Outages now go where this chat's other alerts go."
    assert await addresses.bindings(bot.db, forum.id) == []


@pytest.mark.parametrize("name", ["No signal", "Нет связи", "off"])
async def test_a_topic_whose_name_begins_like_a_no_gets_a_thread_too(bot: Bot, forum: Chat, name: str) -> None:
    await bot.archive.track(forum, name, "связь")
    assert "now go to this thread" in text(await here(bot, f"/here {name}", chat=THREAD))
    assert await addresses.bindings(bot.db, forum.id) == [Binding(topic=name, thread_id=40)]
    await here(bot, f"/here off {name}")
    assert await addresses.bindings(bot.db, forum.id) == []


async def test_a_topic_may_stay_in_the_general_thread_where_all_else_moves(bot: Bot, forum: Chat) -> None:
    await here(bot, "/here outages")
    said = text(await here(bot, "/here", chat=THREAD))
    assert said == "Alerts of this chat now go to this thread. Only «Outages» have threads of their own."
    assert await addresses.bindings(bot.db, forum.id) == [Binding(topic="outages", thread_id=1)]


@pytest.mark.usefixtures("forum")
async def test_where_there_are_no_threads_it_says_so(bot: Bot) -> None:
    for reply in (await here(bot, "/here", forum=False), await bot.says("/here outages")):
        assert text(reply).startswith("This chat has no threads.")
    assert "general thread" in text(await here(bot, "/here off", forum=False))


async def test_what_there_is_nothing_of_cannot_be_bound(bot: Bot, forum: Chat) -> None:
    assert text(await here(bot, "/here cucumbers", chat=THREAD)) == "There is no topic cucumbers. See /topics."
    said = text(await here(bot, "/here utilities", chat=THREAD))
    assert said.startswith("This chat does not get alerts on Power, water, heating. To get them, write: /track")
    assert await addresses.bindings(bot.db, forum.id) == []


@pytest.mark.usefixtures("forum")
async def test_readers_leave_threads_as_they_are(bot: Bot) -> None:
    await bot.db.write(lambda tx: people.admit(tx, BORIS, Role.READER, bot.archive.now))
    said = text(await here(bot, "/here", chat=THREAD, person=BORIS))
    assert said == "Only owners and editors can do that here."
    assert await thread_of(bot) is None


async def test_the_screen_of_topics_shows_the_thread_that_each_goes_to(bot: Bot, forum: Chat) -> None:
    await here(bot, "/track@our_bot sovereignty")
    assert "thread" not in text(await here(bot, "/topics@our_bot"))  # none was chosen
    await here(bot, "/here outages", chat=THREAD)
    shown = await here(bot, "/topics@our_bot")
    assert "Outages: 0 alerts · with sound · thread 40\n" in text(shown)
    assert "with sound · general thread\n" in text(shown)
    links = [entity.value for entity in shown.messages[0].entities if entity.kind == "text_url"]
    assert links == [f"https://t.me/c/{GROUP.id}/{number}" for number in (40, 1)]
    await here(bot, "/here", chat=THREAD)
    await here(bot, "/here outages")
    await bot.db.write(lambda tx: chats.save(tx, replace(forum, language="ru")))
    shown = await here(bot, "/topics@our_bot")
    assert text(shown).count("· ветка 40\n") == text(shown).count("· общая ветка\n") == 1


async def test_where_there_are_no_threads_the_screen_of_topics_names_none(bot: Bot) -> None:
    await bot.pair()
    assert "thread" not in text(await bot.says("/topics"))


async def test_many_topics_with_threads_fit_into_one_screen(bot: Bot, forum: Chat) -> None:
    for number in range(60):
        await bot.archive.track(forum, f"Тема {number} с длинным названием для списка", "сбой|авария")
    await here(bot, "/here", chat=replace(GROUP, thread_id=2_000_000))
    (screen,) = (await here(bot, "/topics@our_bot")).messages
    assert len(screen.entities) <= 100  # Telegram takes no more
    assert screen.text.endswith("outage|failure")  # nothing was cut off


URGENT, LOUD, SILENT, DIGEST = Priority


@pytest.mark.parametrize(
    ("typed", "name", "priority"),
    [
        ("Payments silent", "Payments", SILENT),
        ("Payments urgent", "Payments", URGENT),
        ("Payments LOUD", "Payments", LOUD),
        ("Power, water, heating digest", "Power, water, heating", DIGEST),
        ("Сбои: без звука", "Сбои", SILENT),
        ("Сбои без звука", "Сбои", SILENT),
        ("Сбои срочно", "Сбои", URGENT),
        ("Збої у зведення", "Збої", DIGEST),
        ("Сбои  в  сводку", "Сбои", DIGEST),
        ("сбои в дайджест", "сбои", DIGEST),
        ("Сбои – БЕЗ ЗВУКА", "Сбои", SILENT),
        ("Сбои СРОЧНО", "Сбои", URGENT),
        ("Payments", "Payments", None),
        ("silent", "silent", None),
    ],
)
def test_a_priority_is_taken_off_the_end(typed: str, name: str, priority: Priority | None) -> None:
    assert split_priority(typed) == (name, priority)


async def priorities(bot: Bot, chat: Chat) -> dict[str, Priority]:
    return {each.topic: each.priority for each in await subscriptions.of_chat(bot.db, chat.id)}


async def test_it_is_set_by_name_or_title(bot: Bot) -> None:
    chat = await bot.pair()
    assert await priorities(bot, chat) == {"outages": LOUD, "sovereignty": LOUD}
    assert "● without sound" in text(await bot.says("/priority outages silent"))
    await bot.says("/priority Digital sovereignty urgent")
    assert await priorities(bot, chat) == {"outages": SILENT, "sovereignty": URGENT}
    await bot.says("/track outages")
    assert (await priorities(bot, chat))["outages"] is SILENT


async def test_without_a_name_each_topic_of_the_chat_is_a_button_that_opens_the_choices(bot: Bot) -> None:
    chat = await bot.pair()
    listed = await bot.says("/priority")
    opened = await bot.taps(button(listed.messages[0], "Outages: with sound"))
    assert "● with sound" in text(opened)
    chosen = await bot.taps(button(opened.edit, "digest"))
    assert (await priorities(bot, chat))["outages"] is DIGEST
    assert button((await bot.taps(button(chosen.edit, "All topics"))).edit, "Outages: in the digest")


async def test_a_topic_may_be_called_like_a_priority(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.tracks("Night silent: тишина")
    assert "● with sound" in text(await bot.says("/priority Night silent"))
    await bot.says("/priority Night silent digest")
    assert (await priorities(bot, chat))["Night silent"] is DIGEST


async def test_what_is_unknown_or_not_subscribed_is_said(bot: Bot) -> None:
    await bot.pair()
    assert "There is no topic Nothing" in text(await bot.says("/priority Nothing loud"))
    assert "does not get alerts on Power, water, heating" in text(await bot.says("/priority utilities loud"))
    assert "This topic no longer exists." in text(await bot.taps(b"prio:99"))
