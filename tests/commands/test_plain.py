"""What is written, pasted or forwarded in private without a command."""

from collections.abc import Callable, Coroutine
from datetime import timedelta

import pytest

from bot.commands.context import ForwardOrigin, Reply
from bot.models.people import Role
from bot.store import channels
from bot.store.access import Restrictable, restrict
from tests.commands.kit import BORIS, GROUP, Bot, button, text
from tests.kit_archive import NEWS, NOON, OTHER, ago, gone, post

LINK = "https://t.me/News1001/7"
ORIGIN = ForwardOrigin(channel_id=NEWS, title="Вести", username="News1001", message_id=7)


@pytest.fixture
async def known(bot: Bot) -> Bot:
    """Bring a bot that has an alert of post 7, which was edited."""
    await bot.pair()
    await bot.archive.follow()
    await bot.archive.live(post(7, "Сбой в банке"))
    await bot.archive.live(post(7, "Сбой в вузе", edit_date=NOON))
    return bot


async def test_words_are_searched_for_as_by_the_command(known: Bot) -> None:
    assert text(await known.says("сбой вуз")) == text(await known.says("/search сбой вуз"))
    assert "Сбой в вузе" in text(await known.says("сбой in:вести since:1d"))
    assert text(await known.says("бегемот")).endswith("I will look it up. /help")
    await known.says("/start@our_bot", chat=GROUP)
    assert await known.says("сбой вуз", chat=GROUP) == Reply()


@pytest.mark.parametrize("words", ["Москва", "сбой @agency"])
async def test_what_may_be_meant_otherwise_can_be_searched_for_too(known: Bot, words: str) -> None:
    await known.archive.live(post(8, "Москва: сбой, пишет @agency"))
    offer = await known.says(words)
    found = await known.taps(button(offer.messages[0], "Search"))
    assert "Москва: сбой" in text(found)


@pytest.mark.parametrize(
    "ask",
    [
        lambda bot: bot.says("Сбой в вузе", origin=ORIGIN),
        lambda bot: bot.says("/help и другие слова поста", origin=ORIGIN),
        lambda bot: bot.says(f"Видели? ({LINK}?single)."),
        lambda bot: bot.says("здесь", links=(LINK,)),
        lambda bot: bot.says("/post", reply_to=5, replied="Сбой", replied_origin=ORIGIN),
    ],
)
async def test_a_forwarded_post_or_a_link_to_one_is_looked_up(
    known: Bot, ask: Callable[[Bot], Coroutine[None, None, Reply]]
) -> None:
    await known.archive.live(gone(7))
    shown = text(await ask(known))
    assert shown.startswith("Вести · 10 Mar, 12:00 UTC\nDeleted, Telegram told us")
    assert "🔔 Alerted in this chat on 10 Mar, 12:00 UTC: Outages\n\nСбой в вузе\n\nEdited 10 Mar" in shown


async def test_a_post_that_is_not_stored_says_whether_its_channel_is_followed(known: Bot) -> None:
    assert text(await known.says("t.me/news1001/99")) == "This post is not stored."
    other = ForwardOrigin(channel_id=NEWS, title="Вести", username="News1001", message_id=99)
    told = await known.says("Сбой", origin=other)
    assert text(told) == "This is from Вести. I have not stored this post.\nIt matches Outages."
    assert text(await known.taps(button(told.messages[0], "More like this"))).startswith("More like")
    assert text(await known.says("", origin=other)) == "This is from Вести. I have not stored this post."
    offer = await known.says("https://t.me/agency/5")
    assert text(offer) == "I do not follow the channel of this post."
    assert button(offer.messages[0], "Follow @agency")


async def test_the_channel_of_a_stored_post_that_nobody_follows_is_offered(known: Bot) -> None:
    await known.db.write(lambda tx: channels.unfollow(tx, NEWS))
    assert button((await known.says(LINK)).messages[0], "Follow Вести").data == b"follow:@News1001"


async def test_a_post_of_a_channel_restricted_to_others_is_not_stored(known: Bot) -> None:
    await known.pair(BORIS, Role.READER)
    chat = await known.pair(503)
    await known.db.write(lambda tx: restrict(tx, Restrictable.CHANNEL, NEWS, [chat.id]))
    told = await known.says("Сбой", origin=ORIGIN, person=BORIS)
    assert "Сбой" not in text(told)
    assert "Сбой" not in text(await known.says(LINK, person=BORIS))


async def test_a_post_without_an_alert_says_what_kept_it_from_coming(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(since=ago(hours=2))
    await bot.archive.follow(OTHER, title="Хроника")
    await bot.says("/mute @News1002")
    await bot.archive.live(post(1), post(2, "Сбой", date=NOON - timedelta(hours=3)), post(3, "Сбой", channel_id=OTHER))
    assert "🔕 No alert: it matches no topic of this chat." in text(await bot.says("t.me/news1001/1"))
    assert "🔕 No alert: it matches Outages, but was posted before" in text(await bot.says("t.me/news1001/2"))
    assert "🔕 No alert: it matches Outages, but that is muted in this chat." in text(await bot.says("t.me/news1002/3"))
    await bot.db.write(lambda tx: channels.unfollow(tx, OTHER))
    assert "but its channel is not followed." in text(await bot.says("t.me/news1002/3"))


async def test_a_pasted_text_finds_the_posts_that_say_nearly_the_same(known: Bot) -> None:
    said = "Сбербанк подтвердил массовый сбой мобильного приложения в Саратове: переводы не проходят с самого утра. "
    said += "Специалисты работают над восстановлением, клиентам советуют пользоваться банкоматами и сайтом."
    await known.archive.live(post(8, said))
    found = await known.says(f"{said} Подписывайтесь на наш новый канал")
    assert said.strip() in text(found)
    assert button(found.messages[0], "Search for these words")
    told = await known.says("Погода в Сочи хорошая, вода тёплая, а пляжи открыты для всех отдыхающих. " * 3)
    assert text(told) == "No stored post is similar."


async def test_readers_are_not_offered_what_they_may_not(known: Bot) -> None:
    await known.pair(BORIS, Role.READER)
    told = await known.says("https://t.me/agency/5", person=BORIS)
    assert text(told) == "I do not follow the channel of this post."
    assert told.messages[0].buttons == ()
