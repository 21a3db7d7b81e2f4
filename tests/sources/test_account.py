from datetime import timedelta

import pytest
from telethon.tl.functions.updates import GetStateRequest

from bot.errors import ReaderLostError, TelegramError
from bot.sources.account import Account
from bot.store import readers

from .kit import Place


def account(place: Place) -> Account:
    return Account(place.client, place.database, reader_id=place.reader_id, clock=place.now)


async def test_a_wait_is_obeyed_after_a_restart_too_and_then_over(place: Place) -> None:
    place.sandbox.faults.flood_wait("GetState", 90)
    with pytest.raises(TelegramError, match="FLOOD_WAIT_90"):
        await account(place).ask(GetStateRequest())
    place.now.moves(timedelta(seconds=30))
    asked = place.calls("GetState")
    with pytest.raises(TelegramError, match="FLOOD_WAIT_60"):
        await account(place).ask(GetStateRequest())
    assert place.calls("GetState") == asked
    place.now.moves(timedelta(seconds=61))
    assert await readers.flood_waits(place.database, place.reader_id, place.now()) == {}


async def test_requests_are_counted_by_the_hour(place: Place) -> None:
    one = account(place)
    for _ in range(3):
        await one.ask(GetStateRequest())
    await one.note()
    place.now.moves(timedelta(hours=1))
    await one.ask(GetStateRequest())
    await one.note()
    assert await readers.requests_last_hour(place.database, place.now()) == 3
    rows = await place.database.fetch_all("SELECT method, sum(count) FROM requests GROUP BY method")
    assert [tuple(row) for row in rows] == [("GetState", 4)]


async def test_an_account_that_is_gone_says_so(place: Place) -> None:
    place.sandbox.faults.answer("GetState", "USER_DEACTIVATED_BAN", code=401)
    with pytest.raises(ReaderLostError) as lost:
        await account(place).ask(GetStateRequest())
    assert lost.value.reason == "USER_DEACTIVATED_BAN"
