"""What an export may change in the store, and what it may not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.models import Media, ObservedBy, Post
from bot.pipeline.ingest import Result
from bot.store import channels, marks, posts
from bot.store.channels import Access, ResolvedChannel
from tests.kit_archive import NEWS, NOON, OTHER, Archive, ago, gone, open_archive, post

NOTHING = Result(new=0, edited=0, gone=0, matched=0, alerts=0)
LATER = NOON + timedelta(minutes=5)


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    """Give a channel that is followed and read up to message 10, with a chat that hears of outages."""
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        await archive.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=10, seen_pts=1, now=NOON))
        await archive.track(await archive.pair(), "сбои", "сбой")
        yield archive


async def imported(archive: Archive, *posts: Post) -> Result:
    return await archive.see(ObservedBy.IMPORT, *posts)


async def history(archive: Archive, message_id: int = 1) -> list[tuple[str, str, bool]]:
    """Return what a message said, by which path we know, and whether it says so now."""
    return [(v.text, v.observed_by, v.is_current) for v in await posts.versions(archive.db, NEWS, message_id)]


async def lose(archive: Archive) -> None:
    await archive.db.write(
        lambda tx: channels.set_access(tx, archive.reader_id, NEWS, Access.LOST, now=NOON, reason="CHANNEL_PRIVATE")
    )


async def test_a_channel_that_nobody_follows_is_stored_and_stays_unfollowed(archive: Archive) -> None:
    channel = ResolvedChannel(id=OTHER, kind="broadcast", title="Хроника", username=None)
    assert await imported(archive, post(1, channel_id=OTHER)) == NOTHING
    await archive.db.write(lambda tx: channels.add_unfollowed(tx, channel))
    assert await imported(archive, post(1, "Сбой", channel_id=OTHER)) == replace(NOTHING, new=1)
    assert (await archive.stored(1, OTHER)).channel_title == "Хроника"
    assert [c.id for c in await channels.followed(archive.db)] == [NEWS]
    assert await archive.live(post(2, channel_id=OTHER)) == NOTHING
    assert await archive.outbox() == []


async def test_a_known_channel_keeps_what_telegram_said_of_it(archive: Archive) -> None:
    before = await archive.channel()
    renamed = ResolvedChannel(id=NEWS, kind="supergroup", title="Новое имя", username=None)
    await archive.db.write(lambda tx: channels.add_unfollowed(tx, renamed))
    assert await archive.channel() == before


async def test_an_imported_post_raises_no_alert_however_new(archive: Archive) -> None:
    assert await imported(archive, post(1, "Сбой"), post(2, "Сбой", date=ago(days=40))) == replace(NOTHING, new=2)
    assert await archive.outbox() == []
    assert {p.observed_by for p in await posts.latest(archive.db, limit=9)} == {"import"}


async def test_importing_again_changes_nothing(archive: Archive) -> None:
    batch = [post(n, f"Раз {n}", edit_date=NOON if n % 2 else None) for n in range(1, 9)]
    assert await imported(archive, *batch, *batch) == replace(NOTHING, new=8)
    assert await imported(archive, *batch) == NOTHING


async def test_a_text_that_was_seen_on_telegram_is_known_whatever_an_export_lacks(archive: Archive) -> None:
    await archive.sweep(post(1, "План", media=Media(kind="photo", id=5), grouped_id=7, views=9))
    assert await imported(archive, post(1, "План", media=Media(kind="photo"), edit_date=LATER)) == NOTHING
    stored = await archive.stored(1)
    assert (stored.media, stored.grouped_id) == (Media(kind="photo", id=5), 7)
    assert await history(archive) == [("План", "sweep", True)]


async def test_an_older_text_is_kept_behind_what_was_seen_on_telegram(archive: Archive) -> None:
    await archive.sweep(post(1, "Исправлено", edit_date=LATER))
    older = post(1, "Сбой с опечаткой", edit_date=NOON)
    assert await imported(archive, older) == replace(NOTHING, stale=1)
    assert await imported(archive, older) == NOTHING
    assert await history(archive) == [("Сбой с опечаткой", "import", False), ("Исправлено", "sweep", True)]
    assert await archive.outbox() == []


async def test_a_text_without_a_later_date_does_not_replace_what_was_seen_on_telegram(archive: Archive) -> None:
    await archive.sweep(post(1, "Как в Telegram"))
    assert await imported(archive, post(1, "Иначе записано")) == replace(NOTHING, stale=1)
    assert (await archive.stored(1)).text == "Как в Telegram"


async def test_a_later_text_replaces_the_one_before_where_no_reader_will_see_it(archive: Archive) -> None:
    await archive.sweep(post(1, "Было"))
    later = post(1, "Стало: сбой", edit_date=LATER)
    assert await imported(archive, later) == replace(NOTHING, left=1)
    await lose(archive)
    assert await imported(archive, later) == replace(NOTHING, edited=1)
    assert await history(archive) == [("Было", "sweep", False), ("Стало: сбой", "import", True)]
    assert await archive.outbox() == []


async def test_exports_may_come_in_any_order(archive: Archive) -> None:
    await archive.db.write(lambda tx: channels.unfollow(tx, NEWS))
    first, second, third = post(1, "А"), post(1, "Б", edit_date=NOON), post(1, "В", edit_date=LATER)
    assert await imported(archive, second) == replace(NOTHING, new=1)
    assert await imported(archive, first, third) == replace(NOTHING, stale=1, edited=1)
    assert [text for text, *_ in await history(archive)] == ["А", "Б", "В"]
    assert (await archive.stored(1)).text == "В"


async def test_what_a_reader_is_about_to_see_is_left_to_it_and_raises_its_alert(archive: Archive) -> None:
    new, old = post(11, "Сбой"), post(12, "Сбой", date=ago(days=40))
    assert await imported(archive, new, old) == replace(NOTHING, new=1, left=1)
    assert await archive.sweep(new) == replace(NOTHING, new=1, matched=1, alerts=1)


async def test_nothing_is_left_to_a_reader_that_lost_the_channel(archive: Archive) -> None:
    await lose(archive)
    assert await imported(archive, post(11, "Сбой")) == replace(NOTHING, new=1)
    assert await archive.outbox() == []


async def test_telegram_has_the_last_word_on_what_was_imported(archive: Archive) -> None:
    await imported(archive, post(1, "Сбой", media=Media(kind="photo")))
    seen = post(1, "Сбой", media=Media(kind="photo", id=5), grouped_id=7)
    assert await archive.sweep(seen) == replace(NOTHING, edited=1)
    assert ((await archive.stored(1)).observed_by, (await archive.stored(1)).grouped_id) == ("sweep", 7)
    assert await archive.outbox() == []
    assert await archive.sweep(gone(1)) == replace(NOTHING, gone=1)
    assert await imported(archive, post(1, "Сбой")) == NOTHING
    assert (await archive.stored(1)).gone_at == NOON
