from datetime import timedelta

import pytest
from telethon.tl.functions.updates import GetStateRequest

from bot.errors import ReaderLostError, TelegramError
from bot.sources.account import Account
from bot.store import readers

from .kit import ReaderKit


def account(reader: ReaderKit) -> Account:
    return Account(reader.client, reader.database, reader_id=reader.reader_id, clock=reader.clock)


async def test_a_wait_is_obeyed_after_a_restart_too_and_then_over(reader: ReaderKit) -> None:
    reader.sandbox.faults.flood_wait("GetState", 90)
    with pytest.raises(TelegramError, match="FLOOD_WAIT_90"):
        await account(reader).ask(GetStateRequest())
    reader.clock.advance(timedelta(seconds=30))
    asked = reader.calls("GetState")
    with pytest.raises(TelegramError, match="FLOOD_WAIT_60"):
        await account(reader).ask(GetStateRequest())
    assert reader.calls("GetState") == asked
    reader.clock.advance(timedelta(seconds=61))
    assert await readers.flood_waits(reader.database, reader.clock(), reader_id=reader.reader_id) == {}


async def test_requests_are_counted_by_the_hour(reader: ReaderKit) -> None:
    one = account(reader)
    for _ in range(3):
        await one.ask(GetStateRequest())
    await one.note()
    reader.clock.advance(timedelta(hours=1))
    await one.ask(GetStateRequest())
    await one.note()
    assert await readers.requests_last_hour(reader.database, reader.clock()) == 3
    rows = await reader.database.fetch_all("SELECT method, sum(count) FROM requests GROUP BY method")
    assert [tuple(row) for row in rows] == [("GetState", 4)]


async def test_an_account_that_is_gone_says_so(reader: ReaderKit) -> None:
    reader.sandbox.faults.answer("GetState", "USER_DEACTIVATED_BAN", code=401)
    with pytest.raises(ReaderLostError) as lost:
        await account(reader).ask(GetStateRequest())
    assert lost.value.reason == "USER_DEACTIVATED_BAN"
