"""What becomes of a channel that is followed: renamed, closed, banned from, deleted; noticed and told once."""

import json
from datetime import timedelta

import pytest

from bot.models import Withholding
from bot.models.notices import ChannelLost, ChannelRenamed, ChannelWithheld, Notice
from bot.sandbox import Channel
from bot.sources.account import NAMES
from bot.sources.sweep import TRY_LOST, Sweep
from bot.store import backfills, channels
from bot.store.channels import Access

from .kit import ReaderKit


async def news(reader: ReaderKit, *, member: bool = True, public: bool = True) -> Channel:
    """Follow a channel."""
    inside = [reader.me] if member else []
    channel = reader.sandbox.world.add_channel("News", username="news" if public else None, members=inside)
    channel.post("Hello")
    await reader.ask("@news" if public else str(channel.id))
    await reader.settle_all(reader.subscriptions())
    await reader.sweep().sweep_once()
    reader.clock.advance(timedelta(seconds=1))
    return channel


async def told(reader: ReaderKit) -> list[Notice]:
    """Sweep twice, and return what is told after the notice that the channel is followed."""
    for _ in range(2):
        await reader.sweep().sweep_once()
    return (await reader.notices())[1:]


async def renamed(reader: ReaderKit) -> list[ChannelRenamed]:
    return [notice for notice in await told(reader) if isinstance(notice, ChannelRenamed)]


def lost(reason: str) -> ChannelLost:
    return ChannelLost(event="", channel="News", reason=reason)


@pytest.mark.parametrize("member", [True, False])
async def test_a_new_title_and_a_new_name_are_told_once(asking: ReaderKit, *, member: bool) -> None:
    channel = await news(asking, member=member)
    channel.rename("Olds", username="olds")
    (notice,) = await told(asking)
    assert notice == ChannelRenamed(event="", old_title="News", old_username="news", title="Olds", username="olds")
    state = await asking.channel(channel)
    assert (state.title, state.username) == ("Olds", "olds")


async def test_a_name_alone_is_noticed_though_nothing_was_posted(asking: ReaderKit) -> None:
    channel = await news(asking)
    channel.rename(username="olds")
    assert [notice.username for notice in await renamed(asking)] == ["olds"]


async def test_a_title_that_changes_all_the_time_is_told_once_a_day(asking: ReaderKit) -> None:
    channel = await news(asking)
    for hour in range(3):
        channel.rename(f"News, {hour}:00")
        await asking.sweep().sweep_once()
    asking.clock.advance(timedelta(days=1))
    channel.rename("News at last")
    assert [notice.title for notice in await renamed(asking)] == ["News, 0:00", "News at last"]


@pytest.mark.parametrize("member", [True, False])
async def test_where_telegram_withholds_a_channel_is_recorded_and_told_once(asking: ReaderKit, *, member: bool) -> None:
    channel = await news(asking, member=member)
    where = Withholding("ios", "copyright", "This channel can't be displayed")
    channel.withhold(where)
    assert await told(asking) == [ChannelWithheld(event="", channel="News", found=(where,))]
    state = await asking.channel(channel)
    assert (state.withholdings, state.withheld_at) == ((where,), asking.clock())
    for reasons in ((), (where,)):  # of the same again nobody has another notice
        asking.clock.advance(timedelta(hours=1))
        channel.withhold(*reasons)
        assert len(await told(asking)) == 1
    lines = await asking.database.fetch_all("SELECT channel_id, detail FROM ledger WHERE kind = 'withheld'")
    written = json.dumps([where], separators=(",", ":"))
    assert [tuple(line) for line in lines] == [(channel.id, each) for each in (written, "[]", written)]


async def test_a_member_goes_on_reading_a_channel_that_turned_private(asking: ReaderKit) -> None:
    channel = await news(asking)
    channel.make_private()
    channel.post("Among us")
    assert [notice.username for notice in await renamed(asking)] == [None]
    assert await asking.texts(channel) == ["Hello", "Among us"]


async def test_a_channel_that_turned_private_is_lost_to_who_read_it_from_outside(asking: ReaderKit) -> None:
    channel = await news(asking, member=False)
    channel.make_private()
    assert await told(asking) == [lost("vanished")]
    state = await asking.channel(channel)
    assert (state.access, state.reason) == (Access.LOST, "vanished")


