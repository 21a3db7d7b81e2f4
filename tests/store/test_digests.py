"""What waits for a digest: through the real ingest, into the outbox."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.models.alerts import Loudness
from bot.models.groups import GroupSummary
from bot.schedule import Digests, Every, Quiet
from bot.store import chats, group_contents, groups, subscriptions
from bot.store.chats import Chat
from bot.store.database import Transaction
from bot.store.rows import to_ms
from bot.store.subscriptions import Priority
from bot.store.topics import Topic
from tests import kit
from tests.kit import Message
from tests.store.kit import NEWS, NOON, OTHER, Newsroom, gone, newsroom, post

TONIGHT = NOON + timedelta(hours=11, minutes=30)  # 23:30
MORNING = datetime(2025, 3, 11, 7, tzinfo=UTC)
NINE = datetime(2025, 3, 11, 9, tzinfo=UTC)
NIGHT = Quiet(start=23 * 60, end=7 * 60)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with newsroom(tmp_path) as room:
        await room.follow()
        await room.follow(OTHER, title="Другие")
        yield room


async def reader(
    room: Newsroom, priority: Priority = Priority.LOUD, *, quiet: Quiet | None = NIGHT, user_id: int = 501
) -> tuple[Chat, Topic]:
    chat = await room.pair(user_id)
    topic = await room.track(chat, "сбои", "сбой")

    async def job(tx: Transaction) -> None:
        await chats.save(tx, replace(chat, quiet=quiet))
        await subscriptions.set_priority(tx, chat.id, topic.id, priority)

    await room.db.write(job)
    found = await chats.get(room.db, chat.id)
    assert found is not None
    return found, topic


async def wants(room: Newsroom, chat: Chat, topic: Topic, priority: Priority) -> None:
    await room.db.write(lambda tx: subscriptions.set_priority(tx, chat.id, topic.id, priority))


async def waiting(room: Newsroom) -> list[tuple[str, datetime]]:
    """Return what is in the outbox, and when it is due."""
    return [(each.label, each.due_at) for each in await room.outbox()]


async def digest(room: Newsroom) -> Message:
    (found,) = [each for each in await room.outbox() if each.label == "digest"]
    return found


async def summary(room: Newsroom) -> GroupSummary:
    return await kit.contents(room.db, await digest(room))


@pytest.mark.parametrize("priority", [Priority.LOUD, Priority.SILENT])
async def test_in_quiet_hours_alerts_wait_for_their_end(room: Newsroom, priority: Priority) -> None:
    await reader(room, priority)
    room.now = TONIGHT
    assert (await room.live(post(1, "Сбой в сети", date=TONIGHT))).alerts == 1
    room.now += timedelta(hours=5)
    await room.live(post(2, "Новый сбой", date=room.now, channel_id=OTHER))
    assert await waiting(room) == [("digest", MORNING)]
    held = await summary(room)
    assert [(each.post.text, each.alert.topics, each.alert.loudness > Loudness.DIGEST) for each in held.alerts] == [
        ("Сбой в сети", ("сбои",), True),
        ("Новый сбой", ("сбои",), True),
    ]
    room.now = MORNING
    await room.live(post(3, "Сбой утром", date=MORNING))
    assert await waiting(room) == [("digest", MORNING), ("alert", MORNING)]


async def test_a_digest_of_what_would_have_come_without_a_sound_comes_without_one(room: Newsroom) -> None:
    chat, topic = await reader(room, Priority.SILENT)
    room.now = TONIGHT
    await room.live(post(1, "Сбой в сети", date=TONIGHT))
    assert (await digest(room)).silent
    await wants(room, chat, topic, Priority.LOUD)
    await room.live(post(2, "Новый сбой", date=TONIGHT, channel_id=OTHER))
    assert not (await digest(room)).silent


async def test_an_urgent_topic_passes_at_once_also_where_another_one_waits(room: Newsroom) -> None:
    chat, _ = await reader(room)
    await wants(room, chat, await room.track(chat, "связь", "связь"), Priority.URGENT)
    room.now = TONIGHT
    await room.live(post(1, "Сбой связи", date=TONIGHT), post(2, "Сбой", date=TONIGHT))
    assert await waiting(room) == [("alert", TONIGHT), ("digest", MORNING)]
    assert not (await room.outbox())[0].silent


async def test_a_topic_of_the_digest_waits_for_it_and_a_louder_one_does_not(room: Newsroom) -> None:
    chat, _ = await reader(room, Priority.DIGEST, quiet=None)
    await wants(room, chat, await room.track(chat, "связь", "связь"), Priority.SILENT)
    await room.live(post(1, "Сбой связи"), post(2, "Сбой"))
    assert await waiting(room) == [("alert", NOON), ("digest", NINE)]
    assert (await room.outbox())[0].silent
    assert [each.alert.loudness for each in (await summary(room)).alerts] == [Loudness.DIGEST]


async def test_quiet_hours_and_a_digest_that_end_at_one_moment_share_a_notice(room: Newsroom) -> None:
    chat, _ = await reader(room, quiet=Quiet(start=23 * 60, end=9 * 60))
    await wants(room, chat, await room.track(chat, "связь", "связь"), Priority.DIGEST)
    await room.live(post(1, "Нет связи"))
    room.now = TONIGHT
    await room.live(post(2, "Сбой", date=TONIGHT))
    assert await waiting(room) == [("digest", NINE)]
    assert len((await summary(room)).alerts) == 2


async def test_a_post_waits_once_whatever_happens_to_it(room: Newsroom) -> None:
    chat, _ = await reader(room, Priority.DIGEST, quiet=None)
    await room.track(chat, "связь", "связь")
    await room.live(post(1, "Сбой", grouped_id=5), post(2, "Сбой", grouped_id=5))
    room.now += timedelta(minutes=1)
    assert (await room.live(post(1, "Сбой связи", grouped_id=5, edit_date=room.now))).alerts == 0
    assert await waiting(room) == [("digest", NINE)]
    (held,) = (await summary(room)).alerts
    assert (held.post.text, held.alert.topics, held.alert.is_edited) == ("Сбой связи", ("сбои", "связь"), True)


async def test_what_becomes_of_a_post_before_the_digest_is_shown_and_not_told(room: Newsroom) -> None:
    await reader(room, Priority.DIGEST, quiet=None)
    await room.live(post(1, "Сбой"), post(2, "Сбой сети"), post(3, "Сбой банка"))
    room.now += timedelta(hours=1)
    await room.live(post(1, "Сбой устранён", edit_date=room.now), gone(2))
    assert await waiting(room) == [("digest", NINE)]
    held = (await summary(room)).alerts
    assert [(each.post.text, each.alert.is_edited, each.post.gone_at) for each in held] == [
        ("Сбой устранён", True, None),
        ("Сбой сети", False, room.now),
        ("Сбой банка", False, None),
    ]


async def test_what_becomes_of_a_post_after_the_digest_edits_it_once_at_a_time(room: Newsroom) -> None:
    await reader(room, Priority.DIGEST, quiet=None)
    await room.live(post(1, "Сбой"), post(2, "Сбой сети"))
    sent = await digest(room)
    await room.send(sent, 70, at=NINE)
    room.now = NINE + timedelta(seconds=1)
    await room.live(post(1, "Сбой устранён", edit_date=room.now))
    await room.live(gone(2))
    (edit,) = await room.outbox()
    assert (edit.label, edit.id, edit.telegram_id) == ("edit", sent.id, 70)
    assert edit.due_at == NINE + timedelta(seconds=3)
    await room.send(edit, at=edit.due_at)
    room.now = NINE + timedelta(hours=1)
    await room.sweep(post(2, "Сбой сети"))  # it is back
    (again,) = await room.outbox()
    assert (again.label, again.due_at) == ("edit", room.now)


async def test_an_echo_of_a_post_that_waits_joins_it(room: Newsroom) -> None:
    await reader(room)
    room.now = TONIGHT
    text = "Сбой в сети мобильного оператора: абоненты трёх областей остались без связи"
    await room.live(post(1, text, date=TONIGHT))
    await room.live(post(1, text, date=TONIGHT, channel_id=OTHER))
    (held,) = (await summary(room)).alerts
    assert (held.post.channel_id, held.duplicates) == (NEWS, 1)
    assert await waiting(room) == [("digest", MORNING)]


async def test_what_comes_as_the_digest_leaves_is_shown_by_an_edit(room: Newsroom) -> None:
    await reader(room, Priority.DIGEST, quiet=None)
    await room.live(post(1, "Сбой"))
    leaving = await digest(room)
    room.now = NINE - timedelta(seconds=1)
    await room.live(post(2, "Сбой сети", date=room.now))
    assert await waiting(room) == [("digest", NINE)]
    assert [each.post.text for each in (await summary(room)).alerts] == ["Сбой", "Сбой сети"]
    await room.send(leaving, 70, at=NINE)
    assert await waiting(room) == [("edit", NINE + timedelta(seconds=3))]
    room.now = NINE
    await room.live(post(3, "Сбой банка", date=room.now))
    tomorrow = NINE + timedelta(days=1)
    assert (await waiting(room))[-1] == ("digest", tomorrow)


async def test_the_same_period_has_the_same_random_id_whoever_makes_the_row(room: Newsroom) -> None:
    await reader(room, Priority.DIGEST, quiet=None)
    await room.live(post(1, "Сбой"))
    sent = await digest(room)
    assert sent.name == f"digest:{to_ms(NINE)}"
    await kit.forget(room.db, since=sent)
    room.now += timedelta(hours=2)
    await room.live(post(2, "Сбой сети", date=room.now))
    assert (await digest(room)).random_id == sent.random_id


async def test_after_a_digest_that_left_early_its_moment_has_another_one(room: Newsroom) -> None:
    await reader(room, Priority.DIGEST, quiet=None)
    await room.live(post(1, "Сбой"))
    await room.send(await digest(room), 70, at=NOON)
    await room.live(post(2, "Сбой сети"))
    assert (await digest(room)).name == f"digest:{to_ms(NINE)}/2"
    assert [each.post.text for each in (await summary(room)).alerts] == ["Сбой сети"]


async def test_what_waits_for_quiet_hours_can_come_now_and_the_digest_keeps_its_moment(room: Newsroom) -> None:
    chat, _ = await reader(room)
    await wants(room, chat, await room.track(chat, "связь", "связь"), Priority.DIGEST)
    room.now = TONIGHT
    await room.live(post(1, "Сбой", date=TONIGHT), post(2, "Нет связи", date=TONIGHT))
    assert await waiting(room) == [("digest", MORNING), ("digest", NINE)]
    now = TONIGHT + timedelta(minutes=1)
    assert await room.db.write(lambda tx: groups.move(tx, chat, quiet=True, to=now, now=now)) == 1
    assert await waiting(room) == [("digest", now), ("digest", NINE)]
    assert await room.db.write(lambda tx: groups.move(tx, chat, quiet=True, to=now, now=now)) == 0


async def test_a_new_rhythm_takes_along_what_waits(room: Newsroom) -> None:
    chat, _ = await reader(room, Priority.DIGEST, quiet=None)
    await room.live(post(1, "Сбой"))
    await room.db.write(lambda tx: chats.save(tx, replace(chat, digests=Digests(every=Every.HOUR))))
    hour = NOON + timedelta(hours=1)
    await room.db.write(lambda tx: groups.move(tx, chat, quiet=False, to=hour, now=NOON))
    await room.live(post(2, "Сбой сети"))
    assert await waiting(room) == [("digest", hour)]
    assert len((await summary(room)).alerts) == 2


async def test_a_digest_that_may_have_been_sent_keeps_what_it_holds(room: Newsroom) -> None:
    chat, _ = await reader(room, Priority.DIGEST, quiet=None)
    await room.live(post(1, "Сбой"))
    tried = await digest(room)
    later = NINE + timedelta(minutes=5)
    await kit.put_off(room.db, tried, at=later, reason="CONNECTION_LOST")
    await room.db.write(lambda tx: groups.move(tx, chat, quiet=False, to=NINE + timedelta(hours=1), now=NINE))
    assert await waiting(room) == [("digest", later)]


async def test_each_chat_has_its_own_hours(room: Newsroom) -> None:
    await reader(room)
    chat = await room.pair(502)
    await room.track(chat, "сбои", "сбой")
    room.now = TONIGHT
    await room.live(post(1, "Сбой", date=TONIGHT))
    assert await waiting(room) == [("alert", TONIGHT), ("digest", MORNING)]
    assert await group_contents.find(room.db, chat.id, (await digest(room)).random_id) is None


async def test_a_mute_leaves_what_has_been_gathered(room: Newsroom) -> None:
    chat, topic = await reader(room, Priority.DIGEST, quiet=None)
    await room.live(post(1, "Сбой"))
    await room.db.write(lambda tx: subscriptions.mute(tx, chat.id, topic_id=topic.id, until=None))
    await room.live(post(2, "Сбой сети"))
    assert [each.post.text for each in (await summary(room)).alerts] == ["Сбой"]
