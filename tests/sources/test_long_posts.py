"""Long posts, of which Telegram gives the beginning only: whole before they are matched, however they reach us."""

import asyncio
import hashlib
from datetime import timedelta

import pytest

from bot.sandbox import Channel
from bot.sources.long_posts import FIRST_PAUSE, LongPosts
from bot.sources.past_pages import Verifier
from bot.store import posts
from tests.kit import messages
from tests.kit_rich import rich
from tests.waiting import WAIT_S

from .kit import ReaderKit

WHOLE = "Report\n\nall is well\n\nbut for an outage"


REPORT = rich(*WHOLE.split("\n\n"))


@pytest.fixture
async def news(asking: ReaderKit) -> Channel:
    """Bring a topic, a channel that is followed, and somebody who completes what is pushed."""
    channel = asking.sandbox.world.add_channel("News", username="news", members=[asking.me])
    await asking.follow(channel)
    asking.live.long_posts = long_posts(asking)
    return channel


def long_posts(reader: ReaderKit, within: float = WAIT_S) -> LongPosts:
    return LongPosts(reader.account, reader.ingest, within=within)


async def arrives(reader: ReaderKit, channel: Channel, *texts: str) -> None:
    """Store pushes until these are the visible texts of a channel."""
    async with asyncio.timeout(WAIT_S):
        while await reader.texts(channel) != list(texts):
            storing = asyncio.create_task(reader.live.store_next())
            await asyncio.wait({storing}, timeout=0.02)
            storing.cancel()
            await asyncio.wait({storing})
            if not storing.cancelled():
                storing.result()


async def alerted(reader: ReaderKit) -> list[str]:
    """Return what the chat is to see of posts, with the replies."""
    found = await messages(reader.database, reader.clock() + timedelta(days=365))
    return [f"{message.label}: {message.post.text}" for message in found if message.post is not None]


async def versions(reader: ReaderKit, channel: Channel, message_id: int) -> list[str]:
    return [version.text for version in await posts.versions(reader.database, channel.id, message_id)]


async def parts(reader: ReaderKit, channel: Channel) -> list[bool]:
    return [post.is_part for post in await posts.current(reader.database, channel.id, range(1, 100))]


def withhold(reader: ReaderKit) -> None:
    """Have Telegram answer in its own good time, once."""
    reader.live.long_posts = long_posts(reader, within=0.05)
    reader.sandbox.faults.hold("GetRichMessage", times=1)


async def retry(reader: ReaderKit) -> None:
    reader.clock.advance(FIRST_PAUSE)
    while await long_posts(reader).retry_next():
        pass


async def test_a_push_is_completed_with_one_request_before_it_is_matched(reader: ReaderKit, news: Channel) -> None:
    news.post(rich=REPORT, shown=1)
    await arrives(reader, news, WHOLE)
    assert await versions(reader, news, 1) == [WHOLE]
    assert await alerted(reader) == [f"alert: {WHOLE}"]
    assert reader.calls("GetRichMessage") == 1
    assert await parts(reader, news) == [False]


async def test_a_difference_a_history_and_a_verification_are_completed_and_ask_once(
    reader: ReaderKit, news: Channel
) -> None:
    news.post(rich=REPORT, shown=1, push=False)
    for _ in range(2):
        await reader.sweep().sweep_once()
    other = reader.sandbox.world.add_channel("Other", username="other", members=[reader.me])
    other.post(rich=rich("Before", "we followed"), shown=1)
    await reader.follow(other)
    assert await reader.texts(news) == [WHOLE]
    assert await reader.texts(other) == ["Before\n\nwe followed"]
    assert reader.calls("GetRichMessage") == 2
    for _ in range(2):
        await Verifier(reader.account, reader.sync, days=30).verify_next()
        reader.clock.advance(timedelta(days=2))
    assert reader.calls("GetRichMessage") == 2
    assert await versions(reader, news, 1) == [WHOLE]


