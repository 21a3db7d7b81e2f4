from datetime import datetime, timedelta

import pytest

from bot.store import backup_recovery, meta
from tests import kit
from tests.kit import Message
from tests.kit_archive import NOON, OTHER, Archive, ago, gone, post

SECOND = timedelta(seconds=1)
WORDS = ("касса", "мост", "поезд", "река", "башня", "порт", "сад")


async def settle(archive: Archive, *chat_ids: int, until: datetime = NOON) -> None:
    await archive.db.write(
        lambda tx: backup_recovery.settle(tx, chat_ids, alive_at=ago(hours=20), until=until, now=archive.now)
    )


async def the_notice(archive: Archive) -> Message:
    (notice,) = [each for each in await archive.outbox() if each.label == "restored"]
    return notice


async def see(archive: Archive, number: int, *, minutes_ago: float) -> None:
    date = NOON - timedelta(minutes=minutes_ago)
    await archive.live(post(number, f"Пожар {number}: {WORDS[number]} {WORDS[-number]}", date=date))


async def test_posts_from_before_the_start_are_counted_in_one_silent_notice_and_later_ones_are_alerts(
    archive: Archive,
) -> None:
    await archive.follow()
    chat, other = await archive.pair(), await archive.pair(502)
    for each in (chat, other):
        await archive.track(each, f"Пожары {each.id}", "пожар")
    await see(archive, 1, minutes_ago=600)  # due when the backup was made
    await settle(archive, chat.id)
    for number, minutes_ago in ((2, 60), (3, 1), (4, 0)):
        await see(archive, number, minutes_ago=minutes_ago)
    listed = [each for each in await archive.outbox() if each.chat.id == chat.id]
    assert sorted((each.label, each.post_key) for each in listed) == [("alert", "m4"), ("restored", None)]
    notice = await the_notice(archive)
    assert notice.silent
    summary = await kit.contents(archive.db, notice)
    assert (summary.opened_at, summary.channels) == (ago(hours=20), (("Вести", 3),))
    assert [each.post.message_id for each in summary.alerts] == [1, 2, 3]
    untouched = [each.post_key for each in await archive.outbox() if each.chat.id == other.id]
    assert untouched == ["m1", "m2", "m3", "m4"]


async def test_an_edit_of_a_post_that_was_counted_is_no_alert(archive: Archive) -> None:
    await archive.follow()
    chat = await archive.pair()
    await archive.track(chat, "Пожары", "пожар")
    await settle(archive, chat.id)
    await see(archive, 1, minutes_ago=60)
    await archive.live(post(1, "Пожар потушен", date=ago(hours=1), edit_date=NOON + timedelta(minutes=1)))
    assert await archive.labels() == ["restored"]


async def test_a_notice_that_is_out_grows_by_an_edit(archive: Archive) -> None:
    await archive.follow()
    chat = await archive.pair()
    await archive.track(chat, "Пожары", "пожар")
    await settle(archive, chat.id)
    await see(archive, 1, minutes_ago=60)
    notice = await the_notice(archive)
    await archive.send(notice, 77)
    await see(archive, 2, minutes_ago=50)
    (edit,) = await archive.outbox()
    assert (edit.label, edit.telegram_id, edit.id) == ("edit", 77, notice.id)
    assert (await kit.contents(archive.db, notice)).channels == (("Вести", 2),)


async def test_what_a_post_says_since_the_start_is_news_and_what_it_said_before_is_not(archive: Archive) -> None:
    await archive.follow()
    chat = await archive.pair()
    await archive.track(chat, "Пожары", "пожар")
    await archive.live(post(1, "Тихо", date=ago(days=1)), post(2, "Тихо", date=ago(days=1)))
    await settle(archive, chat.id)
    await archive.live(post(1, "Пожар", date=ago(days=1), edit_date=ago(hours=1)))
    await archive.live(post(2, "Пожар", date=ago(days=1), edit_date=NOON + timedelta(seconds=1)))
    assert [(each.label, each.post_key) for each in await archive.outbox()] == [("alert", "m2"), ("restored", None)]


