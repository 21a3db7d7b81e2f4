"""What stands beside a post's text: it is matched, found and kept, and makes a version only where words change."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.models import Entity, Post
from bot.parts import Part, PartKind
from bot.pipeline.ingest import Result
from bot.store import posts
from tests.kit_archive import NEWS, NOON, Archive, ago, compiled, find_hits, post

NOTHING = Result(new=0, edited=0, gone=0, matched=0, alerts=0)
LINK = "Читайте https://e.org/news"


@pytest.fixture
async def archive(archive: Archive) -> Archive:
    await archive.follow()
    await archive.track(await archive.pair(), "сбои", "сбой")
    return archive


def poll(*texts: str) -> tuple[Part, ...]:
    return tuple(Part(kind=PartKind.POLL, text=text) for text in texts)


def preview(*texts: str) -> tuple[Part, ...]:
    return tuple(Part(kind=PartKind.PREVIEW, text=text) for text in texts)


def linked(*texts: str, **fields: object) -> Post:
    return post(1, LINK, parts=preview(*texts), raw="|".join(texts).encode(), **fields)


async def found(archive: Archive, query: str) -> list[int]:
    return [hit.post.message_id for hit in await find_hits(archive.db, compiled(query), limit=9)]


async def test_a_poll_is_stored_found_and_alerted_with_the_line_that_matched(archive: Archive) -> None:
    seen = post(1, "", parts=poll("Что случилось?", "Был сбой в сети", "Ничего"))
    assert await archive.live(seen) == replace(NOTHING, new=1, matched=1, alerts=1)
    assert (await archive.stored(1)).parts == seen.parts
    (alert,) = await archive.outbox()
    assert (alert.spans, alert.parts) == ([], [["poll", "Был сбой в сети", [[4, 8]]]])
    for query in ("сбой", '"сбой в сети"', "случиться ничего", "re:/сбо[йя]/"):
        assert await found(archive, query) == [1], query


@pytest.mark.parametrize("query", ['"сбой в сети"', "сбой ~5 сеть", "сбой -сеть"])
async def test_phrases_and_distances_do_not_reach_from_one_piece_into_another(archive: Archive, query: str) -> None:
    await archive.live(post(1, "Сбой", parts=poll("в", "сети")), post(2, "Ответ?", parts=poll("Сбой", "В сети")))
    assert await found(archive, query) == []


async def test_what_matches_in_both_is_told_apart(archive: Archive) -> None:
    await archive.live(post(1, "🌲 Сбой", parts=preview("О сбоях")))
    (alert,) = await archive.outbox()
    assert (alert.spans, alert.parts) == ([[2, 6]], [["preview", "О сбоях", [[2, 7]]]])


class TestAPreviewThatLoadsLater:
    async def test_makes_no_version_and_raises_the_alert_that_is_due_once(self, archive: Archive) -> None:
        await archive.live(linked())
        assert await found(archive, "сбой") == []
        assert await archive.live(linked("Сбой в банке")) == replace(NOTHING, matched=1, alerts=1)
        assert await archive.live(linked("Сбой в банке")) == NOTHING
        assert len(await posts.versions(archive.db, NEWS, 1)) == 1
        (alert,) = await archive.outbox()
        assert alert.parts == [["preview", "Сбой в банке", [[0, 4]]]]
        assert alert.is_edited is False

    async def test_keeps_its_old_words_as_a_version_where_they_change(self, archive: Archive) -> None:
        await archive.live(linked("Сбой в банке"))
        assert (await archive.sweep(linked("Большой сбой в банке"))).alerts == 0
        assert await archive.live(linked("Большой сбой в банке")) == NOTHING
        first, second = await posts.versions(archive.db, NEWS, 1)
        assert (first.parts, second.parts) == (preview("Сбой в банке"), preview("Большой сбой в банке"))
        assert await found(archive, "большой сбой") == [1]

    async def test_may_load_and_change_in_one_batch(self, archive: Archive) -> None:
        await archive.live(linked())
        await archive.live(linked("Погода"), linked("Сбой"))
        assert await found(archive, "сбой") == [1]
        await archive.live(linked("Сбой"), linked("Погода"), linked("Потоп"))
        assert [version.parts for version in await posts.versions(archive.db, NEWS, 1)] == [
            preview("Сбой"),
            preview("Погода"),
            preview("Потоп"),
        ]

    async def test_that_a_push_brings_late_does_not_return(self, archive: Archive) -> None:
        await archive.live(linked("Сбой"))
        await archive.live(linked("Погода", edit_date=NOON))
        assert await archive.live(linked("Сбой")) == NOTHING
        assert (await archive.stored(1)).parts == preview("Погода")

    async def test_keeps_the_bytes_it_came_in_as_evidence(self, archive: Archive) -> None:
        await archive.live(linked())
        await archive.live(linked("Погода", views=7))
        await archive.live(linked("Погода", views=8))
        sql = "SELECT a.*, v.raw AS first FROM part_messages a JOIN versions v ON v.id = version_id"
        (row,) = await archive.db.fetch_all(sql)
        assert (row["first"], row["raw"]) == (b"", "Погода".encode())
        assert row["raw_sha256"] == hashlib.sha256(row["raw"]).digest()
        assert (row["observed_by"], row["reader_id"]) == ("live", archive.reader_id)

    async def test_may_come_in_the_batch_of_its_post(self, archive: Archive) -> None:
        assert await archive.live(linked(), linked("Сбой")) == replace(NOTHING, new=1, matched=1, alerts=1)
        assert await found(archive, "сбой") == [1]
        (alert,) = await archive.outbox()
        assert alert.parts == [["preview", "Сбой", [[0, 4]]]]

    async def test_is_not_lost_to_a_late_push_but_to_what_telegram_shows_now(self, archive: Archive) -> None:
        await archive.live(linked("Сбой"))
        assert await archive.live(linked()) == NOTHING
        assert await found(archive, "сбой") == [1]
        await archive.sweep(linked())
        assert await found(archive, "сбой") == []
        await archive.live(linked("Сбой"))
        assert [alert.label for alert in await archive.outbox()] == ["alert"]

    async def test_is_not_news_again_where_only_the_order_differs(self, archive: Archive) -> None:
        quote, button = (Part(kind=kind, text="Сбой") for kind in (PartKind.QUOTE, PartKind.BUTTON))
        await archive.live(post(1, LINK, parts=(quote, *preview("Погода"), button)))
        assert await archive.live(post(1, LINK, parts=(quote, button))) == NOTHING
        assert await archive.db.fetch_all("SELECT * FROM part_evidence") == []

    async def test_buttons_with_other_words_are_no_edit(self, archive: Archive) -> None:
        for words in ("Сбой", "Погода"):  # as a bot changes them, which Telegram hides as an edit
            edited = {"edit_date": NOON + timedelta(minutes=1)} if words == "Погода" else {}
            buttons = (Part(kind=PartKind.BUTTON, text=words),)
            await archive.sweep(post(1, LINK, parts=buttons, raw=words.encode(), **edited))
        assert len(await posts.versions(archive.db, NEWS, 1)) == 1
        kinds = [row["kind"] for row in await archive.db.fetch_all("SELECT kind FROM ledger ORDER BY sequence")]
        assert kinds == ["version", "addition"]
        assert [alert.label for alert in await archive.outbox()] == ["alert"]

    async def test_joins_the_alert_that_tells_of_the_post_already(self, archive: Archive) -> None:
        chat = await archive.pair()
        await archive.track(chat, "банки", "банк")
        await archive.live(post(1, "Сбой"))
        assert (await archive.live(post(1, "Сбой", parts=preview("У банка")))).alerts == 0
        (alert,) = await archive.outbox()
        assert (alert.label, alert.topics) == ("alert", ["сбои", "банки"])
        assert (alert.spans, alert.parts) == ([[0, 4]], [["preview", "У банка", [[2, 7]]]])
        assert alert.is_edited is False

    async def test_is_told_of_no_post_that_is_old_or_from_before_the_following(self, archive: Archive) -> None:
        for number, date in ((1, ago(days=2)), (2, ago(days=40))):
            await archive.sweep(post(number, LINK, date=date))
            await archive.sweep(post(number, LINK, date=date, parts=preview("Сбой")))
        assert await archive.outbox() == []
        assert await found(archive, "сбой") == [1, 2]

    async def test_stays_with_the_wording_it_stood_beside(self, archive: Archive) -> None:
        await archive.live(linked("Сбой"))
        await archive.live(post(1, "Ссылки больше нет", edit_date=NOON + timedelta(minutes=1)))
        first, second = await posts.versions(archive.db, NEWS, 1)
        assert (first.parts, second.parts) == (preview("Сбой"), ())


async def test_an_edit_that_leaves_the_match_beside_the_text_is_no_news(archive: Archive) -> None:
    await archive.live(linked("Сбой"))
    bold = (Entity(kind="bold", offset=0, length=6),)
    result = await archive.live(replace(linked("Сбой"), entities=bold, edit_date=NOON))
    assert (result.edited, result.matched, result.alerts) == (1, 0, 0)
    (alert,) = await archive.outbox()
    assert (alert.label, alert.parts) == ("alert", [["preview", "Сбой", [[0, 4]]]])


async def test_two_polls_under_the_same_words_are_two_alerts(archive: Archive) -> None:
    await archive.live(post(1, "Голосуем!", parts=poll("Был сбой?")))
    await archive.live(post(2, "Голосуем!", parts=poll("Сбой в банке?")))
    await archive.live(post(3, "Сбой", parts=preview("Раз")), post(4, "Сбой", parts=preview("Два")))
    assert [alert.post_key for alert in await archive.outbox()] == ["m1", "m2", "m3"]


async def test_counters_follow_without_versions(archive: Archive) -> None:
    await archive.live(post(1, views=5, forwards=1))
    assert await archive.sweep(post(1, views=50, forwards=3, reactions=12)) == NOTHING
    stored = await archive.stored(1)
    assert (stored.views, stored.forwards, stored.reactions, stored.number) == (50, 3, 12, 1)


async def test_a_reply_keeps_its_target_in_another_channel(archive: Archive) -> None:
    await archive.live(post(1, reply_to=5, reply_channel=77), post(2, reply_to=5))
    targets = [(p.reply_to, p.reply_channel) for p in await posts.current(archive.db, NEWS, [1, 2])]
    assert targets == [(5, 77), (5, None)]
