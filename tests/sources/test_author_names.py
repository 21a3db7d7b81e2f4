"""Who wrote what in a supergroup, by whichever way it came."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.sandbox import Channel
from bot.store import posts
from tests.waiting import WAIT_S

from .kit import Place

Read = Callable[[Place, Channel], Awaitable[None]]


async def pushed(place: Place, group: Channel) -> None:
    async with asyncio.timeout(WAIT_S):
        while "Последнее" not in await place.texts(group):
            await place.live.store_next()


async def asked_for_after_a_gap(place: Place, group: Channel) -> None:
    place.sandbox.faults.clear()
    await place.client.catch_up()
    await pushed(place, group)


async def swept(place: Place, group: Channel) -> None:  # noqa: ARG001 - it finds the group by itself
    await place.sweep().sweep_once()


async def read_from_the_history(place: Place, group: Channel) -> None:
    place.sandbox.faults.answer("GetChannelDifference", "PERSISTENT_TIMESTAMP_INVALID", times=None)
    await swept(place, group)


@pytest.mark.parametrize(
    ("way", "is_pushed"),
    [(pushed, True), (asked_for_after_a_gap, False), (swept, False), (read_from_the_history, False)],
    ids=["pushed", "asked for after a gap", "swept", "from the history"],
)
async def test_who_wrote_is_kept_by_the_name_that_was_seen(place: Place, way: Read, *, is_pushed: bool) -> None:
    world = place.sandbox.world
    group = world.add_channel("Разговоры", username="talk", megagroup=True, members=[place.me])
    anna, desk = world.add_user("Анна"), world.add_channel("Редакция", username="desk")
    group.join(anna)
    await place.follow(group)
    await place.sweep().sweep_once()
    if not is_pushed:
        place.sandbox.faults.drop_pushes(account_id=place.me.id)
    ids = [
        group.post("Сбой", author=anna).id,
        group.post("Ещё сбой", author=anna, sent_as=desk.marked).id,
        group.post("Скрытно").id,
        group.post("С подписью", signature="дежурный").id,
        group.post("Сбой", author=anna, forward=desk.post("Было")).id,
        group.post("Последнее", author=anna).id,
    ]
    await way(place, group)
    stored = {post.message_id: post for post in await posts.current(place.database, group.id, ids)}
    assert [stored[number].author for number in ids] == ["Анна", "Редакция", "Разговоры", "дежурный", "Анна", "Анна"]
    forward = stored[ids[4]].forward
    assert forward is not None
    assert forward.name == "Редакция"


async def test_a_later_name_changes_nothing_of_what_was_seen(place: Place) -> None:
    world = place.sandbox.world
    group = world.add_channel("Разговоры", username="talk", megagroup=True, members=[place.me])
    anna = world.add_user("Анна")
    group.join(anna)
    await place.follow(group)
    first = group.post("Сбой", author=anna)
    await place.sweep().sweep_once()
    anna.first_name = "Кто-то"
    group.edit(first.id, "Сбой устранён")
    await place.sweep().sweep_once()
    (post,) = await posts.current(place.database, group.id, [first.id])
    assert (post.text, post.author) == ("Сбой устранён", "Анна")
