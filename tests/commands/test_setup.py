import pytest

from bot.commands.setup import spoken
from bot.matching.topics import builtin_topics
from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from tests.commands.kit import ANNA, BORIS, BUILTIN, GROUP, Bot, button, labels, text

PRIVATE = Peer(kind=PeerKind.USER, id=ANNA)


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("ru", "ru"),
        ("ru-RU", "ru"),
        ("uk", "uk"),
        ("kk", "ru"),
        ("en", "en"),
        ("pt_BR", "en"),
        ("de", "en"),
        ("", "en"),
    ],
)
def test_the_telegram_language_decides(code: str, language: str) -> None:
    assert spoken(code) == language


async def test_pairing_subscribes_a_private_chat_to_the_topics_that_are_on_by_default(bot: Bot) -> None:
    chat = await bot.pair()
    expected = [topic.name for topic in builtin_topics() if topic.default and topic.name in BUILTIN]
    assert "outages" in expected
    assert "utilities" not in expected
    assert sorted(await bot.topics_of(chat)) == sorted(expected)


async def test_a_group_starts_with_no_topic(bot: Bot) -> None:
    await bot.says("/start@our_bot", chat=GROUP)
    assert await bot.topics_of(await bot.chat(GROUP)) == []


async def test_starting_again_keeps_what_the_chat_chose(bot: Bot) -> None:
    chat = await bot.pair()
    for name in await bot.topics_of(chat):
        await bot.says(f"/untrack {name}")
    await bot.taps(b"zone:Europe/Moscow")
    welcome = await bot.says("/start", language="ru")
    assert await bot.topics_of(chat) == []
    assert "Time zone: Moscow (UTC+3)" in text(welcome)


async def test_nobody_is_sent_to_commands_that_are_not_theirs(bot: Bot) -> None:
    await bot.pair()
    await bot.pair(BORIS, Role.READER)
    for words, hint in (
        ("/start", "/follow"),
        ("/topics", "To create your own"),
        ("/help", "To follow a channel"),
        ("/channels", "/follow"),
    ):
        assert hint in text(await bot.says(words))
        assert hint not in text(await bot.says(words, person=BORIS))


async def test_a_russian_speaker_is_greeted_in_russian(bot: Bot) -> None:
    await bot.pair(BORIS, language="ru")
    welcome = await bot.says("/start", person=BORIS)
    assert "Часовой пояс" in text(welcome)


async def test_the_language_is_changed_by_a_button_on_the_same_message(bot: Bot) -> None:
    await bot.pair()
    welcome = await bot.says("/start")
    changed = await bot.taps(button(welcome.messages[0], "Русский"))
    assert "Часовой пояс" in text(changed)
    assert changed.messages == ()
    assert (await bot.chat(PRIVATE)).language == "ru"
    back = await bot.taps(button(changed.edit, "English"))
    assert "Time zone" in text(back)


async def test_a_chat_is_asked_for_its_time_zone_until_it_has_one(bot: Bot) -> None:
    (screen,) = (await bot.says("/start", language="ru-RU")).messages
    assert labels(screen)[3:5] == ["Москва (UTC+3)", "Самара (UTC+4)"]
    assert "В каком вы часовом поясе?" in screen.text
    chosen = await bot.taps(button(screen, "Москва"))
    assert "Москва (UTC+3)" in text(chosen)
    assert "В каком вы часовом поясе?" not in text(chosen)
    assert (await bot.chat(PRIVATE)).time_zone == "Europe/Moscow"
    assert "В каком вы часовом поясе?" not in text(await bot.says("/start"))


@pytest.mark.parametrize(("code", "likely"), [("be", "Минск"), ("kk-KZ", "Алматы")])
async def test_a_phone_that_speaks_another_language_is_asked_which_of_ours(bot: Bot, code: str, likely: str) -> None:
    (screen,) = (await bot.says("/start", language=code)).messages
    assert "Which language should I use here?" in screen.text
    assert button(screen, likely)
    chosen = await bot.taps(button(screen, "Русский"), language=code)
    assert "Which language" not in text(chosen)
    assert (await bot.chat(PRIVATE)).language_chosen


async def test_a_city_that_is_written_offers_its_time_zone(bot: Bot) -> None:
    await bot.pair()
    offer = await bot.says("Берлин")
    assert text(offer) == "It is 10 Mar, 13:00 in Berlin (UTC+1). Tap below to see all dates in this time zone."
    assert (await bot.chat(PRIVATE)).time_zone == "UTC"
    await bot.taps(button(offer.messages[0], "Berlin"))
    assert (await bot.chat(PRIVATE)).time_zone == "Europe/Berlin"


async def test_a_topic_is_switched_on_the_setup_screen(bot: Bot) -> None:
    chat = await bot.pair()
    welcome = await bot.says("/start")
    changed = await bot.taps(button(welcome.messages[0], "▫️ Power"))
    assert "utilities" in await bot.topics_of(chat)
    assert "Power, water, heating" in text(changed)
    await bot.taps(button(changed.edit, "✅ Power"))
    assert "utilities" not in await bot.topics_of(chat)


async def test_a_test_alert_goes_through_the_outbox(bot: Bot) -> None:
    chat = await bot.pair()
    welcome = await bot.says("/start")
    assert text(await bot.taps(button(welcome.messages[0], "Test alert"))) == "Sent. It arrives in a moment."
    waiting = await bot.archive.outbox()
    assert [(alert.notice.kind, alert.chat.id) for alert in waiting] == [("test", chat.id)]
