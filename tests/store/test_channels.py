from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.store import channels, follows, marks
from bot.store.channels import Access
from bot.store.database import Subject, Transaction
from bot.store.follows import FollowRequest, FollowState, RequestOutcome
from tests.kit_archive import NEWS, NOON, OTHER, Archive, ago

NAME = f"@news{NEWS}"
HOUR_AGO = ago(hours=1)


async def ask(archive: Archive, reference: str) -> RequestOutcome:
    return await archive.db.write(lambda tx: follows.request(tx, reference, chat_id=None, now=archive.now))


async def due(archive: Archive, *, by_name: bool = True) -> FollowRequest | None:
    return await follows.oldest_due(archive.db, archive.now, by_name=by_name)


async def test_a_wish_is_new_then_waits_then_is_followed(archive: Archive) -> None:
    assert [await ask(archive, "@a"), await ask(archive, "@a")] == [RequestOutcome.NEW, RequestOutcome.WAITING]
    assert archive.db.changes.revision(Subject.FOLLOWS) == 1
    await archive.follow()
    assert [await ask(archive, str(NEWS)), await ask(archive, NAME)] == [
        RequestOutcome.FOLLOWED,
        RequestOutcome.FOLLOWED,
    ]


async def test_a_refused_wish_may_be_asked_again(archive: Archive) -> None:
    await ask(archive, "@a")
    (follow,) = await follows.all_follows(archive.db)
    await archive.db.write(lambda tx: follows.refuse(tx, follow.id, reason="USERNAME_INVALID"))
    (refused,) = await follows.all_follows(archive.db)
    assert (refused.state, refused.reason) == (FollowState.REFUSED, "USERNAME_INVALID")
    assert await due(archive) is None
    assert await ask(archive, "@a") == RequestOutcome.AGAIN
    assert await due(archive) == follow


async def test_a_lost_channel_is_looked_for_when_it_is_asked_for_again(archive: Archive) -> None:
    await archive.follow()

    async def lose(tx: Transaction) -> None:
        await channels.set_access(tx, archive.reader_id, NEWS, Access.LOST, reason="removed", now=archive.now)

    await archive.db.write(lose)
    assert [await ask(archive, NAME), await ask(archive, NAME)] == [RequestOutcome.LOST, RequestOutcome.WAITING]
    follow = await due(archive)
    assert follow is not None
    assert (follow.reference, follow.channel_id) == (NAME, NEWS)
    await archive.db.write(lambda tx: follows.refuse(tx, follow.id, reason="CHANNEL_PRIVATE"))
    states = {follow.reference: follow.state for follow in await follows.all_follows(archive.db)}
    assert states == {str(NEWS): FollowState.FOLLOWED, NAME: FollowState.FOLLOWED}
    assert await ask(archive, NAME) == RequestOutcome.LOST


async def test_wishes_come_in_order_when_their_time_has_come(archive: Archive) -> None:
    for reference in ("@b", "@a", "+invite"):
        await ask(archive, reference)
        archive.now += timedelta(seconds=1)
    first, second, third = await follows.all_follows(archive.db)
    assert [first.reference, second.reference, third.reference] == ["@b", "@a", "+invite"]
    assert (await due(archive), await due(archive, by_name=False)) == (first, third)
    later = archive.now + timedelta(minutes=5)
    await archive.db.write(lambda tx: follows.postpone(tx, first.id, until=later, reason="FLOOD_WAIT_300"))
    assert await due(archive) == second
    archive.now = later
    again = await due(archive)
    assert again is not None
    assert again.id == first.id


async def test_following_anew_sets_the_date_anew_and_a_second_name_does_not(archive: Archive) -> None:
    channel = await archive.follow(since=ago(days=9))
    assert channel.followed_at == ago(days=9)
    assert await archive.db.write(lambda tx: channels.unfollow(tx, NEWS)) is True
    assert await archive.db.write(lambda tx: channels.unfollow(tx, NEWS)) is False
    assert (await archive.channel()).followed_at is None
    assert [c.id for c in await channels.unwanted(archive.db, archive.reader_id, archive.now)] == [NEWS]
    assert (await archive.follow(since=ago(days=2))).followed_at == ago(days=2)
    assert await channels.unwanted(archive.db, archive.reader_id, archive.now) == []
    assert [c.id for c in await channels.followed(archive.db, archive.reader_id)] == [NEWS]


