import asyncio

from telethon import types

from bot.sandbox import Channel
from bot.store import posts
from tests.waiting import WAIT_S

from .kit import ReaderKit


async def arrives(reader: ReaderKit, channel: Channel, *texts: str) -> None:
    """Store pushes until these are the visible texts of a channel."""
    async with asyncio.timeout(WAIT_S):
        while await reader.texts(channel) != list(texts):
            await reader.live.store_next()


async def test_a_pushed_post_is_stored_to_the_letter(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    text = "Сбой 🛠 в работе"
    message = channel.post(
        text, entities=[types.MessageEntityBold(5, 2), types.MessageEntityTextUrl(0, 4, "https://e.org")]
    )
    await arrives(reader, channel, text)
    row = await reader.database.fetch_one("SELECT * FROM versions")
    assert row is not None
    assert row["raw"][:4] == types.Message.CONSTRUCTOR_ID.to_bytes(4, "little")
    assert (row["message_id"], row["observed_by"], row["reader_id"]) == (message.id, "live", reader.reader_id)


async def test_an_edit_makes_a_version_and_a_reaction_makes_none(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    message = channel.post("Before")
    channel.edit(message.id, "After")
    channel.react(message.id, "👍")
    channel.post("Last")
    await arrives(reader, channel, "After", "Last")
    versions = await reader.database.fetch_all(
        "SELECT text FROM versions WHERE message_id = :id ORDER BY number", {"id": message.id}
    )
    assert [row["text"] for row in versions] == ["Before", "After"]


async def test_counters_that_are_pushed_alone_are_kept_without_a_version(reader: ReaderKit) -> None:
    unknown = reader.sandbox.world.add_channel("Other", username="other", members=[reader.me])
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    message = channel.post("Hello")
    channel.react(message.id, "👍", 3)
    channel.set_views(message.id, 90_000)
    channel.set_forwards(message.id, 12)
    unknown.set_views(unknown.post("Hello").id, 5)
    channel.post("Last")
    await arrives(reader, channel, "Hello", "Last")
    (versions,) = [await posts.versions(reader.database, channel.id, message.id)]
    assert [(stored.views, stored.forwards, stored.reactions) for stored in versions] == [(90_000, 12, 3)]


async def test_a_deleted_post_is_gone_but_kept(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("Group", username="group", megagroup=True, members=[reader.me])
    await reader.follow(channel)
    message = channel.post("Soon gone", author=reader.me)
    channel.delete(message.id)
    channel.post("Last")
    await arrives(reader, channel, "Last")
    stored = await reader.stored(channel)
    assert (stored[message.id].text, stored[message.id].gone) == ("Soon gone", True)


async def test_an_album_and_a_forward_keep_what_holds_them_together(reader: ReaderKit) -> None:
    world = reader.sandbox.world
    origin = world.add_channel("Origin", username="origin")
    channel = world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    album = channel.album([world.media.photo(b"a"), world.media.photo(b"b")], "Two pictures")
    channel.post("Repeated", forward=origin.post("Original"))
    await arrives(reader, channel, "Two pictures", "", "Repeated")
    rows = await reader.database.fetch_all("SELECT * FROM posts ORDER BY message_id")
    assert [row["grouped_id"] for row in rows] == [album[0].grouped, album[0].grouped, None]
    assert f'"channel_id":{origin.id}' in rows[2]["forward"]


async def test_posts_of_channels_that_nobody_follows_are_left_alone(reader: ReaderKit) -> None:
    followed = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    other = reader.sandbox.world.add_channel("Other", username="other", members=[reader.me])
    await reader.follow(followed)
    other.post("Not wanted")
    followed.post("Wanted")
    await arrives(reader, followed, "Wanted")
    assert await reader.texts(other) == []


async def test_a_push_moves_no_mark(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    before = await reader.channel(channel)
    channel.post("Pushed")
    await arrives(reader, channel, "Pushed")
    after = await reader.channel(channel)
    assert (after.confirmed_id, after.seen_pts) == (before.confirmed_id, before.seen_pts)


async def test_what_waits_when_the_reading_ends_is_stored(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    await reader.follow(channel)
    for number in range(150):
        channel.post(f"Post {number}")
    await reader.client.get_me()  # its answer comes after the pushes: all of them wait now, and nobody stores them
    storing = asyncio.create_task(reader.live.store_next())
    await asyncio.sleep(0)
    storing.cancel()
    await asyncio.wait({storing})
    await reader.live.store_waiting()
    assert len(await reader.texts(channel)) == 150
