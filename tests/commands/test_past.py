"""What answers say of how far back the archive reaches, and the button that has more of it read."""

from datetime import datetime

import pytest

from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from bot.sources.assignment import Assignments
from bot.store import access, backfills, channels, marks
from bot.store.access import Restrictable
from bot.store.backfills import Backfill
from bot.store.channels import BEGINNING
from tests.commands.kit import ANNA, BORIS, Bot, button, labels, text
from tests.kit_archive import NEWS, NOON, OTHER, ago, post

FURTHER = "Read further back"


async def filled(bot: Bot, *, news: datetime, other: datetime | None = None) -> None:
    """Follow a channel that is stored since a moment, and perhaps another."""
    await bot.pair()
    for channel_id, since in ((NEWS, news), (OTHER, other)):
        if since is not None:
            await bot.archive.follow(channel_id, title=f"Вести {channel_id}")
            low = 1 if since == BEGINNING else 100
            await bot.db.write(lambda tx, c=channel_id, s=since, n=low: marks.begin_past(tx, c, low=n, since=s))
    await Assignments(bot.db, lambda: bot.archive.now).enter(bot.archive.reader_id)
    await bot.archive.live(*(post(100 + n, "Сбой в банке", date=ago(minutes=60 * n)) for n in range(20)))


async def read_now(bot: Bot) -> list[Backfill]:
    return await backfills.unfinished(bot.db, bot.archive.reader_id)


@pytest.mark.parametrize("command", ["/test сбой", "/track Свои: сбой"])
async def test_a_preview_counts_the_days_of_the_archive_and_offers_to_read_further(bot: Bot, command: str) -> None:
    await filled(bot, news=ago(days=1), other=ago(days=40))
    shown = await bot.says(command)
    assert "20 alerts. About 20 a day" in text(shown)
    line = "⚠️ The archive does not reach back that far in 1 of 2 channels; in all of them since 9 Mar, 12:00 UTC."
    assert line in text(shown).splitlines()
    told = await bot.taps(button(shown.messages[0], FURTHER))
    assert told.note == ("I am reading back to 4 Mar, 00:00 UTC, a page at a time. A message shows how far I am.")
    (backfill,) = await read_now(bot)
    assert (backfill.channel_id, backfill.since) == (NEWS, datetime(2025, 3, 4, tzinfo=NOON.tzinfo))
    assert (await bot.taps(button(shown.messages[0], FURTHER))).note == (
        "That has already been read, or is being read."
    )


async def test_a_preview_of_a_week_that_is_stored_says_since_when_and_offers_nothing(bot: Bot) -> None:
    await filled(bot, news=ago(days=20))
    shown = await bot.says("/test сбой")
    assert "The archive is complete since 18 Feb, 12:00 UTC." in text(shown)
    assert FURTHER not in labels(shown.messages[0])


async def test_nothing_found_where_the_archive_does_not_reach_says_so(bot: Bot) -> None:
    await filled(bot, news=ago(days=1))
    shown = await bot.says("/search бегемот since:7d")
    assert text(shown).splitlines()[2:] == [
        "Nothing found in the stored posts.",
        "⚠️ The archive does not reach back that far: it is complete since 9 Mar, 12:00 UTC only.",
    ]
    await bot.taps(button(shown.messages[0], FURTHER))
    assert [backfill.since for backfill in await read_now(bot)] == [datetime(2025, 3, 3, tzinfo=NOON.tzinfo)]
    before = await bot.says("/search сбой until:2025-03-01")
    assert "Nothing found" in text(before)
    assert "does not reach back that far" in text(before)


async def test_a_search_says_since_when_the_archive_is_complete_on_its_first_and_last_page(bot: Bot) -> None:
    await filled(bot, news=ago(days=1))
    pages = [await bot.says("/search сбой")]
    while "More" in labels(pages[-1].messages[0]):
        pages.append(await bot.taps(button(pages[-1].messages[0], "More")))
    line = "The archive is complete since 9 Mar, 12:00 UTC."
    assert [text(page).endswith(line) for page in pages] == [True, False, False, True]
    assert [FURTHER in labels(page.messages[0]) for page in pages] == [False, False, False, True]
    await bot.taps(button(pages[-1].messages[0], FURTHER))
    assert [backfill.since for backfill in await read_now(bot)] == [datetime(2025, 2, 7, tzinfo=NOON.tzinfo)]


async def test_only_the_channels_that_are_asked_for_count_and_are_read(bot: Bot) -> None:
    await filled(bot, news=ago(days=1), other=ago(days=2))
    shown = await bot.says(f"/search бегемот in:@News{OTHER}")
    assert "The archive is complete since 8 Mar, 12:00 UTC." in text(shown)
    await bot.taps(button(shown.messages[0], FURTHER))
    assert [backfill.channel_id for backfill in await read_now(bot)] == [OTHER]


async def test_a_channel_that_is_complete_from_its_first_post_has_nothing_to_read(bot: Bot) -> None:
    await filled(bot, news=BEGINNING)
    shown = await bot.says("/search бегемот")
    assert text(shown).endswith("The archive is complete from the channel's first post.")
    assert FURTHER not in labels(shown.messages[0])
    assert "triggered 20 alerts" in text(await bot.says("/test сбой"))


async def test_who_may_not_follow_channels_is_offered_no_reading(bot: Bot) -> None:
    await filled(bot, news=ago(days=1))
    await bot.pair(BORIS, Role.READER)
    shown = await bot.says("/search бегемот", person=BORIS)
    assert "The archive is complete since" in text(shown)
    assert FURTHER not in labels(shown.messages[0])
    assert "Only owners and editors" in text(await bot.taps(b"further:20250101", person=BORIS))
    assert await read_now(bot) == []


@pytest.mark.parametrize("data", [b"further:20259999", b"further:2025", b"further:20250101:", b"further:20250101:1.x"])
async def test_what_a_changed_client_sends_is_refused(bot: Bot, data: bytes) -> None:
    await filled(bot, news=ago(days=1))
    assert "no longer works" in text(await bot.taps(data))


async def test_what_is_not_followed_any_more_is_called_so(bot: Bot) -> None:
    await filled(bot, news=ago(days=1), other=ago(days=2))
    await bot.db.write(lambda tx: channels.unfollow(tx, NEWS))
    shown = text(await bot.says(f"/search бегемот in:@News{NEWS}"))
    assert shown.endswith("I do not follow this channel. Its last stored post is from 10 Mar, 12:00 UTC.")
    both = text(await bot.says(f"/search бегемот in:@News{NEWS},@News{OTHER}"))
    assert both.endswith("I do not follow 1 of these channels and store no new posts from them.")
    assert "not follow" not in text(await bot.says("/search бегемот"))


async def test_a_channel_that_is_restricted_to_others_is_neither_counted_nor_read(bot: Bot) -> None:
    await filled(bot, news=ago(days=1), other=ago(days=40))
    boris = await bot.pair(BORIS, Role.EDITOR)
    anna = await bot.chat(Peer(kind=PeerKind.USER, id=ANNA))
    await bot.db.write(lambda tx: access.restrict(tx, Restrictable.CHANNEL, NEWS, [anna.id]))
    assert boris.id != anna.id
    shown = await bot.says("/search бегемот", person=BORIS)
    assert text(shown).endswith("The archive is complete since 29 Jan, 12:00 UTC.")
    data = f"further:20250101:{NEWS}".encode()
    assert text(await bot.taps(data, person=BORIS)) == "That has already been read, or is being read."
    assert await read_now(bot) == []
