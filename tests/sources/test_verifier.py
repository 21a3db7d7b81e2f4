from datetime import timedelta

from bot.sources.past_pages import Verifier
from bot.sources.sync import SyncResult

from .kit import ReaderKit


def verifying(reader: ReaderKit) -> Verifier:
    return Verifier(reader.account, reader.sync, days=30)


async def test_what_changed_far_back_in_a_channel_read_from_outside_is_found(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    for number in range(180):
        channel.post(f"Post {number}")
    await reader.follow(channel)
    old, doomed = list(channel.kept.messages)[:2]
    channel.edit(old, "Edited")
    channel.delete(doomed)
    await reader.sweep().sweep_once()
    assert (await reader.stored(channel))[old].text == "Post 0"  # the newest page does not tell
    rounds = verifying(reader)
    assert await rounds.verify_next() == SyncResult()
    assert await rounds.verify_next() == SyncResult(edited=1, gone=1)
    assert await rounds.verify_next() is None
    stored = await reader.stored(channel)
    assert (stored[old].text, stored[doomed].gone) == ("Edited", True)


async def test_a_verified_channel_is_left_alone_for_a_day(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    channel.post("One")
    await reader.follow(channel)
    rounds = verifying(reader)
    assert await rounds.verify_next() == SyncResult()
    assert (await reader.channel(channel)).verified_at == reader.clock()
    reader.clock.advance(timedelta(hours=23))
    assert await rounds.verify_next() is None
    reader.clock.advance(timedelta(hours=2))
    assert await rounds.verify_next() == SyncResult()


async def test_changes_that_are_not_to_be_had_make_the_past_be_verified_at_once(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    for number in range(150):
        channel.post(f"Post {number}")
    await reader.follow(channel)
    rounds = verifying(reader)
    while await rounds.verify_next() is not None:
        pass
    channel.too_long_after = 3
    first = next(iter(channel.kept.messages))
    channel.edit(first, "Edited", push=False)
    for number in range(5):
        channel.post(f"More {number}", push=False)
    await reader.sweep().sweep_once()
    assert not (await reader.channel(channel)).is_compared
    while await rounds.verify_next() is not None:
        pass
    assert (await reader.stored(channel))[first].text == "Edited"


async def test_an_error_leaves_the_channel_alone_for_a_while(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    channel.post("One")
    await reader.follow(channel)
    reader.sandbox.faults.answer("GetHistory", "INTERNAL", code=500, times=None)
    rounds = verifying(reader)
    assert await rounds.verify_next() == SyncResult()
    assert await rounds.verify_next() is None
    reader.sandbox.faults.clear()
    reader.clock.advance(timedelta(minutes=1))
    await rounds.verify_next()
    assert (await reader.channel(channel)).verified_at == reader.clock()
