from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.notices import DailyReport
from bot.monitoring.daily_report import DailyReports, last_occurrence
from bot.rendering.notices import render_notice
from bot.store import channels, chats, follows, marks, meta, page_readings, readers
from bot.store.channels import Access
from bot.store.chats import Chat, ReportTime
from bot.store.database import Transaction
from bot.store.meta import Pace
from tests.kit_archive import NEWS, NOON, Archive, post


async def wanting(archive: Archive, *, zone: str = "UTC", minute: int = 13 * 60) -> Chat:
    """Pair a chat that wants a receipt each day, from noon (UTC) on."""
    chat = replace(await archive.pair(), time_zone=zone, report=ReportTime(minute=minute, since=archive.now))
    await archive.db.write(lambda tx: chats.save(tx, chat))
    return chat


async def due(archive: Archive) -> list[DailyReport]:
    """Send what is due now; return the receipts in the outbox."""
    await DailyReports(archive.db, clock=lambda: archive.now).send_due()
    return [alert.notice for alert in await archive.outbox() if isinstance(alert.notice, DailyReport)]


async def test_a_receipt_counts_channels_alerts_and_gaps_since_the_last_one(archive: Archive) -> None:
    chat = await wanting(archive)
    await archive.track(chat, "сбои", "сбой")
    for number in range(7):
        await archive.follow(NEWS + number)
    await archive.live(post(1, "Сбой"), post(2, "Погода"))
    (alert,) = await archive.outbox()
    await archive.send(alert, 7, at=archive.now + timedelta(seconds=1))
    archive.now += timedelta(hours=1)

    async def read(tx: Transaction) -> None:
        await marks.set_mark(tx, NEWS, confirmed_id=2, seen_pts=1, now=archive.now)
        await marks.set_mark(tx, NEWS + 1, confirmed_id=2, seen_pts=1, now=archive.now - timedelta(minutes=40))
        await marks.set_mark(tx, NEWS + 2, confirmed_id=2, seen_pts=1, now=archive.now)
        await channels.set_access(
            tx, archive.reader_id, NEWS + 2, Access.LOST, reason="CHANNEL_PRIVATE", now=archive.now
        )
        await channels.set_access(tx, archive.reader_id, NEWS + 3, Access.PENDING, now=archive.now)
        await marks.set_mark(tx, NEWS + 4, confirmed_id=2, seen_pts=1, now=archive.now)  # not verified
        for whole in (NEWS, NEWS + 5):
            await marks.set_mark(tx, whole, confirmed_id=2, seen_pts=1, now=archive.now)
            await marks.set_verified(tx, whole, below=None, now=archive.now)
        await marks.set_mark(tx, NEWS + 6, confirmed_id=2, seen_pts=1, now=archive.now)
        await marks.read_anew(tx, NEWS + 6, now=NOON)  # a hole
        await follows.request(tx, "@rkn_tg", chat_id=None, now=archive.now)
        await follows.request(tx, "+AbCdEfGh", chat_id=None, now=archive.now)

    await archive.db.write(read)
    (receipt,) = await due(archive)
    assert receipt == DailyReport(
        event=NOON.isoformat(),
        since=NOON,
        channels=9,
        alerts=1,
        verified=2,
        gaps=3,
        gap_names=(f"@News{NEWS + 1}", f"@News{NEWS + 2}", f"@News{NEWS + 6}"),
        unverified_names=(f"@News{NEWS + 3}", f"@News{NEWS + 4}", "@rkn_tg", "t.me/+AbCdEfGh"),
    )


async def test_nothing_counts_as_verified_while_the_only_reader_is_lost(archive: Archive) -> None:
    await wanting(archive)
    await archive.follow()
    archive.now += timedelta(hours=1)

    async def job(tx: Transaction) -> None:
        await marks.set_mark(tx, NEWS, confirmed_id=2, seen_pts=1, now=archive.now)
        await readers.lose(tx, archive.reader_id, "AUTH_KEY_UNREGISTERED", now=NOON)

    await archive.db.write(job)
    (receipt,) = await due(archive)
    assert (receipt.verified, receipt.gaps, receipt.gap_names) == (0, 1, (f"@News{NEWS}",))

    archive.now += timedelta(days=1)
    await archive.db.write(lambda tx: page_readings.begin(tx, [NEWS], now=archive.now))
    receipt = (await due(archive))[-1]
    assert (receipt.pages, receipt.verified, receipt.gaps, receipt.unverified_names) == (1, 0, 0, ())
    assert render_notice(receipt, Locale(t=translator("ru"), time_zone="UTC", now=archive.now)).text.endswith(
        "🌐 1 канал читаю через веб-страницу."
    )


