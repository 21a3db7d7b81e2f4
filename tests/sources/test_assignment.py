from bot.sources.assignment import Assignments
from bot.store import channels, readers
from bot.store.database import Transaction

from .kit import Place


async def second_reader(place: Place) -> int:
    return await place.database.write(lambda tx: readers.register(tx, 77, place.now(), "reader-2.session"))


async def read_by(place: Place) -> dict[str, int | None]:
    return {channel.title: channel.read_by for channel in await channels.followed(place.database)}


async def test_the_public_channels_of_a_reader_that_is_away_go_to_the_other_and_private_ones_wait(place: Place) -> None:
    public = place.sandbox.world.add_channel("Public", username="public", members=[place.me])
    secret = place.sandbox.world.add_channel("Secret", members=[place.me])
    await place.follow(public)
    await place.follow(secret)
    first, second = place.reader_id, await second_reader(place)
    await place.assignments.enter(second)
    assert await read_by(place) == {"Public": first, "Secret": first}
    assert place.assignments.has_others(first)
    await place.assignments.leave(first)
    assert await read_by(place) == {"Public": second, "Secret": first}
    assert place.assignments.leads(second)


async def test_the_private_channels_of_an_account_that_was_replaced_are_looked_at_by_the_new_one(place: Place) -> None:
    secret = place.sandbox.world.add_channel("Secret", members=[place.me])
    await place.follow(secret)
    first = place.reader_id
    new = await place.database.write(lambda tx: readers.register(tx, 78, place.now(), "reader.session"))
    await place.assignments.leave(first)
    await place.assignments.enter(new)
    assert await read_by(place) == {"Secret": new}


async def test_more_channels_than_one_account_may_be_in_are_shared(place: Place) -> None:
    second = await second_reader(place)
    place.assignments = Assignments(place.database, most=2)
    for reader in (place.reader_id, second):
        await place.assignments.enter(reader)
    for number in range(3):
        await place.follow(place.sandbox.world.add_channel(f"News {number}", username=f"news{number}"))
    assert sorted(map(str, (await read_by(place)).values())) == sorted(map(str, [1, 1, second]))


async def test_a_channel_that_one_reader_lost_is_handed_over_only_where_another_may_reach_it(place: Place) -> None:
    public = place.sandbox.world.add_channel("Public", username="public", members=[place.me])
    await place.follow(public)
    channel = await place.channel(public)
    assert not await place.assignments.hand_over(channel, place.reader_id)
    second = await second_reader(place)
    await place.assignments.enter(second)
    assert await place.assignments.hand_over(channel, place.reader_id)
    assert await read_by(place) == {"Public": second}


async def test_with_nobody_reading_nothing_is_given(place: Place) -> None:
    empty = Assignments(place.database)
    await empty.assign_all()
    assert not empty.leads(1)


async def test_a_private_channel_of_a_lost_reader_goes_to_whom_its_invite_link_lets_in(asking: Place) -> None:
    secret = asking.sandbox.world.add_channel("Secret", invite="AbCdEfGhIjKl")
    await asking.follow(secret)
    lost = await second_reader(asking)

    async def lose(tx: Transaction) -> None:
        await tx.execute("UPDATE memberships SET reader_id = :lost", {"lost": lost})
        await tx.execute("UPDATE channels SET read_by = :lost", {"lost": lost})
        await readers.lose(tx, lost, "SESSION_REVOKED")

    await asking.database.write(lose)
    secret.kick(asking.me)
    await asking.assignments.assign_all()
    assert await read_by(asking) == {"Secret": lost}
    await asking.ask("+AbCdEfGhIjKl")
    await asking.settle_all(asking.subscriptions())
    assert await read_by(asking) == {"Secret": asking.reader_id}
    assert asking.me in secret.roster
