import pytest

from bot.models.outgoing import PeerKind
from bot.models.people import Role
from bot.parts import Part, PartKind
from bot.store import chats, topics
from tests.commands.kit import BORIS, GROUP, Bot, bold_words, button, labels, text
from tests.kit_archive import NOON, ago, post

TEXT = "В банках сбой, а воду\nотключили вчера"


async def explained(bot: Bot, words: str, replied: str | None = TEXT) -> str:
    return text(await bot.says(words, reply_to=900, replied=replied))


async def alerted(bot: Bot, words: str, parts: tuple[Part, ...] = ()) -> int:
    """Let a post alert the owner's chat, and return the number of the bot's message."""
    await bot.archive.follow()
    await bot.archive.live(post(7, words, parts=parts))
    (alert,) = await bot.archive.outbox()
    await bot.archive.send(alert, 4711, at=NOON)
    return 4711


async def test_each_topic_of_the_chat_says_why_it_fits_or_what_is_missing(bot: Bot) -> None:
    await bot.pair()
    await bot.tracks("Вода: вода ~1 отключить")
    await bot.tracks("Банки: банк касса -учения")
    await bot.tracks("Учения: сбой -вчера")
    told = await bot.says("/explain", reply_to=900, replied=TEXT)
    assert text(told).splitlines() == [
        "В банках сбой, а воду отключили вчера",
        "",
        "✅ Outages: сбой",
        "✅ Вода: воду, отключили",
        "▫️ Банки: not found: касса",
        "▫️ Учения: excluded by: вчера",
        "▫️ Digital sovereignty: not found: импортозамещение",
    ]
    found = ["сбой", "воду", "отключили"]
    assert bold_words(told.messages[0])[:5] == [*found, "Outages", "сбой"]


async def test_an_alert_is_explained_by_the_whole_post_as_it_was_alerted(bot: Bot) -> None:
    await bot.pair()
    number = await alerted(bot, f"{'Длинное вступление. ' * 300} В конце сбой.")
    await bot.archive.live(post(7, "Поправка: всё работает", edit_date=NOON))
    told = await bot.says("/explain", reply_to=number, replied="Вести · Outages\n\nДлинное вступление …")
    lines = text(told).splitlines()
    assert lines[0] == "Вести"
    assert told.messages[0].entities[0].value == "https://t.me/News1001/7"
    assert lines[1].endswith("В конце сбой.")
    assert "✅ Outages: сбой" in lines