@pytest.mark.parametrize(
    "typed",
    [
        "@News1001",
        "https://t.me/news1001/5",
        "ВЕСТИ",
        "«Вести»",
        "1001",
        "-1001001",
        "t.me/c/1001/7",
        "t.me/+Abcdefghij",
    ],
)
async def test_a_channel_is_found_by_whatever_names_it(archive: Archive, typed: str) -> None:
    await archive.follow()
    await archive.follow(OTHER, title="Другое")
    await archive.db.write(
        lambda tx: tx.execute("UPDATE follows SET reference = '+Abcdefghij' WHERE channel_id = ?", (NEWS,))
    )
    found = await channels.find(archive.db, typed)
    assert found == await archive.channel()


async def test_nothing_is_found_by_a_name_that_nobody_has(archive: Archive) -> None:
    await archive.follow()
    assert await channels.find(archive.db, "@nobody") is None
    assert await channels.find(archive.db, "") is None


async def test_the_mark_never_goes_back(archive: Archive) -> None:
    await archive.follow()
    for confirmed_id, pts in ((10, 5), (7, 9)):
        await archive.db.write(
            lambda tx, c=confirmed_id, p=pts: marks.set_mark(tx, NEWS, confirmed_id=c, seen_pts=p, now=NOON)
        )
    channel = await archive.channel()
    assert (channel.confirmed_id, channel.seen_pts, channel.swept_at) == (10, 9, NOON)


@pytest.mark.parametrize(
    ("swept", "verified", "known"),
    [
        (None, None, (False, False)),
        (HOUR_AGO, HOUR_AGO, (False, False)),  # before it was followed anew
        (NOON, None, (True, False)),
        (NOON, HOUR_AGO, (True, False)),
        (HOUR_AGO, NOON, (False, True)),
        (NOON, NOON, (True, True)),
    ],
)
async def test_what_was_done_before_a_channel_was_followed_proves_nothing(
    archive: Archive, swept: datetime | None, verified: datetime | None, known: tuple[bool, bool]
) -> None:
    channel = replace(await archive.follow(since=NOON), swept_at=swept, verified_at=verified)
    assert (channel.is_swept, channel.is_compared) == known


async def test_distrust_during_a_sweep_outlives_its_mark(archive: Archive) -> None:
    await archive.follow()
    await archive.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=1, seen_pts=5, now=NOON, read_from=0))
    await archive.db.write(lambda tx: marks.read_anew(tx, NEWS, now=NOON))
    await archive.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=9, seen_pts=8, now=NOON, read_from=5))
    channel = await archive.channel()
    assert (channel.confirmed_id, channel.seen_pts) == (9, 0)


async def test_access_is_kept_for_each_reader(archive: Archive) -> None:
    await archive.follow()

    async def grant(access: Access, **values: object) -> None:
        await archive.db.write(
            lambda tx: channels.set_access(tx, archive.reader_id, NEWS, access, now=archive.now, **values)  # type: ignore[arg-type]
        )

    archive.now += timedelta(hours=1)
    await grant(Access.LOST, reason="CHANNEL_PRIVATE")
    lost = await archive.channel()
    assert (lost.access, lost.reason, lost.access_hash) == (Access.LOST, "CHANNEL_PRIVATE", 7)
    await grant(Access.JOINED, access_hash=8)
    back = await archive.channel()
    assert (back.access, back.reason, back.access_hash, back.joined_at) == (Access.JOINED, None, 8, archive.now)
    archive.now += timedelta(hours=1)
    await grant(Access.JOINED)
    assert (await archive.channel()).joined_at == back.joined_at
    assert await channels.count_joins(archive.db, archive.reader_id, NOON) == 1
    assert await channels.count_joins(archive.db, archive.reader_id, archive.now) == 0


async def test_a_rename_is_followed(archive: Archive) -> None:
    await archive.follow()
    await archive.db.write(lambda tx: channels.rename(tx, NEWS, title="Новости", username=None))
    channel = await archive.channel()
    assert (channel.title, channel.username) == ("Новости", None)
