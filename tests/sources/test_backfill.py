"""Reading far back: a page at a time, on from where it was, and without an alarm."""

from datetime import datetime, timedelta
from itertools import pairwise

from bot.models.notices import Followed
from bot.sandbox import Channel
from bot.sources.past_pages import Backfiller
from bot.store import backfills, channels, progress
from bot.store.backfills import ProgressFigures
from bot.store.channels import BEGINNING
from tests.kit import alerts_of

from .kit import BEGIN, ReaderKit


def old(reader: ReaderKit, *, posts: int, name: str = "news") -> Channel:
    channel = reader.sandbox.world.add_channel(name.title(), username=name)
    for number in range(posts):
        channel.post(f"{number}: an outage", date=BEGIN - timedelta(minutes=posts - number))
    return channel


def reading(reader: ReaderKit) -> Backfiller:
    return Backfiller(reader.account, reader.sync)


async def figures(reader: ReaderKit) -> ProgressFigures:
    (work,) = await progress.shown(reader.database)
    return work.figures


async def test_so_many_posts_are_read_page_by_page_and_no_more(asking: ReaderKit) -> None:
    channel = old(asking, posts=900)
    await asking.ask("@news", history=500)
    assert (await figures(asking)).waiting == 1
    await asking.settle_all(asking.subscriptions())
    part, pages = reading(asking), 0
    while await part.read_next() is not None:
        pages += 1
    assert pages == 5
    assert await asking.texts(channel) == [f"{number}: an outage" for number in range(400, 900)]
    stands = await figures(asking)
    assert (stands.read, stands.wanted, stands.is_over, stands.title) == (500, 500, True, "News")
    assert await alerts_of(asking.database) == []
    assert len(await asking.notices()) == 1


async def test_a_restart_goes_on_where_it_was(asking: ReaderKit) -> None:
    channel = old(asking, posts=500)
    await asking.ask("@news", history=1000)
    await asking.settle_all(asking.subscriptions())
    await reading(asking).read_next()
    assert (await figures(asking)).read == 100
    before = asking.calls("GetHistory")
    after_restart = reading(asking)
    while await after_restart.read_next() is not None:
        pass
    assert asking.calls("GetHistory") - before == 4
    assert len(await asking.texts(channel)) == 500
    assert (await figures(asking)).is_over


async def test_a_channel_that_is_followed_already_is_read_at_once(asking: ReaderKit) -> None:
    channel = old(asking, posts=300)
    await asking.follow(channel)
    await asking.ask("@news", history=300)
    while await reading(asking).read_next() is not None:
        pass
    assert len(await asking.texts(channel)) == 300


async def test_a_flood_wait_is_waited_for(asking: ReaderKit) -> None:
    old(asking, posts=300)
    await asking.ask("@news", history=300)
    await asking.settle_all(asking.subscriptions())
    asking.sandbox.faults.flood_wait("GetHistory", 600)
    assert await reading(asking).read_next() == 600
    assert not (await figures(asking)).ended


async def test_a_channel_that_can_be_read_no_more_ends_it(asking: ReaderKit) -> None:
    channel = old(asking, posts=300)
    await asking.ask("@news", history=300)
    await asking.settle_all(asking.subscriptions())
    channel.make_private()
    assert await reading(asking).read_next() is not None
    assert await reading(asking).read_next() is None
    assert ((await figures(asking)).failed, (await figures(asking)).is_over) == (1, True)


async def test_a_list_is_one_piece_of_work(asking: ReaderKit) -> None:
    for name in ("first", "second"):
        old(asking, posts=150, name=name)
    await asking.ask("@first", "@second", "@nobody_here", history=100)
    await asking.settle_all(asking.subscriptions())
    await reading(asking).read_next()
    stands = await figures(asking)
    assert (stands.channels, stands.waiting, stands.ended, stands.read, stands.wanted) == (2, 0, 1, 100, 200)


async def test_nothing_more_is_read_of_a_channel_that_is_followed_no_more(asking: ReaderKit) -> None:
    channel = old(asking, posts=300)
    await asking.ask("@news", history=300)
    await asking.settle_all(asking.subscriptions())
    await asking.database.write(lambda tx: channels.unfollow(tx, channel.id))
    assert await reading(asking).read_next() is None


async def past(reader: ReaderKit, channel: Channel) -> tuple[int | None, datetime | None]:
    known = await reader.channel(channel)
    return known.complete_id, known.complete_from


def monthly(reader: ReaderKit, *, days: int, a_day: int, name: str = "news") -> Channel:
    """Make a channel with so many posts on each of the last days."""
    channel = reader.sandbox.world.add_channel(name.title(), username=name)
    for number in range(days * a_day):
        channel.post(f"{number}: an outage", date=BEGIN - timedelta(days=days) + timedelta(days=1) * number / a_day)
    return channel


