"""The comments on a channel's posts: found, followed from outside, each under its post, and ended with the channel."""

from datetime import timedelta

from bot.models.notices import CommentsFollowed
from bot.models.outgoing import Peer, PeerKind
from bot.sandbox import Channel, User
from bot.sources.enquiries import Enquiries
from bot.store import channels, chats, posts, readers
from bot.store.channels import Access
from tests.kit import alerts_of

from .kit import ReaderKit


def discussed(reader: ReaderKit) -> tuple[Channel, Channel, User]:
    """Make a channel with comments, which are in a private supergroup, and somebody who comments."""
    world = reader.sandbox.world
    channel, group = world.add_channel("News", username="news"), world.add_channel("News chat", megagroup=True)
    channel.link(group)
    anna = world.add_user("Anna")
    group.join(anna)
    return channel, group, anna


async def settle(reader: ReaderKit) -> CommentsFollowed:
    assert await Enquiries(reader.account, reader.sync, reader.assignments).answer_next()
    return [notice for notice in await reader.notices() if isinstance(notice, CommentsFollowed)][-1]


async def test_comments_are_posts_of_their_own_each_under_its_post(asking: ReaderKit) -> None:
    channel, group, anna = discussed(asking)
    old = channel.post("Old news")
    for number in range(200):  # so that its copy is not among what is read at first
        channel.post(f"Post {number}", push=False)
    await asking.ask("@news", comments=True)
    await asking.settle_all(asking.subscriptions())
    assert await settle(asking) == CommentsFollowed(event="", channel="News", group="News chat")
    state = await asking.channel(group)
    assert (state.access, state.comments_of, state.may_join) == (Access.POLLED, channel.id, False)
    assert await asking.stored(group) == {}  # copies are no posts
    asking.clock.advance(timedelta(seconds=1))
    post = channel.post("An outage in the north")
    first = channel.comment(post.id, "Is it the same outage as in the south?", anna)
    second = channel.comment(post.id, "An outage of everything", anna, reply_to=first.id)
    late = channel.comment(old.id, "Still no outage", anna)
    beside = group.post("Hello, an outage", author=anna)
    group.edit(late.id - 3, "An outage in the far north")  # the copy is edited along with its post
    sweep = asking.sweep()
    await sweep.sweep_once()
    stored = await posts.current(asking.database, group.id, range(1, beside.id + 1))
    assert [(each.message_id, each.commented and each.commented.message_id, each.author) for each in stored] == [
        (first.id, post.id, "Anna"),
        (second.id, post.id, "Anna"),
        (late.id, old.id, "Anna"),
        (beside.id, None, "Anna"),
    ]
    assert [each.link for each in stored] == [
        f"https://t.me/news/{post.id}?comment={first.id}",
        f"https://t.me/news/{post.id}?comment={second.id}",
        f"https://t.me/news/{old.id}?comment={late.id}",
        f"https://t.me/c/{group.id}/{beside.id}",
    ]
    alerts = [(each.channel_id, each.post_key) for each in await alerts_of(asking.database)]
    assert sorted(alerts) == sorted(
        [(channel.id, f"m{post.id}"), *((group.id, f"m{each.message_id}") for each in stored)]
    )
    assert asking.calls("JoinChannel") == 0
    assert asking.calls("GetMessages") == 1  # for the old post, once
    await sweep.sweep_once()
    assert asking.calls("GetMessages") == 1
    await asking.database.write(lambda tx: channels.unfollow(tx, channel.id))
    assert await channels.followed(asking.database) == []


async def test_comments_that_cannot_be_had_are_told_and_one_asked_for_by_name_stays(asking: ReaderKit) -> None:
    channel, group, _ = discussed(asking)
    asking.sandbox.world.add_channel("Mute", username="mute")
    await asking.ask("@mute", "@news", comments=True)
    await asking.settle_all(asking.subscriptions())
    assert (await settle(asking)).reason == "no_comments"
    asking.sandbox.faults.answer("GetHistory", "CHANNEL_PRIVATE", chat_id=group.id)
    assert (await settle(asking)).reason == "comments_closed"
    assert (await asking.channel(group)).followed_at is None
    await asking.ask("@news", comments=True)
    assert (await settle(asking)).reason is None
    await asking.ask(str(group.id))  # it is followed for itself from now on
    await asking.ask("@news", comments=False)
    assert (await asking.channel(group)).comments_of is None
    assert {each.title for each in await channels.followed(asking.database)} == {"Mute", "News", "News chat"}
    await asking.ask("@news", comments=True)
    await settle(asking)
    assert (await asking.channel(channel)).comments_in == group.id


async def test_another_reader_finds_the_comments_of_a_public_channel_by_that_channel(asking: ReaderKit) -> None:
    channel, group, _ = discussed(asking)
    await asking.ask("@news", comments=True)
    await asking.settle_all(asking.subscriptions())
    await settle(asking)
    first = asking.reader_id
    asking.reader_id = await asking.database.write(
        lambda tx: readers.register(tx, 77, asking.clock(), "second.session")
    )
    await asking.assignments.enter(asking.reader_id)
    await asking.assignments.leave(first)
    part = asking.subscriptions()
    while await part.meet_one():
        pass
    await asking.sweep().sweep_once()
    assert [(await asking.channel(each)).access for each in (channel, group)] == [Access.POLLED, Access.POLLED]


async def test_a_group_that_receives_alerts_is_not_read_for_its_comments(asking: ReaderKit) -> None:
    _, group, _ = discussed(asking)
    desk = Peer(kind=PeerKind.CHANNEL, id=group.id)
    await asking.database.write(lambda tx: chats.pair(tx, desk, title="Desk", language="en", now=asking.clock()))
    await asking.ask("@news", comments=True)
    await asking.settle_all(asking.subscriptions())
    assert (await settle(asking)).reason == "own_channel"
