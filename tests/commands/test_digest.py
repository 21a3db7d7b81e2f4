from datetime import datetime, timedelta

import pytest

from bot.commands.chat_settings import read_digests
from bot.models import Outgoing
from bot.schedule import Digests, Every
from tests.commands.kit import BORIS, Bot, button, text
from tests.kit import Message
from tests.store.kit import NOON, post

HOURLY = Digests(every=Every.HOUR)


def weekly(weekday: int = 0, minute: int = 540) -> Digests:
    return Digests(every=Every.WEEK, weekday=weekday, minute=minute)


@pytest.mark.parametrize(
    ("typed", "digests"),
    [
        ("hourly", HOURLY),
        ("каждый час", HOURLY),
        ("ежечасно", HOURLY),
        ("daily", Digests()),
        ("daily 9:00", Digests()),
        ("Daily at 18.30", Digests(minute=18 * 60 + 30)),
        ("каждый день в 7", Digests(minute=420)),
        ("ежедневно 9:00", Digests()),
        ("9:00", Digests()),
        ("weekly", weekly()),
        ("weekly Mon 9:00", weekly()),
        ("every week on Sunday, 10:00", weekly(6, 600)),
        ("еженедельно пн 9:00", weekly()),
        ("раз в неделю в среду", weekly(2)),
        ("по воскресеньям", weekly(6)),
        ("Friday 8", weekly(4, 480)),
        ("каждый день в 9 утра", Digests()),
        ("Daily 6 pm", Digests(minute=18 * 60)),
        ("ежедневно в 9,30.", Digests(minute=570)),
        ("по средам в 8 вечера", weekly(2, 20 * 60)),
        ("", None),
        ("daily hourly", None),
        ("daily 25:00", None),
        ("hourly 9:00", None),
        ("daily Mon 9:00", None),
        ("at", None),
        ("9:00 10:00", None),
        ("sometimes", None),
    ],
)
def test_rhythms_are_read_as_people_write_them(typed: str, digests: Digests | None) -> None:
    assert read_digests(typed) == digests


async def notice(desk: Bot) -> Message:
    (found,) = [each for each in await desk.room.outbox() if each.label == "digest"]
    return found


async def gathering(desk: Bot, count: int = 1) -> datetime:
    """Have posts wait for the digest; return when it is due."""
    await desk.pair()
    await desk.room.follow()
    await desk.says("/priority outages digest")
    names = ["Тверь", "Псков", "Орёл", "Курск", "Омск", "Томск", "Пенза", "Самара", "Уфа", "Казань", "Пермь", "Чита"]
    for number in range(1, count + 1):
        words = f"{names[number % 12]} {number} {names[number * 5 % 12]} {number * 77}"
        await desk.room.live(post(number, f"Сбой: {words}", date=NOON + timedelta(seconds=number)))
    return (await notice(desk)).due_at


async def test_it_is_daily_at_nine_until_somebody_wants_it_otherwise(desk: Bot) -> None:
    chat = await desk.pair()
    shown = await desk.says("/digest")
    assert "Digests come here: daily at 09:00 (UTC)." in text(shown)
    assert "No topic waits for them" in text(shown)
    answer = await desk.taps(button(shown.messages[0], "weekly, Mon 09:00"))
    assert (await desk.chat(chat.peer)).digests == weekly()
    assert button(answer.edit, "● weekly, Mon 09:00")
    assert "I do not understand «never»" in text(await desk.says("/digest never"))
    assert "no longer works" in text(await desk.taps(b"digest:day:1440:0"))
    await desk.says("/digest hourly")
    assert (await desk.chat(chat.peer)).digests == HOURLY


async def test_in_russian_the_days_and_words_are_russian(desk: Bot) -> None:
    await desk.pair(language="ru")
    assert "еженедельно, пн 09:00" in text(await desk.says("/digest еженедельно пн 9:00"))


async def test_a_new_rhythm_takes_along_what_waits(desk: Bot) -> None:
    assert await gathering(desk) == NOON + timedelta(hours=21)
    assert "1 topic of this chat waits for them." in text(await desk.says("/digest hourly"))
    assert (await notice(desk)).due_at == NOON + timedelta(hours=1)


async def test_pages_are_made_from_the_store_at_the_tap(desk: Bot) -> None:
    await gathering(desk, 15)
    sent = await notice(desk)
    await desk.room.send(sent, 7, at=NOON)
    first = await desk.taps(f"sum:{sent.random_id}:0".encode())
    assert first.edit is not None
    assert first.edit.text.startswith("Digest · 15 posts")
    second = await desk.taps(button(first.edit, "›"))
    assert shown_lines(second.edit) == 3
    assert button(second.edit, "2/2")
    await desk.room.live(post(16, "Сбой: Выборг и окрестности", date=NOON))  # not of this digest
    back = await desk.taps(button(second.edit, "‹"))
    assert back.edit == first.edit


def shown_lines(outgoing: Outgoing | None) -> int:
    assert outgoing is not None
    return outgoing.text.count("•")


async def test_all_of_a_storm_comes_as_a_message_of_its_own(desk: Bot) -> None:
    await gathering(desk, 2)
    shown = await desk.taps(f"sum:{(await notice(desk)).random_id}:0:new".encode())
    assert shown.edit is None
    assert shown_lines(shown.messages[0]) == 2


async def test_a_digest_of_another_chat_cannot_be_read(desk: Bot) -> None:
    await gathering(desk)
    random_id = (await notice(desk)).random_id
    await desk.pair(BORIS)
    assert "no longer works" in text(await desk.taps(f"sum:{random_id}:0".encode(), person=BORIS))
    assert "no longer works" in text(await desk.taps(b"sum:99:0"))
