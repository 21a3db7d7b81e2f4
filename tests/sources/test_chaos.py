import asyncio
from contextlib import suppress
from random import Random

import pytest

from bot.sandbox import Channel
from tests.kit_rich import rich, said

from .kit import ReaderKit

LIKELY = 20  # posts before edits and deletions find something to change


def something_happens(channel: Channel, random: Random) -> None:
    ids = list(channel.kept.messages)
    what = random.choice(("post", "post", "long", "edit", "delete", "react"))
    if what == "post" or len(ids) < LIKELY:
        channel.post(f"Post {random.random()}")
    elif what == "long":
        channel.post(rich=rich(f"Long {random.random()}", f"Rest {random.random()}"), shown=1)
    elif what == "edit" and channel.kept.messages[number := random.choice(ids)].rich:
        channel.edit(number, rich=rich("Edited", f"Rest {random.random()}"))
    elif what == "edit":
        channel.edit(random.choice(ids), f"Edited {random.random()}")
    elif what == "delete":
        channel.delete(random.choice(ids))
    else:
        channel.react(random.choice(ids), "👍")


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_lost_on_the_way_the_archive_is_complete_in_the_end(reader: ReaderKit, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - chance for tests, and repeatable
    world = reader.sandbox.world
    inside = [world.add_channel(f"In {n}", username=f"inside{n}", members=[reader.me]) for n in range(3)]
    outside = world.add_channel("Out", username="outside")
    for channel in (*inside, outside):
        await reader.follow(channel)
    inside[0].too_long_after = 8
    world.hub.slice_limit = 7
    reader.sandbox.faults.drop_pushes(0.3, random=random)
    reader.live.long_posts = reader.sync.long_posts
    live, sweep = asyncio.create_task(reader.live.run()), reader.sweep()
    try:
        for _ in range(15):
            for _ in range(random.randrange(40)):
                something_happens(random.choice([*inside, outside]), random)
            if random.random() < 0.3:
                reader.sandbox.server.cut()
            await sweep.sweep_once()
    finally:
        live.cancel()
        with suppress(asyncio.CancelledError):
            await live
    await sweep.sweep_once()
    for channel in (*inside, outside):
        expected = [said(message) for message in channel.kept.oldest_first()]
        assert await reader.texts(channel) == expected
