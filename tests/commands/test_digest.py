from datetime import datetime, timedelta

import pytest

from bot.commands.parsing import read_digests
from bot.models.outgoing import Outgoing, Peer, PeerKind
from bot.models.people import Viewer
from bot.schedule import Digests, Every
from bot.store import access, groups
from bot.store.access import Restrictable
from tests.commands.kit import ANNA, BORIS, Bot, button, text
from tests.kit import Message
from tests.kit_archive import NEWS, NOON, post

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
        ("щодня о 9:00", Digests()),
        ("щогодини", HOURLY),
        ("щотижня пн 9:00", weekly()),
        ("раз на тиждень у п’ятницю о 8", weekly(4, 480)),
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


async def notice(bot: Bot) -> Message:
    (found,) = [each for each in await bot.archive.outbox() if each.label == "digest"]
    return found


async def gathering(bot: Bot, count: int = 1) -> datetime:
    """Have posts wait for the digest; return when it is due."""
    await bot.pair()
    await bot.archive.follow()
    await bot.says("/priority outages digest")
    names = ["Тверь", "Псков", "Орёл", "Курск", "Омск", "Томск", "Пенза", "Самара", "Уфа", "Казань", "Пермь", "Чита"]
    for number in range(1, count + 1):
        words = f"{names[number % 12]} {number} {names[number * 5 % 12]} {number * 77}"
        await bot.archive.live(post(number, f"Сбой: {words}", date=NOON + timedelta(seconds=number)))
    return (await notice(bot)).due_at


async def test_it_is_daily_at_nine_until_somebody_wants_it_otherwise(bot: Bot) -> None:
    chat = await bot.pair()
    shown = await bot.says("/digest")
    assert "Digests are sent here: daily at 09:00, UTC." in text(shown)
    assert "No topic of this chat goes into them" in text(shown)
    answer = await bot.taps(button(shown.messages[0], "weekly, Mon 09:00"))
    assert (await bot.chat(chat.peer)).digests == weekly()
    assert button(answer.edit, "● weekly, Mon 09:00")
    assert "I do not understand «never»" in text(await bot.says("/digest never"))
    assert "no longer works" in text(await bot.taps(b"digest:day:1440:0"))
    await bot.says("/digest hourly")
    assert (await bot.chat(chat.peer)).digests == HOURLY


async def test_in_russian_the_days_and_words_are_russian(bot: Bot) -> None:
    await bot.pair(language="ru")
    assert "еженедельно, пн 09:00" in text(await bot.says("/digest еженедельно пн 9:00"))


async def test_a_new_rhythm_takes_along_what_waits(bot: Bot) -> None:
    assert await gathering(bot) == NOON + timedelta(hours=21)
    assert "1 topic of this chat goes into them." in text(await bot.says("/digest hourly"))
    assert (await notice(bot)).due_at == NOON + timedelta(hours=1)


async def test_pages_are_made_from_the_store_at_the_tap(bot: Bot) -> None:
    await gathering(bot, 15)
    sent = await notice(bot)
    await bot.archive.send(sent, 7, at=NOON)
    first = await bot.taps(f"sum:{sent.random_id}:0".encode())
    assert first.edit is not None
    assert first.edit.text.startswith("Digest · 15 posts")
    second = await bot.taps(button(first.edit, "›"))
    assert shown_lines(second.edit) == 3
    assert button(second.edit, "2/2")
    await bot.archive.live(post(16, "Сбой: Выборг и окрестности", date=NOON))  # not of this digest
    back = await bot.taps(button(second.edit, "‹"))
    assert back.edit == first.edit


def shown_lines(outgoing: Outgoing | None) -> int:
    assert outgoing is not None
    return outgoing.text.count("•")


async def test_all_of_a_storm_comes_as_a_message_of_its_own(bot: Bot) -> None:
    await gathering(bot, 2)
    shown = await bot.taps(f"sum:{(await notice(bot)).random_id}:0:new".encode())
    assert shown.edit is None
    assert shown_lines(shown.messages[0]) == 2


async def test_a_digest_of_another_chat_cannot_be_read(bot: Bot) -> None:
    await gathering(bot)
    random_id = (await notice(bot)).random_id
    await bot.pair(BORIS)
    assert "no longer works" in text(await bot.taps(f"sum:{random_id}:0".encode(), person=BORIS))
    assert "no longer works" in text(await bot.taps(b"sum:99:0"))


async def test_pages_leave_out_a_channel_that_is_kept_to_other_chats_since(bot: Bot) -> None:
    await gathering(bot)
    owner = await bot.chat(Peer(kind=PeerKind.USER, id=ANNA))
    random_id = (await notice(bot)).random_id
    await bot.archive.db.write(lambda tx: access.restrict(tx, Restrictable.CHANNEL, NEWS, []))
    assert await groups.find(bot.db, owner.id, random_id, Viewer(chat_id=owner.id)) is None
    assert shown_lines((await bot.taps(f"sum:{random_id}:0".encode())).edit) == 1  # of an owner, who sees everything
    await bot.archive.db.write(lambda tx: access.share(tx, Restrictable.CHANNEL, NEWS, owner.id))
    assert await groups.find(bot.db, owner.id, random_id, Viewer(chat_id=owner.id)) is not None
