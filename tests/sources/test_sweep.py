import asyncio
import math
from datetime import timedelta

import pytest

from bot.errors import ReaderLostError
from bot.models import Observation, ObservedBy
from bot.models.notices import ChannelLost
from bot.sources import resolver
from bot.sources.account import LONGEST_VISIT
from bot.sources.history import PAGE_SIZE
from bot.sources.sweep import JITTER
from bot.sources.sync import SyncResult
from bot.store import channels
from bot.store.channels import Access
from bot.telegram.convert import to_post
from tests.waiting import WAIT_S

from .kit import BEGIN, Place


async def test_what_was_not_pushed_is_found(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    old = channel.post("Old, to be edited")
    doomed = channel.post("Old, to be deleted")
    for number in range(120):
        channel.post(f"Noise {number}")
    await place.follow(channel)
    await place.sweep().sweep_once()
    channel.edit(old.id, "Old, edited", push=False)  # further back than a page of the history
    channel.delete(doomed.id, push=False)
    channel.post("New", push=False)
    result = await place.sweep().sweep_once()
    assert result.found == SyncResult(new=1, edited=1, gone=1)
    stored = await place.stored(channel)
    assert (stored[old.id].text, stored[old.id].observed_by) == ("Old, edited", "difference")
    assert stored[doomed.id].gone
    assert [post.text for post in stored.values()].count("New") == 1


async def test_a_quiet_channel_costs_no_request(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    channel.post("One")
    await place.follow(channel)
    await place.sweep().sweep_once()
    before = place.calls("GetHistory"), place.calls("GetChannelDifference"), place.calls("GetDialogs")
    place.now.moves(timedelta(minutes=1))
    result = await place.sweep().sweep_once()
    assert (result.quiet, result.read) == (1, 0)
    after = place.calls("GetHistory"), place.calls("GetChannelDifference"), place.calls("GetDialogs")
    assert after == (before[0], before[1], before[2] + 1)
    assert (await place.channel(channel)).swept_at == place.now()


async def test_the_first_sweep_of_a_channel_reads_its_last_200_posts(place: Place) -> None:
    world = place.sandbox.world
    busy = world.add_channel("Busy", username="busy")
    calm = world.add_channel("Calm", username="calm")
    calm.post("Long ago", date=BEGIN - timedelta(days=800))
    calm.post("This week", date=BEGIN - timedelta(days=6))
    for number in range(250):
        busy.post(f"Post {number}")
    await place.follow(busy)
    await place.follow(calm)
    assert await place.texts(calm) == ["Long ago", "This week"]
    assert await place.texts(busy) == [f"Post {number}" for number in range(50, 250)]
    assert {post.observed_by for post in (await place.stored(busy)).values()} == {"backfill"}


async def test_slices_are_followed_to_the_last(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    await place.sweep().sweep_once()
    place.sandbox.world.hub.slice_limit = 10
    for number in range(35):
        channel.post(f"Post {number}", push=False)
    result = await place.sweep().sweep_once()
    assert result.found == SyncResult(new=35)
    assert place.calls("GetHistory") == 1  # of the first sweep


@pytest.mark.parametrize("refusal", [None, "PERSISTENT_TIMESTAMP_INVALID"], ids=["changes", "history"])
async def test_whoever_reads_for_long_says_so_page_by_page(place: Place, refusal: str | None) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    await place.sweep().sweep_once()
    for number in range(450):
        channel.post(f"Post {number}", push=False)
    if refusal is not None:
        place.sandbox.faults.answer("GetChannelDifference", refusal)
    beats: list[float] = []
    await place.sweep().sweep_once(beats.append)
    of_all = [LONGEST_VISIT, LONGEST_VISIT]  # the list, the channel
    assert beats == [*of_all, math.inf, LONGEST_VISIT, *[LONGEST_VISIT] * 5]  # its turn, its pages


async def test_whoever_waits_for_another_to_have_read_a_channel_does_not_hang(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    await place.sweep().sweep_once()
    channel.post("New", push=False)
    sync, followed = place.sync, await place.channel(channel)
    hold = place.sandbox.faults.hold("GetChannelDifference", times=1)
    reading = asyncio.create_task(sync.complete(followed, None))
    await hold.reached()
    beats: list[float] = []
    waiting = asyncio.create_task(sync.verify(followed, since=BEGIN, beat=beats.append))
    await asyncio.sleep(0)
    assert beats == [math.inf]
    place.sandbox.faults.clear()
    await asyncio.wait_for(asyncio.gather(reading, waiting), WAIT_S)
    assert beats == [math.inf, LONGEST_VISIT]


@pytest.mark.parametrize(
    "refusal",
    ["PERSISTENT_TIMESTAMP_INVALID", "PERSISTENT_TIMESTAMP_EMPTY", "CHANNEL_MONOFORUM_UNSUPPORTED", "TooLong"],
)
async def test_where_changes_are_not_to_be_had_the_history_tells(place: Place, refusal: str) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    edited = channel.post("Before")
    doomed = channel.post("Doomed")
    await place.follow(channel)
    await place.sweep().sweep_once()
    channel.edit(edited.id, "After", push=False)
    channel.delete(doomed.id, push=False)
    for number in range(230):
        channel.post(f"Post {number}", push=False)
    if refusal == "TooLong":
        channel.too_long_after = 50
    else:
        place.sandbox.faults.answer("GetChannelDifference", refusal)
    result = await place.sweep().sweep_once()
    assert result.found == SyncResult(new=230, edited=1, gone=1)
    assert (await place.sweep().sweep_once()).quiet == 1


async def test_where_the_server_fails_at_changes_new_posts_come_at_once_and_the_rest_later(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    edited = channel.post("Before")
    for number in range(100):
        channel.post(f"Between {number}")
    await place.follow(channel)
    await place.sweep().sweep_once()
    channel.edit(edited.id, "After", push=False)
    channel.post("New", push=False)
    place.sandbox.faults.answer("GetChannelDifference", "INTERNAL", code=500, times=2)  # Telethon asks once more
    assert (await place.sweep().sweep_once()).found == SyncResult(new=1)
    assert (await place.sweep().sweep_once()).found == SyncResult(edited=1)


async def test_changes_that_reach_as_far_as_the_list_confirm_the_post_that_it_names(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    channel.post("One")
    await place.follow(channel)
    await place.sweep().sweep_once()
    sql = "UPDATE channels SET confirmed_id = 0 WHERE id = :id"  # while `seen_pts` is what the list says
    await place.database.write(lambda tx: tx.execute(sql, {"id": channel.id}))
    assert (await place.sweep().sweep_once()).read == 1
    assert (await place.sweep().sweep_once()).quiet == 1


@pytest.mark.parametrize("count", [1, PAGE_SIZE, PAGE_SIZE + 1, PAGE_SIZE + 2])
async def test_the_history_is_read_down_to_the_post_above_the_mark(place: Place, count: int) -> None:
    channel = place.sandbox.world.add_channel("News", username="news")
    channel.post("Known")
    await place.follow(channel)
    await place.sweep().sweep_once()
    for number in range(count):
        channel.post(f"New {number}")
    assert (await place.sweep().sweep_once()).found == SyncResult(new=count)


async def test_a_deleted_newest_post_is_noticed_from_the_history(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    channel.post("Stays")
    newest = channel.post("Newest")
    await place.sweep().sweep_once()
    channel.delete(newest.id, push=False)
    place.sandbox.faults.answer("GetChannelDifference", "PERSISTENT_TIMESTAMP_EMPTY")
    await place.sweep().sweep_once()
    assert await place.texts(channel) == ["Stays"]


async def test_a_post_that_comes_in_while_the_history_is_read_is_not_taken_for_deleted(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    await place.sweep().sweep_once()
    channel.post("Before", push=False)
    place.sandbox.faults.answer("GetChannelDifference", "PERSISTENT_TIMESTAMP_EMPTY")
    hold = place.sandbox.faults.hold("GetHistory")
    sweeping = asyncio.create_task(place.sweep().sweep_once())
    async with asyncio.timeout(WAIT_S):
        await hold.reached()
        channel.post("Meanwhile")
        await place.live.store_next()
        hold.release()
        await sweeping
    assert await place.texts(channel) == ["Before", "Meanwhile"]


async def test_a_late_push_below_the_mark_makes_the_channel_be_read_again(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    message = channel.post("Late and gone", push=False)
    channel.post("Newer", push=False)
    late = to_post(await place.client.get_messages("news", ids=message.id))
    assert late is not None
    channel.delete(message.id, push=False)
    await place.sweep().sweep_once()
    await place.ingest.store(
        Observation(events=(late,), observed_by=ObservedBy.LIVE, reader_id=place.reader_id, seen_at=place.now())
    )
    assert await place.texts(channel) == ["Late and gone", "Newer"]
    await place.sweep().sweep_once()
    assert await place.texts(channel) == ["Newer"]


async def test_a_public_channel_is_read_from_outside(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news")
    await place.follow(channel)
    first = channel.post("One")
    second = channel.post("Two")
    await place.sweep().sweep_once()
    channel.edit(first.id, "One, edited")
    channel.delete(second.id)
    await place.sweep().sweep_once()
    assert await place.texts(channel) == ["One, edited"]
    assert (await place.channel(channel)).access is Access.POLLED


async def test_what_changed_before_the_join_is_found_after_it(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news")
    old = channel.post("Old")
    for number in range(120):
        channel.post(f"Noise {number}")
    await place.follow(channel)
    channel.edit(old.id, "Old, edited")
    channel.join(place.me)
    await place.sweep().sweep_once()
    assert (await place.stored(channel))[old.id].text == "Old, edited"
    assert (await place.channel(channel)).access is Access.JOINED


async def test_a_banned_reader_loses_the_channel_and_says_so_once(asking: Place) -> None:
    channel = asking.sandbox.world.add_channel("News", username="news", members=[asking.me])
    await asking.follow(channel)
    channel.ban(asking.me)
    for _ in range(3):
        await asking.sweep().sweep_once()
    state = await asking.channel(channel)
    assert (state.access, state.reason) == (Access.LOST, "USER_BANNED_IN_CHANNEL")
    lost = [notice for notice in await asking.notices() if isinstance(notice, ChannelLost)]
    assert lost == [ChannelLost(event="", channel="News", reason="USER_BANNED_IN_CHANNEL")]


async def test_a_lost_channel_is_tried_again_and_loses_nothing(asking: Place) -> None:
    channel = asking.sandbox.world.add_channel("News", username="news", members=[asking.me])
    await asking.follow(channel)
    sweep = asking.sweep()
    channel.ban(asking.me)
    await sweep.sweep_once()
    channel.post("While banned")
    channel.roster.banned.clear()
    await sweep.sweep_once()
    assert (await asking.channel(channel)).access is Access.LOST
    asking.now.moves(timedelta(hours=1))
    await sweep.sweep_once()
    assert (await asking.channel(channel)).access is Access.POLLED
    assert await asking.texts(channel) == ["While banned"]


async def test_a_channel_that_was_lost_found_and_lost_again_is_tried_at_once(asking: Place) -> None:
    channel = asking.sandbox.world.add_channel("News", username="news", members=[asking.me])
    await asking.follow(channel)
    sweep = asking.sweep()
    channel.ban(asking.me)
    await sweep.sweep_once()
    channel.roster.banned.clear()
    channel.join(asking.me)
    await sweep.sweep_once()  # the list of channels shows it again
    assert (await asking.channel(channel)).access is Access.JOINED
    channel.kick(asking.me)
    await asking.database.write(
        lambda tx: channels.grant(tx, asking.reader_id, channel.id, Access.LOST, reason="left", now=asking.now())
    )
    await sweep.sweep_once()
    assert (await asking.channel(channel)).access is Access.POLLED


async def test_a_kicked_reader_goes_on_reading_a_public_channel(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    channel.kick(place.me)
    channel.post("After the kick")
    await place.sweep().sweep_once()
    assert (await place.channel(channel)).access is Access.POLLED
    assert await place.texts(channel) == ["After the kick"]


@pytest.mark.parametrize("method", ["GetChannelDifference", "GetHistory", "GetDialogs"])
async def test_a_method_that_has_to_wait_stops_no_other(place: Place, method: str) -> None:
    world = place.sandbox.world
    joined = [world.add_channel(f"Joined {n}", username=f"joined{n}", members=[place.me]) for n in range(2)]
    polled = world.add_channel("Polled", username="polled")
    for channel in (*joined, polled):
        await place.follow(channel)
    await place.sweep().sweep_once()
    for channel in (*joined, polled):
        channel.post("New", push=False)
    asked = place.calls(method)
    place.sandbox.faults.flood_wait(method, 300)
    result = await place.sweep().sweep_once()
    found = [bool(await place.texts(channel)) for channel in (*joined, polled)]
    expected = {
        "GetChannelDifference": [False, False, True],
        "GetHistory": [True, True, False],
        "GetDialogs": [True, True, True],
    }
    assert found == expected[method]
    assert len(result.failed) == found.count(False)
    assert place.calls(method) == asked + 1  # nobody asks again before the wait is over


async def test_one_channel_that_fails_stops_no_other(place: Place) -> None:
    world = place.sandbox.world
    bad, good = (world.add_channel(name, username=name, members=[place.me]) for name in ("bad1", "good1"))
    await place.follow(bad)
    await place.follow(good)
    await place.sweep().sweep_once()
    bad.post("Unreadable", push=False)
    good.post("Readable", push=False)
    for method in ("GetChannelDifference", "GetHistory"):
        place.sandbox.faults.answer(method, "CHANNEL_MONOFORUM_UNSUPPORTED", chat_id=bad.id, times=None)
    result = await place.sweep().sweep_once()
    assert result.failed == ("CHANNEL_MONOFORUM_UNSUPPORTED",)
    assert await place.texts(good) == ["Readable"]


async def test_more_channels_than_a_page_of_dialogs_are_all_seen(place: Place) -> None:
    world = place.sandbox.world
    joined = [world.add_channel(f"Channel {number}", members=[place.me]) for number in range(250)]
    for number, channel in enumerate(joined):
        channel.post("Hello", date=BEGIN - timedelta(minutes=number % 7))
    found = await resolver.channel_dialogs(place.account)
    assert found.keys() == {channel.id for channel in joined}
    assert {dialog.top_message for dialog in found.values()} == {1}


async def test_a_rename_is_followed(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    channel.rename("Olds", username="olds_today")
    await place.sweep().sweep_once()
    state = await place.channel(channel)
    assert (state.title, state.username) == ("Olds", "olds_today")


async def test_a_restart_in_mid_stream_misses_nothing(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    await place.sweep().sweep_once()
    first = channel.post("Before", push=False)
    await place.client.disconnect()
    channel.edit(first.id, "Edited while away")
    channel.post("While away")
    await place.client.connect()
    await place.sweep().sweep_once()
    assert await place.texts(channel) == ["Edited while away", "While away"]


async def test_a_sweep_that_breaks_off_moves_no_mark(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    await place.sweep().sweep_once()
    before = await place.channel(channel)
    for number in range(150):
        channel.post(f"Post {number}", push=False)
    channel.too_long_after = 10
    hold = place.sandbox.faults.hold("GetHistory")
    sweeping = asyncio.create_task(place.sweep().sweep_once())
    async with asyncio.timeout(WAIT_S):
        await hold.reached()
    sweeping.cancel()
    await asyncio.wait({sweeping})
    after = await place.channel(channel)
    assert (after.confirmed_id, after.seen_pts) == (before.confirmed_id, before.seen_pts)
    place.sandbox.faults.clear()
    assert (await place.sweep().sweep_once()).found == SyncResult(new=150)


async def test_a_sweep_runs_at_once_and_when_it_is_asked_for(place: Place) -> None:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me])
    await place.follow(channel)
    sweep = place.sweep(interval=3600)
    first = place.sandbox.faults.hold("GetDialogs")
    running = asyncio.create_task(sweep.run())
    try:
        async with asyncio.timeout(WAIT_S):
            await first.reached()
            first.release()
            channel.post("New", push=False)
            second = place.sandbox.faults.hold("GetChannelDifference")
            await sweep.request_sweep()
            await second.reached()
            second.release()
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_refusals_double_the_pause_between_rounds_and_each_good_round_halves_it(place: Place) -> None:
    place.sandbox.faults.answer("GetDialogs", "LIMIT_INVALID", times=4)
    slowed = (2, 4, 8, 8, 4, 2, 1, 1)  # times the interval
    pauses: list[float] = []
    enough = asyncio.Event()

    def beat(within: float) -> None:
        if within > LONGEST_VISIT:  # a pause follows, not a visit
            pauses.append((within - LONGEST_VISIT) / interval)
            if len(pauses) == len(slowed):
                enough.set()

    interval = 1e-4
    running = asyncio.create_task(place.sweep(interval=interval).run(beat))
    try:
        await asyncio.wait_for(enough.wait(), WAIT_S)
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert pauses[: len(slowed)] == [pytest.approx(times, rel=JITTER + 0.01) for times in slowed]


async def test_a_revoked_session_ends_the_reading(place: Place) -> None:
    place.sandbox.revoke(place.me)
    with pytest.raises(ReaderLostError, match="SESSION_REVOKED"):
        await place.sweep().sweep_once()
