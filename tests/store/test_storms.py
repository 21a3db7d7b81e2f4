"""Many posts on a topic become one message: through the real ingest, into the outbox."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.models.groups import StormState
from bot.schedule import Storms
from bot.store import chats, subscriptions
from bot.store.chats import Chat
from bot.store.subscriptions import Priority
from tests import kit
from tests.kit import Message
from tests.store.kit import NEWS, NOON, OTHER, Newsroom, gone, newsroom, post

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
TOWNS = (
    "Тверь Псков Орёл Курск Омск Томск Пенза Самара Уфа Казань Пермь Чита Тула Сочи Анапа Адлер Ялта Елец Ейск Керчь"
)
WORDS = TOWNS.split()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with newsroom(tmp_path) as room:
        await room.follow()
        await room.follow(OTHER, title="Другие")
        yield room


async def reader(room: Newsroom, *, count: int = 3, minutes: int = 5) -> Chat:
    chat = await room.pair()
    await room.track(chat, "сбои", "сбой")
    await room.db.write(lambda tx: chats.save(tx, replace(chat, storms=Storms(count=count, minutes=minutes))))
    return chat


def said(number: int) -> str:
    """Say something that no other post says."""
    return f"{WORDS[number % 20]} {WORDS[number * 7 % 20]} {number} {WORDS[number * 3 % 20]}: сбой"


async def say(room: Newsroom, *numbers: int, every: timedelta = SECOND, channel_id: int = NEWS) -> None:
    """Post one after the other."""
    for number in numbers:
        room.now += every
        await room.live(post(number, said(number), date=room.now, channel_id=channel_id))


async def of_kind(room: Newsroom, kind: str) -> list[Message]:
    return [each for each in await room.outbox() if each.kind == kind]


async def send_due(room: Newsroom) -> None:
    await kit.send_all(room.db, room.now, room.now)


async def storm(room: Newsroom) -> StormState:
    return await kit.latest_storm(room.db, room.now)


async def test_what_is_more_becomes_one_message(room: Newsroom) -> None:
    await reader(room)
    await say(room, *range(1, 8))
    assert (await room.labels()).count("alert") == 3
    (notice,) = await of_kind(room, "storm")
    assert not notice.silent
    found = await storm(room)
    assert (found.topic, found.is_over, found.channels) == ("сбои", False, (("Вести", 4),))
    assert [each.post.message_id for each in found.latest] == [7, 6, 5]


async def test_of_posts_that_come_together_the_same_becomes_one_message(room: Newsroom) -> None:
    await reader(room)
    result = await room.live(*(post(number, said(number)) for number in range(1, 8)))
    assert result.alerts == 7
    assert await room.labels() == ["alert"] * 3 + ["storm"]
    assert (await storm(room)).channels == (("Вести", 4),)


async def test_it_grows_by_one_edit_at_a_time_three_seconds_apart(room: Newsroom) -> None:
    await reader(room)
    await say(room, *range(1, 5))
    await send_due(room)
    sent_at = room.now
    await say(room, 5, 6, 7)
    (edit,) = await room.outbox()
    assert (edit.label, edit.due_at) == ("edit", sent_at + timedelta(seconds=3))
    assert await kit.closes_at(room.db, edit) == room.now + timedelta(minutes=5)
    await send_due(room)
    await say(room, 8)
    await say(room, 9, every=MINUTE)
    (edit,) = await room.outbox()
    assert (edit.label, edit.due_at) == ("edit", sent_at + timedelta(seconds=6))
    assert await kit.closes_at(room.db, edit) == room.now + timedelta(minutes=5)


async def test_it_ends_by_itself_and_the_next_ones_are_alerts_again(room: Newsroom) -> None:
    await reader(room)
    await say(room, *range(1, 6))
    await say(room, 6, every=4 * MINUTE)  # each keeps it open
    await say(room, 7, channel_id=OTHER, every=4 * MINUTE)
    room.now += 5 * MINUTE
    found = await storm(room)
    assert (found.is_over, found.channels) == (True, (("Вести", 3), ("Другие", 1)))
    assert (found.since, found.until) == (NOON + 4 * SECOND, NOON + 8 * MINUTE + 5 * SECOND)
    await send_due(room)
    await say(room, *range(11, 15))
    assert (await room.labels()).count("alert") == 3
    (second,) = await of_kind(room, "storm")
    assert not second.is_edit
    assert await room.labels() == ["alert"] * 3 + ["storm"]


async def test_a_summary_that_is_put_off_while_it_is_on_its_way_is_not_done_with(room: Newsroom) -> None:
    await reader(room)
    await say(room, *range(1, 5))
    await send_due(room)
    (closing,) = await room.outbox()
    await say(room, 5, every=4 * MINUTE + 59 * SECOND)
    await room.send(closing, at=closing.due_at)
    (edit,) = await room.outbox()
    assert (edit.id, edit.label) == (closing.id, "edit")
    assert await kit.closes_at(room.db, edit) == room.now + 5 * MINUTE


async def test_what_comes_slowly_is_no_storm(room: Newsroom) -> None:
    await reader(room)
    await say(room, *range(1, 9), every=2 * MINUTE)
    assert set(await room.labels()) == {"alert"}


async def test_where_it_is_switched_off_each_comes_by_itself(room: Newsroom) -> None:
    chat = await reader(room)
    await room.db.write(lambda tx: chats.save(tx, replace(chat, storms=None)))
    await say(room, *range(1, 9))
    assert await room.labels() == ["alert"] * 8


async def test_each_topic_counts_for_itself_and_a_post_of_two_needs_both(room: Newsroom) -> None:
    chat = await reader(room)
    await room.track(chat, "связь", "связь")
    await say(room, *range(1, 5))
    room.now += SECOND
    await room.live(post(20, "Связь пропала", date=room.now), post(21, "Сбой: связь в Твери", date=room.now))
    assert (await room.labels()).count("alert") == 5
    for number in (22, 23):
        await room.live(post(number, f"Связь {WORDS[number % 20]}", date=room.now))
    await room.live(post(24, "Связь в Орле и сбой", date=room.now))
    assert (await room.labels()).count("alert") == 6
    assert {each.topic for each in await of_kind(room, "storm")} == {"сбои", "связь"}
    (both,) = [each for each in await kit.alerts_of(room.db) if each.post_key == "m24"]
    assert both.group is not None
    assert both.group["topic"] in {"сбои", "связь"}


async def test_a_silent_topic_begins_its_storm_without_a_sound(room: Newsroom) -> None:
    chat = await reader(room)
    (wish,) = await subscriptions.of_chat(room.db, chat.id)
    await room.db.write(lambda tx: subscriptions.set_priority(tx, chat.id, wish.topic_id, Priority.SILENT))
    await say(room, *range(1, 6))
    (notice,) = await of_kind(room, "storm")
    assert notice.silent


async def test_a_change_of_a_post_is_shown_among_the_latest_and_never_told(room: Newsroom) -> None:
    await reader(room)
    await say(room, *range(1, 9))
    await send_due(room)
    (closing,) = await room.outbox()
    room.now += 10 * SECOND
    await room.live(post(4, "Сбой устранён", date=NOON, edit_date=room.now))  # the storm shows 6, 7 and 8
    assert await room.outbox() == [closing]
    await room.live(gone(8))
    (edit,) = await room.outbox()
    assert (edit.label, edit.due_at) == ("edit", room.now)
    assert (await storm(room)).latest[0].post.gone_at == room.now


async def test_a_post_that_was_told_already_begins_no_storm(room: Newsroom) -> None:
    chat = await reader(room)
    await say(room, *range(1, 4))
    await room.track(chat, "связь", "связь")
    room.now += SECOND
    await room.live(post(3, "Сбой: нет связи", date=NOON, edit_date=room.now))
    assert await of_kind(room, "storm") == []


async def test_where_the_chat_is_lost_a_storm_is_over(room: Newsroom) -> None:
    chat = await reader(room)
    await say(room, *range(1, 6))
    await room.db.write(lambda tx: chats.suspend(tx, chat.id, "USER_IS_BLOCKED"))
    await room.db.write(lambda tx: chats.resume(tx, chat.id))
    await say(room, 9, every=6 * MINUTE)
    assert await room.labels() == ["alert"]


async def test_where_its_message_is_deleted_a_storm_is_over(room: Newsroom) -> None:
    await reader(room)
    await say(room, *range(1, 5))
    await send_due(room)
    await say(room, 5)
    (growing,) = await room.outbox()
    await kit.kill(room.db, growing, "MESSAGE_ID_INVALID")
    await say(room, 6)
    (notice,) = await of_kind(room, "storm")
    assert (await storm(room)).channels == (("Вести", 1),)
    assert notice.due_at == room.now


async def test_the_index_answers_who_was_told_how_much_lately(room: Newsroom) -> None:
    plan = await room.db.fetch_all(f"EXPLAIN QUERY PLAN {kit.ALERTED_LATELY}", {"chat": 1, "since": 5})
    assert "COVERING INDEX alerts_chat" in plan[0]["detail"]
