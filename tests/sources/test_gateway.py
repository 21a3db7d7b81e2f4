import asyncio

import pytest
from telethon.tl.functions.updates import GetStateRequest

from bot.errors import TelegramError, Verdict
from bot.sources.gateway import call
from tests.sources.kit import Place
from tests.waiting import WAIT_S


async def test_a_client_that_disconnects_is_a_lost_connection_and_no_cancellation(place: Place) -> None:
    hold = place.sandbox.faults.hold("GetState")
    asking = asyncio.create_task(call(place.client, GetStateRequest()))
    await asyncio.wait_for(hold.reached(), WAIT_S)
    await place.client.disconnect()
    with pytest.raises(TelegramError, match="CONNECTION_LOST") as refusal:
        await asyncio.wait_for(asking, WAIT_S)
    assert refusal.value.verdict is Verdict.RETRY


async def test_our_own_end_ends_a_request(place: Place) -> None:
    hold = place.sandbox.faults.hold("GetState")
    asking = asyncio.create_task(call(place.client, GetStateRequest()))
    await asyncio.wait_for(hold.reached(), WAIT_S)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    hold.release()
