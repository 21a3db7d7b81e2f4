from datetime import timedelta

from bot.sources.sweep import LOOK_AGAIN, OUTSIDE, FastChannels
from bot.store import channels
from bot.store.channels import Options

from .kit import ReaderKit


async def hurry(reader: ReaderKit, channel_id: int) -> None:
    wish, now = Options(fast=True), reader.clock()
    await reader.database.write(lambda tx: channels.apply_options(tx, channel_id, wish, chat_id=None, asked_at=now))


async def test_a_fast_channel_is_asked_at_the_servers_own_timeout(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    channel.post("One")
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    await reader.database.write(
        lambda tx: channels.apply_options(tx, channel.id, Options(fast=True), chat_id=None, asked_at=reader.clock())
    )
    fast = FastChannels(reader.account, reader.sync)
    channel.post("Two", push=False)
    pause = await fast.ask_due()
    assert await reader.texts(channel) == ["One", "Two"]
    assert 0 < pause <= LOOK_AGAIN
    asked = reader.calls("GetChannelDifference")
    await fast.ask_due()
    assert reader.calls("GetChannelDifference") == asked
    reader.clock.advance(timedelta(seconds=pause))
    await fast.ask_due()
    assert reader.calls("GetChannelDifference") == asked + 1


async def test_a_fast_channel_outside_is_read_from_its_history(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    channel.post("One")
    await reader.follow(channel)
    await reader.database.write(
        lambda tx: channels.apply_options(tx, channel.id, Options(fast=True), chat_id=None, asked_at=reader.clock())
    )
    channel.post("Two")
    fast = FastChannels(reader.account, reader.sync)
    assert await fast.ask_due() == OUTSIDE
    assert await reader.texts(channel) == ["One", "Two"]


async def test_nothing_fast_costs_nothing(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    asked = len(reader.sandbox.calls)
    assert await FastChannels(reader.account, reader.sync).ask_due() == LOOK_AGAIN
    assert len(reader.sandbox.calls) == asked
