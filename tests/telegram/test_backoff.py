"""Connections that end early: the policy in a time of its own, and real clients behind a gate that closes them."""

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest
import structlog
from telethon import events

from bot.sandbox import Sandbox, User
from bot.telegram import connections
from bot.telegram.backoff import BLOCKED, FIRST, LONGEST, NO_NETWORK, REPORT_AFTER, REPORT_EVERY, Backoff
from bot.telegram.client import Client, Timings, bot_client
from tests.gate import Gate, gate
from tests.kit_bot import TOKEN, Events, embedded_server, settings_of
from tests.kit_clock import Clock
from tests.waiting import WAIT_S, until

PACKET = b"\x01" * 24  # under a key
SERVER = "192.0.2.1:443"


def backoff_by(clock: Clock) -> Backoff:
    return Backoff(SERVER, monotonic=clock.monotonic, jitter=lambda: 1.0)


def test_each_connection_that_ends_early_doubles_the_pause_up_to_the_longest() -> None:
    backoff = backoff_by(Clock())
    pauses = [backoff.pause() for _ in range(14)]
    assert pauses[:6] == [0.0, 0.0, FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST]
    assert pauses[-1] == LONGEST


def test_a_connection_that_held_is_followed_by_the_next_at_once(clock: Clock) -> None:
    backoff = backoff_by(clock)
    for _ in range(14):
        backoff.pause()
    backoff.receive(PACKET)
    clock.advance(20)
    assert backoff.pause() == 0.0


def test_the_time_without_telegram_begins_anew_after_a_connection_that_held(clock: Clock) -> None:
    backoff = backoff_by(clock)
    with structlog.testing.capture_logs() as logs:
        for _ in range(20):
            backoff.pause()
            clock.advance(1)
        backoff.receive(PACKET)
        clock.advance(2)
        for _ in range(int(REPORT_AFTER) + 1):
            backoff.pause()
            clock.advance(1)
    assert [line.get("seconds") for line in logs] == [15, None, 15]


@pytest.mark.parametrize("packet", [b"", b"\x6c\xfe\xff\xff", b"\0" * 24], ids=["nothing", "an error", "a handshake"])
def test_a_connection_over_which_telegram_said_nothing_counts_however_long_it_held(packet: bytes, clock: Clock) -> None:
    backoff = backoff_by(clock)
    for _ in range(14):
        backoff.begin()
        backoff.receive(packet)
        clock.advance(20)
        pause = backoff.pause()
    assert pause == LONGEST


@pytest.mark.parametrize(
    ("failure", "event", "why"),
    [
        (None, BLOCKED, "nothing came over the connection"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), BLOCKED, "ConnectionRefusedError: [Errno 111] refused"),
        (TimeoutError(), BLOCKED, "TimeoutError"),
        (OSError(errno.ENETUNREACH, "unreachable"), NO_NETWORK, "OSError: [Errno 101] unreachable"),
    ],
)
def test_what_is_tried_in_vain_is_logged_once_a_minute(
    failure: OSError | None, event: str, why: str, clock: Clock
) -> None:
    backoff = backoff_by(clock)
    with structlog.testing.capture_logs() as logs:
        for _ in range(int(REPORT_AFTER + 2 * REPORT_EVERY)):
            backoff.pause()
            if failure is not None:
                backoff.fail(failure)
            clock.advance(1)
        backoff.begin()
        backoff.receive(PACKET)
        backoff.receive(PACKET)
    assert [line["event"] for line in logs] == [event, event, "Telegram can be reached again"]
    assert (logs[0]["server"], logs[0]["why"]) == (SERVER, why)


class Gated:
    """A bot that is connected through a gate, and somebody who writes to it."""

    def __init__(self, closing: Gate, sandbox: Sandbox, client: Client, account: User) -> None:
        self.gate = closing
        self.calls = sandbox.calls
        self.account = account
        self.anna = sandbox.world.add_user("Anna")
        self.news = Events(client, events.NewMessage(incoming=True))


@pytest.fixture
async def gated(tmp_path: Path) -> AsyncIterator[Gated]:
    async with embedded_server() as server, gate(server.sandbox) as closing:
        sandbox = server.sandbox
        account = sandbox.world.add_bot(TOKEN, "Watch", "watch_bot")
        sandbox.session_for(account, tmp_path / "bot.session")
        chosen = settings_of(sandbox, tmp_path, telegram_bot_token=TOKEN).model_copy(
            update={"telegram_server": closing.address}
        )
        client = bot_client(chosen, timings=Timings(connect_pause=0.01, key_pause=0.01))
        try:
            await connections.connect_bot(client, chosen)
            found = Gated(closing, sandbox, client, account)
            found.anna.sends(account, "one")
            assert await found.news.text() == "one"
            yield found
        finally:
            await client.disconnect()


@pytest.mark.parametrize("passes", [-1, 0, 1], ids=["at once", "after the first bytes", "after an answer"])
async def test_a_storm_of_connections_dies_down_and_the_client_recovers_once_there_is_a_server(
    gated: Gated, passes: int
) -> None:
    before, began = gated.gate.accepted, monotonic()
    gated.gate.passes = passes
    gated.gate.cut()
    await gated.gate.until(before + 5)
    assert monotonic() - began >= sum(FIRST * 2**n for n in range(3)) / 2
    gated.anna.sends(gated.account, "two")
    await until(lambda: gated.gate.is_closed)
    gated.calls.clear()
    gated.gate.passes = float("inf")
    assert await gated.news.text() == "two"
    assert sum(call.name == "GetUsers" for call in gated.calls) <= 1


@pytest.mark.parametrize("passes", [0, 2], ids=["after the first bytes", "amid the handshake"])
async def test_a_client_without_a_key_waits_too_and_signs_in_once_there_is_a_server(
    passes: int, tmp_path: Path
) -> None:
    async with embedded_server() as server, gate(server.sandbox) as closing:
        sandbox = server.sandbox
        sandbox.world.add_bot(TOKEN, "Watch", "watch_bot")
        (tmp_path / "key.pem").write_text(sandbox.key_pem)
        named = {"telegram_server": closing.address, "telegram_server_key": tmp_path / "key.pem"}
        chosen = settings_of(sandbox, tmp_path, telegram_bot_token=TOKEN).model_copy(update=named)
        client = bot_client(chosen, timings=Timings(connect_pause=0.01, key_pause=0.01))
        closing.passes, began = passes, monotonic()
        connecting = asyncio.create_task(connections.connect_bot(client, chosen))
        try:
            await closing.until(5)
            assert monotonic() - began >= sum(FIRST * 2**n for n in range(3)) / 2
            closing.passes = float("inf")
            assert await asyncio.wait_for(connecting, WAIT_S) == "watch_bot"
        finally:
            connecting.cancel()
            await client.disconnect()
