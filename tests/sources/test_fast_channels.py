from datetime import timedelta

from bot.sources.fast_channels import LOOK_AGAIN, OUTSIDE, FastChannels
from bot.store import channels
from bot.store.channels import Options

from .kit import Place


async def hurry(place: Place, channel_id: int) -> None:
    wish, now = Options(fast=True), place.now()
    await place.database.write(lambda tx: channels.adapt(tx, channel_id, wish, chat_id=None, asked_at=now))


async def test_a_fast_channel_is_asked_at_the_servers_own_timeout(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    channel.post("One")
    await place.follow(channel)
    await place.sweep().sweep_once()
    await place.database.write(
        lambda tx: channels.adapt(tx, channel.id, Options(fast=True), chat_id=None, asked_at=place.now())
    )
    fast = FastChannels(place.account, place.sync)
    channel.post("Two", push=False)
    pause = await fast.ask_due()
    assert await place.texts(channel) == ["One", "Two"]
    assert 0 < pause <= LOOK_AGAIN
    asked = place.calls("GetChannelDifference")
    await fast.ask_due()
    assert place.calls("GetChannelDifference") == asked
    place.now.moves(timedelta(seconds=pause))
    await fast.ask_due()
    assert place.calls("GetChannelDifference") == asked + 1


async def test_a_fast_channel_outside_is_read_from_its_history(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news")
    channel.post("One")
    await place.follow(channel)
    await place.database.write(
        lambda tx: channels.adapt(tx, channel.id, Options(fast=True), chat_id=None, asked_at=place.now())
    )
    channel.post("Two")
    fast = FastChannels(place.account, place.sync)
    assert await fast.ask_due() == OUTSIDE
    assert await place.texts(channel) == ["One", "Two"]


async def test_nothing_fast_costs_nothing(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    asked = len(place.sandbox.calls)
    assert await FastChannels(place.account, place.sync).ask_due() == LOOK_AGAIN
    assert len(place.sandbox.calls) == asked
