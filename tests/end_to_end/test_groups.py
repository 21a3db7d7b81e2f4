"""Few enough: quiet hours, digests and storms over TCP, with a clock that the test moves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.end_to_end.kit import EVENING, MORNING, labels, outage, timed_service


async def test_a_quiet_night_brings_one_digest_in_the_morning_and_an_urgent_topic_passes(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        owner = at.owner
        answer = await owner.asks("/quiet 23:00-07:00 Europe/Moscow")
        assert "23:00–07:00, Moscow (UTC+3)" in answer.message
        await owner.asks("/priority shutdowns urgent")
        first = at.channel.post(outage(1))
        at.channel.post(outage(2))
        at.channel.post("В области отключили мобильный интернет.")
        alert = await owner.alert("мобильный интернет")
        assert not alert.silent
        await at.stored(3)
        assert len(owner.alerts) == 1
        at.channel.edit(first.id, outage(1) + " Чинят.")
        await at.said(outage(1) + " Чинят.")
        await at.go_to(MORNING)
        digest = await owner.message("Morning digest · 2 posts")
        assert not digest.silent
        assert "дом 1: сбой" in digest.message
        assert "· edited" in digest.message
        at.channel.delete(first.id)
        edited = await owner.edit("deletion told by Telegram")
        assert edited.id == digest.id
        at.channel.post(outage(3))
        await owner.alert("дом 3")
        assert owner.replies == []


async def test_a_storm_is_one_message_that_grows_and_ends_with_a_summary(tmp_path: Path) -> None:
    async with timed_service(tmp_path, EVENING - timedelta(hours=8)) as at:
        owner = at.owner
        await owner.asks("/storms 10 5")
        for number in range(1, 31):
            at.channel.post(outage(number))
        await at.stored(30)
        storm = await owner.message("🌩 Outages")
        assert not storm.silent
        at.clock.jump_to(at.clock.now() + timedelta(seconds=30))
        last = at.channel.post(outage(31))
        grown = await owner.edit("21 more posts since")
        assert grown.id == storm.id
        assert labels(grown) == ["Show all (21)"]
        assert [words.count("дом 31") for words in (grown.message,)] == [1]
        assert len(owner.alerts) == 10
        await grown.click(0)
        page = await owner.message("Outages · 21 posts")
        assert page.message.count("•") == 12
        assert labels(page) == ["1/2", "›"]
        await page.click(1)
        assert (await owner.edit("• ")).id in {storm.id, page.id}
        await owner.until(lambda: any(labels(each) == ["‹", "2/2"] for each in owner.edited))
        at.channel.edit(last.id, outage(31) + " Чинят.")
        await owner.edit("· edited")
        await at.go_to(at.clock.now() + timedelta(minutes=6))
        summary = await owner.edit("Most from: Agency 21")
        assert summary.id == storm.id
        at.channel.post(outage(40))
        await owner.alert("дом 40")
        assert (len(owner.alerts), owner.replies) == (11, [])


@pytest.mark.parametrize(
    ("rhythm", "due"),
    [
        ("hourly", datetime(2025, 3, 10, 21, tzinfo=UTC)),
        ("daily 9:00", datetime(2025, 3, 11, 9, tzinfo=UTC)),
        ("weekly Wed 9:00", datetime(2025, 3, 12, 9, tzinfo=UTC)),
    ],
)
async def test_a_digest_comes_when_the_chat_wants_it_and_never_empty(
    tmp_path: Path, rhythm: str, due: datetime
) -> None:
    async with timed_service(tmp_path) as at:
        owner = at.owner
        await owner.asks("/priority outages digest")
        await owner.asks(f"/digest {rhythm}")
        await at.go_to(due + timedelta(minutes=1))
        at.channel.post(outage(1))
        await at.stored(1)
        for weeks in (1, 2):
            await at.go_to(due + timedelta(weeks=weeks, minutes=1))
            await owner.message("Digest · 1 post")
        assert sum("Digest ·" in message.message for message in owner.heard) == 1


async def test_a_digest_survives_a_restart_and_comes_once(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        owner = at.owner
        await owner.asks("/quiet 23:00-07:00 Moscow")
        at.channel.post(outage(1))
        await at.stored(1)
        await at.service.stop()
        at.clock.jump_to(MORNING)
        await at.service.start()
        await owner.message("Morning digest · 1 post")
        at.channel.post(outage(2))
        await owner.alert("дом 2")
        assert sum("Morning digest" in message.message for message in owner.heard) == 1


async def test_a_change_in_quiet_hours_is_told_without_a_sound_and_an_answer_with_one(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        owner = at.owner
        post = at.channel.post(outage(1))
        await owner.alert("дом 1")
        await owner.asks("/quiet 23:00-07:00 Moscow")
        at.channel.edit(post.id, "Сайт банка снова работает: сбой устранён.")
        assert (await owner.reply("снова работает")).silent
        assert not (await owner.asks("/ping")).silent


async def test_a_digest_that_a_lost_database_knew_of_does_not_come_again(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        owner, database = at.owner, at.service.settings.database_path
        await owner.asks("/quiet 23:00-07:00 Moscow")
        at.channel.post(outage(1))
        await at.stored(1)
        await at.service.stop()
        backup = database.read_bytes()
        at.clock.jump_to(MORNING)
        await at.service.start()
        await owner.message("Morning digest · 1 post")
        await at.service.stop()
        database.write_bytes(backup)
        at.clock.jump_to(MORNING + timedelta(minutes=1))
        await at.service.start()
        await owner.message("1 post may already have been reported here.")
        assert sum("Morning digest" in message.message for message in owner.heard) == 1
