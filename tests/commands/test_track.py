import pytest

from bot.commands.track import split_name
from bot.models.people import Role
from bot.store import topics
from tests.commands.kit import BORIS, GROUP, Bot, bold_words, button, text
from tests.kit_archive import ago, post


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


async def test_a_query_is_tried_on_the_last_days_before_it_is_saved(bot: Bot) -> None:
    chat = await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(post(1, "В банках сбой", date=ago(days=2)), post(2, "Погода"), post(3, "Сбой в городе"))
    shown = await bot.says("/track Банки: банк сбой")
    assert text(shown).splitlines() == [
        "Банки",
        "Looking for: банк сбой",
        "In any form: банк (банка, банке, банком …); сбой (сбое, сбои, сбоям …)",
        "💡 «сбой»: did you also mean сбоить?",
        "",
        "Since 8 Mar it would have triggered 1 alert.",
        "⚠️ The archive does not reach back that far: it is complete since 8 Mar, 12:00 UTC only.",
        "",
        "Вести · 8 Mar, 12:00 UTC",
        "В банках сбой",
        "",
        "Near misses",
        "Вести · 10 Mar, 12:00 UTC",
        "not found: банк",
        "Сбой в городе",
    ]
    assert bold_words(shown.messages[0]) == ["Банки", "1", "банках", "сбой", "Near misses", "Сбой"]
    assert "Банки" not in await bot.topics_of(chat)
    assert await topics.find(bot.db, "Банки") is None


async def test_saving_makes_the_topic_and_subscribes(bot: Bot) -> None:
    chat = await bot.pair()
    shown = await bot.says("/track Банки: банк сбой")
    saved = await bot.taps(button(shown.messages[0], "Save"))
    assert saved.messages == ()
    assert text(saved).splitlines() == ["This chat now gets alerts on Банки.", "Looking for: банк сбой"]
    assert saved.edit is not None
    assert [each.text for row in saved.edit.buttons for each in row] == ["Keep it to this chat"]
    assert "Банки" in await bot.topics_of(chat)
    assert text(await bot.taps(button(shown.messages[0], "Save"))) == text(saved)


