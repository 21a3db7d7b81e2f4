from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from telethon import TelegramClient

from bot.runtime.clock import Steady
from bot.sandbox import Sandbox
from bot.telegram.clock import TelegramClock, measure
from tests.kit_bot import embedded_server
from tests.kit_clock import NOON, Clock

EXACT = timedelta(seconds=1)  # as exact as Telegram's whole seconds allow


@pytest.fixture
def telegram() -> Clock:
    return Clock()


@pytest.fixture
def machine() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox(telegram: Clock) -> AsyncIterator[Sandbox]:
    async with embedded_server(telegram) as server:
        yield server.sandbox


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[TelegramClient]:
    client = sandbox.client(sandbox.world.add_user("Anna"))
    await client.connect()
    yield client
    await client.disconnect()


def steady(machine: Clock) -> Steady:
    return Steady(now=machine, seconds=machine.monotonic)


@pytest.mark.parametrize("seconds", [0, 30, -30, 10_800, -10_800])
async def test_the_time_is_that_of_telegram(
    client: TelegramClient, telegram: Clock, machine: Clock, seconds: int
) -> None:
    machine.now = NOON - timedelta(seconds=seconds)
    clock = TelegramClock(machine)
    await clock.set_by(client)
    assert abs(clock() - NOON) <= EXACT
    assert abs(clock.error - timedelta(seconds=seconds)) <= EXACT
    machine.now = telegram.now
    await clock.set_by(client)
    assert clock.error == timedelta()


async def test_where_telegram_does_not_say_what_was_measured_before_holds_on(
    client: TelegramClient, sandbox: Sandbox, machine: Clock
) -> None:
    clock = TelegramClock(machine, error=timedelta(hours=3))
    sandbox.faults.answer("GetConfig", "INPUT_METHOD_INVALID")
    await clock.set_by(client)
    assert clock.error == timedelta(hours=3)


async def test_a_slow_answer_says_little(client: TelegramClient, telegram: Clock) -> None:
    ticks = iter([NOON, NOON + timedelta(seconds=14)])
    telegram.now = NOON + timedelta(seconds=14)  # it looked at its clock just before it answered
    measured = await measure(client, lambda: next(ticks))
    assert measured.doubt == timedelta(seconds=7.5)
    assert abs(measured.behind) <= measured.doubt
    assert not measured.is_wrong


async def test_a_machine_that_is_set_while_it_runs_changes_nothing(
    client: TelegramClient, telegram: Clock, machine: Clock
) -> None:
    machine.now = NOON - timedelta(days=2)
    clock = TelegramClock(machine, steady=steady(machine))
    await clock.set_by(client)
    machine.now = telegram.now
    assert abs(clock() - NOON) <= EXACT
    assert abs(clock.error) <= EXACT  # as other processes have to see it
    for hands in (telegram, machine):
        hands.advance(600)
    assert abs(clock() - telegram.now) <= EXACT
    await clock.set_by(client)
    assert abs(clock() - telegram.now) <= EXACT