async def test_late_posts_that_were_to_be_counted_are_counted_in_the_same_notice(archive: Archive) -> None:
    await archive.follow()
    chat = await archive.pair()
    await archive.track(chat, "Пожары", "пожар")
    archive.now = ago(hours=20)
    await archive.sweep(post(1, "Пожар", date=ago(days=3)))
    archive.now = NOON
    await settle(archive, chat.id)
    notice = await the_notice(archive)
    assert (await kit.contents(archive.db, notice)).channels == (("Вести", 1),)


async def test_until_the_chats_were_looked_at_the_first_start_counts_and_the_last_sign_of_life_before_it(
    archive: Archive,
) -> None:
    assert await archive.db.write(backup_recovery.alive_at) is None
    for moment in (ago(hours=3), ago(hours=1), NOON):  # killed twice before it had looked
        await archive.db.write(lambda tx, at=moment: meta.beat(tx, "run", at))
        assert await archive.db.write(backup_recovery.alive_at) == ago(hours=3)
        assert await archive.db.write(lambda tx, at=moment: backup_recovery.started_at(tx, at)) == ago(hours=3)
    await settle(archive)
    assert await archive.db.write(backup_recovery.alive_at) == NOON
    assert await archive.db.write(lambda tx: backup_recovery.started_at(tx, NOON)) == NOON


async def test_posts_that_joined_an_alert_which_was_due_are_counted_with_it(archive: Archive) -> None:
    await archive.follow()
    await archive.follow(OTHER, title="Город")
    chat = await archive.pair()
    await archive.track(chat, "Пожары", "пожар")
    text = "Пожар на складе у вокзала потушен, пострадавших нет, причины выясняет дознание."
    await archive.live(post(1, text, date=ago(hours=21)))
    await archive.live(post(1, text, channel_id=OTHER, date=ago(hours=21)))
    assert await archive.labels() == ["alert"]
    await settle(archive, chat.id)
    summary = await kit.contents(archive.db, await the_notice(archive))
    assert sorted(summary.channels) == [("Вести", 1), ("Город", 1)]
    assert [each.state for each in await kit.states(archive.db, "alert")] == ["withdrawn"]
    await archive.pair()  # which has an edit that was withdrawn made after all
    assert await archive.labels() == ["restored"]


async def test_a_post_edited_before_the_start_that_vanishes_later_is_gone_with_a_reply(archive: Archive) -> None:
    await archive.follow()
    chat = await archive.pair()
    await archive.track(chat, "Пожары", "пожар")
    await archive.live(post(1, "Пожар на складе", date=ago(hours=2), edit_date=ago(hours=1)))
    await archive.send_all()
    await settle(archive, chat.id)
    archive.now = NOON + timedelta(minutes=1)
    await archive.live(gone(1))
    assert [(each.label, each.change) for each in await archive.outbox()] == [("edit", None), ("reply", "gone")]


@pytest.mark.parametrize(
    ("edited_at", "labels"),
    [(ago(hours=1), ["edit"]), (NOON - SECOND, ["edit"]), (NOON, ["edit", "reply"])],
    ids=["long before the start", "just before the start", "since the start"],
)
async def test_of_an_edit_from_before_the_start_no_reply_speaks_again(
    archive: Archive, edited_at: datetime, labels: list[str]
) -> None:
    await archive.follow()
    chat = await archive.pair()
    await archive.track(chat, "Пожары", "пожар")
    await archive.live(post(1, "Пожар на складе", date=ago(hours=2)))
    await archive.send_all()
    await settle(archive, chat.id)
    await archive.live(post(1, "Пожар на складе потушен", date=ago(hours=2), edit_date=edited_at))
    assert await archive.labels() == labels