async def test_a_new_channel_is_read_back_for_a_month_unasked(asking: ReaderKit) -> None:
    channel = monthly(asking, days=60, a_day=20)
    await asking.follow(channel)
    low, since = await past(asking, channel)
    assert [notice.past_days for notice in await asking.notices() if isinstance(notice, Followed)] == [30]
    assert (await asking.texts(channel))[0] == "1000: an outage"
    assert since == BEGIN - timedelta(days=10)
    part = reading(asking)
    while await part.read_next() is not None:
        pass
    lower, earlier = await past(asking, channel)
    assert low is not None
    assert lower is not None
    assert earlier is not None
    assert lower < low
    assert BEGIN - timedelta(days=35) <= earlier <= BEGIN - timedelta(days=30)
    assert len(await asking.texts(channel)) == 1200 - int((await asking.texts(channel))[0].partition(":")[0])
    assert await progress.shown(asking.database) == []
    assert await alerts_of(asking.database) == []


async def test_a_small_channel_is_complete_from_its_first_post_on_and_read_once(asking: ReaderKit) -> None:
    channel = monthly(asking, days=3, a_day=20)
    await asking.follow(channel)
    assert await past(asking, channel) == (1, BEGINNING)
    assert [notice.past_days for notice in await asking.notices() if isinstance(notice, Followed)] == [0]
    assert await reading(asking).read_next() is None


async def test_of_several_new_channels_the_newest_posts_are_read_first(asking: ReaderKit) -> None:
    busy, calm = monthly(asking, days=40, a_day=100, name="busy"), monthly(asking, days=60, a_day=10, name="calm")
    await asking.follow(busy)
    await asking.follow(calm)
    part, order = reading(asking), []
    while await part.read_next() is not None:
        order.append([(await past(asking, channel))[1] for channel in (busy, calm)])
    earliest = [min(pair) for pair in order]  # type: ignore[type-var]
    assert len(order) > 20
    # the calm one, which is ahead, waits until the busy one has come as far
    assert all(one >= other for one, other in pairwise(earliest))  # type: ignore[operator]
    assert sum(before[1] == after[1] for before, after in pairwise(order)) > 15


async def test_so_much_as_somebody_said_is_read_and_not_a_month(asking: ReaderKit) -> None:
    channel = monthly(asking, days=60, a_day=20)
    await asking.ask("@news", history=300)
    await asking.settle_all(asking.subscriptions())
    while await reading(asking).read_next() is not None:
        pass
    assert len(await asking.texts(channel)) == 300
    assert (await past(asking, channel))[1] == BEGIN - timedelta(days=15)


async def test_a_channel_is_read_back_to_a_date_and_its_chat_sees_how_far(asking: ReaderKit) -> None:
    channel = monthly(asking, days=100, a_day=20)
    await asking.follow(channel)
    assert asking.chat is not None
    since, chat_id = BEGIN - timedelta(days=52), asking.chat.id
    asked = {"chat_id": chat_id, "asked_at": asking.clock()}
    assert await asking.database.write(lambda tx: backfills.request_since(tx, [channel.id], since, **asked)) == 1
    part, shares = reading(asking), []
    while (await figures(asking)).ended == 0:
        await part.read_next()
        shares.append((await figures(asking)).share)
    assert shares == sorted(shares)
    assert (len(shares), shares[-1]) == (9, 1.0)
    assert (await past(asking, channel))[1] == BEGIN - timedelta(days=55)
    before = asking.calls("GetHistory")
    assert await part.read_next() == 0.0  # what would be read unasked is there
    assert await part.read_next() is None
    assert asking.calls("GetHistory") == before


async def test_a_channel_that_was_left_for_long_is_complete_from_its_return_on(asking: ReaderKit) -> None:
    channel = monthly(asking, days=3, a_day=20)
    await asking.follow(channel)
    await asking.database.write(lambda tx: channels.unfollow(tx, channel.id))
    for number in range(500):
        channel.post(f"meanwhile {number}", date=asking.clock())
    asking.clock.advance(timedelta(minutes=1))
    await asking.follow(channel)
    low, since = await past(asking, channel)
    assert since == BEGIN + timedelta(seconds=1)
    assert low is not None
    assert low > 300


async def test_a_channel_that_was_left_for_a_moment_lacks_nothing(asking: ReaderKit) -> None:
    channel = monthly(asking, days=3, a_day=20)
    await asking.follow(channel)
    await asking.database.write(lambda tx: channels.unfollow(tx, channel.id))
    channel.post("meanwhile", date=asking.clock())
    asking.clock.advance(timedelta(minutes=1))
    await asking.follow(channel)
    assert await past(asking, channel) == (1, BEGINNING)
