"""The weekly report: when it comes, what it says, and its chart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.charts.chart import Bars, Columns
from bot.charts.jobs import count_week
from bot.charts.weekly import chart_of
from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.counts import DeletionCount, MoverCount, Selection, TopicCount, WeekCounts
from bot.models.notices import NOTICES, WeeklyReport
from bot.monitoring.weekly_report import DAYS, WeeklyReports, last_weekly
from bot.rendering.notices import render_notice
from bot.search.pool import BusyError
from bot.store import chats
from bot.store.access import Restrictable, restrict
from bot.store.chats import Chat, WeeklyTime
from tests.kit_archive import NEWS, NOON, OTHER, Archive, gone, post

THIRD = 1003
STORY = "Сбой: Сбербанк подтвердил массовый сбой мобильного приложения в Саратове, переводы не проходят с утра"


async def wanting(archive: Archive) -> Chat:
    """Pair a chat that wants a report on Tuesdays at 9, from Monday noon on."""
    weekly = WeeklyTime(minute=9 * 60, weekday=1, since=NOON)
    chat = replace(await archive.pair(language="en"), weekly=weekly)
    await archive.db.write(lambda tx: chats.save(tx, chat))
    return chat


async def due(archive: Archive) -> list[WeeklyReport]:
    async def count(selection: Selection) -> WeekCounts:
        return await count_week(archive.db, selection)

    await WeeklyReports(archive.db, count, clock=lambda: archive.now).send_due()
    return [alert.notice for alert in await archive.outbox() if isinstance(alert.notice, WeeklyReport)]


async def test_it_says_what_there_was_in_seven_days(archive: Archive) -> None:
    chat = await wanting(archive)
    await archive.track(chat, "сбои", "сбой")
    for channel_id, title in ((NEWS, "Вести"), (OTHER, "Хроника"), (THIRD, "Закрытый")):
        await archive.follow(channel_id, title=title)
    archive.now = NOON - timedelta(days=9)
    await archive.live(post(1, "Сбой метро", date=archive.now))
    for hours, channel_id in ((50, OTHER), (49, NEWS), (49, THIRD)):
        archive.now = NOON - timedelta(hours=hours)
        await archive.live(post(2, STORY, channel_id=channel_id, date=archive.now))
    await archive.live(post(3, "Сбой почты", date=archive.now), post(4, "Погода", date=archive.now))
    await archive.live(post(4, "Погода испортилась", date=archive.now, edit_date=archive.now), gone(3))
    await archive.sweep(gone(2))
    await archive.db.write(lambda tx: restrict(tx, Restrictable.CHANNEL, THIRD, []))
    assert await due(archive) == []
    archive.now = NOON + timedelta(hours=21)
    (report,) = await due(archive)
    shown = render_notice(report, Locale(t=translator("en"), time_zone="UTC", now=archive.now))
    assert shown.text.splitlines() == [
        "The week 4 Mar – 10 Mar",
        "Posts: 4, the week before 1",
        "Alerts: 2, the week before 1",
        "Rose: сбои 1 → 2",
        "First with a story: Хроника (1)",
        "Posts edited: 1",
        "Deleted, as Telegram says: 1 (Вести: 1)",
        "Missing when read again: 1 (Вести: 1)",
        "Lost, late, unchecked or with a gap: @News1001, @News1002. See /channels.",
    ]
    chart = chart_of(report, Locale(t=translator("en"), time_zone="UTC", now=archive.now))
    assert chart is not None
    assert chart.title == "The week 4 Mar – 10 Mar"
    assert list(map(type, chart.panels)) == [Columns, Bars]
    assert NOTICES.validate_json(NOTICES.dump_json(report)) == report
    assert await due(archive) == [report]  # not a second time


def test_a_week_in_which_all_happened_is_ten_lines() -> None:
    counts = WeekCounts(
        posts=4,
        posts_before=9,
        alerts=(1,) * 7,
        alerts_before=9,
        topics=tuple(TopicCount(topic=f"т{n}", alerts=n, before=9 - n) for n in range(10)),
        movers=tuple(MoverCount(title=f"Вести {n}", stories=n) for n in range(9)),
        edited=1,
        deletions=tuple(
            DeletionCount(channel_id=n, title=f"Вести {n}", told=n, missing=n, alerted=0) for n in range(9)
        ),
    )
    names = tuple(f"Вести {n}" for n in range(9))
    report = WeeklyReport(event="", since=NOON - DAYS, until=NOON, counts=counts, gaps=9, gap_names=names)
    lines = render_notice(report, Locale(t=translator("en"), time_zone="UTC", now=NOON)).text.splitlines()
    assert len(lines) == 10
    assert lines[3:6] == [
        "Rose: т5 4 → 5, т6 3 → 6, т7 2 → 7",
        "Fell: т0 9 → 0, т1 8 → 1, т2 7 → 2",
        "First with a story: Вести 0 (0), Вести 1 (1), Вести 2 (2)",
    ]


async def test_what_cannot_be_counted_now_comes_later(archive: Archive) -> None:
    await wanting(archive)

    async def busy(_: Selection) -> WeekCounts:
        raise BusyError("too many questions at once")

    archive.now = NOON + timedelta(hours=21)
    assert await WeeklyReports(archive.db, busy, clock=lambda: archive.now).send_due() == 0
    assert len(await due(archive)) == 1


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2025-03-11T08:59", "2025-03-04T09:00"),
        ("2025-03-11T09:00", "2025-03-11T09:00"),
        ("2025-03-10T23:00", "2025-03-04T09:00"),
        ("2025-03-17T12:00", "2025-03-11T09:00"),
    ],
)
def test_its_time_is_that_of_the_chat(now: str, last: str) -> None:
    weekly = WeeklyTime(minute=9 * 60, weekday=1, since=NOON)
    moment, wanted = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (now, last))
    assert last_weekly(weekly, "UTC", moment) == wanted
