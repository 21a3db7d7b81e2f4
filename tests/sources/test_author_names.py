"""Who wrote what in a supergroup, by whichever way it came."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.sandbox import Channel
from bot.store import posts
from tests.waiting import WAIT_S

from .kit import ReaderKit

Read = Callable[[ReaderKit, Channel], Awaitable[None]]


async def pushed(reader: ReaderKit, group: Channel) -> None:
    async with asyncio.timeout(WAIT_S):
        while "Последнее" not in await reader.texts(group):
            await reader.live.store_next()


async def asked_for_after_a_gap(reader: ReaderKit, group: Channel) -> None:
    reader.sandbox.faults.clear()
    await reader.client.catch_up()
    await pushed(reader, group)


async def swept(reader: ReaderKit, group: Channel) -> None:  # noqa: ARG001 - it finds the group by itself
    await reader.sweep().sweep_once()


async def read_from_the_history(reader: ReaderKit, group: Channel) -> None:
    reader.sandbox.faults.answer("GetChannelDifference", "PERSISTENT_TIMESTAMP_INVALID", times=None)
    await swept(reader, group)


@pytest.mark.parametrize(
    ("way", "is_pushed"),
    [(pushed, True), (asked_for_after_a_gap, False), (swept, False), (read_from_the_history, False)],
    ids=["pushed", "asked for after a gap", "swept", "from the history"],
)
async def test_who_wrote_is_kept_by_the_name_that_was_seen(reader: ReaderKit, way: Read, *, is_pushed: bool) -> None:
    world = reader.sandbox.world
    group = world.add_channel("Разговоры", username="talk", megagroup=True, members=[reader.me])
    anna, desk = world.add_user("Анна"), world.add_channel("Редакция", username="desk")
    group.join(anna)
    await reader.follow(group)
    await reader.sweep().sweep_once()
    if not is_pushed:
        reader.sandbox.faults.drop_pushes(account_id=reader.me.id)
    ids = [
        group.post("Сбой", author=anna).id,
        group.post("Ещё сбой", author=anna, sent_as=desk.marked).id,
        group.post("Скрытно").id,
        group.post("С подписью", signature="дежурный").id,
        group.post("Сбой", author=anna, forward=desk.post("Было")).id,
        group.post("Последнее", author=anna).id,
    ]
    await way(reader, group)
    stored = {post.message_id: post for post in await posts.current(reader.database, group.id, ids)}
    assert [stored[number].author for number in ids] == ["Анна", "Редакция", "Разговоры", "дежурный", "Анна", "Анна"]
    forward = stored[ids[4]].forward
    assert forward is not None
    assert forward.name == "Редакция"


async def test_a_later_name_changes_nothing_of_what_was_seen(reader: ReaderKit) -> None:
    world = reader.sandbox.world
    group = world.add_channel("Разговоры", username="talk", megagroup=True, members=[reader.me])
    anna = world.add_user("Анна")
    group.join(anna)
    await reader.follow(group)
    first = group.post("Сбой", author=anna)
    await reader.sweep().sweep_once()
    anna.first_name = "Кто-то"
    group.edit(first.id, "Сбой устранён")
    await reader.sweep().sweep_once()
    (post,) = await posts.current(reader.database, group.id, [first.id])
    assert (post.text, post.author) == ("Сбой устранён", "Анна")