async def test_a_receipt_comes_once_a_day_without_a_sound(archive: Archive) -> None:
    await wanting(archive)
    assert await due(archive) == []
    archive.now += timedelta(minutes=59)
    assert await due(archive) == []
    archive.now += timedelta(minutes=1)
    assert len(await due(archive)) == 1
    assert [alert.silent for alert in await archive.outbox()] == [True]
    archive.now += timedelta(hours=23)
    assert len(await due(archive)) == 1
    archive.now += timedelta(hours=1)
    assert [receipt.since for receipt in await due(archive)] == [NOON, NOON + timedelta(hours=1)]


async def test_a_receipt_that_was_missed_comes_once(archive: Archive) -> None:
    await wanting(archive)
    archive.now += timedelta(days=3)
    assert len(await due(archive)) == 1
    assert len(await due(archive)) == 1


async def test_a_receipt_comes_by_the_clock_of_its_chat(archive: Archive) -> None:
    await wanting(archive, zone="Europe/Moscow", minute=16 * 60)
    archive.now += timedelta(minutes=59)
    assert await due(archive) == []
    archive.now += timedelta(minutes=1)
    assert len(await due(archive)) == 1


async def test_a_chat_that_wants_none_gets_none(archive: Archive) -> None:
    chat = await wanting(archive)
    await archive.db.write(lambda tx: chats.save(tx, replace(chat, report=None)))
    archive.now += timedelta(days=1)
    assert await due(archive) == []


def test_the_time_of_day_stays_through_summer_time() -> None:
    before, after = datetime(2025, 3, 29, 12, tzinfo=UTC), datetime(2025, 3, 31, 12, tzinfo=UTC)
    assert last_occurrence(540, "Europe/Berlin", before) == datetime(2025, 3, 29, 8, tzinfo=UTC)
    assert last_occurrence(540, "Europe/Berlin", after) == datetime(2025, 3, 31, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "counts", "said"),
    [
        ("en", (40, 40, 3, 0), "Since 10 Mar, 09:00 UTC: 40 of 40 channels verified, 3 alerts, 0 gaps."),
        ("en", (1, 1, 1, 1), "Since 10 Mar, 09:00 UTC: 1 of 1 channel verified, 1 alert, 1 gap."),
        ("ru", (40, 41, 22, 5), "С 10 мар., 09:00 UTC: проверено 40 из 41 канала, 22 оповещения, 5 пропусков."),
    ],
)
def test_a_receipt_is_one_line(language: str, counts: tuple[int, int, int, int], said: str) -> None:
    names = ("verified", "channels", "alerts", "gaps")
    since, figures = datetime(2025, 3, 10, 9, tzinfo=UTC), dict(zip(names, counts, strict=True))
    report = DailyReport(event="", since=since, gap_names=(), unverified_names=(), **figures)
    locale = Locale(t=translator(language), time_zone="UTC", now=NOON)
    assert render_notice(report, locale).text == said
    named = render_notice(replace(report, gaps=2, gap_names=("@rkn_tg", "Вести {n}")), locale).text
    assert named.splitlines()[1].split(": ")[1].startswith("@rkn_tg, Вести {n}.")
    unverified = replace(report, channels=9, verified=4, gaps=1, unverified_names=("@rkn_tg",))
    assert render_notice(unverified, locale).text.splitlines()[1].endswith(": @rkn_tg +3.")


async def test_without_a_verifying_round_complete_is_enough_and_many_names_are_counted(archive: Archive) -> None:
    await wanting(archive)
    await archive.db.write(lambda tx: meta.put_pace(tx, Pace(verifies=False)))
    archive.now += timedelta(hours=1)
    await archive.follow()
    await archive.db.write(lambda tx: marks.set_mark(tx, NEWS, confirmed_id=2, seen_pts=1, now=archive.now))
    for number in range(13):
        await archive.db.write(
            lambda tx, number=number: follows.request(tx, f"@n{number:02}", chat_id=None, now=archive.now)
        )
    (receipt,) = await due(archive)
    assert (receipt.verified, receipt.channels, receipt.gaps) == (1, 14, 0)
    assert receipt.unverified_names[8:] == ("@n08", "@n09")
    locale = Locale(t=translator("en"), time_zone="UTC", now=archive.now)
    assert "@n09 +3." in render_notice(receipt, locale).text
