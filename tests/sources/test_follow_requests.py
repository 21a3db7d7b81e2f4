import asyncio
from datetime import timedelta

import pytest

from bot.models.notices import FollowAccess, Followed, FollowRefused
from bot.sandbox import Channel
from bot.store import channels, follows, readers
from bot.store.channels import Access
from bot.store.database import Subject, Transaction
from bot.store.follows import FollowState
from tests.kit import alerts_of
from tests.waiting import WAIT_S

from .kit import BEGIN, ReaderKit


async def reason(reader: ReaderKit, reference: str) -> str | None:
    """Say why a wish was refused or put off."""
    wishes = await follows.all_follows(reader.database)
    return next(follow.reason for follow in wishes if follow.reference == reference)


def public(reader: ReaderKit, *, count: int) -> list[Channel]:
    return [reader.sandbox.world.add_channel(f"Channel {n}", username=f"channel{n}") for n in range(count)]


async def test_a_public_channel_is_polled_at_once_and_joined_afterwards(asking: ReaderKit) -> None:
    channel = asking.sandbox.world.add_channel("News", username="News_Today")
    for day in range(10):
        channel.post(f"Day {day}: an outage", date=BEGIN - timedelta(days=day, hours=1), message_id=20 - day)
    part = asking.subscriptions()
    await asking.ask("@news_today")
    assert await part.settle_one()
    assert (await asking.channel(channel)).access is Access.POLLED
    assert await asking.texts(channel) == [f"Day {day}: an outage" for day in range(9, -1, -1)]
    assert await asking.notices() == [
        Followed(event="", channel="News", channel_id=channel.id, access=FollowAccess.POLLED, posts=10, alerts=10)
    ]
    assert await part.act()
    state = await asking.channel(channel)
    assert (state.access, state.joined_at) == (Access.JOINED, asking.clock())
    assert asking.me in channel.roster


async def test_what_the_past_would_have_brought_is_no_alert(asking: ReaderKit) -> None:
    channel = asking.sandbox.world.add_channel("News", username="news")
    channel.post("An outage", date=BEGIN - timedelta(minutes=1))
    await asking.follow(channel)
    assert await alerts_of(asking.database) == []
    assert len(await asking.notices()) == 1


