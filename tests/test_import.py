"""What an export may change in the store, and what it may not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.models import Media, ObservedBy, Post
from bot.pipeline.ingest import Result
from bot.store import channels, posts
from bot.store.channels import Access, ResolvedChannel

from .store.kit import NEWS, NOON, OTHER, Newsroom, ago, gone, newsroom, post

NOTHING = Result(new=0, edited=0, gone=0, matched=0, alerts=0)
LATER = NOON + timedelta(minutes=5)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Newsroom]:
    """Give a channel that is followed and read up to message 10, with a chat that hears of outages."""
    async with newsroom(tmp_path) as room:
        await room.follow()
        await room.db.write(lambda tx: channels.set_mark(tx, NEWS, confirmed_id=10, seen_pts=1, now=NOON))
        await room.track(await room.pair(), "сбои", "сбой")
        yield room


async def imported(room: Newsroom, *posts: Post) -> Result:
    return await room.see(ObservedBy.IMPORT, *posts)


async def history(room: Newsroom, message_id: int = 1) -> list[tuple[str, str, bool]]:
    """Return what a message said, by which path we know, and whether it says so now."""
    return [(v.text, v.observed_by, v.is_current) for v in await posts.versions(room.db, NEWS, message_id)]


async def lose(room: Newsroom) -> None:
    await room.db.write(
        lambda tx: channels.set_access(tx, room.reader_id, NEWS, Access.LOST, now=NOON, reason="CHANNEL_PRIVATE")
    )


async def test_a_channel_that_nobody_follows_is_stored_and_stays_unfollowed(room: Newsroom) -> None:
    channel = ResolvedChannel(id=OTHER, kind="broadcast", title="Хроника", username=None)
    assert await imported(room, post(1, channel_id=OTHER)) == NOTHING
    await room.db.write(lambda tx: channels.add_unfollowed(tx, channel))
    assert await imported(room, post(1, "Сбой", channel_id=OTHER)) == replace(NOTHING, new=1)
    assert (await room.stored(1, OTHER)).channel_title == "Хроника"
    assert [c.id for c in await channels.followed(room.db)] == [NEWS]
    assert await room.live(post(2, channel_id=OTHER)) == NOTHING
    assert await room.outbox() == []


async def test_a_known_channel_keeps_what_telegram_said_of_it(room: Newsroom) -> None:
    before = await room.channel()
    renamed = ResolvedChannel(id=NEWS, kind="supergroup", title="Новое имя", username=None)
    await room.db.write(lambda tx: channels.add_unfollowed(tx, renamed))
    assert await room.channel() == before


async def test_an_imported_post_raises_no_alert_however_new(room: Newsroom) -> None:
    assert await imported(room, post(1, "Сбой"), post(2, "Сбой", date=ago(days=40))) == replace(NOTHING, new=2)
    assert await room.outbox() == []
    assert {p.observed_by for p in await posts.latest(room.db, limit=9)} == {"import"}


async def test_importing_again_changes_nothing(room: Newsroom) -> None:
    batch = [post(n, f"Раз {n}", edit_date=NOON if n % 2 else None) for n in range(1, 9)]
    assert await imported(room, *batch, *batch) == replace(NOTHING, new=8)
    assert await imported(room, *batch) == NOTHING


async def test_a_text_that_was_seen_on_telegram_is_known_whatever_an_export_lacks(room: Newsroom) -> None:
    await room.sweep(post(1, "План", media=Media(kind="photo", id=5), grouped_id=7, views=9))
    assert await imported(room, post(1, "План", media=Media(kind="photo"), edit_date=LATER)) == NOTHING
    stored = await room.stored(1)
    assert (stored.media, stored.grouped_id) == (Media(kind="photo", id=5), 7)
    assert await history(room) == [("План", "sweep", True)]


async def test_an_older_text_is_kept_behind_what_was_seen_on_telegram(room: Newsroom) -> None:
    await room.sweep(post(1, "Исправлено", edit_date=LATER))
    older = post(1, "Сбой с опечаткой", edit_date=NOON)
    assert await imported(room, older) == replace(NOTHING, stale=1)
    assert await imported(room, older) == NOTHING
    assert await history(room) == [("Сбой с опечаткой", "import", False), ("Исправлено", "sweep", True)]
    assert await room.outbox() == []


async def test_a_text_without_a_later_date_does_not_replace_what_was_seen_on_telegram(room: Newsroom) -> None:
    await room.sweep(post(1, "Как в Telegram"))
    assert await imported(room, post(1, "Иначе записано")) == replace(NOTHING, stale=1)
    assert (await room.stored(1)).text == "Как в Telegram"


async def test_a_later_text_replaces_the_one_before_where_no_reader_will_see_it(room: Newsroom) -> None:
    await room.sweep(post(1, "Было"))
    later = post(1, "Стало: сбой", edit_date=LATER)
    assert await imported(room, later) == replace(NOTHING, left=1)
    await lose(room)
    assert await imported(room, later) == replace(NOTHING, edited=1)
    assert await history(room) == [("Было", "sweep", False), ("Стало: сбой", "import", True)]
    assert await room.outbox() == []


async def test_exports_may_come_in_any_order(room: Newsroom) -> None:
    await room.db.write(lambda tx: channels.unfollow(tx, NEWS))
    first, second, third = post(1, "А"), post(1, "Б", edit_date=NOON), post(1, "В", edit_date=LATER)
    assert await imported(room, second) == replace(NOTHING, new=1)
    assert await imported(room, first, third) == replace(NOTHING, stale=1, edited=1)
    assert [text for text, *_ in await history(room)] == ["А", "Б", "В"]
    assert (await room.stored(1)).text == "В"


async def test_what_a_reader_is_about_to_see_is_left_to_it_and_raises_its_alert(room: Newsroom) -> None:
    new, old = post(11, "Сбой"), post(12, "Сбой", date=ago(days=40))
    assert await imported(room, new, old) == replace(NOTHING, new=1, left=1)
    assert await room.sweep(new) == replace(NOTHING, new=1, matched=1, alerts=1)


async def test_nothing_is_left_to_a_reader_that_lost_the_channel(room: Newsroom) -> None:
    await lose(room)
    assert await imported(room, post(11, "Сбой")) == replace(NOTHING, new=1)
    assert await room.outbox() == []


async def test_telegram_has_the_last_word_on_what_was_imported(room: Newsroom) -> None:
    await imported(room, post(1, "Сбой", media=Media(kind="photo")))
    seen = post(1, "Сбой", media=Media(kind="photo", id=5), grouped_id=7)
    assert await room.sweep(seen) == replace(NOTHING, edited=1)
    assert ((await room.stored(1)).observed_by, (await room.stored(1)).grouped_id) == ("sweep", 7)
    assert await room.outbox() == []
    assert await room.sweep(gone(1)) == replace(NOTHING, gone=1)
    assert await imported(room, post(1, "Сбой")) == NOTHING
    assert (await room.stored(1)).gone_at == NOON
