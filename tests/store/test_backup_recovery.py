from datetime import datetime, timedelta
from pathlib import Path

from bot.store import backup_recovery, meta
from tests import kit
from tests.kit import Message
from tests.store.kit import NOON, OTHER, Newsroom, ago, newsroom, post

WORDS = ("касса", "мост", "поезд", "река", "башня", "порт", "сад")


async def settle(room: Newsroom, *chat_ids: int, until: datetime = NOON) -> None:
    await room.db.write(
        lambda tx: backup_recovery.settle(tx, chat_ids, alive_at=ago(hours=20), until=until, now=room.now)
    )


async def the_notice(room: Newsroom) -> Message:
    (notice,) = [each for each in await room.outbox() if each.label == "restored"]
    return notice


async def see(room: Newsroom, number: int, *, minutes_ago: float) -> None:
    date = NOON - timedelta(minutes=minutes_ago)
    await room.live(post(number, f"Пожар {number}: {WORDS[number]} {WORDS[-number]}", date=date))


async def test_posts_from_before_the_start_are_counted_in_one_silent_notice_and_later_ones_are_alerts(
    tmp_path: Path,
) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        chat, other = await room.pair(), await room.pair(502)
        for each in (chat, other):
            await room.track(each, f"Пожары {each.id}", "пожар")
        await see(room, 1, minutes_ago=600)  # due when the backup was made
        await settle(room, chat.id)
        for number, minutes_ago in ((2, 60), (3, 1), (4, 0)):
            await see(room, number, minutes_ago=minutes_ago)
        listed = [each for each in await room.outbox() if each.chat.id == chat.id]
        assert sorted((each.label, each.post_key) for each in listed) == [("alert", "m4"), ("restored", None)]
        notice = await the_notice(room)
        assert notice.silent
        summary = await kit.contents(room.db, notice)
        assert (summary.opened_at, summary.channels) == (ago(hours=20), (("Вести", 3),))
        assert [each.post.message_id for each in summary.alerts] == [1, 2, 3]
        untouched = [each.post_key for each in await room.outbox() if each.chat.id == other.id]
        assert untouched == ["m1", "m2", "m3", "m4"]


async def test_an_edit_of_a_post_that_was_counted_is_no_alert(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        chat = await room.pair()
        await room.track(chat, "Пожары", "пожар")
        await settle(room, chat.id)
        await see(room, 1, minutes_ago=60)
        await room.live(post(1, "Пожар потушен", date=ago(hours=1), edit_date=NOON + timedelta(minutes=1)))
        assert await room.labels() == ["restored"]


async def test_a_notice_that_is_out_grows_by_an_edit(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        chat = await room.pair()
        await room.track(chat, "Пожары", "пожар")
        await settle(room, chat.id)
        await see(room, 1, minutes_ago=60)
        notice = await the_notice(room)
        await room.send(notice, 77)
        await see(room, 2, minutes_ago=50)
        (edit,) = await room.outbox()
        assert (edit.label, edit.telegram_id, edit.id) == ("edit", 77, notice.id)
        assert (await kit.contents(room.db, notice)).channels == (("Вести", 2),)


async def test_what_a_post_says_since_the_start_is_news_and_what_it_said_before_is_not(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        chat = await room.pair()
        await room.track(chat, "Пожары", "пожар")
        await room.live(post(1, "Тихо", date=ago(days=1)), post(2, "Тихо", date=ago(days=1)))
        await settle(room, chat.id)
        await room.live(post(1, "Пожар", date=ago(days=1), edit_date=ago(hours=1)))
        await room.live(post(2, "Пожар", date=ago(days=1), edit_date=NOON + timedelta(seconds=1)))
        assert [(each.label, each.post_key) for each in await room.outbox()] == [("alert", "m2"), ("restored", None)]


async def test_late_posts_that_were_to_be_counted_are_counted_in_the_same_notice(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        chat = await room.pair()
        await room.track(chat, "Пожары", "пожар")
        room.now = ago(hours=20)
        await room.sweep(post(1, "Пожар", date=ago(days=3)))
        room.now = NOON
        await settle(room, chat.id)
        notice = await the_notice(room)
        assert (await kit.contents(room.db, notice)).channels == (("Вести", 1),)


async def test_until_the_chats_were_looked_at_the_first_start_counts_and_the_last_sign_of_life_before_it(
    tmp_path: Path,
) -> None:
    async with newsroom(tmp_path) as room:
        assert await room.db.write(backup_recovery.alive_at) is None
        for moment in (ago(hours=3), ago(hours=1), NOON):  # killed twice before it had looked
            await room.db.write(lambda tx, at=moment: meta.beat(tx, "run", at))
            assert await room.db.write(backup_recovery.alive_at) == ago(hours=3)
            assert await room.db.write(lambda tx, at=moment: backup_recovery.started_at(tx, at)) == ago(hours=3)
        await settle(room)
        assert await room.db.write(backup_recovery.alive_at) == NOON
        assert await room.db.write(lambda tx: backup_recovery.started_at(tx, NOON)) == NOON


async def test_posts_that_joined_an_alert_which_was_due_are_counted_with_it(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        await room.follow()
        await room.follow(OTHER, title="Город")
        chat = await room.pair()
        await room.track(chat, "Пожары", "пожар")
        text = "Пожар на складе у вокзала потушен, пострадавших нет, причины выясняет дознание."
        await room.live(post(1, text, date=ago(hours=21)))
        await room.live(post(1, text, channel_id=OTHER, date=ago(hours=21)))
        assert await room.labels() == ["alert"]
        await settle(room, chat.id)
        summary = await kit.contents(room.db, await the_notice(room))
        assert sorted(summary.channels) == [("Вести", 1), ("Город", 1)]
        assert await room.labels() == ["restored"]
