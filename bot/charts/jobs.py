"""What is asked of a process of the `SearchPool` for a chart: to count, and to draw."""

from collections.abc import Awaitable, Callable, Mapping

from bot.charts.chart import Chart, Theme
from bot.charts.stats import ChartKind, Counted
from bot.models.counts import Selection, WeekCounts
from bot.store import counts
from bot.store.database import Reader

_COUNTS: Mapping[ChartKind, Callable[[Reader, Selection], Awaitable[Counted]]] = {
    ChartKind.DAYS: counts.count_by_hour,
    ChartKind.HOURS: counts.count_by_hour,
    ChartKind.TOPICS: counts.count_topics,
    ChartKind.CHANNELS: counts.count_channels,
    ChartKind.DELAYS: counts.count_delays,
    ChartKind.DELETIONS: counts.count_deletions,
}


async def count(db: Reader, kind: ChartKind, selection: Selection, *, deadline: object = None) -> Counted:
    """Count what a chart shows, whatever the deadline: it is one question to SQLite."""
    del deadline
    return await _COUNTS[kind](db, selection)


async def count_week(db: Reader, selection: Selection, *, deadline: object = None) -> WeekCounts:
    """Count what a weekly report says."""
    del deadline
    return await counts.count_week(db, selection)


async def draw(db: Reader, chart: Chart, theme: Theme, *, deadline: object = None) -> bytes:
    """Draw a chart as PNG; the archive is not asked."""
    del db, deadline
    from bot.charts import drawing  # noqa: PLC0415 - takes a second, for which no search shall wait

    return drawing.draw(chart, theme)