async def test_a_rest_that_does_not_come_holds_nothing_up_and_is_no_edit_later(
    reader: ReaderKit, news: Channel
) -> None:
    withhold(reader)
    news.post(rich=rich("An outage", "of trains"), shown=1)
    await arrives(reader, news, "An outage")
    assert await parts(reader, news) == [True]
    assert await alerted(reader) == ["alert: An outage"]
    await retry(reader)
    assert await versions(reader, news, 1) == ["An outage\n\nof trains"]
    assert await parts(reader, news) == [False]
    assert await alerted(reader) == ["alert: An outage\n\nof trains"]
    rows = await reader.database.fetch_all(
        "SELECT raw, raw_sha256 FROM versions UNION ALL SELECT raw, raw_sha256 FROM part_messages"
    )
    assert [b"of trains" in row["raw"] for row in rows] == [False, True]
    assert [hashlib.sha256(row["raw"]).digest() for row in rows] == [row["raw_sha256"] for row in rows]
    assert reader.calls("GetRichMessage") == 2


async def test_what_is_found_in_a_rest_that_came_late_is_alerted(reader: ReaderKit, news: Channel) -> None:
    withhold(reader)
    news.post(rich=REPORT, shown=1)
    await arrives(reader, news, "Report")
    assert await alerted(reader) == []
    await retry(reader)
    assert await alerted(reader) == [f"alert: {WHOLE}"]


async def test_other_channels_do_not_wait_for_a_rest_and_its_own_keeps_its_order(
    reader: ReaderKit, news: Channel
) -> None:
    other = reader.sandbox.world.add_channel("Other", username="other", members=[reader.me])
    await reader.follow(other)
    hold = reader.sandbox.faults.hold("GetRichMessage")
    news.post(rich=REPORT, shown=1)
    gone = news.post("Soon gone")
    news.delete(gone.id)
    other.post("An outage elsewhere")
    await arrives(reader, other, "An outage elsewhere")
    await hold.reached()
    assert await reader.texts(news) == []
    hold.release()
    await arrives(reader, news, WHOLE)
    assert (await reader.stored(news))[gone.id].gone


async def test_what_waits_for_a_rest_when_the_reading_ends_is_stored(reader: ReaderKit, news: Channel) -> None:
    reader.live.long_posts = long_posts(reader, within=0.05)
    hold = reader.sandbox.faults.hold("GetRichMessage")
    news.post(rich=REPORT, shown=1)
    news.post("After")
    await reader.live.store_next()
    await hold.reached()
    await reader.live.store_waiting()
    assert await reader.texts(news) == ["Report", "After"]
    hold.release()


async def test_an_account_that_is_lost_while_a_rest_is_awaited_ends_no_service(
    reader: ReaderKit, news: Channel
) -> None:
    reader.sandbox.faults.answer("GetRichMessage", "SESSION_REVOKED", code=401)
    news.post(rich=REPORT, shown=1)
    await reader.live.store_next()
    await reader.live.store_waiting()
    assert await reader.texts(news) == []  # the sweep finds it


async def test_a_list_does_not_wait_for_each_rest_while_the_server_fails(reader: ReaderKit, news: Channel) -> None:
    completer = reader.live.long_posts = long_posts(reader, within=0.05)
    hold = reader.sandbox.faults.hold("GetRichMessage", times=1)
    heads = [f"Report {number}" for number in range(5)]
    for head in heads:
        news.post(rich=rich(head, "an outage"), shown=1)
    await arrives(reader, news, *heads)
    await hold.reached()
    assert reader.calls("GetRichMessage") == 1
    reader.clock.advance(FIRST_PAUSE)
    while await completer.retry_next():
        pass
    assert await parts(reader, news) == [False] * 5
    asked = reader.calls("GetRichMessage")
    news.post(rich=REPORT, shown=1)
    await arrives(reader, news, *(f"{head}\n\nan outage" for head in heads), WHOLE)
    assert reader.calls("GetRichMessage") == asked + 1


