"""A notice with a chart, on its way to Telegram."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from telethon.tl import types

from bot.models.counts import TopicCount, WeekCounts
from bot.models.notices import WeeklyReport
from bot.models.outgoing import Theme
from bot.runtime.clock import utc_now
from bot.search.pool import BusyError
from bot.store import chats
from bot.store.notices import notify
from tests.delivery.kit import DeliveringBot, at_work, worker_of
from tests.kit_archive import InProcess


class Drawing(InProcess):
    """Search processes that remember what they drew."""

    themes: list[object]

    async def run(self, job: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - of any job
        self.themes = [each for each in arguments if isinstance(each, Theme)]
        return await super().run(job, *arguments, **options)


class Busy:
    """Search processes that have no time."""

    async def run(self, *_: object, **__: object) -> None:
        raise BusyError("too many questions at once")


async def test_a_weekly_report_comes_with_its_chart_or_without(bot: DeliveringBot) -> None:
    now = utc_now()
    counts = WeekCounts(
        posts=9,
        posts_before=7,
        alerts=(0, 1, 2, 0, 0, 0, 0),
        alerts_before=1,
        topics=(TopicCount(topic="outages", alerts=3, before=1),),
        movers=(),
        edited=0,
        deletions=(),
    )
    report = WeeklyReport(event="", since=now - timedelta(days=7), until=now, counts=counts, gaps=0, gap_names=())
    dark = replace(bot.chats[bot.alice.id], theme=Theme.DARK)
    await bot.archive.db.write(lambda tx: chats.save(tx, dark))
    drawing = Drawing(bot.archive.db)
    for account, searches in ((bot.alice, drawing), (bot.ivan, Busy())):
        chat = bot.chats[account.id]
        await bot.archive.db.write(lambda tx, chat=chat: notify(tx, chat, report, now=now))
        async with at_work(worker_of(bot.archive.db, bot.sender, searches=searches)):
            (shown,) = await bot.until_received(account)
            await bot.until_idle()
        assert shown.text.splitlines()[1:4] == [
            "Posts: 9, the week before 7",
            "Alerts: 3, the week before 1",
            "Rose: Outages 1 → 3",
        ]
        assert isinstance(shown.media, types.MessageMediaPhoto) is (account is bot.alice)
    assert drawing.themes == [Theme.DARK]
