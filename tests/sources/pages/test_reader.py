"""Channels are read through their web pages while no reader account can read them, and handed back afterwards."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.models.notices import (
    ChannelLost,
    ChannelRegained,
    ChannelRenamed,
    FollowAccess,
    Followed,
    FollowRefused,
    PageFailed,
    PagesBegun,
    PagesEnded,
    PostsMissed,
    PostsUnreadable,
)
from bot.sandbox import Channel
from bot.sandbox.pages.server import PageServer
from bot.settings import Settings
from bot.sources.follow_answers import FollowAnswers
from bot.sources.pages.fetcher import Pages
from bot.sources.pages.follow_requests import PageFollowRequests
from bot.sources.pages.page_archive import PageArchive
from bot.sources.pages.reader import PageReader
from bot.sources.pages.witness import PageWitness
from bot.store import page_readings, people, redactions, unreadable, witnesses
from bot.store.channels import Channel as StoredChannel
from bot.store.marks import set_mark
from tests import kit
from tests.kit_archive import InProcess
from tests.sources.conftest import asking, clock, reader  # noqa: F401 - the fixtures of the room
from tests.sources.kit import ReaderKit


@dataclass(kw_only=True)
class PageKit:
    """A reader account that can be lost, and the reader of web pages beside it."""

    accounts: ReaderKit
    server: PageServer
    pages: PageReader
    requests: PageFollowRequests
    witness: PageWitness
    woken: list[bool]
    news: Channel

    async def lose_account(self) -> None:
        await self.accounts.assignments.leave(self.accounts.reader_id)

    async def regain_account(self) -> None:
        await self.accounts.assignments.enter(self.accounts.reader_id)

    async def visit(self, **later: float) -> None:
        """Let the time of all channels come, and read them."""
        self.accounts.clock.advance(timedelta(**(later or {"hours": 1})))
        while await self.pages.visit_next():
            pass

    async def alerts(self) -> int:
        return len(await kit.alerts_of(self.accounts.database))

    async def reading(self) -> page_readings.PageReading:
        return (await page_readings.all_readings(self.accounts.database))[self.news.id]

    async def channel(self) -> StoredChannel:
        return await self.accounts.channel(self.news)


@pytest.fixture
async def at(asking: ReaderKit) -> AsyncIterator[PageKit]:  # noqa: F811
    server = await asking.sandbox.serve_pages()
    await asking.database.write(lambda tx: people.take_over(tx, [42], now=asking.clock()))
    first, second = (host.url for host in server.hosts)
    settings = Settings(pages_url=first, pages_fallback_urls=(second,), pages_pause=0, pages_canary="canary")
    asking.sandbox.world.add_channel("Canary", username="canary").post("tweet")
    news = asking.sandbox.world.add_channel("News", username="news", members=[asking.me])
    pages = Pages.open(settings, asking.database, asking.clock)
    archive = PageArchive(asking.database, asking.ingest, clock=asking.clock)
    shared = {"clock": asking.clock, "grace": timedelta()}
    woken: list[bool] = []

    async def wake() -> None:
        woken.append(True)

    answers = FollowAnswers(asking.database, InProcess(asking.database), clock=asking.clock)
    try:
        yield PageKit(
            accounts=asking,
            server=server,
            pages=PageReader(asking.database, archive, asking.assignments, pages, **shared),
            requests=PageFollowRequests(asking.database, archive, asking.assignments, pages, answers, **shared),
            witness=PageWitness(asking.database, archive, pages, clock=asking.clock, wake=wake),
            woken=woken,
            news=news,
        )
    finally:
        await pages.close()


async def test_pages_stand_in_for_a_lost_account_and_hand_back(at: PageKit) -> None:
    accounts, news = at.accounts, at.news
    private = accounts.sandbox.world.add_channel("Secret", members=[accounts.me])
    news.post("before")
    await accounts.follow(news)
    await accounts.follow(private)
    await accounts.sweep().sweep_once()
    assert not await at.pages.visit_next()
    mark = (await at.channel()).confirmed_id
    await at.lose_account()
    for number in range(45):  # more than two pages
        news.post(f"outage {number}" if number % 15 == 0 else f"quiet {number}")
    hidden, doomed = news.post("rich"), news.post("doomed")
    at.server.faults.hide(hidden)
    news.post("last")
    await at.visit()
    texts = await accounts.texts(news)
    assert texts == ["before", *(f"outage {n}" if n % 15 == 0 else f"quiet {n}" for n in range(45)), "doomed", "last"]
    assert await at.alerts() == 3
    assert (await at.channel()).confirmed_id == mark
    assert [each.is_on_page for each in await unreadable.of_followed(accounts.database)] == [True]
    assert at.pages.fault == "nobody reads 1 channels that have no web page"

    news.delete(doomed.id)
    for later in (1, 4, 4):
        await at.visit(hours=later)
    assert (await accounts.stored(news))[doomed.id].gone

    await at.regain_account()
    at.server.faults.clear()
    accounts.clock.advance(timedelta(minutes=1))
    await accounts.sweep().sweep_once()
    assert not await at.pages.visit_next()
    assert await page_readings.all_readings(accounts.database) == {}
    assert "rich" in await accounts.texts(news)
    assert await at.alerts() == 3
    begun = PagesBegun(event="", channels=1, unread=("Secret",), has_account=True)
    told = (PagesBegun, PagesEnded, PostsUnreadable)
    assert [each for each in await accounts.notices() if isinstance(each, told)] == [
        begun,
        PostsUnreadable(event="", posts=1, channels=("News",), on_page=True),
        PagesEnded(event=""),
    ]


async def test_what_becomes_of_a_name_is_told(at: PageKit) -> None:
    accounts, news, faults = at.accounts, at.news, at.server.faults
    news.post("one")
    await accounts.follow(news)
    await accounts.sweep().sweep_once()
    await at.lose_account()
    await at.visit()
    news.rename("The News", username="thenews")
    faults.alias("news", news)
    await at.visit()
    channel = await at.channel()
    assert (channel.title, channel.username) == ("The News", "thenews")

    faults.switch_off(news)  # one answer alone may be a throttle
    await at.visit()
    assert not (await at.reading()).is_lost(accounts.clock())
    for _ in range(2):
        await at.visit(hours=4)
    assert (await at.reading()).is_lost(accounts.clock())
    faults.switch_on(news)
    await at.visit()
    assert at.pages.fault is None

    faults.redesign("thenews", classes="tgme_widget_", times=1)
    await at.visit()
    other = accounts.sandbox.world.add_channel("Other", username="other")
    other.post("outage of theirs")
    faults.alias("thenews", other)
    for _ in range(2):
        await at.visit()
    faults.throttle(seconds=None)
    await at.visit()  # which says nothing against it
    assert "cannot be read: taken_over" in str(at.pages.fault)
    assert (await at.reading()).is_lost(accounts.clock())
    assert await at.alerts() == 0
    assert [type(each) for each in await accounts.notices() if not isinstance(each, Followed)] == [
        PagesBegun,
        ChannelRenamed,
        ChannelLost,
        ChannelRegained,
        PageFailed,
        PageFailed,
    ]


async def test_a_channel_that_one_account_lost_goes_on_through_its_page(at: PageKit) -> None:
    accounts, news = at.accounts, at.news
    news.post("one")
    await accounts.follow(news)
    await accounts.sweep().sweep_once()
    news.ban(accounts.me)
    await accounts.sweep().sweep_once()
    accounts.clock.advance(timedelta(minutes=1))
    news.post("outage meanwhile")
    await at.visit()
    assert await at.alerts() == 1
    told = [each for each in await accounts.notices() if isinstance(each, ChannelLost | ChannelRegained)]
    assert [(type(each), getattr(each, "on_page", None)) for each in told] == [
        (ChannelLost, None),
        (ChannelRegained, True),
    ]


async def test_requests_are_settled_without_any_account(at: PageKit) -> None:
    accounts, world = at.accounts, at.accounts.sandbox.world
    await at.lose_account()
    at.news.post("outage yesterday")
    accounts.clock.advance(timedelta(hours=3))
    world.add_channel("Group", username="chatter", megagroup=True)
    world.add_user("Person", username="person")
    await accounts.ask("@news", "@chatter", "@person", "@nobody", "+secret")
    while await at.requests.settle_one():
        pass
    accounts.clock.advance(timedelta(minutes=2))
    at.news.post("outage today")
    await at.visit()
    assert await at.alerts() == 1
    refused = {each.reference: each.reason for each in await accounts.notices() if isinstance(each, FollowRefused)}
    assert refused == {
        "@chatter": "needs_account",
        "@person": "user",
        "@nobody": "USERNAME_NOT_OCCUPIED",
        "+secret": "needs_account",
    }
    followed = [each for each in await accounts.notices() if isinstance(each, Followed)]
    assert [(each.channel, each.access, each.posts) for each in followed] == [("News", FollowAccess.PAGE, 1)]

    await at.regain_account()  # which has never met the channel, and then finds nothing new
    subscriptions = accounts.subscriptions()
    while await subscriptions.act():
        pass
    accounts.clock.advance(timedelta(minutes=1))
    await accounts.sweep().sweep_once()
    assert not await at.pages.visit_next()
    assert await page_readings.all_readings(accounts.database) == {}
    assert await at.alerts() == 1


async def test_a_witness_finds_what_the_account_has_missed(at: PageKit) -> None:
    accounts, news = at.accounts, at.news
    await accounts.ask("@news", witness=True)
    await accounts.settle_all(accounts.subscriptions())
    accounts.clock.advance(timedelta(seconds=1))
    first, redacted = news.post("one"), news.post("a name")
    await accounts.sweep().sweep_once()
    assert await at.witness.look_next()
    assert not await at.witness.look_next()  # for an hour
    assert not at.woken
    found = await redactions.versions_of(accounts.database, news.id, [redacted.id], None)
    await accounts.database.write(lambda tx: redactions.redact(tx, found, "a ruling", now=accounts.clock()))

    news.edit(first.id, "outage instead")
    missed = news.post("outage that no push brought")
    accounts.clock.advance(timedelta(hours=1))
    await touch(accounts, news)  # the sweep has found nothing, it says
    late = news.post("outage a moment ago")
    assert await at.witness.look_next()
    assert at.woken
    assert await at.alerts() == 2
    assert await accounts.texts(news) == ["outage instead", "", "outage that no push brought"]
    told = [each for each in await accounts.notices() if isinstance(each, PostsMissed)]
    assert [(each.missed, each.edited, each.ids) for each in told] == [(1, 1, (first.id, missed.id))]

    await accounts.sweep().sweep_once()
    assert await at.alerts() == 3
    assert late.id in await accounts.stored(news)
    accounts.clock.advance(timedelta(hours=2))
    assert not await at.witness.look_next()  # before the past was compared again, the account does not claim all
    assert (await witnesses.agreement(accounts.database)).unequal == 1


async def touch(accounts: ReaderKit, channel: Channel) -> None:
    """Write down that a channel was found complete."""
    known = await accounts.channel(channel)
    mark = {"confirmed_id": known.confirmed_id, "seen_pts": known.seen_pts}
    await accounts.database.write(lambda tx: set_mark(tx, known.id, **mark, now=accounts.clock()))
