import asyncio
from pathlib import Path

import pytest
import structlog

from bot.errors import SettingsError
from bot.monitoring.heartbeat import HEALTHY
from bot.runtime.supervisor import STEADY, Beat, guarded
from bot.settings import load_settings
from bot.store import meta
from tests.kit_service import running_service
from tests.watchdog import WAIT_S, watchdog, watched_heartbeat


async def test_the_watchdog_is_told_each_minute_while_all_is_well(tmp_path: Path) -> None:
    async with watched_heartbeat(tmp_path) as (heart, health, dog, clock):
        health.beat("delivery", within=180)
        for second, times in ((0, 1), (30, 1), (60, 2), (90, 2), (120, 3)):
            clock.seconds = second
            assert await heart.look()
            assert dog.asked == ["/ping/secret-key"] * times


@pytest.mark.parametrize(("second", "times"), [(44.9, 1), (45.0, 2), (59.9, 2)])
async def test_a_look_that_comes_a_little_early_tells_the_watchdog_too(
    tmp_path: Path, second: float, times: int
) -> None:
    async with watched_heartbeat(tmp_path) as (heart, _, dog, clock):
        assert await heart.look()
        clock.seconds = second
        assert await heart.look()
        assert len(dog.asked) == times


async def test_a_loop_that_hangs_is_noticed(tmp_path: Path) -> None:
    async with watched_heartbeat(tmp_path) as (heart, health, dog, clock):
        health.beat("delivery", within=180)
        clock.seconds = 181
        assert not await heart.look()
        assert health.wrong() == ["delivery hangs"]
        assert dog.asked == []
        health.beat("delivery", within=180)
        assert await heart.look()
        assert len(dog.asked) == 1


async def test_a_loop_that_a_client_cuts_off_goes_on(tmp_path: Path) -> None:
    async with watched_heartbeat(tmp_path) as (heart, health, _, clock):
        turns = []

        async def loop(_: Beat) -> None:
            turns.append(clock.seconds)
            if len(turns) == 1:
                pending = asyncio.get_running_loop().create_future()
                pending.cancel()  # as Telethon does with what is asked when it disconnects
                await pending

        await guarded("commands", loop, health, back_off=0)
        assert len(turns) == 2
        assert await heart.look()


async def test_a_loop_that_failed_is_noticed_until_it_has_gone_on_for_a_minute(tmp_path: Path) -> None:
    async with watched_heartbeat(tmp_path) as (heart, health, dog, clock):
        began = [asyncio.Event(), asyncio.Event()]
        rests = asyncio.Event()

        async def loop(_: Beat) -> None:
            if not began[0].is_set():
                began[0].set()
                raise ValueError("a fault of the test")
            began[1].set()
            await rests.wait()

        task = asyncio.create_task(guarded("receipts", loop, health, back_off=0.2))
        await began[0].wait()
        await asyncio.sleep(0)
        assert not await heart.look()
        assert dog.asked == []
        await began[1].wait()
        assert not await heart.look()
        clock.seconds = STEADY
        assert await heart.look()
        rests.set()
        await task


async def test_what_a_check_finds_wrong_keeps_the_watchdog_waiting(tmp_path: Path) -> None:
    async with watched_heartbeat(tmp_path, wrong="no reader account reads") as (heart, _, dog, _):
        assert not await heart.look()
        assert dog.asked == []


async def test_a_watchdog_that_refuses_is_named_once_and_without_the_secret(tmp_path: Path) -> None:
    async with watched_heartbeat(tmp_path) as (heart, _, dog, clock):
        dog.status = 404
        with structlog.testing.capture_logs() as logs:
            for minute in range(3):
                clock.seconds = minute * 60
                assert await heart.look()
        assert len(dog.asked) == 3
        (line,) = [line for line in logs if "watchdog" in line["event"]]
        assert line["error"] == "HTTP 404"
        assert "secret-key" not in str(logs)


async def test_a_watchdog_that_answers_without_end_holds_up_nothing(tmp_path: Path) -> None:
    async with watched_heartbeat(tmp_path, fetch_within=1.0) as (heart, _, dog, _), asyncio.timeout(WAIT_S):
        dog.has_an_end = False
        assert await heart.look()
        await dog.until(1)
        dog.has_an_end = True
        await dog.answered.wait()


async def test_the_service_tells_the_watchdog_once_it_runs(tmp_path: Path) -> None:
    async with watchdog() as dog, running_service(tmp_path, heartbeat_url=dog.url) as service:
        await dog.until(1)
        await service.owner()
        async with service.archive() as db:
            assert HEALTHY in await meta.last_beats(db)


def test_an_address_that_cannot_be_fetched_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTBEAT_URL", "hc.example/secret-key")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == "HEARTBEAT_URL: cannot be used: write the whole address, with https:// before it"
