"""What the clients do by themselves once their connection was lost, against the embedded server."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from time import monotonic

import pytest
from telethon import events
from telethon.tl.functions.updates import GetStateRequest

from bot.errors import FatalError, TelegramError
from bot.sandbox import Sandbox, User
from bot.settings import Settings
from bot.telegram import connections
from bot.telegram.client import Client, Timings, bot_client
from bot.telegram.rpc import ask
from tests.kit_bot import TOKEN, Events, embedded_server, settings_of
from tests.waiting import WAIT_S, until

INCOMING = events.NewMessage(incoming=True)


class SignedIn:
    """A signed-in bot, somebody who writes to it, and what it hears."""

    def __init__(self, sandbox: Sandbox, account: User, client: Client) -> None:
        self.sandbox = sandbox
        self.account = account
        self.client = client
        self.anna = sandbox.world.add_user("Anna")
        self.news = Events(client, INCOMING)


def settings(sandbox: Sandbox, folder: Path) -> Settings:
    return settings_of(sandbox, folder, telegram_bot_token=TOKEN)


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[SignedIn]:
    async with embedded_server() as server:
        sandbox = server.sandbox
        account = sandbox.world.add_bot(TOKEN, "Watch", "watch_bot")
        sandbox.session_for(account, tmp_path / "bot.session")
        chosen = settings(sandbox, tmp_path)
        client = bot_client(chosen)
        found = SignedIn(sandbox, account, client)
        try:
            await connections.connect_bot(client, chosen)
            found.anna.sends(account, "one")
            assert await found.news.text() == "one"  # it is up to date
            yield found
        finally:
            await client.disconnect()


@asynccontextmanager
async def kept(client: Client) -> AsyncIterator[None]:
    """Keep a client connected meanwhile."""
    keeping = asyncio.create_task(connections.keep_connected(client))
    try:
        yield
    finally:
        keeping.cancel()


async def test_what_was_said_while_the_connection_was_lost_is_heard_once_it_is_back(bot: SignedIn) -> None:
    bot.sandbox.server.cut(bot.account.id)
    bot.anna.sends(bot.account, "two")
    assert await bot.news.text() == "two"


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_is_set_while_a_client_is_connected_changes_nothing(
    bot: SignedIn, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_by, machine = hours * 3600.0, time.time
    bot.sandbox.faults.skew(-set_by)  # the server's goes on, though it asks the same machine
    monkeypatch.setattr(time, "time", lambda: machine() + set_by)
    assert (await ask(bot.client.get_me(), within=5.0)).id == bot.account.id
    bot.anna.sends(bot.account, "two")
    assert await asyncio.wait_for(bot.news.text(), 5.0) == "two"
    bot.sandbox.server.cut(bot.account.id)
    bot.anna.sends(bot.account, "three")
    assert await asyncio.wait_for(bot.news.text(), 5.0) == "three"


async def test_a_flood_wait_is_as_long_as_telegram_says_though_the_clock_is_set_back(
    bot: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.sandbox.faults.flood_wait("GetState", 4)
    with pytest.raises(TelegramError, match="FLOOD_WAIT_4"):
        await ask(bot.client(GetStateRequest()))
    machine = time.time
    monkeypatch.setattr(time, "time", lambda: machine() - 3600)
    with pytest.raises(TelegramError, match="FLOOD_WAIT_4"):  # as Telethon remembers
        await ask(bot.client(GetStateRequest()))


async def test_what_was_said_to_a_bot_that_was_killed_in_its_first_minute_is_heard_by_the_next(
    bot: SignedIn, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"  # as the killed process left it
    copy.mkdir()
    shutil.copy(tmp_path / "bot.session", copy)
    bot.sandbox.server.cut(bot.account.id)
    await bot.client.disconnect()
    bot.anna.sends(bot.account, "two")
    chosen = settings(bot.sandbox, copy)
    client = bot_client(chosen)
    news = Events(client, INCOMING)
    try:
        await connections.connect_bot(client, chosen)
        while await news.text() != "two":
            pass
    finally:
        await client.disconnect()


async def test_what_was_not_pushed_is_asked_for(bot: SignedIn) -> None:
    bot.client.timings = Timings(poll_every=0.01)
    keeping = asyncio.create_task(connections.keep_connected(bot.client))
    bot.sandbox.faults.drop_pushes(account_id=bot.account.id)
    bot.anna.sends(bot.account, "two")
    assert await bot.news.text() == "two"
    keeping.cancel()


@pytest.mark.parametrize("error", ["INTERNAL", "PERSISTENT_TIMESTAMP_INVALID", "FROZEN_PARTICIPANT_MISSING"])
async def test_a_bot_whose_missed_updates_cannot_be_fetched_gets_what_is_written_all_the_same_and_is_not_well(
    bot: SignedIn, error: str
) -> None:
    bot.client.timings = Timings(poll_every=0.05)
    bot.client._request_retries = 0  # noqa: SLF001 - Telethon sleeps for 2 s before each
    faults = bot.sandbox.faults
    faults.answer("GetDifference", error, code=500 if error == "INTERNAL" else 400, times=None)
    async with kept(bot.client):
        faults.drop_pushes(account_id=bot.account.id, times=1)
        bot.anna.sends(bot.account, "two")
        bot.anna.sends(bot.account, "three")
        bot.anna.sends(bot.account, "four")
        awaited = {"two", "three", "four"}
        while awaited:
            awaited.discard(await bot.news.text())
        await until(lambda: bot.client.fault is not None)
        assert error in str(bot.client.fault)
        faults.clear()
        await until(lambda: bot.client.fault is None)
        assert bot.client.is_connected()


async def test_a_group_whose_missed_updates_cannot_be_fetched_is_not_silent_for_it(bot: SignedIn) -> None:
    room = bot.sandbox.world.add_channel("Newsroom", megagroup=True, members=[bot.anna, bot.account])
    room.post("/first@watch_bot", author=bot.anna)
    assert await bot.news.text() == "/first@watch_bot"
    bot.sandbox.faults.answer("GetChannelDifference", "PERSISTENT_TIMESTAMP_INVALID", times=None)
    bot.sandbox.faults.drop_pushes(account_id=bot.account.id, times=1)
    room.post("/lost@watch_bot", author=bot.anna)
    room.post("/with_a_gap_before_it@watch_bot", author=bot.anna)
    await until(lambda: bool(bot.client.missed._failing_channels))  # noqa: SLF001 - nobody else has to know
    room.post("/last@watch_bot", author=bot.anna)
    assert await bot.news.text() == "/last@watch_bot"


async def test_updates_go_on_from_the_present_where_those_that_were_missed_never_come(bot: SignedIn) -> None:
    bot.client.timings = Timings(poll_every=0.05)
    skipped = asyncio.Event()

    async def note() -> None:
        skipped.set()

    bot.client.on_skip = note
    place = bot.client._message_box.session_state()[0]["pts"]  # noqa: SLF001 - Telethon has no public name for it
    bot.sandbox.faults.lose_place(place)
    async with kept(bot.client):
        bot.sandbox.faults.drop_pushes(account_id=bot.account.id, times=1)
        bot.anna.sends(bot.account, "two")
        await asyncio.wait_for(skipped.wait(), WAIT_S)
        await until(lambda: bot.client.fault is None)
        assert await bot.news.text() == "two"


async def test_a_bot_that_signed_in_while_missed_updates_could_not_be_fetched_gets_them_later(
    bot: SignedIn, tmp_path: Path
) -> None:
    await bot.client.disconnect()
    (tmp_path / "bot.session").unlink()
    bot.sandbox.session_for(None, tmp_path / "bot.session")
    bot.sandbox.faults.answer("GetDifference", "PERSISTENT_TIMESTAMP_INVALID")
    chosen = settings(bot.sandbox, tmp_path)
    again = bot_client(chosen, timings=Timings(poll_every=0.05))
    news = Events(again, INCOMING)
    try:
        await connections.connect_bot(again, chosen)
        bot.anna.sends(bot.account, "two")
        assert await news.text() == "two"
        async with kept(again):
            bot.sandbox.faults.drop_pushes(account_id=bot.account.id)
            bot.anna.sends(bot.account, "three")
            assert await news.text() == "three"
    finally:
        await again.disconnect()


async def test_a_client_that_gave_up_connects_again(bot: SignedIn) -> None:
    keeping = asyncio.create_task(connections.keep_connected(bot.client))
    await bot.client.disconnect()  # as Telethon does after an error in its update loop
    bot.anna.sends(bot.account, "two")
    assert await bot.news.text() == "two"
    keeping.cancel()


async def test_a_bot_that_telegram_no_longer_answers_connects_anew_and_is_not_well_meanwhile(bot: SignedIn) -> None:
    bot.client.timings = Timings(poll_every=0.05, ping_within=0.2, connect_pause=0.05, connect_within=2.0)
    keeping = asyncio.create_task(connections.keep_connected(bot.client))
    faults, before = bot.sandbox.faults, bot.sandbox.server.accepted
    faults.unanswered = True
    await until(lambda: bot.sandbox.server.accepted > before)
    assert not bot.client.is_answered
    faults.unanswered = False
    bot.anna.sends(bot.account, "two")
    assert await bot.news.text() == "two"
    await until(lambda: bot.client.is_answered)
    keeping.cancel()


async def test_an_error_of_the_server_does_not_end_the_attempts(bot: SignedIn) -> None:
    bot.client.timings = Timings(connect_pause=0.0)
    bot.sandbox.faults.answer("GetConfig", "INTERNAL", code=500, times=2)
    keeping = asyncio.create_task(connections.keep_connected(bot.client))
    await bot.client.disconnect()
    bot.anna.sends(bot.account, "two")
    assert await bot.news.text() == "two"
    keeping.cancel()


async def test_a_client_whose_disk_failed_while_it_connected_is_not_left_half_connected(
    bot: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.client.disconnect()
    with monkeypatch.context() as full:
        full.setattr(bot.client.session, "save", _fail)
        with pytest.raises(sqlite3.OperationalError):
            await connections.keep_connected(bot.client)
    keeping = asyncio.create_task(connections.keep_connected(bot.client))  # as whoever guards it does
    bot.anna.sends(bot.account, "two")
    assert await bot.news.text() == "two"
    keeping.cancel()


def _fail() -> None:
    raise sqlite3.OperationalError("database or disk is full")


async def test_a_session_that_was_ended_stops_the_service(bot: SignedIn) -> None:
    bot.sandbox.revoke(bot.account)
    bot.client.timings = Timings(poll_every=0.01)
    with pytest.raises(FatalError, match="TELEGRAM_BOT_TOKEN"):
        await asyncio.wait_for(connections.keep_connected(bot.client), WAIT_S)


async def test_a_line_that_is_slow_is_given_more_time_each_time(bot: SignedIn) -> None:
    hold = bot.sandbox.faults.hold("GetState")
    bot.client.timings = Timings(updates_within=0.05)
    for patience in (1, 2, 4):
        began = monotonic()
        with pytest.raises(TimeoutError):
            await bot.client(GetStateRequest())
        assert monotonic() - began >= 0.05 * patience
    hold.release()
    await bot.client(GetStateRequest())


async def test_a_lost_answer_to_the_question_for_updates_makes_nobody_deaf(bot: SignedIn) -> None:
    bot.client.timings = Timings(updates_within=0.2)
    hold = bot.sandbox.faults.hold("GetDifference", times=1)
    await bot.client.catch_up()
    await hold.reached()
    bot.anna.sends(bot.account, "two")  # Telethon hears nothing while it waits for a difference
    assert await bot.news.text() == "two"
    assert hold.held == 1


async def test_a_bot_whose_session_was_ended_signs_in_by_its_token(bot: SignedIn, tmp_path: Path) -> None:
    await bot.client.disconnect()
    bot.sandbox.revoke(bot.account)
    again = bot_client(settings(bot.sandbox, tmp_path))
    news = Events(again, INCOMING)
    try:
        await connections.connect_bot(again, settings(bot.sandbox, tmp_path))
        bot.anna.sends(bot.account, "two")
        assert await news.text() == "two"
    finally:
        await again.disconnect()


async def test_what_was_heard_and_not_dealt_with_is_heard_again_by_the_next_process(
    bot: SignedIn, tmp_path: Path
) -> None:
    bot.client.is_settled = lambda: False
    bot.anna.sends(bot.account, "two")
    assert await bot.news.text() == "two"
    await bot.client.disconnect()
    for heard in (["one", "two"], ["three"]):  # the first of them deals with what it hears
        again = bot_client(settings(bot.sandbox, tmp_path))
        second = SignedIn(bot.sandbox, bot.account, again)
        await connections.connect_bot(again, settings(bot.sandbox, tmp_path))
        if heard == ["three"]:
            bot.anna.sends(bot.account, "three")
        assert [await second.news.text() for _ in heard] == heard
        await again.disconnect()


async def test_a_client_writes_its_place_down_while_it_runs(bot: SignedIn, tmp_path: Path) -> None:
    keeping = asyncio.create_task(bot.client.keep_place())
    bot.anna.sends(bot.account, "two")
    assert await bot.news.text() == "two"
    written = tmp_path / "bot.session"
    pts = bot.client._message_box.session_state()[0]["pts"]  # noqa: SLF001 - Telethon has no public name for it
    async with asyncio.timeout(WAIT_S):
        while _pts_in(written) < pts:
            await bot.client.get_me()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


def _pts_in(session: Path) -> int:
    with closing(sqlite3.connect(f"file:{session}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT pts FROM update_state WHERE id = 0").fetchone()[0])
