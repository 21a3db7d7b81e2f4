"""Telegram is newer than this program: what it cannot read costs itself only, and has a name."""

import asyncio
from datetime import timedelta

import pytest
from telethon.extensions import BinaryReader
from telethon.tl import TLObject
from telethon.tl.alltlobjects import tlobjects
from telethon.tl.functions.channels import GetMessagesRequest
from telethon.tl.types import InputChannel, InputMessageID

from bot.errors import UnreadableError
from bot.models.notices import PostsUnreadable
from bot.models.people import Role
from bot.runtime.clock import utc_now
from bot.sandbox import Channel, Unknown
from bot.sandbox.world.unknown import CONSTRUCTOR
from bot.sources import sync
from bot.sources import unreadable as sources_unreadable
from bot.sources.isolation import by_number
from bot.sources.past_pages import Verifier
from bot.sources.sync import SyncResult
from bot.sources.unreadable import UnreadableMessages
from bot.store import people, unreadable
from bot.store.unreadable import Edition
from tests.waiting import until

from .kit import ReaderKit


async def named(reader: ReaderKit, channel: Channel) -> dict[int, int | None]:
    return await unreadable.of_channel(reader.database, channel.id)


async def expect_all_but(reader: ReaderKit, channel: Channel, *holes: int) -> None:
    found = await named(reader, channel)
    assert (found.keys(), set(found.values()) - {CONSTRUCTOR, CONSTRUCTOR + 1}) == (set(holes), set())
    expected = [message.text for message in channel.kept.oldest_first() if message.id not in holes]
    assert await reader.texts(channel) == expected


def unknown(channel: Channel, what: str, *, push: bool = False) -> int:
    if what == "media":
        return channel.post("Unknown media", media=Unknown(), push=push).id
    if what == "entity":
        return channel.post("Unknown formatting", entities=[Unknown()], push=push).id
    return channel.post("Unknown message", unknown=True, push=push).id


WHAT = pytest.mark.parametrize("what", ["media", "entity", "message"])


@WHAT
async def test_of_a_page_of_the_history_all_else_is_read(reader: ReaderKit, what: str) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    for number in range(60):
        channel.post(f"Post {number}")
    channel.delete(*range(20, 29))
    hole = unknown(channel, what)
    for number in range(70):
        channel.post(f"More {number}")
    await reader.follow(channel)
    await expect_all_but(reader, channel, hole)