async def test_a_query_with_many_alerts_says_how_many_and_warns(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(
        *(post(n, "Сбой", date=ago(minutes=n)) for n in range(22)), post(30, "Сбой", date=ago(days=6))
    )
    shown = text(await bot.says("/track Свои: сбой"))
    line, warning = shown.splitlines()[5:7]
    assert line == ("Since 4 Mar it would have triggered 23 alerts. About 3.8 a day, 22 on the busiest day: ▁▁▁▁▁▁█")
    assert warning.startswith("⚠️ More than 20 a day")
    assert shown.count("Вести") == 5


async def test_days_are_those_of_the_chats_zone(bot: Bot) -> None:
    await bot.pair()
    await bot.taps(b"zone:Europe/Moscow")
    await bot.archive.follow()
    await bot.archive.live(post(1, "Сбой", date=ago(days=6, hours=15)), post(2, "Сбой", date=ago(days=6, hours=14)))
    assert "Since 4 Mar it would have triggered 2 alerts." in text(await bot.says("/track Свои: сбой"))


async def test_without_posts_a_query_can_be_saved_all_the_same(bot: Bot) -> None:
    chat = await bot.pair()
    shown = await bot.says("/track Банки: банк ~5 сбой")
    assert "No posts are stored yet" in text(shown)
    await bot.taps(button(shown.messages[0], "Save"))
    assert "Банки" in await bot.topics_of(chat)


async def test_change_hands_out_the_command_to_be_copied(bot: Bot) -> None:
    await bot.pair()
    shown = await bot.says("/track Банки: банк\nкасса")
    told = await bot.taps(button(shown.messages[0], "Change"))
    (message,) = told.messages
    assert message.text.endswith("send it: /track Банки: банк\nкасса")
    (entity,) = message.entities
    assert (entity.kind, entity.offset) == ("code", message.text.index("/track"))
    assert button(shown.messages[0], "Save")


async def test_the_longest_command_is_handed_out_whole(bot: Bot) -> None:
    await bot.pair()
    query = "банк " * 815
    shown = await bot.says(f"/track Банки: {query}")
    told = await bot.taps(button(shown.messages[0], "Change"))
    assert text(told) == f"/track Банки: {query.strip()}"
    assert text(shown).count("Since") + text(shown).count("No posts") == 1


@pytest.mark.parametrize(
    "data", [b"save:m-999:00000000", b"edit:m-999", b"name:m-999", b"save:m-1:00000000", b"edit:m-1"]
)
async def test_a_preview_that_was_forgotten_says_so(bot: Bot, data: bytes) -> None:
    await bot.pair()
    assert "too old" in text(await bot.taps(data))


async def test_what_others_saved_meanwhile_is_not_replaced(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.EDITOR)
    shown = await bot.says("/track Банки: банк")
    await bot.tracks("Банки: касса", person=BORIS)
    told = await bot.taps(button(shown.messages[0], "Save"))
    assert text(told) == "The topic has been changed since. Please start again."
    topic = await topics.find(bot.db, "Банки")
    assert topic is not None
    assert topic.query == "касса"


async def test_a_reader_of_the_group_cannot_save(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.says("/start@our_bot", chat=GROUP)
    shown = await bot.says("/track@our_bot Банки: банк", chat=GROUP)
    told = await bot.taps(button(shown.messages[0], "Save"), person=BORIS, chat=GROUP)
    assert text(told) == "Only owners and editors can do that here."
    assert await topics.find(bot.db, "Банки") is None


async def test_a_query_that_cannot_be_read_is_shown_with_the_place(bot: Bot) -> None:
    await bot.pair()
    told = text(await bot.says("/track Банки: сбой (банк"))
    assert told == "The bracket opened at character 6 is not closed. Add a closing bracket.\n\nсбой 👉(банк"
    assert await topics.find(bot.db, "Банки") is None


async def test_a_refusal_speaks_the_language_of_the_chat(bot: Bot) -> None:
    await bot.pair(BORIS, language="ru")
    assert "кавычк" in text(await bot.says('/track Банки: "сбой', person=BORIS)).lower()


async def test_an_unknown_name_is_answered_with_how_to_make_it(bot: Bot) -> None:
    await bot.pair()
    told = text(await bot.says("/track сбой"))
    assert told == "There is no topic сбой. To create it, write what to look for: /track сбой: …"
    assert "/track" in text(await bot.says("/track"))


async def test_another_query_for_a_topic_says_what_it_replaces(bot: Bot) -> None:
    await bot.pair()
    await bot.tracks("Банки: банк сбой")
    replaced = "was: банк сбой\nnow: банк"
    assert replaced in text(await bot.says("/track Банки: банк"))
    assert replaced in text(await bot.tracks("Банки: банк"))
    assert "was:" not in text(await bot.tracks("Банки: банк"))


@pytest.mark.parametrize("typed", ["/track А\nб: сбой", "/track Время 10:30 сбой"])
async def test_a_query_whose_name_cannot_be_told_is_answered_with_an_example(bot: Bot, typed: str) -> None:
    await bot.pair()
    assert text(await bot.says(typed)).startswith("Put a short name before the colon, for example: /track Payments: ")


@pytest.mark.parametrize("command", ["/track Банки: сбой since:7d", "/test сбой since:7d"])
async def test_a_filter_outside_a_search_is_refused(bot: Bot, command: str) -> None:
    await bot.pair()
    assert text(await bot.says(command)).startswith("“since:” at character 6 only works in /search")


async def test_an_operator_among_capitals_is_told_to_be_a_word(bot: Bot) -> None:
    await bot.pair()
    told = text(await bot.says("/test VPN OR ВПН"))
    assert "«or» is searched for as a word here: operators count only in capitals, and only next to" in told
    assert "Write | in its place." in told


async def test_expressions_of_all_topics_share_one_room(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    await bot.pair()
    monkeypatch.setattr("bot.commands.topic_change.MOST_IN_ALL", 60_000)
    await bot.tracks(r"Первая: re:/\w{1,35}а/")
    assert "too large" in text(await bot.says(r"/track Вторая: re:/\w{1,35}б/"))
    assert "Looking for" in text(await bot.says(r"/track Первая: re:/\w{1,35}в/"))
    assert "Looking for" in text(await bot.says("/track Вторая: сбой"))


@pytest.mark.parametrize("typed", ["/track re:/сбо+й/", "/track Re:/а/", "/track : сбой", f"/track {'а' * 65}: сбой"])
async def test_a_name_that_is_none_is_refused(bot: Bot, typed: str) -> None:
    await bot.pair()
    before = len(await topics.all_topics(bot.db))
    assert "example" in text(await bot.says(typed)) or "Write the name" in text(await bot.says(typed))
    assert len(await topics.all_topics(bot.db)) == before


async def test_a_builtin_topic_cannot_be_given_another_query(bot: Bot) -> None:
    await bot.pair()
    assert "is built in" in text(await bot.says("/track outages: пиво"))


async def test_a_name_is_one_whatever_its_case_when_a_query_is_changed(bot: Bot) -> None:
    await bot.pair()
    await bot.tracks("Банки: банк")
    await bot.tracks("банки: банк сбой")
    topic = await topics.find(bot.db, "БАНКИ")
    assert topic is not None
    assert topic.query == "банк сбой"
    assert "now gets alerts on Банки" in text(await bot.tracks("Банки: банк сбой"))


@pytest.mark.parametrize("command", ["/test сбой", "/track Свои: сбой"])
async def test_a_preview_without_time_for_all_says_so_and_goes_on(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("bot.commands.query_text._MOST_READ", 4)
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(*(post(n, f"Сбой {n}", date=ago(hours=10 * n)) for n in range(1, 11)))
    first = await bot.says(command)
    assert "Since 8 Mar it would have triggered 4 alerts." in text(first)
    assert "I searched 4 posts, back to 8 Mar, 20:00 UTC; older ones are not counted." in text(first)
    second = await bot.taps(button(first.messages[0], "Search further back"))
    assert "From 7 Mar to 8 Mar it would have triggered 4 alerts." in text(second)
    assert "In any form" not in text(second)
    last = await bot.taps(button(second.messages[0], "Search further back"))
    assert "From 6 Mar to 7 Mar it would have triggered 2 alerts." in text(last)
    assert "I searched" not in text(last)
    assert last.messages[0].buttons == ()
    assert "too old" in text(await bot.taps(b"older:q:m-999:5"))
