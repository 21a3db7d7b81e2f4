"""How channels are followed: many at once, lists of them, from outside, and what of their past is read."""

from datetime import timedelta

import pytest
from telethon.tl import types

from bot.models.follow_list import FollowListState
from bot.models.notices import FolderRead, FollowAllOffered
from bot.sandbox.world.messages import MessageDraft
from bot.sources.follow_requests import LOOK_AGAIN
from bot.store import channel_groups, channels, follows, progress
from bot.store.channel_groups import Directory
from bot.store.channels import Access, Options
from bot.store.follows import FollowState
from bot.text.references import ALL, ALL_ASKED
from tests.kit import alerts_of

from .kit import BEGIN, ReaderKit


async def states(reader: ReaderKit) -> dict[str, str | None]:
    return {follow.reference: follow.reason for follow in await follows.all_follows(reader.database)}


async def test_300_channels_pasted_at_once_are_all_read_within_ten_minutes(reader: ReaderKit) -> None:
    for number in range(300):
        reader.sandbox.world.add_channel(f"Channel {number}", username=f"channel{number}").post("Hello", date=BEGIN)
    await reader.ask(*(f"@channel{number}" for number in range(300)))
    part, seen = reader.subscriptions(), 0
    while seen < 300:
        while await part.act():
            pass
        seen = sum(channel.swept_at is not None for channel in await channels.followed(reader.database))
        reader.clock.advance(timedelta(seconds=LOOK_AGAIN))
    assert reader.clock() - BEGIN <= timedelta(minutes=10)
    assert reader.calls("JoinChannel") <= 7  # whatever is joined by then
    asked = [call.at for call in reader.sandbox.calls if call.name == "ResolveUsername"]
    assert max(sum(start <= at < start + timedelta(minutes=1) for at in asked) for start in asked) <= 30


async def test_the_last_200_posts_are_stored_however_old_they_are_and_none_is_an_alarm(asking: ReaderKit) -> None:
    channel = asking.sandbox.world.add_channel("News", username="news")
    photo = asking.sandbox.world.media.photo(b"a photo")
    for day in range(300, 0, -1):
        channel.post(f"Day {day}: an outage", date=BEGIN - timedelta(days=day))
        if day % 10 == 0:
            channel.publish(None, MessageDraft(action=types.MessageActionPinMessage()))  # a service message is no post
    channel.album([photo] * 5, "An outage", date=BEGIN - timedelta(hours=1))
    await asking.follow(channel)
    posts = [text for text in await asking.texts(channel) if text]
    assert posts[-200:] == [*(f"Day {day}: an outage" for day in range(199, 0, -1)), "An outage"]
    assert await alerts_of(asking.database) == []
    (notice,) = await asking.notices()
    assert (notice.kind, notice.posts) == ("followed", 200)


