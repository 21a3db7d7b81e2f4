import pytest

from bot.commands.topics import split_name
from bot.store import topics
from bot.store.chats import Role
from tests.commands.kit import BORIS, Bot, bold_words, button, text
from tests.store.kit import post


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("Банки: сбой банк", ("Банки", "сбой банк")),
        ("Банки", ("Банки", None)),
        ("Банки: сбой\nбанк", ("Банки", "сбой\nбанк")),
        ("сбой\nбанк: да", ("сбой\nбанк: да", None)),
        ("Сбой в 10:30: сбой", ("Сбой в 10:30", "сбой")),
        ("Банки:сбой", ("Банки", "сбой")),
        ("«Банки» : сбой", ("Банки", "сбой")),
        ("", ("", None)),
    ],
)
def test_a_name_and_a_query_are_told_apart(typed: str, parts: tuple[str, str | None]) -> None:
    assert split_name(typed) == parts


async def test_a_new_topic_is_made_subscribed_and_tried_on_the_last_days(desk: Bot) -> None:
    chat = await desk.pair()
    await desk.room.follow()
    await desk.room.live(post(1, "В банках сбой"), post(2, "Погода"))
    told = await desk.says("/track Банки: банк сбой")
    assert text(told).splitlines() == [
        "This chat gets alerts on Банки now.",
        "I look for: банк сбой",
        "The last 7 days would have brought 1 alert.",
    ]
    assert "Банки" in await desk.topics_of(chat)
    seen = await desk.taps(button(told.messages[0], "See them"))
    assert bold_words(seen.messages[0]) == ["банках", "сбой"]


async def test_a_query_that_cannot_be_read_is_shown_with_the_place(desk: Bot) -> None:
    await desk.pair()
    told = text(await desk.says("/track Банки: сбой (банк"))
    assert told == "The bracket opened at character 6 is not closed. Add a closing bracket.\n\nсбой 👉(банк"
    assert await topics.find(desk.db, "Банки") is None


async def test_a_refusal_speaks_the_language_of_the_chat(desk: Bot) -> None:
    await desk.pair(BORIS, language="ru")
    assert "кавычк" in text(await desk.says('/track Банки: "сбой', person=BORIS)).lower()


async def test_a_topic_is_known_by_its_title_in_any_language_and_case(desk: Bot) -> None:
    chat = await desk.pair()
    assert "gets alerts on Power, water, heating now" in text(await desk.says("/track power, water, HEATING"))
    assert "No more alerts on Power, water, heating" in text(await desk.says("/untrack utilities"))
    assert "gets alerts on Power, water, heating now" in text(await desk.says("/track Свет, вода, тепло"))
    assert "utilities" in await desk.topics_of(chat)
    assert "already" in text(await desk.says("/track utilities"))


async def test_an_unknown_name_is_answered_with_how_to_make_it(desk: Bot) -> None:
    await desk.pair()
    told = text(await desk.says("/track сбой"))
    assert told == "There is no topic сбой. To make it, write what to look for: /track сбой: …"
    assert "/track" in text(await desk.says("/track"))


async def test_a_name_in_quotes_is_found_again(desk: Bot) -> None:
    await desk.pair()
    await desk.says("/track «Банки»: банк")
    assert "No more alerts on Банки" in text(await desk.says("/untrack “Банки”"))
    assert text(await desk.says("/untrack Заводы")) == "There is no topic Заводы. See /topics."


async def test_another_query_for_a_topic_says_what_it_replaces(desk: Bot) -> None:
    await desk.pair()
    await desk.says("/track Банки: банк сбой")
    assert "Until now I looked for: банк сбой" in text(await desk.says("/track Банки: банк"))
    assert "Until now" not in text(await desk.says("/track Банки: банк"))


async def test_a_long_query_does_not_hide_what_it_would_have_brought(desk: Bot) -> None:
    await desk.pair()
    told = text(await desk.says("/track Банки: " + "банк " * 700))
    assert told.endswith("The last 7 days would have brought 0 alerts.")


@pytest.mark.parametrize("typed", ["/track re:/сбо+й/", "/track : сбой", f"/track {'а' * 65}: сбой"])
async def test_a_name_that_is_none_is_refused(desk: Bot, typed: str) -> None:
    await desk.pair()
    before = len(await topics.all_topics(desk.db))
    assert "example" in text(await desk.says(typed)) or "Write the name" in text(await desk.says(typed))
    assert len(await topics.all_topics(desk.db)) == before


async def test_a_builtin_topic_cannot_be_given_another_query(desk: Bot) -> None:
    await desk.pair()
    assert "is built in" in text(await desk.says("/track outages: пиво"))


async def test_a_query_is_changed_by_its_only_user_and_by_nobody_else(desk: Bot) -> None:
    await desk.pair()
    await desk.pair(BORIS, Role.EDITOR)
    await desk.says("/track Банки: банк")
    await desk.says("/track банки: банк сбой")
    topic = await topics.find(desk.db, "БАНКИ")
    assert topic is not None
    assert topic.query == "банк сбой"
    told = text(await desk.says("/track Банки: пиво", person=BORIS))
    assert "other chats use it: банк сбой" in told
    assert "gets alerts on Банки now" in text(await desk.says("/track Банки: банк сбой", person=BORIS))


async def test_deleting_a_topic_that_others_use_asks_first(desk: Bot) -> None:
    await desk.pair()
    boris = await desk.pair(BORIS, Role.READER)
    await desk.says("/track Банки: банк")
    await desk.says("/track Банки", person=BORIS)
    offer = await desk.says("/untrack Банки")
    question = await desk.taps(button(offer.messages[0], "Delete the topic"))
    assert text(question) == "1 other chat gets alerts on Банки. Delete the topic for all?"
    kept = await desk.taps(button(question.edit, "Keep it"))
    assert text(kept) == "Nothing is deleted."
    assert "Банки" in await desk.topics_of(boris)
    gone = await desk.taps(button(question.edit, "Delete for all"))
    assert text(gone) == "The topic Банки is deleted."
    assert await topics.find(desk.db, "Банки") is None


async def test_a_topic_that_nobody_else_uses_is_deleted_at_once(desk: Bot) -> None:
    await desk.pair()
    await desk.says("/track Банки: банк")
    offer = await desk.says("/untrack Банки")
    assert "is deleted" in text(await desk.taps(button(offer.messages[0], "Delete the topic")))
    assert "gone" in text(await desk.taps(button(offer.messages[0], "Delete the topic")))


async def test_builtin_topics_and_readers_are_offered_no_deletion(desk: Bot) -> None:
    await desk.pair()
    await desk.pair(BORIS, Role.READER)
    await desk.says("/track Банки: банк")
    await desk.says("/track Банки", person=BORIS)
    assert (await desk.says("/untrack outages")).messages[0].buttons == ()
    assert (await desk.says("/untrack Банки", person=BORIS)).messages[0].buttons == ()


async def test_topics_are_switches(desk: Bot) -> None:
    chat = await desk.pair()
    await desk.says("/track Банки: банк|касса")
    shown = await desk.says("/topics")
    assert "Банки: банк|касса" in text(shown)
    changed = await desk.taps(button(shown.messages[0], "✅ Банки"))
    assert "Банки" not in await desk.topics_of(chat)
    assert button(changed.edit, "▫️ Банки")


async def test_a_switch_of_a_deleted_topic_says_so(desk: Bot) -> None:
    await desk.pair()
    assert text(await desk.taps(b"topic:99:on:topics")) == "This topic is gone."
