from datetime import timedelta

from bot.sources.sync import SyncResult
from bot.sources.verifier import Verifier

from .kit import Place


def verifying(place: Place) -> Verifier:
    return Verifier(place.account, place.sync, days=30)


async def test_what_changed_far_back_in_a_channel_read_from_outside_is_found(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news")
    for number in range(180):
        channel.post(f"Post {number}")
    await place.follow(channel)
    old, doomed = list(channel.kept.messages)[:2]
    channel.edit(old, "Edited")
    channel.delete(doomed)
    await place.sweep().sweep_once()
    assert (await place.stored(channel))[old].text == "Post 0"  # the newest page does not tell
    rounds = verifying(place)
    assert await rounds.verify_next() == SyncResult()
    assert await rounds.verify_next() == SyncResult(edited=1, gone=1)
    assert await rounds.verify_next() is None
    stored = await place.stored(channel)
    assert (stored[old].text, stored[doomed].gone) == ("Edited", True)


async def test_a_verified_channel_is_left_alone_for_a_day(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    channel.post("One")
    await place.follow(channel)
    rounds = verifying(place)
    assert await rounds.verify_next() == SyncResult()
    assert (await place.channel(channel)).verified_at == place.now()
    place.now.moves(timedelta(hours=23))
    assert await rounds.verify_next() is None
    place.now.moves(timedelta(hours=2))
    assert await rounds.verify_next() == SyncResult()


async def test_changes_that_are_not_to_be_had_make_the_past_be_verified_at_once(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    for number in range(150):
        channel.post(f"Post {number}")
    await place.follow(channel)
    rounds = verifying(place)
    while await rounds.verify_next() is not None:
        pass
    channel.too_long_after = 3
    first = next(iter(channel.kept.messages))
    channel.edit(first, "Edited", push=False)
    for number in range(5):
        channel.post(f"More {number}", push=False)
    await place.sweep().sweep_once()
    assert (await place.channel(channel)).verified_at is None
    while await rounds.verify_next() is not None:
        pass
    assert (await place.stored(channel))[first].text == "Edited"


async def test_an_error_leaves_the_channel_alone_for_a_while(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    channel.post("One")
    await place.follow(channel)
    place.sandbox.faults.answer("GetHistory", "INTERNAL", code=500, times=None)
    rounds = verifying(place)
    assert await rounds.verify_next() == SyncResult()
    assert await rounds.verify_next() is None
    place.sandbox.faults.clear()
    place.now.moves(timedelta(minutes=1))
    await rounds.verify_next()
    assert (await place.channel(channel)).verified_at == place.now()