async def test_a_channel_that_is_not_to_be_joined_stays_outside_and_is_read(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    await reader.ask("@news", may_join=False)
    part = reader.subscriptions()
    while await part.act():
        pass
    assert (reader.me in channel.roster, (await reader.channel(channel)).access) == (False, Access.POLLED)
    reader.clock.advance(timedelta(seconds=1))
    channel.post("Hello")
    await reader.sweep().sweep_once()
    assert await reader.texts(channel) == ["Hello"]
    await reader.ask("@news", may_join=True)
    assert await part.act()
    assert reader.me in channel.roster


async def test_a_private_channel_cannot_be_read_from_outside(reader: ReaderKit) -> None:
    reader.sandbox.world.add_channel("Secret", invite="AbCdEfGhIjKl")
    await reader.ask("+AbCdEfGhIjKl", may_join=False)
    await reader.settle_all(reader.subscriptions())
    assert await states(reader) == {"+AbCdEfGhIjKl": "needs_joining"}


async def test_fast_is_followed_fast_from_the_first_moment_on_and_no_longer_once_it_is_slow(
    reader: ReaderKit,
) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    await reader.ask("@news", fast=True)
    assert await channels.count_fast(reader.database) == 1
    await reader.settle_all(reader.subscriptions())
    assert (await reader.channel(channel)).fast
    assert await channels.count_fast(reader.database) == 1
    await reader.ask("@news", fast=False)
    assert not (await reader.channel(channel)).fast


async def test_an_unfollowed_channel_forgets_how_it_was_followed(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    await reader.ask("@news", fast=True, may_join=False)
    await reader.settle_all(reader.subscriptions())
    await reader.database.write(lambda tx: channels.unfollow(tx, channel.id))
    await reader.follow(channel)
    state = await reader.channel(channel)
    assert (state.fast, state.may_join) == (False, True)


async def test_a_folder_is_taken_apart_and_not_joined(asking: ReaderKit) -> None:
    world = asking.sandbox.world
    news, secret = world.add_channel("News", username="news"), world.add_channel("Secret")
    inside = world.add_channel("Inside", members=[asking.me], megagroup=True)
    slug = world.add_folder("Agencies", [news, secret, inside, world.add_group("Desk", [asking.me])])
    await asking.ask(f"addlist/{slug}", may_join=False)
    db = asking.database
    group = await db.write(lambda tx: channel_groups.make(tx, "Agencies"))
    await db.write(lambda tx: follows.enlist(tx, f"addlist/{slug}", groups=[group.id], now=asking.clock()))
    part = asking.subscriptions()
    await asking.settle_all(part)
    assert [channel.title for channel in await channels.followed(asking.database)] == ["Inside", "News"]
    assert [each.title for each in (await Directory.load(db)).members(group.id)] == ["Inside", "News"]
    assert asking.calls("ResolveUsername") == 0  # the folder says where they are
    assert not (await asking.channel(news)).may_join
    told = await asking.notices()
    assert told == [FolderRead(event="", folder="Agencies", channels=2, private=("Secret",))]
    (work,) = await progress.shown(asking.database)
    assert {(each.name, each.state) for each in work.listed_channels} == {
        ("Inside", FollowListState.FOLLOWED),
        ("News", FollowListState.FOLLOWED),
    }


async def test_a_folder_link_that_works_no_more_is_refused(asking: ReaderKit) -> None:
    await asking.ask("addlist/0123456789")
    await asking.settle_all(asking.subscriptions())
    assert await states(asking) == {"addlist/0123456789": "INVITE_SLUG_EXPIRED"}


async def test_a_list_may_not_make_more_than_20_channels_fast(asking: ReaderKit) -> None:
    world = asking.sandbox.world
    slug = world.add_folder("Agencies", [world.add_channel(f"C{n}", username=f"channel{n}") for n in range(21)])
    await asking.ask(f"addlist/{slug}", fast=True)
    await asking.settle_all(asking.subscriptions())
    assert await states(asking) == {f"addlist/{slug}": "too_many_fast"}


async def test_all_that_the_reader_is_in_is_counted_first_and_followed_once_somebody_says_so(
    asking: ReaderKit,
) -> None:
    world = asking.sandbox.world
    followed = world.add_channel("Followed", username="followed", members=[asking.me])
    world.add_channel("Public", username="public", members=[asking.me])
    world.add_channel("Secret", members=[asking.me], megagroup=True)
    world.add_channel("Elsewhere", username="elsewhere")
    world.add_group("Desk", [asking.me])
    await asking.follow(followed)
    part = asking.subscriptions()
    await asking.ask(ALL_ASKED, may_join=False)
    await asking.settle_all(part)
    assert (await asking.notices())[-1] == FollowAllOffered(event="", channels=3, unfollowed=2, options="join:no")
    assert len(await channels.followed(asking.database)) == 1
    await asking.ask(ALL)
    await asking.settle_all(part)
    assert [channel.title for channel in await channels.followed(asking.database)] == ["Followed", "Public", "Secret"]
    assert all(follow.state is FollowState.FOLLOWED for follow in await follows.all_follows(asking.database))


async def test_all_takes_on_the_options_at_once_where_all_are_followed(asking: ReaderKit) -> None:
    channel = asking.sandbox.world.add_channel("Followed", username="followed", members=[asking.me])
    await asking.follow(channel)
    await asking.ask(ALL_ASKED, fast=True, history=300)
    await asking.settle_all(asking.subscriptions())
    assert (await asking.channel(channel)).fast
    (work,) = await progress.shown(asking.database)
    assert work.figures.channels == 1
    offer = FollowAllOffered(event="", channels=1, unfollowed=0, options="fast history:300")
    assert (await asking.notices())[-1] == offer


async def test_a_fast_channel_outside_is_not_said_to_be_minutes_late(asking: ReaderKit) -> None:
    asking.sandbox.world.add_channel("News", username="news")
    await asking.ask("@news", may_join=False, fast=True)
    await asking.settle_all(asking.subscriptions())
    assert [notice.access for notice in await asking.notices()] == ["outside_fast"]


async def test_what_was_asked_for_while_it_waits_takes_on_the_options_of_both(reader: ReaderKit) -> None:
    await reader.ask("@news", fast=True)
    await reader.ask("@news", may_join=False)
    (wish,) = await follows.all_follows(reader.database)
    assert wish.options == Options(fast=True, may_join=False)


@pytest.mark.parametrize("member", [True, False])
async def test_a_small_group_is_refused_once_and_followed_by_itself_once_it_is_a_supergroup(
    asking: ReaderKit, *, member: bool
) -> None:
    world = asking.sandbox.world
    group = world.add_group("Desk", [world.add_user("Ada"), *([asking.me] if member else [])])
    await asking.ask(f"+{group.invite}")
    part = asking.subscriptions()
    await asking.settle_all(part)
    asking.clock.advance(timedelta(hours=1))
    await asking.settle_all(part)
    assert [notice.reason for notice in await asking.notices()] == ["basic_group"]
    supergroup = world.upgrade(group)
    supergroup.post("Hello")
    asking.clock.advance(timedelta(hours=1))
    await asking.settle_all(part)
    assert (await asking.channel(supergroup)).access is Access.JOINED
    assert await asking.texts(supergroup) == ["Hello"]