async def test_a_channel_that_the_reader_is_in_needs_no_join(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.ask("@news")
    part = reader.subscriptions()
    assert await part.settle_one()
    assert not await part.act()
    assert (await reader.channel(channel)).access is Access.JOINED
    assert reader.calls("JoinChannel") == 0


async def test_joins_keep_their_pace_across_restarts(reader: ReaderKit) -> None:
    public(reader, count=7)
    await reader.ask(*(f"@channel{number}" for number in range(7)))
    first = reader.subscriptions(join_interval=300)
    while await first.act():
        pass
    assert reader.calls("JoinChannel") == 5
    assert not await reader.subscriptions(join_interval=300).act()
    reader.clock.advance(timedelta(seconds=1500, milliseconds=1))
    after_restart = reader.subscriptions(join_interval=300)
    while await after_restart.act():
        pass
    assert reader.calls("JoinChannel") == 7


async def test_names_are_looked_up_no_faster_than_30_a_minute_and_never_twice(reader: ReaderKit) -> None:
    channel, *_ = public(reader, count=12)
    await reader.ask(*(f"@channel{number}" for number in range(12)))
    part = reader.subscriptions()
    await reader.settle_all(part)
    assert reader.calls("ResolveUsername") == 10
    reader.clock.advance(timedelta(seconds=20))
    await reader.settle_all(part)
    assert reader.calls("ResolveUsername") == 12
    await reader.database.write(lambda tx: channels.unfollow(tx, channel.id))
    await reader.ask("@channel0")
    await reader.settle_all(part)
    assert (await reader.channel(channel)).followed_at == reader.clock()
    assert reader.calls("ResolveUsername") == 12


async def test_a_name_that_moved_to_another_channel_is_looked_up_anew(reader: ReaderKit) -> None:
    world = reader.sandbox.world
    old = world.add_channel("Old", username="news")
    await reader.follow(old)
    await reader.database.write(lambda tx: channels.unfollow(tx, old.id))
    old.make_private()
    new = world.add_channel("New", username="news")
    await reader.follow(new)
    assert (await reader.channel(new)).followed_at is not None


async def test_a_private_channel_is_joined_by_its_invite_link(asking: ReaderKit) -> None:
    channel = asking.sandbox.world.add_channel("Secret", invite="AbCdEfGhIjKl", megagroup=True)
    channel.post("An outage", date=BEGIN - timedelta(hours=1))
    await asking.ask("+AbCdEfGhIjKl")
    await asking.settle_all(asking.subscriptions())
    state = await asking.channel(channel)
    assert (state.access, state.kind, state.joined_at) == (Access.JOINED, "supergroup", asking.clock())
    (notice,) = await asking.notices()
    assert (notice.access, notice.alerts) == ("joined", 1)


async def test_an_invite_waits_for_the_admins_and_is_asked_for_once(asking: ReaderKit) -> None:
    channel = asking.sandbox.world.add_channel("Secret", invite="AbCdEfGhIjKl")
    channel.needs_approval = True
    part = asking.subscriptions()
    await asking.ask("+AbCdEfGhIjKl")
    await asking.settle_all(part)
    for _ in range(2):
        asking.clock.advance(timedelta(minutes=10))
        await asking.settle_all(part)
    assert asking.calls("ImportChatInvite") == 1
    assert await reason(asking, "+AbCdEfGhIjKl") == "INVITE_REQUEST_SENT"
    channel.join(asking.me)
    asking.clock.advance(timedelta(minutes=10))
    await asking.settle_all(part)
    assert (await asking.channel(channel)).access is Access.JOINED
    assert [notice.kind for notice in await asking.notices()] == ["pending", "followed"]


async def test_private_joins_count_for_the_pace_too(reader: ReaderKit) -> None:
    secrets = [reader.sandbox.world.add_channel(f"Secret {n}", invite=f"AbCdEfGhIjK{n}") for n in range(6)]
    await reader.ask(*(f"+{channel.invite}" for channel in secrets))
    part = reader.subscriptions()
    await reader.settle_all(part)
    assert reader.calls("ImportChatInvite") == 5
    reader.clock.advance(timedelta(seconds=1501))
    await reader.settle_all(part)
    assert reader.calls("ImportChatInvite") == 6


async def test_a_channel_can_be_named_by_its_id_where_the_reader_is_in_it(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("Secret", members=[reader.me])
    await reader.ask(str(channel.id), "123456")
    await reader.settle_all(reader.subscriptions())
    assert (await reader.channel(channel)).access is Access.JOINED
    assert await reason(reader, "123456") == "CHANNEL_INVALID"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("@nobody_here", "USERNAME_NOT_OCCUPIED"),
        ("@boris", "user"),
        ("@helper_bot", "bot"),
        ("+ThisIsNoInvite", "INVITE_HASH_EXPIRED"),
    ],
)
async def test_what_is_no_channel_is_refused_with_a_reason(asking: ReaderKit, reference: str, expected: str) -> None:
    asking.sandbox.world.add_user("Boris", username="boris")
    asking.sandbox.world.add_bot("1:a", "Helper", "helper_bot")
    await asking.ask(reference)
    part = asking.subscriptions()
    await asking.settle_all(part)
    assert await asking.notices() == [FollowRefused(event="", reference=reference, reason=expected)]
    (follow,) = await follows.all_follows(asking.database)
    assert (follow.state, follow.reason) == (FollowState.REFUSED, expected)


