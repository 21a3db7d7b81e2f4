"""Previews of links that load after their posts, where Telegram tells of the page and not of the message."""

from datetime import UTC, datetime

from telethon.tl import types

from bot.sandbox import Channel
from bot.sources.live import LinkPreviews
from bot.store import channels, posts
from bot.telegram.client import tap

from .kit import ReaderKit

DATE = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)
PENDING = types.MessageMediaWebPage(types.WebPagePending(9, DATE))


def page(title: str, number: int = 9) -> types.MessageMediaWebPage:
    return types.MessageMediaWebPage(types.WebPage(number, "https://e.org/n", "e.org/n", 0, title=title))


async def news(reader: ReaderKit, *, member: bool = True) -> Channel:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me] if member else [])
    await reader.follow(channel)
    return channel


async def beside(reader: ReaderKit, channel: Channel) -> dict[int, list[str]]:
    """Return what stands beside each post."""
    ids = await reader.stored(channel)
    found = await posts.current(reader.database, channel.id, ids)
    return {post.message_id: [part.text for part in post.parts] for post in found}


def asked(reader: ReaderKit) -> list[list[int]]:
    requests = [call.request for call in reader.sandbox.calls if call.name == "GetMessages"]
    return [[message.id for message in request.id] for request in requests]


async def test_a_difference_brings_the_preview_of_each_post_with_that_page(reader: ReaderKit) -> None:
    channel = await news(reader)
    first, other, second = (
        channel.post("A link", media=media, push=False) for media in (PENDING, page("Other", 7), PENDING)
    )
    await reader.sweep().sweep_once()
    channel.load(second.id, page("Outage"), push=False)
    first.media = second.media
    await reader.sweep().sweep_once()
    assert await beside(reader, channel) == {first.id: ["Outage"], other.id: ["Other"], second.id: ["Outage"]}
    assert asked(reader) == [[second.id, first.id]]
    assert {len(await posts.versions(reader.database, channel.id, post.id)) for post in (first, second)} == {1}
    await reader.sweep().sweep_once()
    assert len(asked(reader)) == 1


async def test_a_push_brings_it_at_once(reader: ReaderKit) -> None:
    channel = await news(reader)
    link_previews = LinkPreviews(reader.account, reader.ingest)
    tap(reader.client, link_previews.put)
    message = channel.post("A link", media=PENDING)
    await reader.live.store_next()
    channel.load(message.id, page("Outage"))
    await link_previews.refresh_next()
    assert await beside(reader, channel) == {message.id: ["Outage"]}


async def test_what_is_deleted_or_not_ours_is_left_alone(reader: ReaderKit) -> None:
    channel = await news(reader)
    message = channel.post("A link", media=PENDING, push=False)
    await reader.sweep().sweep_once()
    link_previews = LinkPreviews(reader.account, reader.ingest)
    known = await reader.channel(channel)
    await link_previews.refresh(known, {8})
    assert asked(reader) == []
    channel.delete(message.id, push=False)
    await link_previews.refresh(known, {9})
    assert asked(reader) == [[message.id]]
    assert not (await reader.stored(channel))[message.id].gone  # that is for the difference to tell
    link_previews.put(types.UpdateChannelWebPage(channel.id, page("Outage").webpage, 1, 1))
    link_previews.put(types.UpdateChannelWebPage(99, page("Outage").webpage, 1, 1))
    await reader.database.write(lambda tx: channels.unfollow(tx, channel.id))
    await link_previews.refresh_next()


async def test_a_refusal_holds_no_posts_up(reader: ReaderKit) -> None:
    channel = await news(reader)
    message = channel.post("A link", media=PENDING, push=False)
    await reader.sweep().sweep_once()
    channel.load(message.id, page("Outage"), push=False)
    last = channel.post("Last", push=False)
    reader.sandbox.faults.flood_wait("GetMessages", 600)
    await reader.sweep().sweep_once()
    assert await reader.texts(channel) == ["A link", "Last"]
    assert (await reader.channel(channel)).confirmed_id == last.id
