"""What is asked of a process of the `SearchPool` for a chart: to count, and to draw."""

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from pathlib import Path
from threading import Thread

from bot.charts.chart import Chart
from bot.charts.stats import ChartCounts, ChartKind
from bot.models.counts import Selection, WeekCounts
from bot.models.outgoing import Theme
from bot.store import counts
from bot.store.database import Reader

_DRAWING = "bot.charts.drawing"  # takes half a second to load, for which no search shall wait
_COUNTS: Mapping[ChartKind, Callable[[Reader, Selection], Awaitable[ChartCounts]]] = {
    ChartKind.DAYS: counts.count_by_day,
    ChartKind.HOURS: counts.count_by_hour,
    ChartKind.TOPICS: counts.count_topics,
    ChartKind.CHANNELS: counts.count_channels,
    ChartKind.DELAYS: counts.count_delays,
    ChartKind.DELETIONS: counts.count_deletions,
}


async def count(
    db: Reader, kind: ChartKind, selection: Selection, *, drawn: bool = True, deadline: object = None
) -> ChartCounts:
    """Count what a chart shows, whatever the deadline: it is one question to SQLite.

    What draws loads meanwhile, since SQLite leaves Python's lock to it; not where nothing is to be `drawn`.
    """
    del deadline
    if drawn:
        Thread(target=import_module, args=(_DRAWING,), daemon=True).start()
    return await _COUNTS[kind](db, selection)


async def count_week(db: Reader, selection: Selection, *, deadline: object = None) -> WeekCounts:
    """Count what a weekly report says."""
    del deadline
    return await counts.count_week(db, selection)


def drawing_environment(database: Path) -> dict[str, str]:
    """Return what a process has to have in its environment to draw: a folder, where no home can be written to."""
    return {"MPLCONFIGDIR": str(database.parent / "cache")}  # what is known of fonts


async def draw(db: Reader, chart: Chart, theme: Theme, *, deadline: object = None) -> bytes:
    """Draw a chart as PNG; the archive is not asked."""
    del db, deadline
    written: bytes = import_module(_DRAWING).draw(chart, theme)
    return written
