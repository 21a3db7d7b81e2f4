"""Reading far back: a page at a time, on from where it was, and without an alarm."""

from datetime import timedelta

from bot.sandbox import Channel
from bot.sources.past_pages import Backfiller
from bot.store import backfills, channels
from bot.store.backfills import ProgressFigures
from tests.kit import alerts_of

from .kit import BEGIN, ReaderKit


def old(reader: ReaderKit, *, posts: int, name: str = "news") -> Channel:
    channel = reader.sandbox.world.add_channel(name.title(), username=name)
    for number in range(posts):
        channel.post(f"{number}: an outage", date=BEGIN - timedelta(minutes=posts - number))
    return channel


def reading(reader: ReaderKit) -> Backfiller:
    return Backfiller(reader.account, reader.sync, every=0)


async def figures(reader: ReaderKit) -> ProgressFigures:
    (progress,) = await backfills.shown_progress(reader.database)
    return progress.figures


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
