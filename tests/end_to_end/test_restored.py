"""What a lost instance summed up, in digests and in the morning, is not told again after a backup was put back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from tests.end_to_end.test_gathering import EVENING, MORNING, Desk, desk, outage

NINE = datetime(2025, 3, 10, 21, tzinfo=UTC)  # when the digest of an hour comes
SHUTDOWN = "В области отключили мобильный интернет."


async def back_up(at: Desk) -> bytes:
    await at.room.stop()
    database = at.room.settings.database_path.read_bytes()
    await at.room.start()
    return database


async def put_back(at: Desk, database: bytes, now: datetime) -> None:
    """Begin with an older database, when Telegram has forgotten what it was sent."""
    await at.room.stop()
    for file in at.room.settings.data_dir.glob("bot.db*"):
        file.unlink()
    at.room.settings.database_path.write_bytes(database)
    at.room.bot.forgets_random_ids()
    at.clock.jump_to(now)
    await at.room.start()


def times_told(at: Desk, words: str) -> int:
    return sum(words in message.message for message in at.owner.heard)


async def test_a_digest_that_only_the_lost_instance_knew_of(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
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
        assert times_told(at, "1 post may have been told here already.") == 1


async def test_a_digest_that_was_due_when_the_backup_was_made(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
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
        await at.owner.message("These 2 posts may have been told here already.")
        assert [times_told(at, f"дом {number}:") for number in (1, 2, 3)] == [1, 1, 1]


async def test_a_digest_after_the_last_alert(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.owner.asks("/priority shutdowns digest")
        await at.owner.asks("/digest hourly")
        database = await back_up(at)
        at.channel.post(outage(1))
        await at.owner.alert("дом 1")
        at.clock.jump_to(EVENING + timedelta(minutes=5))
        at.channel.post(SHUTDOWN)
        await at.stored(2)
        await at.go_to(NINE)
        await at.owner.message("Digest · 1 post")
        await put_back(at, database, NINE + timedelta(minutes=10))
        await at.stored(2)
        await at.go_to(NINE + timedelta(hours=1))
        at.channel.post(outage(2))
        await at.owner.alert("дом 2")
        assert [times_told(at, words) for words in ("дом 1:", "мобильный интернет")] == [1, 1]


async def test_an_ordinary_start_after_a_long_time_is_no_sign_of_a_lost_instance(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.channel.post(outage(1))
        await at.owner.alert("дом 1")
        at.clock.jump_to(EVENING + timedelta(minutes=30))
        await at.owner.asks("/topics")  # whose answer has buttons, and no row
        await at.room.stop()
        at.clock.jump_to(EVENING + timedelta(hours=5))
        at.channel.post(outage(2))
        with structlog.testing.capture_logs() as logs:
            await at.room.start()
            await at.owner.alert("дом 2")
        assert [line["lost"] for line in logs if "lost" in line] == [0]
