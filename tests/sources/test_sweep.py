import asyncio
import math
from datetime import timedelta

import pytest

from bot.errors import ReaderLostError
from bot.models import Observation, ObservedBy
from bot.models.notices import ChannelLost
from bot.sources import resolver
from bot.sources.account import LONGEST_VISIT
from bot.sources.isolation import PAGE_SIZE
from bot.sources.sweep import JITTER
from bot.sources.sync import SyncResult
from bot.store import channels
from bot.store.channels import Access
from bot.telegram.convert import to_post
from tests.waiting import WAIT_S, until

from .kit import BEGIN, ReaderKit


async def test_what_was_not_pushed_is_found(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    old = channel.post("Old, to be edited")
    doomed = channel.post("Old, to be deleted")
    for number in range(120):
        channel.post(f"Noise {number}")
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    channel.edit(old.id, "Old, edited", push=False)  # further back than a page of the history
    channel.delete(doomed.id, push=False)
    channel.post("New", push=False)
    result = await reader.sweep().sweep_once()
    assert result.found == SyncResult(new=1, edited=1, gone=1)
    stored = await reader.stored(channel)
    assert (stored[old.id].text, stored[old.id].observed_by) == ("Old, edited", "difference")
    assert stored[doomed.id].gone
    assert [post.text for post in stored.values()].count("New") == 1


async def test_a_quiet_channel_costs_no_request(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    channel.post("One")
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    before = reader.calls("GetHistory"), reader.calls("GetChannelDifference"), reader.calls("GetDialogs")
    reader.clock.advance(timedelta(minutes=1))
    result = await reader.sweep().sweep_once()
    assert (result.quiet, result.read) == (1, 0)
    after = reader.calls("GetHistory"), reader.calls("GetChannelDifference"), reader.calls("GetDialogs")
    assert after == (before[0], before[1], before[2] + 1)
    assert (await reader.channel(channel)).swept_at == reader.clock()


async def test_the_first_sweep_of_a_channel_reads_its_last_200_posts(reader: ReaderKit) -> None:
    world = reader.sandbox.world
    busy = world.add_channel("Busy", username="busy")
    calm = world.add_channel("Calm", username="calm")
    calm.post("Long ago", date=BEGIN - timedelta(days=800))
    calm.post("This week", date=BEGIN - timedelta(days=6))
    for number in range(250):
        busy.post(f"Post {number}")
    await reader.follow(busy)
    await reader.follow(calm)
    assert await reader.texts(calm) == ["Long ago", "This week"]
    assert await reader.texts(busy) == [f"Post {number}" for number in range(50, 250)]
    assert {post.observed_by for post in (await reader.stored(busy)).values()} == {"backfill"}


async def test_slices_are_followed_to_the_last(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    reader.sandbox.world.hub.slice_limit = 10
    for number in range(35):
        channel.post(f"Post {number}", push=False)
    result = await reader.sweep().sweep_once()
    assert result.found == SyncResult(new=35)
    assert reader.calls("GetHistory") == 1  # of the first sweep


@pytest.mark.parametrize("refusal", [None, "PERSISTENT_TIMESTAMP_INVALID"], ids=["changes", "history"])
async def test_whoever_reads_for_long_says_so_page_by_page(reader: ReaderKit, refusal: str | None) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    for number in range(450):
        channel.post(f"Post {number}", push=False)
    if refusal is not None:
        reader.sandbox.faults.answer("GetChannelDifference", refusal)
    beats: list[float] = []
    await reader.sweep().sweep_once(beats.append)
    of_all = [LONGEST_VISIT, LONGEST_VISIT]  # the list, the channel
    assert beats == [*of_all, math.inf, LONGEST_VISIT, *[LONGEST_VISIT] * 5]  # its turn, its pages


async def test_whoever_waits_for_another_to_have_read_a_channel_does_not_hang(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    channel.post("New", push=False)
    sync, followed = reader.sync, await reader.channel(channel)
    hold = reader.sandbox.faults.hold("GetChannelDifference", times=1)
    reading = asyncio.create_task(sync.complete(followed, None))
    await hold.reached()
    beats: list[float] = []
    waiting = asyncio.create_task(sync.verify(followed, since=BEGIN, beat=beats.append))
    await asyncio.sleep(0)
    assert beats == [math.inf]
    reader.sandbox.faults.clear()
    await asyncio.wait_for(asyncio.gather(reading, waiting), WAIT_S)
    assert beats == [math.inf, LONGEST_VISIT]


@pytest.mark.parametrize(
    "refusal",
    ["PERSISTENT_TIMESTAMP_INVALID", "PERSISTENT_TIMESTAMP_EMPTY", "CHANNEL_MONOFORUM_UNSUPPORTED", "TooLong"],
)
async def test_where_changes_are_not_to_be_had_the_history_tells(reader: ReaderKit, refusal: str) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    edited = channel.post("Before")
    doomed = channel.post("Doomed")
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    channel.edit(edited.id, "After", push=False)
    channel.delete(doomed.id, push=False)
    for number in range(230):
        channel.post(f"Post {number}", push=False)
    if refusal == "TooLong":
        channel.too_long_after = 50
    else:
        reader.sandbox.faults.answer("GetChannelDifference", refusal)
    result = await reader.sweep().sweep_once()
    assert result.found == SyncResult(new=230, edited=1, gone=1)
    assert (await reader.sweep().sweep_once()).quiet == 1


async def test_where_the_server_fails_at_changes_new_posts_come_at_once_and_the_rest_later(
    reader: ReaderKit,
) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    edited = channel.post("Before")
    for number in range(100):
        channel.post(f"Between {number}")
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    channel.edit(edited.id, "After", push=False)
    channel.post("New", push=False)
    reader.sandbox.faults.answer("GetChannelDifference", "INTERNAL", code=500, times=2)  # Telethon asks once more
    assert (await reader.sweep().sweep_once()).found == SyncResult(new=1)
    assert (await reader.sweep().sweep_once()).found == SyncResult(edited=1)


async def test_changes_that_reach_as_far_as_the_list_confirm_the_post_that_it_names(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    channel.post("One")
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    sql = "UPDATE channels SET confirmed_id = 0 WHERE id = :id"  # while `seen_pts` is what the list says
    await reader.database.write(lambda tx: tx.execute(sql, {"id": channel.id}))
    assert (await reader.sweep().sweep_once()).read == 1
    assert (await reader.sweep().sweep_once()).quiet == 1


async def test_changes_that_break_off_before_they_reach_the_list_confirm_no_post_beyond_them(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    before = await reader.channel(channel)
    reader.sandbox.world.hub.slice_limit = 10
    posts = [channel.post(f"Post {number}", push=False) for number in range(35)]
    first = reader.sandbox.faults.hold("GetChannelDifference", times=1)
    sweeping = asyncio.create_task(reader.sweep().sweep_once())
    async with asyncio.timeout(WAIT_S):
        await first.reached()
        reader.sandbox.faults.hold("GetChannelDifference")  # the second slice never comes
        first.release()

    async def is_marked() -> bool:
        return (await reader.channel(channel)).seen_pts > before.seen_pts

    await until(is_marked)
    sweeping.cancel()
    await asyncio.wait({sweeping})
    assert (await reader.channel(channel)).confirmed_id == posts[9].id
    reader.sandbox.faults.clear()
    channel.too_long_after = 10
    assert (await reader.sweep().sweep_once()).found == SyncResult(new=25)


@pytest.mark.parametrize("count", [1, PAGE_SIZE, PAGE_SIZE + 1, PAGE_SIZE + 2])
async def test_the_history_is_read_down_to_the_post_above_the_mark(reader: ReaderKit, count: int) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    channel.post("Known")
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    for number in range(count):
        channel.post(f"New {number}")
    assert (await reader.sweep().sweep_once()).found == SyncResult(new=count)


async def test_a_deleted_newest_post_is_noticed_from_the_history(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    channel.post("Stays")
    newest = channel.post("Newest")
    await reader.sweep().sweep_once()
    channel.delete(newest.id, push=False)
    reader.sandbox.faults.answer("GetChannelDifference", "PERSISTENT_TIMESTAMP_EMPTY")
    await reader.sweep().sweep_once()
    assert await reader.texts(channel) == ["Stays"]


async def test_a_post_that_comes_in_while_the_history_is_read_is_not_taken_for_deleted(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    channel.post("Before", push=False)
    reader.sandbox.faults.answer("GetChannelDifference", "PERSISTENT_TIMESTAMP_EMPTY")
    hold = reader.sandbox.faults.hold("GetHistory")
    sweeping = asyncio.create_task(reader.sweep().sweep_once())
    async with asyncio.timeout(WAIT_S):
        await hold.reached()
        channel.post("Meanwhile")
        await reader.live.store_next()
        hold.release()
        await sweeping
    assert await reader.texts(channel) == ["Before", "Meanwhile"]


async def test_a_late_push_below_the_mark_makes_the_channel_be_read_again(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    message = channel.post("Late and gone", push=False)
    channel.post("Newer", push=False)
    late = to_post(await reader.client.get_messages("news", ids=message.id))
    assert late is not None
    channel.delete(message.id, push=False)
    await reader.sweep().sweep_once()
    await reader.ingest.store(
        Observation(events=(late,), observed_by=ObservedBy.LIVE, reader_id=reader.reader_id, seen_at=reader.clock())
    )
    assert await reader.texts(channel) == ["Late and gone", "Newer"]
    await reader.sweep().sweep_once()
    assert await reader.texts(channel) == ["Newer"]


async def test_a_public_channel_is_read_from_outside(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    await reader.follow(channel)
    first = channel.post("One")
    second = channel.post("Two")
    await reader.sweep().sweep_once()
    channel.edit(first.id, "One, edited")
    channel.delete(second.id)
    await reader.sweep().sweep_once()
    assert await reader.texts(channel) == ["One, edited"]
    assert (await reader.channel(channel)).access is Access.POLLED


async def test_what_changed_before_the_join_is_found_after_it(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    old = channel.post("Old")
    for number in range(120):
        channel.post(f"Noise {number}")
    await reader.follow(channel)
    channel.edit(old.id, "Old, edited")
    channel.join(reader.me)
    await reader.sweep().sweep_once()
    assert (await reader.stored(channel))[old.id].text == "Old, edited"
    assert (await reader.channel(channel)).access is Access.JOINED


async def test_a_banned_reader_loses_the_channel_and_says_so_once(asking: ReaderKit) -> None:
    channel = asking.sandbox.world.add_channel("News", username="news", members=[asking.me])
    await asking.follow(channel)
    channel.ban(asking.me)
    for _ in range(3):
        await asking.sweep().sweep_once()
    state = await asking.channel(channel)
    assert (state.access, state.reason) == (Access.LOST, "USER_BANNED_IN_CHANNEL")
    lost = [notice for notice in await asking.notices() if isinstance(notice, ChannelLost)]
    assert lost == [ChannelLost(event="", channel="News", reason="USER_BANNED_IN_CHANNEL")]


async def test_a_lost_channel_is_tried_again_and_loses_nothing(asking: ReaderKit) -> None:
    channel = asking.sandbox.world.add_channel("News", username="news", members=[asking.me])
    await asking.follow(channel)
    sweep = asking.sweep()
    channel.ban(asking.me)
    await sweep.sweep_once()
    channel.post("While banned")
    channel.roster.banned.clear()
    await sweep.sweep_once()
    assert (await asking.channel(channel)).access is Access.LOST
    asking.clock.advance(timedelta(hours=1))
    await sweep.sweep_once()
    assert (await asking.channel(channel)).access is Access.POLLED
    assert await asking.texts(channel) == ["While banned"]


async def test_a_channel_that_was_lost_found_and_lost_again_is_tried_at_once(asking: ReaderKit) -> None:
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
        lambda tx: channels.set_access(tx, asking.reader_id, channel.id, Access.LOST, reason="left", now=asking.clock())
    )
    await sweep.sweep_once()
    assert (await asking.channel(channel)).access is Access.POLLED


async def test_a_kicked_reader_goes_on_reading_a_public_channel(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    channel.kick(reader.me)
    channel.post("After the kick")
    await reader.sweep().sweep_once()
    assert (await reader.channel(channel)).access is Access.POLLED
    assert await reader.texts(channel) == ["After the kick"]


@pytest.mark.parametrize("method", ["GetChannelDifference", "GetHistory", "GetDialogs"])
async def test_a_method_that_has_to_wait_stops_no_other(reader: ReaderKit, method: str) -> None:
    world = reader.sandbox.world
    joined = [world.add_channel(f"Joined {n}", username=f"joined{n}", members=[reader.me]) for n in range(2)]
    polled = world.add_channel("Polled", username="polled")
    for channel in (*joined, polled):
        await reader.follow(channel)
    await reader.sweep().sweep_once()
    for channel in (*joined, polled):
        channel.post("New", push=False)
    asked = reader.calls(method)
    reader.sandbox.faults.flood_wait(method, 300)
    result = await reader.sweep().sweep_once()
    found = [bool(await reader.texts(channel)) for channel in (*joined, polled)]
    expected = {
        "GetChannelDifference": [False, False, True],
        "GetHistory": [True, True, False],
        "GetDialogs": [True, True, True],
    }
    assert found == expected[method]
    assert len(result.failed) == found.count(False)
    assert reader.calls(method) == asked + 1  # nobody asks again before the wait is over


async def test_one_channel_that_fails_stops_no_other(reader: ReaderKit) -> None:
    world = reader.sandbox.world
    bad, good = (world.add_channel(name, username=name, members=[reader.me]) for name in ("bad1", "good1"))
    await reader.follow(bad)
    await reader.follow(good)
    await reader.sweep().sweep_once()
    bad.post("Unreadable", push=False)
    good.post("Readable", push=False)
    for method in ("GetChannelDifference", "GetHistory"):
        reader.sandbox.faults.answer(method, "CHANNEL_MONOFORUM_UNSUPPORTED", chat_id=bad.id, times=None)
    result = await reader.sweep().sweep_once()
    assert result.failed == ("CHANNEL_MONOFORUM_UNSUPPORTED",)
    assert await reader.texts(good) == ["Readable"]


async def test_more_channels_than_a_page_of_dialogs_are_all_seen(reader: ReaderKit) -> None:
    world = reader.sandbox.world
    joined = [world.add_channel(f"Channel {number}", members=[reader.me]) for number in range(250)]
    for number, channel in enumerate(joined):
        channel.post("Hello", date=BEGIN - timedelta(minutes=number % 7))
    found = await resolver.channel_dialogs(reader.account)
    assert found.keys() == {channel.id for channel in joined}
    assert {dialog.top_message for dialog in found.values()} == {1}


async def test_a_rename_is_followed(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    channel.rename("Olds", username="olds_today")
    await reader.sweep().sweep_once()
    state = await reader.channel(channel)
    assert (state.title, state.username) == ("Olds", "olds_today")


async def test_a_restart_in_mid_stream_misses_nothing(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    first = channel.post("Before", push=False)
    await reader.client.disconnect()
    channel.edit(first.id, "Edited while away")
    channel.post("While away")
    await reader.client.connect()
    await reader.sweep().sweep_once()
    assert await reader.texts(channel) == ["Edited while away", "While away"]


async def test_a_sweep_that_breaks_off_moves_no_mark(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    before = await reader.channel(channel)
    for number in range(150):
        channel.post(f"Post {number}", push=False)
    channel.too_long_after = 10
    hold = reader.sandbox.faults.hold("GetHistory")
    sweeping = asyncio.create_task(reader.sweep().sweep_once())
    async with asyncio.timeout(WAIT_S):
        await hold.reached()
    sweeping.cancel()
    await asyncio.wait({sweeping})
    after = await reader.channel(channel)
    assert (after.confirmed_id, after.seen_pts) == (before.confirmed_id, before.seen_pts)
    reader.sandbox.faults.clear()
    assert (await reader.sweep().sweep_once()).found == SyncResult(new=150)


async def test_a_sweep_runs_at_once_and_when_it_is_asked_for(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    sweep = reader.sweep(interval=3600)
    first = reader.sandbox.faults.hold("GetDialogs")
    running = asyncio.create_task(sweep.run())
    try:
        async with asyncio.timeout(WAIT_S):
            await first.reached()
            first.release()
            channel.post("New", push=False)
            second = reader.sandbox.faults.hold("GetChannelDifference")
            await sweep.request_sweep()
            await second.reached()
            second.release()
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_refusals_double_the_pause_between_rounds_and_each_good_round_halves_it(reader: ReaderKit) -> None:
    reader.sandbox.faults.answer("GetDialogs", "LIMIT_INVALID", times=4)
    slowed = (2, 4, 8, 8, 4, 2, 1, 1)  # times the interval
    pauses: list[float] = []
    enough = asyncio.Event()

    def beat(within: float) -> None:
        if within > LONGEST_VISIT:  # a pause follows, not a visit
            pauses.append((within - LONGEST_VISIT) / interval)
            if len(pauses) == len(slowed):
                enough.set()

    interval = 1e-4
    running = asyncio.create_task(reader.sweep(interval=interval).run(beat))
    try:
        await asyncio.wait_for(enough.wait(), WAIT_S)
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert pauses[: len(slowed)] == [pytest.approx(times, rel=JITTER + 0.01) for times in slowed]


async def test_a_revoked_session_ends_the_reading(reader: ReaderKit) -> None:
    reader.sandbox.revoke(reader.me)
    with pytest.raises(ReaderLostError, match="SESSION_REVOKED"):
        await reader.sweep().sweep_once()