async def test_an_edit_of_the_rest_is_a_version_and_a_reaction_is_none(reader: ReaderKit, news: Channel) -> None:
    news.post(rich=REPORT, shown=1)
    await arrives(reader, news, WHOLE)
    news.react(1, "👍")
    news.react(1, "👍")
    reader.clock.advance(timedelta(minutes=1))
    news.edit(1, rich=rich("Report", "all is well", "again"))
    news.post("Last")
    await arrives(reader, news, "Report\n\nall is well\n\nagain", "Last")
    assert await versions(reader, news, 1) == [WHOLE, "Report\n\nall is well\n\nagain"]
    reader.clock.advance(timedelta(minutes=1))
    await retry(reader)
    asked = reader.calls("GetRichMessage")
    await reader.sweep().sweep_once()
    assert reader.calls("GetRichMessage") == asked


async def test_of_two_edits_in_one_second_the_last_one_is_found(reader: ReaderKit, news: Channel) -> None:
    news.post(rich=REPORT, shown=1)
    await arrives(reader, news, WHOLE)
    reader.clock.advance(timedelta(minutes=1))
    news.edit(1, rich=rich("Report", "one"))
    await arrives(reader, news, "Report\n\none")
    news.edit(1, rich=rich("Report", "two"), push=False)
    await retry(reader)
    assert await reader.texts(news) == ["Report\n\ntwo"]
    reader.clock.advance(FIRST_PAUSE)
    assert not await long_posts(reader).retry_next()


async def test_an_edit_whose_rest_is_missing_is_shown_once_it_is_whole(reader: ReaderKit, news: Channel) -> None:
    news.post(rich=REPORT, shown=1)
    await arrives(reader, news, WHOLE)
    withhold(reader)
    reader.clock.advance(timedelta(minutes=1))
    news.edit(1, rich=rich("News", "all is well", "but for an outage"))
    news.post("Last")
    await arrives(reader, news, WHOLE, "Last")
    assert await parts(reader, news) == [False, False]
    await retry(reader)
    assert await reader.texts(news) == [WHOLE.replace("Report", "News"), "Last"]
    assert len(await versions(reader, news, 1)) == 2


async def test_a_long_post_that_becomes_short_is_an_edit_as_any(reader: ReaderKit, news: Channel) -> None:
    withhold(reader)
    news.post(rich=REPORT, shown=1)
    await arrives(reader, news, "Report")
    reader.clock.advance(timedelta(minutes=1))
    news.edit(1, rich=rich("Short"))
    await arrives(reader, news, "Short")
    await retry(reader)
    assert await reader.texts(news) == ["Short"]
    assert await parts(reader, news) == [False]
    reader.clock.advance(FIRST_PAUSE)
    assert not await long_posts(reader).retry_next()


async def test_a_rest_that_is_refused_for_good_is_left_until_the_post_is_seen_again(
    reader: ReaderKit, news: Channel
) -> None:
    reader.sandbox.faults.answer("GetRichMessage", "MESSAGE_ID_INVALID", times=2)
    news.post(rich=REPORT, shown=1)
    await arrives(reader, news, "Report")
    await retry(reader)
    assert reader.calls("GetRichMessage") == 2
    await retry(reader)
    assert reader.calls("GetRichMessage") == 2
    assert await parts(reader, news) == [True]
    await Verifier(reader.account, reader.sync, days=30).verify_next()
    assert await reader.texts(news) == [WHOLE]
    assert await parts(reader, news) == [False]


async def test_posts_of_channels_that_nobody_follows_are_not_asked_for(reader: ReaderKit, news: Channel) -> None:
    other = reader.sandbox.world.add_channel("Other", username="other", members=[reader.me])
    other.post(rich=REPORT, shown=1)
    news.post("Last")
    await arrives(reader, news, "Last")
    assert reader.calls("GetRichMessage") == 0
