"""The public pages of saved posts: asked for until they come, kept once a version, and written down in the ledger."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.models.captures import CaptureCause, CaptureOutcome, CaptureState
from bot.models.people import EVERYTHING
from bot.runtime.web import Transport
from bot.sandbox import Sandbox
from bot.sources.pages.captures import FIRST_PAUSE, GIVE_UP_AFTER, LONGEST_PAUSE, PageCaptures, next_try
from bot.sources.pages.fetcher import Pages
from bot.sources.pages.pacing import Pacer
from bot.store import captures, cases, channels, chats, ledger, media, subscriptions
from bot.store.blobs import Blob, Blobs
from bot.store.captures import WantedCapture
from bot.store.database import Transaction
from tests.kit_archive import NEWS, Archive, gone, open_archive, post
from tests.kit_clock import NOON


@pytest.mark.parametrize(
    ("attempts", "minutes", "again"),
    [
        (0, 0, FIRST_PAUSE),
        (0, GIVE_UP_AFTER // timedelta(minutes=1), FIRST_PAUSE),  # the service was off
        (3, 20, 8 * FIRST_PAUSE),
        (60, 300, LONGEST_PAUSE),
        (5, GIVE_UP_AFTER // timedelta(minutes=1), None),
    ],
)
def test_a_page_that_does_not_come_is_asked_for_less_and_less(
    attempts: int, minutes: int, again: timedelta | None
) -> None:
    wanted = WantedCapture(id=1, channel_id=NEWS, message_id=1, username="News", attempts=attempts, wanted_at=NOON)
    now = NOON + timedelta(minutes=minutes)
    assert next_try(wanted, now, retry_at=None) == (None if again is None else now + again)
    if again is not None:
        assert next_try(wanted, now, retry_at=now + timedelta(hours=2)) == now + timedelta(hours=2)


async def save(archive: Archive, case: str, message_id: int, channel_id: int) -> None:
    stored = await archive.stored(message_id, channel_id)

    async def job(tx: Transaction) -> None:
        case_id = await cases.make(tx, case, author_id=None, author="", now=archive.now)
        await cases.add(tx, case_id, stored, chat_id=1, name="Анна", now=archive.now)

    await archive.db.write(job)


async def state(archive: Archive, message_id: int, channel_id: int) -> list[tuple[CaptureState, CaptureOutcome | None]]:
    found = await captures.of_messages(archive.db, [(channel_id, message_id)])
    return [(each.state, each.outcome) for each in found]


async def test_the_page_of_a_saved_post_is_asked_for_until_it_comes_and_kept_once(tmp_path: Path) -> None:
    async with Sandbox() as sandbox, open_archive(tmp_path) as archive:
        server = await sandbox.serve_pages()
        sandbox.world.add_channel("Canary", username="canary").post("tweet")
        news = sandbox.world.add_channel("The News", username="News")
        shown = news.post("Сбой у нас")
        await archive.pair()
        await archive.follow(news.id)
        await archive.db.write(lambda tx: channels.rename(tx, news.id, title="The News", username="News"))
        await archive.follow()
        await archive.db.write(lambda tx: channels.rename(tx, NEWS, title="Наши", username=None))
        await archive.live(post(shown.id, "Сбой у нас", channel_id=news.id), post(7), post(-7))
        pages = Pages(
            Transport.open(None),
            Pacer(archive.db, lambda: archive.now, pause=0),
            (server.url,),
            canary="canary",
            clock=lambda: archive.now,
        )
        blobs = Blobs(tmp_path / "data" / "media")
        taker = PageCaptures(archive.db, pages, blobs, clock=lambda: archive.now)
        await save(archive, "Банки", shown.id, news.id)
        await server.hosts[0].down()
        assert await taker.take_next()
        assert await state(archive, shown.id, news.id) == [(CaptureState.WANTED, None)]
        assert not await taker.take_next()
        await server.hosts[0].up()
        archive.now += timedelta(hours=1)
        assert await taker.take_next()
        assert await state(archive, shown.id, news.id) == [(CaptureState.KEPT, CaptureOutcome.SHOWN)]
        (kept,) = await captures.of_messages(archive.db, [(news.id, shown.id)])
        assert kept.sha256 is not None
        assert "Сбой у нас" in blobs.path(kept.sha256).read_text("utf-8")
        assert await captures.count_kept(archive.db, 1, EVERYTHING) == 1
        lines = await ledger.lines(archive.db, after=0, most=99)
        assert f'"kind":"capture","message":{shown.id}' in lines[-1].text
        assert kept.sha256.hex() in lines[-1].text
        again = WantedCapture(
            id=kept.id, channel_id=news.id, message_id=shown.id, username="News", attempts=1, wanted_at=NOON
        )
        assert (await taker.take(again)).page is None  # it was settled meanwhile, as by a redaction
        assert [path.name for path in (tmp_path / "data" / "media").rglob("*") if path.is_file()] == [kept.sha256.hex()]
        await save(archive, "Другое", shown.id, news.id)
        for message_id in (7, -7):
            await save(archive, f"Тихое {message_id}", message_id, NEWS)
        assert not await taker.take_next()
        assert await state(archive, 7, NEWS) == [(CaptureState.LEFT, CaptureOutcome.PRIVATE)]
        assert await state(archive, -7, NEWS) == [(CaptureState.LEFT, CaptureOutcome.STORY)]
        await an_error_of_ours_is_a_failure_like_any_other(archive, pages, news.id, tmp_path)
        await pages.close()


async def an_error_of_ours_is_a_failure_like_any_other(
    archive: Archive, pages: Pages, channel_id: int, tmp_path: Path
) -> None:
    await archive.live(post(999, channel_id=channel_id))
    await save(archive, "Сбой", 999, channel_id)
    no_folder = tmp_path / "no_folder"
    no_folder.touch()
    taker = PageCaptures(archive.db, pages, Blobs(no_folder / "media"), clock=lambda: archive.now)
    for _ in range(3):
        with pytest.raises(OSError, match="no_folder"):
            await taker.take_next()
        assert await state(archive, 999, channel_id) == [(CaptureState.WANTED, None)]
        assert not await taker.take_next()
        archive.now += GIVE_UP_AFTER
    with pytest.raises(OSError, match="no_folder"):
        await taker.take_next()
    assert await state(archive, 999, channel_id) == [(CaptureState.LEFT, CaptureOutcome.SILENT)]


async def test_the_page_of_an_alert_is_wanted_where_a_chat_asks_once_a_version_and_so_many_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captures, "MOST_WAITING", 2)
    async with open_archive(tmp_path) as archive:
        await archive.follow()
        first, second = await archive.pair(), await archive.pair(502)
        topic = await archive.track(first, "сбои", "сбой")
        await archive.db.write(lambda tx: subscriptions.subscribe(tx, second.id, topic.id, now=NOON))
        await archive.live(post(1, "Сбой в банке"))
        assert await state(archive, 1, NEWS) == []
        for chat in (first, second):
            await archive.db.write(lambda tx, chat=chat: chats.save(tx, replace(chat, pages=True)))
        await archive.live(post(2, "Сбой в метро"), post(3, "Тихо"))
        await archive.live(post(2, "Сбой в метро и в порту", edit_date=NOON + timedelta(hours=1)))
        await archive.live(gone(1, 2))
        assert await state(archive, 1, NEWS) == await state(archive, 3, NEWS) == []
        assert await state(archive, 2, NEWS) == [(CaptureState.WANTED, None)] * 2
        await archive.live(post(4, "Сбой на почте"))
        assert await state(archive, 4, NEWS) == [(CaptureState.LEFT, CaptureOutcome.TOO_MANY)]
        await save(archive, "Почта", 4, NEWS)
        assert (await state(archive, 4, NEWS))[-1] == (CaptureState.WANTED, None)


async def test_pages_of_alerts_are_removed_to_make_room_and_those_of_cases_stay(tmp_path: Path) -> None:
    async with open_archive(tmp_path) as archive:
        await archive.pair()
        await archive.follow()
        await archive.live(post(1), post(2), post(3))
        for message_id, cause in ((1, CaptureCause.ALERT), (2, CaptureCause.ALERT), (3, CaptureCause.CASE)):
            await archive.capture(message_id, Blob(sha256=bytes([message_id]) * 32, size=9), cause)
        await save(archive, "Банки", 2, NEWS)
        assert await media.total_size(archive.db) == 27
        before = NOON + timedelta(days=1)
        gone_ = await archive.db.write(lambda tx: captures.prune(tx, size=99, before=before))
        assert [blob.sha256[0] for blob in gone_] == [1]
        assert await state(archive, 1, NEWS) == [(CaptureState.LEFT, CaptureOutcome.PRUNED)]