async def test_a_reason_that_could_not_be_looked_up_is_looked_up_later_and_told_nobody_again(
    asking: ReaderKit,
) -> None:
    channel = await news(asking, member=False)
    account = asking.account
    for _ in range(NAMES):
        account.spend_name()
    sweep = Sweep(account, asking.sync, asking.assignments, interval=60)
    channel.make_private()
    await sweep.sweep_once()
    assert (await asking.channel(channel)).reason == "CHANNEL_PRIVATE"
    asking.clock.advance(TRY_LOST)
    await sweep.sweep_once()
    state = await asking.channel(channel)
    assert (state.access, state.reason) == (Access.LOST, "vanished")
    assert [notice.kind for notice in await asking.notices()] == ["followed", "lost"]


@pytest.mark.parametrize("member", [True, False])
async def test_a_ban_is_called_a_ban(asking: ReaderKit, *, member: bool) -> None:
    channel = await news(asking, member=member)
    channel.ban(asking.me)
    assert await told(asking) == [lost("USER_BANNED_IN_CHANNEL")]
    assert asking.calls("ResolveUsername") == 2  # to follow it, and to see whether it is there still


async def test_a_wish_for_a_channel_that_bans_the_reader_is_refused_for_the_ban(asking: ReaderKit) -> None:
    channel = await news(asking)
    channel.ban(asking.me)
    await told(asking)
    await asking.ask("@news")
    await asking.settle_all(asking.subscriptions())
    notice = (await asking.notices())[-1]
    assert (notice.kind, notice.reason) == ("refused", "USER_BANNED_IN_CHANNEL")


async def test_a_private_channel_of_another_account_is_one_that_this_account_is_not_in(asking: ReaderKit) -> None:
    channel = await news(asking, public=False)
    channel.kick(asking.me)
    await asking.database.write(lambda tx: tx.execute("DELETE FROM memberships", {}))
    assert await told(asking) == [lost("not_member")]


async def test_a_deleted_channel_has_vanished(asking: ReaderKit) -> None:
    channel = await news(asking)
    channel.dissolve()
    assert await told(asking) == [lost("vanished")]


async def test_a_private_channel_that_puts_the_reader_out_has_removed_it(asking: ReaderKit) -> None:
    channel = await news(asking, public=False)
    channel.kick(asking.me)
    assert await told(asking) == [lost("removed")]


async def test_a_channel_that_can_be_read_again_is_told_too(asking: ReaderKit) -> None:
    channel = await news(asking, public=False)
    channel.kick(asking.me)
    await told(asking)
    channel.join(asking.me)
    assert [notice.kind for notice in await told(asking)] == ["lost", "found"]
    assert (await asking.channel(channel)).access is Access.JOINED


async def test_a_private_channel_that_was_lost_is_joined_again_by_the_same_link(asking: ReaderKit) -> None:
    channel = asking.sandbox.world.add_channel("Secret", invite="AbCdEfGhIjKl")
    await asking.follow(channel)
    await asking.sweep().sweep_once()
    channel.kick(asking.me)
    await told(asking)
    asking.clock.advance(timedelta(seconds=1))
    await asking.ask("+AbCdEfGhIjKl", history=500)
    await asking.settle_all(asking.subscriptions())
    assert asking.me in channel.roster
    assert (await asking.channel(channel)).access is Access.JOINED
    assert [notice.kind for notice in await asking.notices()] == ["followed", "lost", "followed"]
    assert [backfill.wanted for backfill in await backfills.unfinished(asking.database, asking.reader_id)] == [500]


@pytest.mark.parametrize("returns", [True, False])
async def test_a_lost_public_channel_is_looked_up_when_it_is_asked_for_again(
    asking: ReaderKit, *, returns: bool
) -> None:
    channel = await news(asking, member=False)
    channel.ban(asking.me)
    await told(asking)
    asking.clock.advance(timedelta(seconds=1))
    if returns:
        channel.roster.banned.clear()
    await asking.ask("@news")
    await asking.settle_all(asking.subscriptions())
    assert (await asking.channel(channel)).access is (Access.POLLED if returns else Access.LOST)
    assert (await asking.notices())[-1].kind == ("followed" if returns else "refused")


async def test_nobody_is_told_of_a_channel_that_is_followed_no_more(asking: ReaderKit) -> None:
    channel = await news(asking)
    await asking.database.write(lambda tx: channels.unfollow(tx, channel.id))
    channel.rename("Olds")
    assert await told(asking) == []