async def test_a_post_is_explained_by_its_link(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(post(7, "В банке сбой"))
    assert "✅ Outages: сбой" in text(await bot.says("/explain https://t.me/News1001/7"))


async def test_an_alert_is_explained_even_where_telegram_does_not_show_it_again(bot: Bot) -> None:
    await bot.pair()
    number = await alerted(bot, "Сбой")
    assert "✅ Outages" in text(await bot.says("/explain", reply_to=number))


async def test_an_alert_is_explained_by_what_matched_beside_its_text(bot: Bot) -> None:
    await bot.pair()
    number = await alerted(bot, "Голосуем", parts=(Part(kind=PartKind.POLL, text="Был сбой?"),))
    lines = text(await bot.says("/explain", reply_to=number)).splitlines()
    assert lines[1:3] == ["Голосуем", "Poll: Был сбой?"]
    assert "✅ Outages: сбой" in lines


async def test_a_message_of_another_chat_with_the_number_of_an_alert_is_no_alert(bot: Bot) -> None:
    await bot.pair()
    number = await alerted(bot, "Сбой")
    await bot.pair(BORIS)
    assert "cannot see" in text(await bot.says("/explain", reply_to=number, person=BORIS))


@pytest.mark.parametrize("command", ["/explain", "/test"])
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("сбой ~2 банк", ["✅ It matches.", "банках, сбой"]),
        ("погода, вода", ["✅ It matches.", "воду"]),
        ("сбой -банк", ["▫️ It does not match.", "Found: сбой", "excluded by: банк"]),
        (
            "сбой ~1 вчера",
            ["▫️ It does not match.", "Found: сбой, вчера", "found, but too far apart: сбой ~1 вчера"],
        ),
        ("сбой ~2 сбой", ["▫️ It does not match.", "Found: сбой", "found only once: сбой ~2 сбой"]),
        ('"сбой сбой"', ["▫️ It does not match.", 'found only once: "сбой сбой"']),
        ('"сбой в банке"', ["▫️ It does not match.", 'found, but not side by side: "сбой в банке"']),
        ("сбой касса", ["▫️ It does not match.", "Found: сбой", "not found: касса"]),
        ("касса погода", ["▫️ It does not match.", "not found: касса; not found: погода"]),
        ("касса, погода", ["▫️ It does not match.", "none of it was found"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_query_is_held_against_what_was_replied_to(bot: Bot, command: str, query: str, told: list[str]) -> None:
    await bot.pair()
    lines = (await explained(bot, f"{command} {query}")).splitlines()
    assert lines[0] == f"Looking for: {query}"
    assert lines[2] == "В банках сбой, а воду отключили вчера"
    assert lines[4:] == told


@pytest.mark.parametrize("command", ["/explain сбой", "/explain", "/test сбой"])
async def test_what_cannot_be_read_is_one_plain_line(bot: Bot, command: str) -> None:
    await bot.pair()
    told = await explained(bot, command, replied=None)
    assert told == "I cannot see the message you replied to. Forward it to me and reply to that."
    assert await explained(bot, command, replied="\n") == "That message has no text."


async def test_a_query_that_cannot_be_read_shows_the_place(bot: Bot) -> None:
    await bot.pair()
    assert "👉" in await explained(bot, "/explain (сбой")
    assert "👉" in text(await bot.says("/test (сбой"))


async def test_without_a_reply_each_says_how_to_use_it(bot: Bot) -> None:
    await bot.pair()
    assert text(await bot.says("/explain")).startswith("Reply with /explain to an alert")
    assert "/test “payment system”" in text(await bot.says("/test"))


async def test_a_chat_without_topics_is_told_where_to_choose_some(bot: Bot) -> None:
    await bot.pair(BORIS)
    for name in ("outages", "sovereignty"):
        await bot.says(f"/untrack {name}", person=BORIS)
    told = text(await bot.says("/explain", person=BORIS, reply_to=9, replied=TEXT))
    assert told == "This chat has no topics yet. Choose some in /topics."


async def test_many_long_topics_fit_on_one_screen(bot: Bot) -> None:
    chat = await bot.pair()
    for number in range(40):
        await bot.archive.track(
            chat, f"{number} {'Очень длинное имя' * 3}", f"сбой касса{number} {'слово' * 9} {'другое' * 9}"
        )
    told = await bot.says("/explain", reply_to=900, replied=TEXT * 100)
    assert text(told).endswith("+27")
    assert len(text(told)) <= 4096


async def test_a_query_is_tried_without_saving_it(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    await bot.archive.follow()
    await bot.archive.live(post(1, "В банках сбой", date=ago(days=2)))
    before = len(await topics.all_topics(bot.db))
    shown = await bot.says("/test банк сбой", person=BORIS)
    assert text(shown).startswith("Looking for: банк сбой\n")
    assert "Since 8 Mar it would have triggered 1 alert." in text(shown)
    assert "Track this" not in labels(shown.messages[0])  # a reader makes no topics
    told = await bot.taps(button((await bot.says("/test банк сбой")).messages[0], "Track this"))
    assert text(told).startswith("What should the topic be called?")
    assert text(await bot.says("Банки")).startswith("Банки\nLooking for: ")
    assert len(await topics.all_topics(bot.db)) == before


async def test_a_group_may_ask_too(bot: Bot) -> None:
    await bot.pair()
    await bot.says("/start@our_bot", chat=GROUP)
    group = await chats.by_peer(bot.db, PeerKind.CHANNEL, GROUP.id)
    assert group is not None
    await bot.archive.track(group, "Вода", "вода")
    assert "✅ Вода: воду" in text(await bot.says("/explain@our_bot", chat=GROUP, reply_to=5, replied=TEXT))
