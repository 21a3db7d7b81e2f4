"""What waits for a digest: through the real ingest, into the outbox."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.models.alerts import GroupSummary, Loudness, Priority
from bot.models.people import EVERYTHING
from bot.schedule import Digests, Every, Quiet
from bot.store import chats, groups, subscriptions
from bot.store.chats import Chat
from bot.store.database import Transaction
from bot.store.rows import to_ms
from bot.store.topics import Topic
from tests import kit
from tests.kit import Message
from tests.kit_archive import NEWS, NOON, OTHER, Archive, gone, post

TONIGHT = NOON + timedelta(hours=11, minutes=30)  # 23:30
MORNING = datetime(2025, 3, 11, 7, tzinfo=UTC)
NINE = datetime(2025, 3, 11, 9, tzinfo=UTC)
NIGHT = Quiet(start=23 * 60, end=7 * 60)


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    await archive.follow(OTHER, title="Другие")
    return archive


async def reader(
    archive: Archive, priority: Priority = Priority.LOUD, *, quiet: Quiet | None = NIGHT, user_id: int = 501
) -> tuple[Chat, Topic]:
    chat = await archive.pair(user_id)
    topic = await archive.track(chat, "сбои", "сбой")

    async def job(tx: Transaction) -> None:
        await chats.save(tx, replace(chat, quiet=quiet))
        await subscriptions.set_priority(tx, chat.id, topic.id, priority)

    await archive.db.write(job)
    found = await chats.get(archive.db, chat.id)
    assert found is not None
    return found, topic


async def wants(archive: Archive, chat: Chat, topic: Topic, priority: Priority) -> None:
    await archive.db.write(lambda tx: subscriptions.set_priority(tx, chat.id, topic.id, priority))


async def waiting(archive: Archive) -> list[tuple[str, datetime]]:
    """Return what is in the outbox, and when it is due."""
    return [(each.label, each.due_at) for each in await archive.outbox()]


async def digest(archive: Archive) -> Message:
    (found,) = [each for each in await archive.outbox() if each.label == "digest"]
    return found


async def summary(archive: Archive) -> GroupSummary:
    return await kit.contents(archive.db, await digest(archive))


@pytest.mark.parametrize("priority", [Priority.LOUD, Priority.SILENT])
async def test_in_quiet_hours_alerts_wait_for_their_end(archive: Archive, priority: Priority) -> None:
    await reader(archive, priority)
    archive.now = TONIGHT
    assert (await archive.live(post(1, "Сбой в сети", date=TONIGHT))).alerts == 1
    archive.now += timedelta(hours=5)
    await archive.live(post(2, "Новый сбой", date=archive.now, channel_id=OTHER))
    assert await waiting(archive) == [("digest", MORNING)]
    held = await summary(archive)
    assert [(each.post.text, each.alert.topics, each.alert.loudness > Loudness.DIGEST) for each in held.alerts] == [
        ("Сбой в сети", ("сбои",), True),
        ("Новый сбой", ("сбои",), True),
    ]
    archive.now = MORNING
    await archive.live(post(3, "Сбой утром", date=MORNING))
    assert await waiting(archive) == [("digest", MORNING), ("alert", MORNING)]


async def test_a_digest_of_what_would_have_come_without_a_sound_comes_without_one(archive: Archive) -> None:
    chat, topic = await reader(archive, Priority.SILENT)
    archive.now = TONIGHT
    await archive.live(post(1, "Сбой в сети", date=TONIGHT))
    assert (await digest(archive)).silent
    await wants(archive, chat, topic, Priority.LOUD)
    await archive.live(post(2, "Новый сбой", date=TONIGHT, channel_id=OTHER))
    assert not (await digest(archive)).silent


async def test_an_urgent_topic_passes_at_once_also_where_another_one_waits(archive: Archive) -> None:
    chat, _ = await reader(archive)
    await wants(archive, chat, await archive.track(chat, "связь", "связь"), Priority.URGENT)
    archive.now = TONIGHT
    await archive.live(post(1, "Сбой связи", date=TONIGHT), post(2, "Сбой", date=TONIGHT))
    assert await waiting(archive) == [("alert", TONIGHT), ("digest", MORNING)]
    assert not (await archive.outbox())[0].silent


async def test_a_topic_of_the_digest_waits_for_it_and_a_louder_one_does_not(archive: Archive) -> None:
    chat, _ = await reader(archive, Priority.DIGEST, quiet=None)
    await wants(archive, chat, await archive.track(chat, "связь", "связь"), Priority.SILENT)
    await archive.live(post(1, "Сбой связи"), post(2, "Сбой"))
    assert await waiting(archive) == [("alert", NOON), ("digest", NINE)]
    assert (await archive.outbox())[0].silent
    assert [each.alert.loudness for each in (await summary(archive)).alerts] == [Loudness.DIGEST]


async def test_quiet_hours_and_a_digest_that_end_at_one_moment_share_a_notice(archive: Archive) -> None:
    chat, _ = await reader(archive, quiet=Quiet(start=23 * 60, end=9 * 60))
    await wants(archive, chat, await archive.track(chat, "связь", "связь"), Priority.DIGEST)
    await archive.live(post(1, "Нет связи"))
    archive.now = TONIGHT
    await archive.live(post(2, "Сбой", date=TONIGHT))
    assert await waiting(archive) == [("digest", NINE)]
    assert len((await summary(archive)).alerts) == 2


async def test_a_post_waits_once_whatever_happens_to_it(archive: Archive) -> None:
    chat, _ = await reader(archive, Priority.DIGEST, quiet=None)
    await archive.track(chat, "связь", "связь")
    await archive.live(post(1, "Сбой", grouped_id=5), post(2, "Сбой", grouped_id=5))
    archive.now += timedelta(minutes=1)
    assert (await archive.live(post(1, "Сбой связи", grouped_id=5, edit_date=archive.now))).alerts == 0
    assert await waiting(archive) == [("digest", NINE)]
    (held,) = (await summary(archive)).alerts
    assert (held.post.text, held.alert.topics, held.alert.is_edited) == ("Сбой связи", ("сбои", "связь"), True)


async def test_what_becomes_of_a_post_before_the_digest_is_shown_and_not_told(archive: Archive) -> None:
    await reader(archive, Priority.DIGEST, quiet=None)
    await archive.live(post(1, "Сбой"), post(2, "Сбой сети"), post(3, "Сбой банка"))
    archive.now += timedelta(hours=1)
    await archive.live(post(1, "Сбой устранён", edit_date=archive.now), gone(2))
    assert await waiting(archive) == [("digest", NINE)]
    held = (await summary(archive)).alerts
    assert [(each.post.text, each.alert.is_edited, each.post.gone_at) for each in held] == [
        ("Сбой устранён", True, None),
        ("Сбой сети", False, archive.now),
        ("Сбой банка", False, None),
    ]


async def test_what_becomes_of_a_post_after_the_digest_edits_it_once_at_a_time(archive: Archive) -> None:
    await reader(archive, Priority.DIGEST, quiet=None)
    await archive.live(post(1, "Сбой"), post(2, "Сбой сети"))
    sent = await digest(archive)
    await archive.send(sent, 70, at=NINE)
    archive.now = NINE + timedelta(seconds=1)
    await archive.live(post(1, "Сбой устранён", edit_date=archive.now))
    await archive.live(gone(2))
    (edit,) = await archive.outbox()
    assert (edit.label, edit.id, edit.telegram_id) == ("edit", sent.id, 70)
    assert edit.due_at == NINE + timedelta(seconds=3)
    await archive.send(edit, at=edit.due_at)
    archive.now = NINE + timedelta(hours=1)
    await archive.sweep(post(2, "Сбой сети"))  # it is back
    (again,) = await archive.outbox()
    assert (again.label, again.due_at) == ("edit", archive.now)


async def test_a_duplicate_of_a_post_that_waits_joins_it(archive: Archive) -> None:
    await reader(archive)
    archive.now = TONIGHT
    text = "Сбой в сети мобильного оператора: абоненты трёх областей остались без связи"
    await archive.live(post(1, text, date=TONIGHT))
    await archive.live(post(1, text, date=TONIGHT, channel_id=OTHER))
    (held,) = (await summary(archive)).alerts
    assert (held.post.channel_id, held.duplicates) == (NEWS, 1)
    assert await waiting(archive) == [("digest", MORNING)]


async def test_of_posts_that_come_together_and_say_the_same_a_digest_that_waits_shows_one(archive: Archive) -> None:
    await reader(archive)
    archive.now = TONIGHT
    await archive.live(post(1, "Сбой в сети", date=TONIGHT))
    same = "Новый сбой"
    await archive.live(post(2, same, date=TONIGHT), post(3, same, date=TONIGHT, channel_id=OTHER))
    held = await summary(archive)
    assert [(each.post.message_id, each.duplicates) for each in held.alerts] == [(1, 0), (2, 1)]


async def test_what_comes_as_the_digest_leaves_is_shown_by_an_edit(archive: Archive) -> None:
    await reader(archive, Priority.DIGEST, quiet=None)
    await archive.live(post(1, "Сбой"))
    leaving = await digest(archive)
    archive.now = NINE - timedelta(seconds=1)
    await archive.live(post(2, "Сбой сети", date=archive.now))
    assert await waiting(archive) == [("digest", NINE)]
    assert [each.post.text for each in (await summary(archive)).alerts] == ["Сбой", "Сбой сети"]
    await archive.send(leaving, 70, at=NINE)
    assert await waiting(archive) == [("edit", NINE + timedelta(seconds=3))]
    archive.now = NINE
    await archive.live(post(3, "Сбой банка", date=archive.now))
    tomorrow = NINE + timedelta(days=1)
    assert (await waiting(archive))[-1] == ("digest", tomorrow)


async def test_the_same_period_has_the_same_random_id_whoever_makes_the_row(archive: Archive) -> None:
    await reader(archive, Priority.DIGEST, quiet=None)
    await archive.live(post(1, "Сбой"))
    sent = await digest(archive)
    assert sent.name == f"digest:{to_ms(NINE)}"
    await kit.forget(archive.db, since=sent)
    archive.now += timedelta(hours=2)
    await archive.live(post(2, "Сбой сети", date=archive.now))
    assert (await digest(archive)).random_id == sent.random_id


async def test_after_a_digest_that_left_early_its_moment_has_another_one(archive: Archive) -> None:
    await reader(archive, Priority.DIGEST, quiet=None)
    await archive.live(post(1, "Сбой"))
    await archive.send(await digest(archive), 70, at=NOON)
    await archive.live(post(2, "Сбой сети"))
    assert (await digest(archive)).name == f"digest:{to_ms(NINE)}/2"
    assert [each.post.text for each in (await summary(archive)).alerts] == ["Сбой сети"]


async def test_what_waits_for_quiet_hours_can_come_now_and_the_digest_keeps_its_moment(archive: Archive) -> None:
    chat, _ = await reader(archive)
    await wants(archive, chat, await archive.track(chat, "связь", "связь"), Priority.DIGEST)
    archive.now = TONIGHT
    await archive.live(post(1, "Сбой", date=TONIGHT), post(2, "Нет связи", date=TONIGHT))
    assert await waiting(archive) == [("digest", MORNING), ("digest", NINE)]
    now = TONIGHT + timedelta(minutes=1)
    assert await archive.db.write(lambda tx: groups.move(tx, chat, quiet=True, to=now, now=now)) == 1
    assert await waiting(archive) == [("digest", now), ("digest", NINE)]
    assert await archive.db.write(lambda tx: groups.move(tx, chat, quiet=True, to=now, now=now)) == 0


async def test_a_new_rhythm_takes_along_what_waits(archive: Archive) -> None:
    chat, _ = await reader(archive, Priority.DIGEST, quiet=None)
    await archive.live(post(1, "Сбой"))
    await archive.db.write(lambda tx: chats.save(tx, replace(chat, digests=Digests(every=Every.HOUR))))
    hour = NOON + timedelta(hours=1)
    await archive.db.write(lambda tx: groups.move(tx, chat, quiet=False, to=hour, now=NOON))
    await archive.live(post(2, "Сбой сети"))
    assert await waiting(archive) == [("digest", hour)]
    assert len((await summary(archive)).alerts) == 2


async def test_a_digest_that_may_have_been_sent_keeps_what_it_holds(archive: Archive) -> None:
    chat, _ = await reader(archive, Priority.DIGEST, quiet=None)
    await archive.live(post(1, "Сбой"))
    tried = await digest(archive)
    later = NINE + timedelta(minutes=5)
    await kit.put_off(archive.db, tried, at=later, reason="CONNECTION_LOST")
    await archive.db.write(lambda tx: groups.move(tx, chat, quiet=False, to=NINE + timedelta(hours=1), now=NINE))
    assert await waiting(archive) == [("digest", later)]


async def test_each_chat_has_its_own_hours(archive: Archive) -> None:
    await reader(archive)
    chat = await archive.pair(502)
    await archive.track(chat, "сбои", "сбой")
    archive.now = TONIGHT
    await archive.live(post(1, "Сбой", date=TONIGHT))
    assert await waiting(archive) == [("alert", TONIGHT), ("digest", MORNING)]
    assert await groups.find(archive.db, chat.id, (await digest(archive)).random_id, EVERYTHING) is None


async def test_a_mute_leaves_what_has_been_gathered(archive: Archive) -> None:
    chat, topic = await reader(archive, Priority.DIGEST, quiet=None)
    await archive.live(post(1, "Сбой"))
    await archive.db.write(lambda tx: subscriptions.mute(tx, chat.id, topic_id=topic.id, until=None))
    await archive.live(post(2, "Сбой сети"))
    assert [each.post.text for each in (await summary(archive)).alerts] == ["Сбой"]
