from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path

from bot.store import alerts, backup_recovery, group_contents
from bot.store.alerts import Kind
from bot.store.backup_recovery import Settled
from bot.store.database import Transaction
from bot.store.outbox import Alert
from bot.store.sightings import Sighting
from tests.store.kit import NEWS, NOON, Newsroom, ago, due, newsroom, post

WORDS = ("касса", "мост", "поезд", "река", "башня", "порт")


async def settle(room: Newsroom, *found: Sighting, unread: Collection[int] = ()) -> Settled:
    return await room.db.write(
        lambda tx: backup_recovery.settle(tx, found, alive_at=ago(hours=20), now=room.now, unread=unread)
    )


def sighting(chat_id: int, number: int, *, minutes_ago: float = 0) -> Sighting:
    date = NOON - timedelta(minutes=minutes_ago)
    return Sighting(chat_id=chat_id, message_id=900 + number, date=date, post=(NEWS, number))


async def waiting(room: Newsroom) -> Sequence[Alert]:
    return await due(room.db, room.now + timedelta(days=1))


async def numbers(room: Newsroom) -> dict[str, int | None]:
    rows = await room.db.fetch_all("SELECT post_key, message_id FROM alerts WHERE state = 'sent' AND kind = 'post'")
    return {row["post_key"]: row["message_id"] for row in rows}


async def hear(room: Newsroom, number: int, *, minutes_ago: float) -> None:
    date = NOON - timedelta(minutes=minutes_ago)
    await room.live(post(number, f"Пожар {number}: {WORDS[number]} {WORDS[-number]}", date=date))


async def test_an_alert_that_was_on_its_way_is_found_and_no_sign_of_a_lost_instance(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        chat = await room.pair()
        await room.track(chat, "Пожары", "пожар")
        await hear(room, 1, minutes_ago=1)
        settled = await settle(room, sighting(chat.id, 1, minutes_ago=20 * 60))
        assert settled == Settled(found=1, lost=0)
        assert await numbers(room) == {"m1": 901}
        await hear(room, 2, minutes_ago=2)
        assert [each.post_key for each in await waiting(room)] == ["m2"]


async def test_what_a_lost_instance_told_counts_as_told_and_the_rest_is_one_notice(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        chat, other = await room.pair(), await room.pair(502)
        topic = await room.track(chat, "Пожары", "пожар")
        await room.db.write(lambda tx: _subscribe(tx, other.id, topic.id))
        await hear(room, 1, minutes_ago=600)  # due when the backup was made
        settled = await settle(room, sighting(chat.id, 2, minutes_ago=59), sighting(chat.id, 3, minutes_ago=50))
        assert settled == Settled(found=0, lost=2)
        for number, minutes_ago in ((2, 60), (3, 51), (4, 55), (5, 20)):
            await hear(room, number, minutes_ago=minutes_ago)
        assert await numbers(room) == {"m2": 902, "m3": 903}
        told = [(alert.kind, alert.post_key) for alert in await waiting(room) if alert.chat.id == chat.id]
        assert sorted(told) == [(Kind.NOTICE, None), (Kind.POST, "m5")]
        (notice,) = [alert for alert in await waiting(room) if alert.kind is Kind.NOTICE]
        summary = await group_contents.get(room.db, notice.id)
        assert (summary.at, summary.channels) == (ago(hours=20), (("Вести", 2),))
        assert [each.post.message_id for each in summary.posts] == [1, 4]
        assert [alert.post_key for alert in await waiting(room) if alert.chat.id == other.id] == [
            "m1",
            "m2",
            "m3",
            "m4",
            "m5",
        ]


async def test_a_notice_that_is_out_grows_by_an_edit(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        chat = await room.pair()
        await room.track(chat, "Пожары", "пожар")
        await settle(room, sighting(chat.id, 5, minutes_ago=10))
        await hear(room, 1, minutes_ago=60)
        (notice,) = await waiting(room)
        await room.db.write(lambda tx: alerts.sent(tx, notice.id, 77, room.now))
        await hear(room, 2, minutes_ago=50)
        (edit,) = await waiting(room)
        assert (edit.kind, edit.followed_id, edit.source_id) == (Kind.EDIT, 77, notice.id)
        assert (await group_contents.count(room.db, notice.id)).channels == (("Вести", 2),)


async def test_what_was_settled_is_no_sign_the_next_time(tmp_path: Path) -> None:
    """Nobody follows that channel any more, so that its alert keeps no row; it is seen again at each start."""
    async with newsroom(tmp_path) as room:
        chat = await room.pair()
        lost = sighting(chat.id, 1, minutes_ago=21 * 60)
        assert await settle(room, lost) == Settled(found=0, lost=1)
        assert await settle(room, lost) == Settled(found=0, lost=0)


async def test_a_lost_instance_may_have_told_the_chats_that_could_not_be_read(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        chat, unread = await room.pair(), await room.pair(502)
        topic = await room.track(None, "Пожары", "пожар")
        await room.db.write(lambda tx: _subscribe(tx, unread.id, topic.id))
        await settle(room, unread=[unread.id])
        await hear(room, 1, minutes_ago=60)
        assert [alert.kind for alert in await waiting(room)] == [Kind.POST]
        await settle(room, sighting(chat.id, 5, minutes_ago=90), unread=[unread.id])
        await hear(room, 2, minutes_ago=5)
        (notice,) = await waiting(room)
        assert (await group_contents.count(room.db, notice.id)).channels == (("Вести", 2),)


async def test_what_was_to_be_counted_then_is_counted_in_the_same_notice(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        chat = await room.pair()
        await room.track(chat, "Пожары", "пожар")
        room.now = ago(hours=20)
        await room.sweep(post(1, "Пожар", date=ago(days=3)))
        room.now = NOON
        await settle(room, sighting(chat.id, 5, minutes_ago=10))
        (notice,) = await waiting(room)
        assert (notice.subject[:8], (await group_contents.count(room.db, notice.id)).channels) == (
            "restored",
            (("Вести", 1),),
        )


async def _subscribe(tx: Transaction, chat_id: int, topic_id: int) -> None:
    await tx.execute(
        "INSERT INTO subscriptions (chat_id, topic_id, created_at) VALUES (:chat, :topic, 0)",
        {"chat": chat_id, "topic": topic_id},
    )
