from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from telethon import TelegramClient

from bot.runtime.clock import Steady
from bot.sandbox import Sandbox
from bot.telegram.clock import TelegramClock, measure

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
EXACT = timedelta(seconds=1)  # as exact as Telegram's whole seconds allow


class Hands:
    """A clock, of both kinds, that a test moves."""

    def __init__(self) -> None:
        self.time = NOON
        self.seconds = 0.0  # that have passed

    def __call__(self) -> datetime:
        return self.time

    def passes(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.seconds += seconds

    def is_set(self, time: datetime) -> None:
        self.time = time


@pytest.fixture
def telegram() -> Hands:
    return Hands()


@pytest.fixture
def machine() -> Hands:
    return Hands()


@pytest.fixture
async def sandbox(telegram: Hands) -> AsyncIterator[Sandbox]:
    async with Sandbox(now=telegram) as sandbox:
        yield sandbox
        assert sandbox.unknown == []


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[TelegramClient]:
    client = sandbox.client(sandbox.world.add_user("Anna"))
    await client.connect()
    yield client
    await client.disconnect()


def steady(machine: Hands) -> Steady:
    return Steady(now=machine, seconds=lambda: machine.seconds)


@pytest.mark.parametrize("seconds", [0, 30, -30, 10_800, -10_800])
async def test_the_time_is_that_of_telegram(
    client: TelegramClient, telegram: Hands, machine: Hands, seconds: int
) -> None:
    machine.is_set(NOON - timedelta(seconds=seconds))
    clock = TelegramClock(machine)
    await clock.set_by(client)
    assert abs(clock() - NOON) <= EXACT
    assert abs(clock.error - timedelta(seconds=seconds)) <= EXACT
    machine.is_set(telegram.time)
    await clock.set_by(client)
    assert clock.error == timedelta()


async def test_where_telegram_does_not_say_what_was_measured_before_holds_on(
    client: TelegramClient, sandbox: Sandbox, machine: Hands
) -> None:
    clock = TelegramClock(machine, error=timedelta(hours=3))
    sandbox.faults.answer("GetConfig", "INPUT_METHOD_INVALID")
    await clock.set_by(client)
    assert clock.error == timedelta(hours=3)


async def test_a_slow_answer_says_little(client: TelegramClient, telegram: Hands) -> None:
    ticks = iter([NOON, NOON + timedelta(seconds=14)])
    telegram.is_set(NOON + timedelta(seconds=14))  # it looked at its clock just before it answered
    measured = await measure(client, lambda: next(ticks))
    assert measured.doubt == timedelta(seconds=7.5)
    assert abs(measured.behind) <= measured.doubt
    assert not measured.is_wrong


async def test_a_machine_that_is_set_while_it_runs_changes_nothing(
    client: TelegramClient, telegram: Hands, machine: Hands
) -> None:
    machine.is_set(NOON - timedelta(days=2))
    clock = TelegramClock(machine, steady=steady(machine))
    await clock.set_by(client)
    machine.is_set(telegram.time)
    assert abs(clock() - NOON) <= EXACT
    assert abs(clock.error) <= EXACT  # as other processes have to see it
    for hands in (telegram, machine):
        hands.passes(600)
    assert abs(clock() - telegram.time) <= EXACT
    await clock.set_by(client)
    assert abs(clock() - telegram.time) <= EXACT
