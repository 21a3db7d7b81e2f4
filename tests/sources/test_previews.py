"""Previews of links that load after their posts, where Telegram tells of the page and not of the message."""

from datetime import UTC, datetime

from telethon.tl import types

from bot.sandbox import Channel
from bot.sources.previews import Previews
from bot.store import channels, posts
from bot.telegram.client import tap

from .kit import Place

DATE = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)
PENDING = types.MessageMediaWebPage(types.WebPagePending(9, DATE))


def page(title: str, number: int = 9) -> types.MessageMediaWebPage:
    return types.MessageMediaWebPage(types.WebPage(number, "https://e.org/n", "e.org/n", 0, title=title))


async def news(place: Place, *, member: bool = True) -> Channel:
    channel = place.sandbox.world.add_channel("News", username="news", members=[place.me] if member else [])
    await place.follow(channel)
    return channel


async def beside(place: Place, channel: Channel) -> dict[int, list[str]]:
    """Return what stands beside each post."""
    ids = await place.stored(channel)
    found = await posts.current(place.database, channel.id, ids)
    return {post.message_id: [part.text for part in post.parts] for post in found}


def asked(place: Place) -> list[list[int]]:
    requests = [call.request for call in place.sandbox.calls if call.name == "GetMessages"]
    return [[message.id for message in request.id] for request in requests]


async def test_a_difference_brings_the_preview_of_each_post_with_that_page(place: Place) -> None:
    channel = await news(place)
    first, other, second = (
        channel.post("A link", media=media, push=False) for media in (PENDING, page("Other", 7), PENDING)
    )
    await place.sweep().sweep_once()
    channel.load(second.id, page("Outage"), push=False)
    first.media = second.media
    await place.sweep().sweep_once()
    assert await beside(place, channel) == {first.id: ["Outage"], other.id: ["Other"], second.id: ["Outage"]}
    assert asked(place) == [[second.id, first.id]]
    assert {len(await posts.versions(place.database, channel.id, post.id)) for post in (first, second)} == {1}
    await place.sweep().sweep_once()
    assert len(asked(place)) == 1


async def test_a_push_brings_it_at_once(place: Place) -> None:
    channel = await news(place)
    previews = Previews(place.account, place.ingest)
    tap(place.client, previews.put)
    message = channel.post("A link", media=PENDING)
    await place.live.store_next()
    channel.load(message.id, page("Outage"))
    await previews.refresh_next()
    assert await beside(place, channel) == {message.id: ["Outage"]}


async def test_what_is_deleted_or_not_ours_is_left_alone(place: Place) -> None:
    channel = await news(place)
    message = channel.post("A link", media=PENDING, push=False)
    await place.sweep().sweep_once()
    previews = Previews(place.account, place.ingest)
    known = await place.channel(channel)
    await previews.refresh(known, {8})
    assert asked(place) == []
    channel.delete(message.id, push=False)
    await previews.refresh(known, {9})
    assert asked(place) == [[message.id]]
    assert not (await place.stored(channel))[message.id].gone  # that is for the difference to tell
    previews.put(types.UpdateChannelWebPage(channel.id, page("Outage").webpage, 1, 1))
    previews.put(types.UpdateChannelWebPage(99, page("Outage").webpage, 1, 1))
    await place.database.write(lambda tx: channels.unfollow(tx, channel.id))
    await previews.refresh_next()


async def test_a_refusal_holds_no_posts_up(place: Place) -> None:
    channel = await news(place)
    message = channel.post("A link", media=PENDING, push=False)
    await place.sweep().sweep_once()
    channel.load(message.id, page("Outage"), push=False)
    last = channel.post("Last", push=False)
    place.sandbox.faults.flood_wait("GetMessages", 600)
    await place.sweep().sweep_once()
    assert await place.texts(channel) == ["A link", "Last"]
    assert (await place.channel(channel)).confirmed_id == last.id
