"""Stories of channels: read gently, pushed, edited, expired, deleted; each is a post that collides with no message."""

from datetime import timedelta

from telethon.tl import types

from bot.sources.account import LONG_AGO
from bot.sources.stories import Stories
from bot.store import channels, posts, stats
from bot.telegram.stories import to_story
from tests.kit import alerts_of

from .kit import ReaderKit


async def test_what_channels_show_for_a_day_is_stored_and_alerted_to(asking: ReaderKit) -> None:
    world = asking.sandbox.world
    channel, quiet = world.add_channel("News", username="news"), world.add_channel("Quiet", username="quiet")
    old = channel.show_story("An old outage", push=False)
    asking.clock.advance(timedelta(seconds=1))
    await asking.follow(channel)
    await asking.follow(quiet)
    channel.join(asking.me)
    message = channel.post("A message with the same number", push=False)
    assert message.id == old
    part = Stories(asking.account, asking.ingest)
    assert await part.look() == 1
    assert await alerts_of(asking.database) == []  # from before it was followed
    assert (await part.look(), asking.calls("GetPeerStories")) == (0, 1)
    story = channel.show_story("Outage at noon", entities=[types.MessageEntityBold(0, 6)], push=False)
    assert (await part.look(), asking.calls("GetPeerMaxIDs")) == (1, 3)
    await asking.sweep().sweep_once()
    (shown,) = await posts.current(asking.database, channel.id, [-story])
    assert (shown.text, shown.link, shown.observed_by) == ("Outage at noon", f"https://t.me/news/s/{story}", "story")
    assert [(entity.kind, entity.length) for entity in shown.entities] == [("bold", 6)]
    assert [each.post_key for each in await alerts_of(asking.database)] == [f"m-{story}"]
    assert await posts.highest_id(asking.database, channel.id) == message.id
    assert await posts.lowest_id(asking.database, channel.id) == message.id
    pushed = channel.show_story("An outage in the evening")
    await asking.live.store_next()
    channel.edit_story(pushed, "An outage in the night")
    await asking.live.store_next()
    channel.delete_story(story)
    await asking.live.store_next()
    asking.clock.advance(timedelta(days=2))  # all have expired
    assert await part.look() == 0
    await asking.sweep().sweep_once()
    found = await posts.current(asking.database, channel.id, [-story, -pushed, -old])
    assert {each.message_id: (each.text, each.gone_at is not None) for each in found} == {
        -old: ("An old outage", False),
        -story: ("Outage at noon", True),
        -pushed: ("An outage in the night", False),
    }
    state = await asking.channel(channel)
    assert state.doubted_at is None  # a push with so low a number is not late
    (figures,) = [
        each for each in await stats.channel_stats(asking.database, since=LONG_AGO) if each.channel.id == channel.id
    ]
    assert figures.missing == 0


async def test_a_channel_that_is_closed_by_now_hides_no_stories_of_others(asking: ReaderKit) -> None:
    world = asking.sandbox.world
    followed = [world.add_channel(f"News {number}", username=f"news{number}") for number in range(3)]
    for channel in followed:
        await asking.follow(channel)
        channel.show_story("Outage", push=False)
    asking.sandbox.faults.answer("GetPeerMaxIDs", "CHANNEL_PRIVATE", times=2)
    asking.sandbox.faults.answer("GetPeerStories", "CHANNEL_PRIVATE", chat_id=followed[2].id)
    assert await Stories(asking.account, asking.ingest).look() == 2
    asking.sandbox.faults.flood_wait("GetPeerMaxIDs", 30)
    assert await Stories(asking.account, asking.ingest).look() == 0
    assert {each.title for each in await channels.followed(asking.database)} == {"News 0", "News 1", "News 2"}


def test_stories_of_people_and_those_that_show_nothing_yet_are_left_alone() -> None:
    skipped = types.StoryItemSkipped(5, None, None)
    for peer in (types.PeerUser(7), types.PeerChannel(7)):
        assert to_story(types.UpdateStory(peer, skipped)) is None
