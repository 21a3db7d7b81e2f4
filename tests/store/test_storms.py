"""Many posts on a topic become one message: through the real ingest, into the outbox."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from bot.models.alerts import Priority, StormState
from bot.schedule import Storms
from bot.store import chats, subscriptions
from bot.store.chats import Chat
from tests import kit
from tests.kit import Message
from tests.kit_archive import NEWS, NOON, OTHER, Archive, gone, post

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
WORDS = ["Тверь", "Псков", "Орёл", "Курск", "Омск", "Томск", "Пенза", "Самара"]


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    await archive.follow(OTHER, title="Другие")
    return archive


async def reader(archive: Archive, *, count: int = 3, minutes: int = 5) -> Chat:
    chat = await archive.pair()
    await archive.track(chat, "сбои", "сбой")
    await archive.db.write(lambda tx: chats.save(tx, replace(chat, storms=Storms(count=count, minutes=minutes))))
    return chat


def said(number: int) -> str:
    """Say of one event what no other post says."""
    return f"{number}: {' '.join(Random(number).sample(WORDS, len(WORDS)))}: сбой"  # noqa: S311 - repeatable


async def say(archive: Archive, *numbers: int, every: timedelta = SECOND, channel_id: int = NEWS) -> None:
    """Post one after the other."""
    for number in numbers:
        archive.now += every
        await archive.live(post(number, said(number), date=archive.now, channel_id=channel_id))


async def of_kind(archive: Archive, kind: str) -> list[Message]:
    return [each for each in await archive.outbox() if each.kind == kind]


async def send_due(archive: Archive) -> None:
    await kit.send_all(archive.db, archive.now, archive.now)


async def storm(archive: Archive) -> StormState:
    return await kit.latest_storm(archive.db, archive.now)


async def test_what_is_more_becomes_one_message(archive: Archive) -> None:
    await reader(archive)
    await say(archive, *range(1, 8))
    assert (await archive.labels()).count("alert") == 3
    (notice,) = await of_kind(archive, "storm")
    assert not notice.silent
    found = await storm(archive)
    assert (found.topic, found.is_over, found.channels) == ("сбои", False, (("Вести", 4),))
    assert [each.post.message_id for each in found.latest] == [7, 6, 5]


async def test_of_posts_that_come_together_the_same_becomes_one_message(archive: Archive) -> None:
    await reader(archive)
    result = await archive.live(*(post(number, said(number)) for number in range(1, 8)))
    assert result.alerts == 7
    assert await archive.labels() == ["alert"] * 3 + ["storm"]
    assert (await storm(archive)).channels == (("Вести", 4),)


async def test_it_grows_by_one_edit_at_a_time_three_seconds_apart(archive: Archive) -> None:
    await reader(archive)
    await say(archive, *range(1, 5))
    await send_due(archive)
    sent_at = archive.now
    await say(archive, 5, 6, 7)
    (edit,) = await archive.outbox()
    assert (edit.label, edit.due_at) == ("edit", sent_at + timedelta(seconds=3))
    assert await kit.closes_at(archive.db, edit) == archive.now + timedelta(minutes=5)
    await send_due(archive)
    await say(archive, 8)
    await say(archive, 9, every=MINUTE)
    (edit,) = await archive.outbox()
    assert (edit.label, edit.due_at) == ("edit", sent_at + timedelta(seconds=6))
    assert await kit.closes_at(archive.db, edit) == archive.now + timedelta(minutes=5)


async def test_it_ends_by_itself_and_the_next_ones_are_alerts_again(archive: Archive) -> None:
    await reader(archive)
    await say(archive, *range(1, 6))
    await say(archive, 6, every=4 * MINUTE)  # each keeps it open
    await say(archive, 7, channel_id=OTHER, every=4 * MINUTE)
    archive.now += 5 * MINUTE
    found = await storm(archive)
    assert (found.is_over, found.channels) == (True, (("Вести", 3), ("Другие", 1)))
    assert (found.since, found.until) == (NOON + 4 * SECOND, NOON + 8 * MINUTE + 5 * SECOND)
    await send_due(archive)
    await say(archive, *range(11, 15))
    assert (await archive.labels()).count("alert") == 3
    (second,) = await of_kind(archive, "storm")
    assert not second.is_edit
    assert await archive.labels() == ["alert"] * 3 + ["storm"]


async def test_a_summary_that_is_put_off_while_it_is_on_its_way_is_not_done_with(archive: Archive) -> None:
    await reader(archive)
    await say(archive, *range(1, 5))
    await send_due(archive)
    (closing,) = await archive.outbox()
    await say(archive, 5, every=4 * MINUTE + 59 * SECOND)
    await archive.send(closing, at=closing.due_at)
    (edit,) = await archive.outbox()
    assert (edit.id, edit.label) == (closing.id, "edit")
    assert await kit.closes_at(archive.db, edit) == archive.now + 5 * MINUTE


async def test_what_comes_slowly_is_no_storm(archive: Archive) -> None:
    await reader(archive)
    await say(archive, *range(1, 9), every=2 * MINUTE)
    assert set(await archive.labels()) == {"alert"}


async def test_where_it_is_switched_off_each_comes_by_itself(archive: Archive) -> None:
    chat = await reader(archive)
    await archive.db.write(lambda tx: chats.save(tx, replace(chat, storms=None)))
    await say(archive, *range(1, 9))
    assert await archive.labels() == ["alert"] * 8


async def test_each_topic_counts_for_itself_and_a_post_of_two_needs_both(archive: Archive) -> None:
    chat = await reader(archive)
    await archive.track(chat, "связь", "связь")
    await say(archive, *range(1, 5))
    archive.now += SECOND
    await archive.live(post(20, "Связь пропала", date=archive.now), post(21, "Сбой: связь в Твери", date=archive.now))
    assert (await archive.labels()).count("alert") == 5
    for number in (22, 23):
        await archive.live(post(number, f"Связь {WORDS[number % 20]}", date=archive.now))
    await archive.live(post(24, "Связь в Орле и сбой", date=archive.now))
    assert (await archive.labels()).count("alert") == 6
    assert {each.topic for each in await of_kind(archive, "storm")} == {"сбои", "связь"}
    (both,) = [each for each in await kit.alerts_of(archive.db) if each.post_key == "m24"]
    assert both.group is not None
    assert both.group["topic"] in {"сбои", "связь"}


async def test_a_silent_topic_begins_its_storm_without_a_sound(archive: Archive) -> None:
    chat = await reader(archive)
    (wish,) = await subscriptions.of_chat(archive.db, chat.id)
    await archive.db.write(lambda tx: subscriptions.set_priority(tx, chat.id, wish.topic_id, Priority.SILENT))
    await say(archive, *range(1, 6))
    (notice,) = await of_kind(archive, "storm")
    assert notice.silent


async def test_a_change_of_a_post_is_shown_among_the_latest_and_never_told(archive: Archive) -> None:
    await reader(archive)
    await say(archive, *range(1, 9))
    await send_due(archive)
    (closing,) = await archive.outbox()
    archive.now += 10 * SECOND
    await archive.live(post(4, "Сбой устранён", date=NOON, edit_date=archive.now))  # the storm shows 6, 7 and 8
    assert await archive.outbox() == [closing]
    await archive.live(gone(8))
    (edit,) = await archive.outbox()
    assert (edit.label, edit.due_at) == ("edit", archive.now)
    assert (await storm(archive)).latest[0].post.gone_at == archive.now


async def test_a_post_that_was_told_already_begins_no_storm(archive: Archive) -> None:
    chat = await reader(archive)
    await say(archive, *range(1, 4))
    await archive.track(chat, "связь", "связь")
    archive.now += SECOND
    await archive.live(post(3, "Сбой: нет связи", date=NOON, edit_date=archive.now))
    assert await of_kind(archive, "storm") == []


async def test_where_the_chat_is_lost_a_storm_is_over(archive: Archive) -> None:
    chat = await reader(archive)
    await say(archive, *range(1, 6))
    await archive.db.write(lambda tx: chats.suspend(tx, chat.id, "USER_IS_BLOCKED"))
    await archive.db.write(lambda tx: chats.resume(tx, chat.id))
    await say(archive, 9, every=6 * MINUTE)
    assert await archive.labels() == ["alert"]


async def test_where_its_message_is_deleted_a_storm_is_over(archive: Archive) -> None:
    await reader(archive)
    await say(archive, *range(1, 5))
    await send_due(archive)
    await say(archive, 5)
    (growing,) = await archive.outbox()
    await kit.kill(archive.db, growing, "MESSAGE_ID_INVALID")
    await say(archive, 6)
    (notice,) = await of_kind(archive, "storm")
    assert (await storm(archive)).channels == (("Вести", 1),)
    assert notice.due_at == archive.now


async def test_the_index_answers_who_was_told_how_much_lately(archive: Archive) -> None:
    plan = await archive.db.fetch_all(f"EXPLAIN QUERY PLAN {kit.ALERTED_LATELY}", {"chat": 1, "since": 5})
    assert "COVERING INDEX alerts_chat" in plan[0]["detail"]


AIRPORT = "Аэропорт закрыт для прилётов: сбой диспетчерской системы, рейсы задерживаются до вечера"


async def bring(archive: Archive, number: int, text: str) -> None:
    archive.now += SECOND
    await archive.live(post(number, text, date=archive.now, channel_id=OTHER))


async def test_a_new_event_rings_once_and_the_storm_names_it(archive: Archive) -> None:
    await reader(archive)
    await say(archive, *range(1, 8))
    await send_due(archive)
    await bring(archive, 20, AIRPORT)
    alert, edit = await archive.outbox()
    assert (alert.label, alert.silent, alert.post and alert.post.text) == ("alert", False, AIRPORT)
    assert (edit.kind, edit.label) == ("storm", "edit")
    assert [each.post.text for each in (await storm(archive)).news] == [AIRPORT]
    assert await kit.closes_at(archive.db, edit) == archive.now + 5 * MINUTE
    await bring(archive, 21, "Рейсы из аэропорта задерживаются, самолёты не принимают: всему виной сбой")
    assert (await archive.labels()).count("alert") == 1
    found = await storm(archive)
    assert [each.post.message_id for each in found.latest] == [21, 7, 6]
    assert [each.post.message_id for each in found.news] == [20]


async def test_what_was_alerted_before_the_storm_is_no_new_event_in_it(archive: Archive) -> None:
    await reader(archive)
    await bring(archive, 20, AIRPORT)
    await say(archive, *range(1, 6))
    await bring(archive, 21, "Рейсы из аэропорта задерживаются, самолёты не принимают: всему виной сбой")
    assert (await archive.labels()).count("alert") == 3
    assert (await storm(archive)).news == ()


async def test_in_a_storm_of_events_no_more_ring_than_before_it(archive: Archive) -> None:
    await reader(archive)
    await say(archive, *range(1, 6))
    events = (
        AIRPORT,
        "Банкоматы крупного банка не выдают наличные: сбой процессинга",
        "Метро стоит на двух ветках, поезда остановил сбой сигнализации",
        "Школьный дневник не открывается, родители видят пустые страницы: сбой",
        "Поликлиники вернулись к бумажным картам, виноват сбой медицинского сервера",
    )
    for number, text in enumerate(events, 20):
        await bring(archive, number, text)
    assert (await archive.labels()).count("alert") == 6
    assert len((await storm(archive)).news) == 3


async def test_of_posts_that_come_together_a_new_event_is_named_too(archive: Archive) -> None:
    await reader(archive)
    texts = [*(said(number) for number in range(1, 6)), AIRPORT]
    await archive.live(*(post(number, text) for number, text in enumerate(texts, 1)))
    assert await archive.labels() == ["alert"] * 4 + ["storm"]
    assert [each.post.text for each in (await storm(archive)).news] == [AIRPORT]
