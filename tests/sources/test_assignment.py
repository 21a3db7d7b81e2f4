from datetime import timedelta

from bot.sources.assignment import Assignments
from bot.store import channels, readers
from bot.store.database import Transaction
from tests.kit_clock import NOON

from .kit import ReaderKit


async def second_reader(reader: ReaderKit) -> int:
    return await reader.database.write(lambda tx: readers.register(tx, 77, reader.clock(), "reader-2.session"))


async def read_by(reader: ReaderKit) -> dict[str, int | None]:
    return {channel.title: channel.read_by for channel in await channels.followed(reader.database)}


async def test_the_public_channels_of_a_reader_that_is_away_go_to_the_other_and_private_ones_wait(
    reader: ReaderKit,
) -> None:
    public = reader.sandbox.world.add_channel("Public", username="public", members=[reader.me])
    secret = reader.sandbox.world.add_channel("Secret", members=[reader.me])
    await reader.follow(public)
    await reader.follow(secret)
    first, second = reader.reader_id, await second_reader(reader)
    await reader.assignments.enter(second)
    assert await read_by(reader) == {"Public": first, "Secret": first}
    assert reader.assignments.has_others(first)
    await reader.assignments.leave(first)
    assert await read_by(reader) == {"Public": second, "Secret": first}
    assert reader.assignments.leads(second)
    assert [reader.assignments.reads(await reader.channel(each)) for each in (public, secret)] == [True, False]
    reader.assignments.hold_up(second)  # with nobody to take over: web pages do
    assert not reader.assignments.reads(await reader.channel(public))
    minute, absent = timedelta(minutes=1), reader.assignments.is_absent
    assert not await absent(minute)  # it may come back
    reader.clock.advance(minute)
    reader.assignments.hold_up(second)  # it is still so
    assert await absent(minute)
    await reader.assignments.enter(second)
    assert reader.assignments.reads(await reader.channel(public))
    assert not await absent(timedelta())


async def test_the_private_channels_of_an_account_that_was_replaced_are_looked_at_by_the_new_one(
    reader: ReaderKit,
) -> None:
    secret = reader.sandbox.world.add_channel("Secret", members=[reader.me])
    await reader.follow(secret)
    first = reader.reader_id
    new = await reader.database.write(lambda tx: readers.register(tx, 78, reader.clock(), "reader.session"))
    await reader.assignments.leave(first)
    await reader.assignments.enter(new)
    assert await read_by(reader) == {"Secret": new}


async def test_more_channels_than_one_account_may_be_in_are_shared(reader: ReaderKit) -> None:
    second = await second_reader(reader)
    reader.assignments = Assignments(reader.database, reader.clock, most=2)
    for number in (reader.reader_id, second):
        await reader.assignments.enter(number)
    for number in range(3):
        await reader.follow(reader.sandbox.world.add_channel(f"News {number}", username=f"news{number}"))
    assert sorted(map(str, (await read_by(reader)).values())) == sorted(map(str, [1, 1, second]))


async def test_a_channel_that_one_reader_lost_is_handed_over_only_where_another_may_reach_it(reader: ReaderKit) -> None:
    public = reader.sandbox.world.add_channel("Public", username="public", members=[reader.me])
    await reader.follow(public)
    channel = await reader.channel(public)
    assert not await reader.assignments.hand_over(channel, reader.reader_id)
    second = await second_reader(reader)
    await reader.assignments.enter(second)
    assert await reader.assignments.hand_over(channel, reader.reader_id)
    assert await read_by(reader) == {"Public": second}


async def test_with_nobody_reading_nothing_is_given(reader: ReaderKit) -> None:
    empty = Assignments(reader.database, reader.clock)
    await empty.assign_all()
    assert not empty.leads(1)


async def test_a_private_channel_of_a_lost_reader_goes_to_whom_its_invite_link_lets_in(asking: ReaderKit) -> None:
    secret = asking.sandbox.world.add_channel("Secret", invite="AbCdEfGhIjKl")
    await asking.follow(secret)
    lost = await second_reader(asking)

    async def lose(tx: Transaction) -> None:
        await tx.execute("UPDATE memberships SET reader_id = :lost", {"lost": lost})
        await tx.execute("UPDATE channels SET read_by = :lost", {"lost": lost})
        await readers.lose(tx, lost, "SESSION_REVOKED", now=NOON)

    await asking.database.write(lose)
    secret.kick(asking.me)
    await asking.assignments.assign_all()
    assert await read_by(asking) == {"Secret": lost}
    await asking.ask("+AbCdEfGhIjKl")
    await asking.settle_all(asking.subscriptions())
    assert await read_by(asking) == {"Secret": asking.reader_id}
    assert asking.me in secret.roster
