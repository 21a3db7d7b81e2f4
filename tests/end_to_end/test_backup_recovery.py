"""What an instance told chats after a backup does not ring again once the backup was put back."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from structlog.testing import capture_logs
from telethon.tl import types

from bot.store import backup
from tests.end_to_end.kit import EVENING, MORNING, TimedService, outage, timed_service
from tests.kit_service import link_in
from tests.waiting import until

NINE = datetime(2025, 3, 10, 21, tzinfo=UTC)  # when the digest of an hour comes
SHUTDOWN = "В области отключили мобильный интернет."
MAY_HAVE_BEEN = "may already have been reported here."


async def back_up(at: TimedService) -> Path:
    """Make a backup while the service runs."""
    async with at.service.archive() as db:

        async def is_written_down() -> bool:
            return not await db.fetch_value("SELECT count(*) FROM messages WHERE state = 'due' AND kind = 'alert'")

        await until(is_written_down)  # what the chats show
    database, target = at.service.settings.database_path, at.service.folder / "backup.db"
    return (await asyncio.to_thread(backup.back_up, database, target, now=at.clock.now())).path


async def put_back(at: TimedService, copy: Path, now: datetime) -> None:
    """Begin with an older database, when Telegram has forgotten what it was sent."""
    await at.service.stop()
    await asyncio.to_thread(backup.restore, copy, at.service.settings.database_path, now=now)
    at.service.bot.forget_random_ids()
    at.clock.jump_to(now)
    await at.service.start()


def times_told(at: TimedService, words: str) -> int:
    return sum(words in message.message for message in at.owner.heard)


def in_group(message: types.Message) -> bool:
    return isinstance(message.peer_id, types.PeerChannel)


async def test_each_chat_gets_one_silent_notice_whose_button_lists_the_posts(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        owner, world = at.owner, at.service.sandbox.world
        group = world.add_channel("TimedService", megagroup=True, members=[owner.account, at.service.bot])
        for count, command in enumerate(("start", "track outages"), start=1):
            name, _, argument = command.partition(" ")
            owner.account.sends(group, f"/{name}@newsroom_bot {argument}".strip())
            await owner.until(lambda n=count: sum(map(in_group, owner.heard)) == n)  # type: ignore[misc]
        at.channel.post(outage(1))
        await owner.count(2)
        database = await back_up(at)
        at.clock.jump_to(EVENING + timedelta(hours=1))
        at.channel.post(outage(2))
        at.channel.post(outage(3))
        await owner.count(6)
        before = len(owner.heard)

        await put_back(at, database, EVENING + timedelta(hours=2))
        await owner.until(lambda: times_told(at, f"These 2 posts {MAY_HAVE_BEEN}") == 2)
        at.channel.post(outage(4))
        await owner.count(8)
        notices = [message for message in owner.heard[before:] if not link_in(message.reply_markup)]
        assert len(notices) == 2
        assert all(message.silent for message in notices)
        assert {in_group(message) for message in notices} == {True, False}
        assert [times_told(at, f"дом {number}:") for number in (1, 2, 3, 4)] == [2, 2, 2, 2]
        count = len(owner.heard)
        await notices[0].click(text="Show them")
        await owner.until(lambda: len(owner.heard) > count)
        assert all(f"дом {number}:" in owner.heard[-1].message for number in (2, 3))


async def test_a_digest_that_only_the_lost_instance_knew_of(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        await at.owner.asks("/priority outages digest")
        await at.owner.asks("/digest hourly")
        database = await back_up(at)
        at.channel.post(outage(1))
        await at.stored(1)
        await at.go_to(NINE)
        await at.owner.message("Digest · 1 post")
        await put_back(at, database, NINE + timedelta(minutes=10))
        at.channel.post(outage(2))
        await at.stored(2)
        await at.go_to(NINE + timedelta(hours=1))
        await at.owner.message("дом 2:")
        assert times_told(at, "дом 1:") == 1
        assert times_told(at, f"1 post {MAY_HAVE_BEEN}") == 1


async def test_a_digest_that_was_due_when_the_backup_was_made(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        await at.owner.asks("/quiet 23:00-07:00 Moscow")
        at.channel.post(outage(1))
        await at.stored(1)
        database = await back_up(at)
        at.channel.post(outage(2))
        await at.stored(2)
        await at.go_to(MORNING)
        await at.owner.message("Morning digest · 2 posts")
        await put_back(at, database, MORNING + timedelta(hours=2))
        at.channel.post(outage(3))
        await at.owner.alert("дом 3")
        await at.owner.message(f"These 2 posts {MAY_HAVE_BEEN}")
        assert [times_told(at, f"дом {number}:") for number in (1, 2, 3)] == [1, 1, 1]


async def test_a_chat_to_which_nothing_was_sent_after_the_backup_gets_its_alerts(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        boris = await at.service.invited("Boris")
        await boris.asks("/untrack outages")
        database = await back_up(at)
        at.clock.jump_to(EVENING + timedelta(hours=1))
        at.channel.post(outage(1))
        await at.owner.alert("дом 1")
        await at.service.stop()
        at.channel.post(SHUTDOWN)  # while nothing ran
        await put_back(at, database, EVENING + timedelta(hours=2))
        await boris.alert("мобильный интернет")
        await at.owner.message(f"These 2 posts {MAY_HAVE_BEEN}")


async def test_a_group_in_which_nothing_can_be_read_may_have_been_told_as_well(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        owner, world = at.owner, at.service.sandbox.world
        group = world.add_channel("TimedService", megagroup=True, members=[owner.account, at.service.bot])
        for count, command in enumerate(("start", "track outages"), start=1):
            name, _, argument = command.partition(" ")
            owner.account.sends(group, f"/{name}@newsroom_bot {argument}".strip())
            await owner.until(lambda n=count: sum(map(in_group, owner.heard)) == n)  # type: ignore[misc]
        database = await back_up(at)
        at.clock.jump_to(EVENING + timedelta(hours=1))
        at.channel.post(outage(1))
        await owner.count(2)
        shown = [message for message in owner.heard if in_group(message)]
        group.delete(*(message.id for message in shown))
        await put_back(at, database, EVENING + timedelta(hours=2))
        await owner.until(lambda: times_told(at, f"1 post {MAY_HAVE_BEEN}") == 2)


async def test_an_ordinary_start_after_a_long_time_is_no_sign_of_a_backup(tmp_path: Path) -> None:
    async with timed_service(tmp_path) as at:
        at.channel.post(outage(1))
        await at.owner.alert("дом 1")
        at.clock.jump_to(EVENING + timedelta(minutes=30))
        await at.owner.asks("/topics")  # whose answer has buttons, and no row
        await at.service.stop()
        at.clock.jump_to(EVENING + timedelta(hours=5))
        at.channel.post(outage(2))
        with capture_logs() as logs:
            await at.service.start()
            await at.owner.alert("дом 2")
        assert not [line for line in logs if "backup" in line["event"]]
