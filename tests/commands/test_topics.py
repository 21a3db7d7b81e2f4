from bot.models.people import Role
from bot.store import topics
from tests.commands.kit import BORIS, Bot, button, labels, text


async def test_a_topic_is_known_by_its_title_in_any_language_and_case(bot: Bot) -> None:
    chat = await bot.pair()
    assert "now gets alerts on Power, water, heating" in text(await bot.says("/track power, water, HEATING"))
    assert "No more alerts on Power, water, heating" in text(await bot.says("/untrack utilities"))
    assert "now gets alerts on Power, water, heating" in text(await bot.says("/track Свет, вода, тепло"))
    assert "utilities" in await bot.topics_of(chat)
    assert "already" in text(await bot.says("/track utilities"))


async def test_a_name_in_quotes_is_found_again(bot: Bot) -> None:
    await bot.pair()
    await bot.tracks("«Банки»: банк")
    assert "No more alerts on Банки" in text(await bot.says("/untrack “Банки”"))
    assert text(await bot.says("/untrack Заводы")) == "There is no topic Заводы. See /topics."


async def test_deleting_a_topic_that_others_use_asks_first(bot: Bot) -> None:
    await bot.pair()
    boris = await bot.pair(BORIS, Role.READER)
    await bot.tracks("Банки: банк")
    await bot.says("/track Банки", person=BORIS)
    offer = await bot.says("/untrack Банки")
    question = await bot.taps(button(offer.messages[0], "Delete the topic"))
    assert text(question) == "1 other chat gets alerts on Банки. Delete the topic for everybody?"
    kept = await bot.taps(button(question.edit, "Keep it"))
    assert text(kept) == "Nothing was changed."
    assert "Банки" in await bot.topics_of(boris)
    gone = await bot.taps(button(question.edit, "Delete for everybody"))
    assert text(gone) == "The topic Банки has been deleted."
    assert await topics.find(bot.db, "Банки") is None


async def test_a_topic_that_nobody_else_uses_is_deleted_at_once(bot: Bot) -> None:
    await bot.pair()
    await bot.tracks("Банки: банк")
    offer = await bot.says("/untrack Банки")
    assert "has been deleted" in text(await bot.taps(button(offer.messages[0], "Delete the topic")))
    assert "no longer exists" in text(await bot.taps(button(offer.messages[0], "Delete the topic")))


async def test_builtin_topics_and_readers_are_offered_no_deletion(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.tracks("Банки: банк")
    await bot.says("/track Банки", person=BORIS)
    assert (await bot.says("/untrack outages")).messages[0].buttons == ()
    assert (await bot.says("/untrack Банки", person=BORIS)).messages[0].buttons == ()


async def test_topics_are_switches(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.tracks("Банки: банк|касса")
    shown = await bot.says("/topics")
    assert "Банки: банк|касса" in text(shown)
    changed = await bot.taps(button(shown.messages[0], "✅ Банки"))
    assert "Банки" not in await bot.topics_of(chat)
    assert button(changed.edit, "▫️ Банки")


async def test_a_switch_of_a_deleted_topic_says_so(bot: Bot) -> None:
    await bot.pair()
    assert text(await bot.taps(b"topic:99:on:topics")) == "This topic no longer exists."


async def test_many_topics_have_pages_and_a_switch_stays_on_its_page(bot: Bot) -> None:
    chat = await bot.pair()
    for number in range(25):
        await bot.tracks(f"Тема {number}: {'|'.join(f'слово{number}{letter}' for letter in 'абвгдежзиклмн')}")
    pages = [(await bot.says("/topics")).messages[0]]
    while any(row[-1].text == "›" for row in pages[-1].buttons):
        pages.append((await bot.taps(button(pages[-1], "›"))).edit or pages[-1])
    every = await topics.all_topics(bot.db)
    assert len(pages) == 2
    assert all(any(f"{topic.name}: " in page.text for page in pages) for topic in every if not topic.builtin)
    before, named = len(await bot.topics_of(chat)), next(each for each in labels(pages[1]) if each.startswith("✅"))
    switched = await bot.taps(button(pages[1], named))
    assert len(await bot.topics_of(chat)) == before - 1
    assert button(switched.edit, "2/2")
    for command in ("/priority", "/start"):
        assert len((await bot.says(command)).messages[0].buttons) <= 30
    assert button((await bot.taps(b"prio:list:1")).edit, "2/2")
    assert labels((await bot.taps(b"about:list:9")).edit)