async def test_a_wish_that_has_to_wait_holds_up_no_other(reader: ReaderKit) -> None:
    world = reader.sandbox.world
    world.add_channel("Named", username="named")
    secret = world.add_channel("Secret", invite="AbCdEfGhIjKl")
    reader.sandbox.faults.flood_wait("ResolveUsername", 3600)
    await reader.ask("@named", "+AbCdEfGhIjKl")
    await reader.settle_all(reader.subscriptions())
    assert (await reader.channel(secret)).access is Access.JOINED
    waiting = next(f for f in await follows.all_follows(reader.database) if f.reference == "@named")
    assert waiting.state is FollowState.WANTED
    assert waiting.next_try_at == reader.clock() + timedelta(hours=1)


async def test_a_full_account_goes_on_polling(reader: ReaderKit) -> None:
    channel, other = public(reader, count=2)
    await reader.follow(channel)
    await reader.follow(other)
    reader.sandbox.faults.answer("JoinChannel", "CHANNELS_TOO_MUCH")
    part = reader.subscriptions()
    while await part.act():
        pass
    assert reader.calls("JoinChannel") == 1
    assert (await reader.channel(channel)).access is Access.POLLED
    reader.clock.advance(timedelta(days=1))
    while await part.act():
        pass
    assert (await reader.channel(other)).access is Access.JOINED


async def test_a_public_channel_that_lets_nobody_in_stays_polled_and_is_asked_once(reader: ReaderKit) -> None:
    (channel,) = public(reader, count=1)
    channel.needs_approval = True
    await reader.follow(channel)
    part = reader.subscriptions()
    while await part.act():
        pass
    assert reader.calls("JoinChannel") == 1
    state = await reader.channel(channel)
    assert (state.access, state.reason) == (Access.POLLED, "INVITE_REQUEST_SENT")


async def test_a_channel_that_nobody_follows_any_more_is_left(reader: ReaderKit) -> None:
    (channel,) = public(reader, count=1)
    await reader.follow(channel)
    part = reader.subscriptions()
    assert await part.act()
    await reader.database.write(lambda tx: channels.unfollow(tx, channel.id))
    assert await part.act()
    assert not await part.act()
    assert reader.me not in channel.roster
    await reader.follow(channel)
    assert (await reader.channel(channel)).access is Access.POLLED


async def test_leaving_a_channel_makes_room_for_another(reader: ReaderKit) -> None:
    first, second = public(reader, count=2)
    await reader.follow(first)
    part = reader.subscriptions()
    assert await part.act()
    await reader.follow(second)
    reader.sandbox.faults.answer("JoinChannel", "CHANNELS_TOO_MUCH")
    assert await part.act()
    assert not await part.act()
    await reader.database.write(lambda tx: channels.unfollow(tx, first.id))
    while await part.act():
        pass
    assert (await reader.channel(second)).access is Access.JOINED


async def test_a_wish_is_taken_on_as_soon_as_it_is_written(asking: ReaderKit) -> None:
    channel = asking.sandbox.world.add_channel("News", username="news")
    running = asyncio.create_task(asking.subscriptions().run())
    try:
        since = asking.database.changes.revision(Subject.ALERTS)
        await asking.ask("@news")
        async with asyncio.timeout(WAIT_S):
            await asking.database.changes.wait(Subject.ALERTS, since)
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert (await asking.channel(channel)).followed_at == asking.clock()


async def test_another_reader_account_finds_the_channels_of_the_first(reader: ReaderKit) -> None:
    channel, secret = public(reader, count=1)[0], reader.sandbox.world.add_channel("Secret", members=[reader.me])
    await reader.ask("@channel0", str(secret.id))
    await reader.settle_all(reader.subscriptions())
    secret.kick(reader.me)

    async def job(tx: Transaction) -> int:
        return await readers.register(tx, 77, reader.clock(), "reader.session")

    first, reader.reader_id = reader.reader_id, await reader.database.write(job)
    await reader.assignments.leave(first)
    await reader.assignments.enter(reader.reader_id)
    await reader.sweep().sweep_once()
    channel.post("Hello")
    assert await reader.subscriptions().meet_one()
    assert (await reader.channel(channel)).access is Access.POLLED
    assert await reader.texts(channel) == ["Hello"]
    assert (await reader.channel(secret)).access is Access.LOST
