from datetime import timedelta

from bot.models import Forward
from bot.models.people import Role
from bot.store.access import Restrictable, restrict
from tests.commands.kit import BORIS, Bot, button, text
from tests.kit_archive import NEWS, NOON, OTHER, post

THIRD = 1003
NEWS_TEXT = "Сбербанк подтвердил массовый сбой мобильного приложения в Саратове: переводы не проходят с утра"
RETOLD = "Сбербанк подтвердил массовый сбой мобильного приложения в Саратове: переводы не проходят с утра. Подписаться"
SAME_EVENT = "В Саратове с утра не работает мобильное приложение: массовый сбой Сбербанка, переводы не проходят"


async def told(bot: Bot) -> None:
    await bot.pair()
    await bot.archive.follow(title="Вести")
    await bot.archive.follow(OTHER, title="Хроника")
    await bot.archive.follow(THIRD, title="Пересказ")
    await bot.archive.live(
        post(1, NEWS_TEXT, date=NOON - timedelta(minutes=30)),
        post(1, RETOLD, channel_id=OTHER, date=NOON - timedelta(minutes=18)),
        post(
            1,
            "Сбербанк подтвердил массовый сбой",
            channel_id=THIRD,
            date=NOON,
            forward=Forward(channel_id=NEWS, message_id=1, name=None, date=NOON),
        ),
        post(2, "Сбой приложения метро в Казани", channel_id=THIRD, date=NOON),
        post(9, NEWS_TEXT, channel_id=THIRD, date=NOON - timedelta(days=9)),
    )


async def test_a_post_tells_who_said_it_first_and_how_it_spread(bot: Bot) -> None:
    await told(bot)
    page = (await bot.says("t.me/News1002/1")).messages[0]
    answer = await bot.taps(button(page, "Who said it first"))
    assert text(answer).splitlines() == [
        "Who said it first",
        "",
        "1. Вести · 10 Mar, 11:30 UTC",
        "2. Хроника · +12 min ◀",
        "3. Пересказ · +30 min · ↪",
    ]
    assert text(await bot.taps(button(answer.messages[0], "Show the first"))).startswith("Вести · 10 Mar, 11:30 UTC")
    alone = await bot.taps(f"first:{THIRD}:2".encode())
    assert "No other stored post from within three days says the same" in text(alone)


async def test_a_spread_is_a_chart_too(bot: Bot) -> None:
    await told(bot)
    page = await bot.taps(f"first:{OTHER}:1".encode())
    (shown,) = (await bot.taps(button(page.messages[0], "As a chart"))).messages
    assert shown.text.splitlines() == [
        "Who said it first · 3 channels",
        "Half of them within 12 min, all within 30 min",
        "1. Вести · 10 Mar, 11:30 UTC",
        "2. Хроника · +12 min",
        "3. Пересказ ↪ · +30 min",
    ]
    assert shown.png is not None
    dark = (await bot.taps(button(shown, "🌙"))).edit
    assert dark is not None
    assert dark.png not in {None, shown.png}
    again = (await bot.taps(button(page.messages[0], "As a chart"))).messages[0]
    assert again.png == dark.png  # the chat keeps it
    alone = (await bot.taps(f"spread:{THIRD}:2".encode())).messages[0]
    assert alone.text.splitlines()[0] == "Who said it first · 1 channel"


async def test_what_was_said_before_an_edit_counts(bot: Bot) -> None:
    await told(bot)
    later = NOON + timedelta(minutes=40)
    await bot.archive.live(
        post(1, "Приложение работает, сбой устранён", date=NOON - timedelta(minutes=30), edit_date=later)
    )
    for channel_id in (NEWS, OTHER):
        said = text(await bot.taps(f"first:{channel_id}:1".encode()))
        assert "1. Вести" in said
        assert "2. Хроника · +12 min" in said


async def test_a_search_tells_who_said_first_what_it_found(bot: Bot) -> None:
    await told(bot)
    found = (await bot.says("/search подтвердил приложения")).messages[0]
    assert "1. Вести · 10 Mar, 11:30 UTC" in text(await bot.taps(button(found, "Who said it first")))


async def test_a_restricted_channel_takes_no_part_for_others(bot: Bot) -> None:
    await told(bot)
    await bot.pair(BORIS, Role.READER)
    chat = await bot.pair(503)
    await bot.db.write(lambda tx: restrict(tx, Restrictable.CHANNEL, NEWS, [chat.id]))
    assert "Вести" not in text(await bot.taps(f"first:{OTHER}:1".encode(), person=BORIS))
    assert "Вести" not in text(await bot.taps(f"like:{OTHER}:1".encode(), person=BORIS))
    assert text(await bot.taps(f"first:{NEWS}:1".encode(), person=BORIS)) == "This post is not stored."


async def test_more_like_a_post_are_the_most_alike_of_any_time(bot: Bot) -> None:
    await told(bot)
    await bot.archive.live(post(3, SAME_EVENT, date=NOON - timedelta(days=20)))
    found = text(await bot.taps(f"like:{OTHER}:1".encode()))
    assert found.startswith("More like this\n\n")
    assert SAME_EVENT in found
    assert found.count(NEWS_TEXT) == 2
    assert "Казани" not in found
    assert "No other stored post is similar." in text(await bot.taps(f"like:{THIRD}:2".encode()))


async def test_a_long_spread_has_pages(bot: Bot) -> None:
    await told(bot)
    for number in range(25):
        await bot.archive.follow(2000 + number, title=f"Канал {number}")
        await bot.archive.live(post(1, NEWS_TEXT, channel_id=2000 + number, date=NOON))
    page = (await bot.says("t.me/News1002/1")).messages[0]
    first = await bot.taps(button(page, "Who said it first"))
    second = await bot.taps(button(first.messages[0], "›"))
    assert second.messages == ()
    assert "\n21. " in text(second)
    assert button(second.edit, "2/2")