async def test_what_only_a_web_page_does_not_show_is_read_beside_what_nobody_can_read(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    channel.post("Old")
    await reader.follow(channel)
    ids = [channel.post("Long").id, hole := unknown(channel, "media")]
    await reader.database.write(lambda tx: unreadable.put_hidden(tx, channel.id, ids, now=utc_now()))
    await reader.sweep().sweep_once()
    await expect_all_but(reader, channel, hole)
    assert await unreadable.tried_before(reader.database, channel.id, sync.EDITION, most=9) == []


@pytest.mark.parametrize("place", ["first", "last", "alone", "all", "two apart", "newest two"])
async def test_wherever_on_a_page_it_stands_it_is_isolated(reader: ReaderKit, place: str) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    holes = {"first": {1}, "last": {12}, "alone": {1}, "all": set(range(1, 13)), "two apart": {3, 9}}.get(
        place, {11, 12}
    )
    for number in range(1, 2 if place == "alone" else 13):
        channel.post(f"Post {number}", unknown=number in holes)
    await reader.follow(channel)
    await expect_all_but(reader, channel, *holes)
    before = reader.calls("GetHistory")
    assert before <= 20 + 4 * len(holes)
    await reader.sweep().sweep_once()  # what is known to be unreadable is not tried again each round
    assert reader.calls("GetHistory") - before <= 1 + len(holes)
    await expect_all_but(reader, channel, *holes)


@WHAT
async def test_of_a_difference_all_else_is_read(reader: ReaderKit, what: str) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    old, doomed = channel.post("Old").id, channel.post("Doomed").id
    for number in range(120):
        channel.post(f"Past {number}")
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    channel.post("Before", push=False)
    hole = unknown(channel, what)
    channel.edit(old, "Old, edited", push=False)  # no page of the history that is read now has these
    channel.delete(doomed, push=False)
    channel.post("After", push=False)
    await reader.sweep().sweep_once()
    await expect_all_but(reader, channel, hole)
    assert (await reader.sweep().sweep_once()).quiet == 1
    # Where the message itself is unknown, nobody can say which it is: it may be an older one that was edited.
    assert ((await reader.channel(channel)).doubted_at is None) == (what != "message")
    channel.react(hole, "👍", push=False)
    await reader.sweep().sweep_once()
    await expect_all_but(reader, channel, hole)


async def test_an_edit_that_cannot_be_read_is_found_by_the_verifier_and_forgotten_once_it_can(
    reader: ReaderKit,
) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    posts = [channel.post(f"Post {number}") for number in range(150)]
    await reader.follow(channel)
    await reader.sweep().sweep_once()
    channel.edit(posts[9].id, "Post 9, with more", media=Unknown(), push=False)
    assert (await reader.sweep().sweep_once()).found == SyncResult()
    assert await named(reader, channel) == {posts[9].id: CONSTRUCTOR}  # as the difference itself says
    channel.delete(posts[9].id, push=False)
    posts[3].unknown = True
    channel.edit(posts[3].id, "Post 3, with more", push=False)
    assert (await reader.sweep().sweep_once()).found == SyncResult(gone=1)
    assert await named(reader, channel) == {}
    verifier = Verifier(reader.account, reader.sync, days=30)
    while await verifier.verify_next() is not None:
        pass
    assert await named(reader, channel) == {posts[3].id: CONSTRUCTOR}
    assert (await reader.stored(channel))[posts[3].id].text == "Post 3"  # not taken for deleted
    posts[3].unknown = False
    channel.edit(posts[3].id, "Post 3, readable", push=False)
    await reader.sweep().sweep_once()
    await expect_all_but(reader, channel)


async def test_what_is_older_than_the_archive_is_no_hole(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    for number in range(1, 351):
        channel.post(f"Post {number}", unknown=number in {10, 340})
    await reader.follow(channel)
    assert (await named(reader, channel)).keys() == {340}
    verifier = Verifier(reader.account, reader.sync, days=30)
    while await verifier.verify_next() is not None:
        pass
    assert (await named(reader, channel)).keys() == {340}


async def test_a_hole_that_is_deleted_is_forgotten(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news")
    for number in range(5):
        channel.post(f"Post {number}", unknown=number == 3)
    await reader.follow(channel)
    await expect_all_but(reader, channel, 4)
    channel.delete(4, push=False)
    reader.clock.advance(timedelta(days=2))
    await Verifier(reader.account, reader.sync, days=30).verify_next()
    await expect_all_but(reader, channel)


class Known(TLObject):
    """What a later layer knows by the number that this one does not."""

    CONSTRUCTOR_ID, SUBCLASS_OF_ID = Unknown.CONSTRUCTOR_ID, Unknown.SUBCLASS_OF_ID

    @classmethod
    def from_reader(cls, reader: BinaryReader) -> "Known":
        reader.read(len(Unknown().content))
        return cls()

    def _bytes(self) -> bytes:
        return bytes(Unknown())


async def test_a_new_version_of_the_program_reads_it_again_and_no_other(
    asking: ReaderKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, chat = asking, asking.chat
    assert chat is not None
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    for number in range(1, 150):
        channel.post(f"Post {number}", media=Unknown() if number in {3, 17, 140} else None)
    channel.post("Post 150", media=Unknown(CONSTRUCTOR + 1))
    await reader.follow(channel)
    await reader.sync.backfill_page(await reader.channel(channel), below=51)
    await expect_all_but(reader, channel, 3, 17, 140, 150)
    part = UnreadableMessages(reader.account, reader.sync)
    assert await part.read_again() == 0
    monkeypatch.setitem(tlobjects, Unknown.CONSTRUCTOR_ID, Known)  # a new Telethon …
    assert await part.read_again() == 0
    monkeypatch.setattr(sync, "EDITION", Edition(program="2.0", layer=999))
    monkeypatch.setattr(sources_unreadable, "EDITION", Edition(program="2.0", layer=999))  # … comes with a new version
    channel.delete(17, push=False)
    assert await part.read_again() == 4
    await expect_all_but(reader, channel, 150)  # which even that one does not know
    assert await part.read_again() == 0


async def test_the_owners_get_one_notice_for_all_and_the_next_a_day_later(asking: ReaderKit) -> None:
    reader = asking
    await reader.database.write(lambda tx: people.admit(tx, 42, Role.OWNER, reader.clock()))
    part = UnreadableMessages(reader.account, reader.sync)
    assert not await part.notify_owners()
    for title, count in (("Few", 1), ("Many", 2)):
        channel = reader.sandbox.world.add_channel(title, username=title)
        for _ in range(count):
            channel.post("Unknown", unknown=True)
        await reader.follow(channel)
    before = len(await reader.notices())
    assert await part.notify_owners()
    channel.post("Unknown", unknown=True)
    await reader.sweep().sweep_once()
    assert not await part.notify_owners()
    reader.clock.advance(timedelta(days=1))
    assert await part.notify_owners()
    assert (await reader.notices())[before:] == [
        PostsUnreadable(event="", posts=3, channels=("Many", "Few")),
        PostsUnreadable(event="", posts=1, channels=("Many",)),
    ]


async def test_by_number_only_the_unreadable_one_is_missing(reader: ReaderKit) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    for number in range(1, 40):
        channel.post(f"Post {number}", media=Unknown() if number == 17 else None)
    await reader.follow(channel)
    followed = await reader.channel(channel)
    target = InputChannel(channel.id, followed.access_hash)
    with pytest.raises(UnreadableError):
        await reader.account.ask(GetMessagesRequest(target, [InputMessageID(17)]))
    found = await by_number(reader.account, target, [*range(1, 40), 99])
    assert found.unreadable == {17: CONSTRUCTOR}
    there = {message.id for answer in found.answers for message in answer.messages}
    assert there == {*range(1, 40), 99} - {17}


@WHAT
async def test_of_a_push_all_else_is_stored_at_once_and_updates_go_on(reader: ReaderKit, what: str) -> None:
    channel = reader.sandbox.world.add_channel("News", username="news", members=[reader.me])
    channel.post("First")
    await reader.follow(channel)
    live = asyncio.create_task(reader.live.run())
    try:
        holes = []
        for number in range(3):  # each round comes in one packet
            channel.post(f"Before {number}")
            holes.append(unknown(channel, what, push=True))
            after = channel.post(f"After {number}")
            answered = asyncio.create_task(reader.client.get_me())

            async def is_stored(wanted: int = after.id) -> bool:
                return wanted in await reader.stored(channel)

            await until(is_stored)
            assert (await answered).id == reader.me.id
        await until(lambda: reader.calls("GetChannelDifference") >= 3)  # Telethon fills the gap
        assert not reader.client.disconnected.done()
        await reader.sweep().sweep_once()
        await expect_all_but(reader, channel, *holes)
    finally:
        live.cancel()


async def test_the_list_of_channels_is_read_around_its_newest_messages(reader: ReaderKit) -> None:
    world = reader.sandbox.world
    inside = [world.add_channel(f"In {n}", username=f"inside{n}", members=[reader.me]) for n in range(130)]
    for number, channel in enumerate(inside):
        channel.post(f"First {number}")
    for channel in inside[::40]:
        await reader.follow(channel)
    await reader.sweep().sweep_once()
    for channel in inside[::13]:
        unknown(channel, "message" if channel.id % 2 else "media")
    inside[80].post("Readable", push=False)
    result = await reader.sweep().sweep_once()
    assert result.failed == ()
    assert reader.calls("GetDialogs") == 4  # two pages each time
    assert (result.quiet, result.read) == (2, 2)
    assert (await reader.texts(inside[80]))[-1] == "Readable"
