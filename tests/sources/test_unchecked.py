"""A server that fails at the changes of a channel, for ever: what it keeps back is found, and until then said."""

from datetime import timedelta

import pytest

from bot.monitoring.channel_state import ChannelState, ChannelStatus, channel_states
from bot.sandbox import Channel
from bot.sources.past_pages import Verifier
from bot.sources.sync import MOST_FAILURES

from .kit import ReaderKit

MINUTE = timedelta(minutes=1)
FAILS = {"error": "BAD_GATEWAY", "code": 502, "times": None}  # at a 500, Telethon rests for seconds


async def verify_all(verifier: Verifier) -> None:
    while await verifier.verify_next() is not None:
        pass


async def state(reader: ReaderKit) -> ChannelState:
    (found,) = await channel_states(reader.database, reader.clock())
    return found


async def verified_news(reader: ReaderKit, verifier: Verifier) -> Channel:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    for number in range(150):
        channel.post(f"Post {number}")
    await reader.follow(channel)
    await verify_all(verifier)
    reader.clock.advance(MINUTE)
    await reader.sweep().sweep_once()
    assert (await state(reader)).is_verified
    return channel


@pytest.mark.parametrize(
    ("error", "code"), [("BAD_GATEWAY", 502), ("MSG_WAIT_TIMEOUT", 400)], ids=["it fails", "it gives up"]
)
async def test_what_a_failing_server_keeps_back_is_read_from_the_history(
    reader: ReaderKit, error: str, code: int
) -> None:
    verifier, sync = Verifier(reader.account, reader.sync, days=30), reader.sync
    channel = await verified_news(reader, verifier)
    known_at = reader.clock()
    edited, doomed = list(channel.kept.messages)[:2]
    reader.sandbox.faults.answer("GetChannelDifference", error, code=code, times=None)
    channel.edit(edited, "Edited", push=False)
    channel.delete(doomed, push=False)
    sweep = reader.sweep_of(sync)
    for number in range(MOST_FAILURES):
        reader.clock.advance(MINUTE)
        channel.post(f"New {number}", push=False)
        await sweep.sweep_once()
        now = await state(reader)
        assert (now.status, now.checked_at, now.is_verified) == (ChannelStatus.UNCHECKED, known_at, False)
        assert now.has_gap
    await verify_all(verifier)
    stored = await reader.stored(channel)
    assert (stored[edited].text, stored[doomed].gone) == ("Edited", True)
    assert [stored[i].text for i in sorted(stored)[-MOST_FAILURES:]] == [f"New {n}" for n in range(MOST_FAILURES)]
    assert (await state(reader)).is_verified


async def test_a_server_that_comes_to_itself_is_asked_for_what_it_kept_back(reader: ReaderKit) -> None:
    verifier, sync = Verifier(reader.account, reader.sync, days=30), reader.sync
    channel = await verified_news(reader, verifier)
    first = next(iter(channel.kept.messages))
    reader.sandbox.faults.answer("GetChannelDifference", **FAILS | {"times": 1})
    channel.edit(first, "Edited", push=False)
    reader.clock.advance(MINUTE)
    sweep = reader.sweep_of(sync)
    await sweep.sweep_once()
    assert (await state(reader)).status is ChannelStatus.UNCHECKED
    await sweep.sweep_once()
    assert (await state(reader)).is_verified  # without a verifying round
    assert (await reader.stored(channel))[first].text == "Edited"


async def test_while_nothing_at_all_can_be_read_nothing_is_left_to_the_verifier(reader: ReaderKit) -> None:
    verifier, sync = Verifier(reader.account, reader.sync, days=30), reader.sync
    channel = await verified_news(reader, verifier)
    first = next(iter(channel.kept.messages))
    for method in ("GetChannelDifference", "GetHistory"):
        reader.sandbox.faults.answer(method, **FAILS)
    channel.edit(first, "Edited", push=False)
    sweep = reader.sweep_of(sync)
    for _ in range(MOST_FAILURES + 1):
        reader.clock.advance(MINUTE)
        await sweep.sweep_once()
    assert (await state(reader)).status is ChannelStatus.UNCHECKED
    reader.sandbox.faults.clear()
    await sweep.sweep_once()
    assert (await state(reader)).is_verified  # by the changes, without a verifying round
    assert (await reader.stored(channel))[first].text == "Edited"


async def test_what_changes_behind_a_verifying_round_is_left_to_the_next_one(reader: ReaderKit) -> None:
    verifier, sync = Verifier(reader.account, reader.sync, days=30), reader.sync
    channel = await verified_news(reader, verifier)
    sweep, last = reader.sweep_of(sync), max(channel.kept.messages)
    reader.sandbox.faults.answer("GetChannelDifference", **FAILS)
    for number in range(MOST_FAILURES):
        channel.post(f"New {number}", push=False)
        await sweep.sweep_once()
    reader.clock.advance(MINUTE)
    began_at = reader.clock()
    await verifier.verify_next()  # the newest page
    reader.clock.advance(MINUTE)
    channel.edit(last - 50, "Edited on the page that was read", push=False)
    channel.post("Newer", push=False)
    await sweep.sweep_once()
    await verifier.verify_next()  # the last page
    now = await state(reader)
    assert (now.status, now.checked_at) == (ChannelStatus.UNCHECKED, began_at)
    reader.clock.advance(timedelta(minutes=11))
    await verify_all(verifier)
    assert (await reader.stored(channel))[last - 50].text == "Edited on the page that was read"
    assert (await state(reader)).status is ChannelStatus.LATE  # nobody has swept for eleven minutes
    await sweep.sweep_once()
    assert (await state(reader)).is_verified
