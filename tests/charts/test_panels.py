"""What each chart shows, before it is drawn."""

from datetime import timedelta

import pytest

from bot.charts.chart import Bars, Columns, Grid, Panel, Steps
from bot.charts.spread import show_spread
from bot.charts.stats import ChartCounts, ChartKind, ChartRequest, show
from bot.locales import translator
from bot.locales.locale import Locale
from bot.models.counts import (
    ChannelCount,
    DayCounts,
    DelayCounts,
    DeletionCount,
    DeletionCounts,
    HourCounts,
    TopicCount,
)
from tests.kit_clock import NOON
from tests.rendering.values import stored

LOCALE = Locale(t=translator("ru"), time_zone="Europe/Moscow", now=NOON)

GONE = DeletionCounts(channels=(DeletionCount(channel_id=1, title="Вести", told=2, missing=1, alerted=0),))


def figures(panel: Panel) -> object:
    match panel:
        case Columns():
            return panel.values
        case Bars():
            return [(bar.name, *bar.parts) for bar in panel.bars]
        case Grid():
            return len(panel.rows), len(panel.values[0]), panel.values[0][5]
        case Steps():
            return panel.points


@pytest.mark.parametrize(
    ("kind", "counted", "shown"),
    [
        (
            ChartKind.DAYS,
            DayCounts(posts=(1, 2, 3, 4, 5, 6, 7), alerts=(0, 0, 0, 0, 0, 0, 1)),
            [(1, 2, 3, 4, 5, 6, 7), (0, 0, 0, 0, 0, 0, 1)],
        ),
        (ChartKind.HOURS, HourCounts(means=tuple(map(float, range(168)))), [(7, 24, 5.0)]),
        (ChartKind.TOPICS, [TopicCount(topic="Топливо", alerts=3, before=1)], [[("Топливо", 3)]]),
        (ChartKind.CHANNELS, [ChannelCount(channel_id=1, title="Вести", posts=5, alerts=2)], [[("Вести", 5)]]),
        (
            ChartKind.DELETIONS,
            GONE,
            [[("Вести", 2, 1)]],
        ),
    ],
)
def test_a_chart_shows_what_was_counted(kind: ChartKind, counted: ChartCounts, shown: list[object]) -> None:
    chart, _ = show(ChartRequest(kind=kind, days=7), counted, LOCALE)
    assert [figures(panel) for panel in chart.panels] == shown


@pytest.mark.parametrize(("days", "step"), [(7, 1), (30, 1), (364, 7)])
def test_days_of_a_year_are_counted_by_the_week(days: int, step: int) -> None:
    asked = ChartRequest(kind=ChartKind.DAYS, days=days)
    assert asked.step == step
    counted = DayCounts(posts=(1,) * (days // step), alerts=(0,) * (days // step))
    posts, _ = show(asked, counted, LOCALE)[0].panels
    assert isinstance(posts, Columns)
    assert (len(posts.labels), 5 <= len(list(filter(None, posts.labels))) <= 7) == (days // step, True)


@pytest.mark.parametrize("alerts", [0, 1])
def test_the_lines_of_a_week_name_each_day(alerts: int) -> None:
    counted = DayCounts(posts=(1, 2, 3, 4, 5, 6, 7), alerts=(alerts,) * 7)
    _, text = show(ChartRequest(kind=ChartKind.DAYS, days=7), counted, LOCALE)
    days = [line.rpartition(": ")[2] for line in text.build()[0].splitlines()[3:]]
    assert days == [f"постов {n}, оповещений {alerts}" for n in range(1, 8)]


def test_deletions_and_what_was_missing_are_named_apart_and_delays_have_a_bar_for_each_span() -> None:
    deletions, _ = show(
        ChartRequest(kind=ChartKind.DELETIONS, days=7),
        GONE,
        LOCALE,
    )
    (bars,) = deletions.panels
    assert isinstance(bars, Bars)
    assert bars.legend == ("удалены, сообщил сам Telegram", "нет при повторном чтении")
    delays, _ = show(ChartRequest(kind=ChartKind.DELAYS, days=7), DelayCounts(counts=(1, 2, 3, 4, 5, 6, 7)), LOCALE)
    (bars,) = delays.panels
    assert isinstance(bars, Bars)
    assert [bar.parts for bar in bars.bars] == [(n,) for n in range(1, 8)]


def test_a_spread_shows_how_many_channels_there_were_and_each_with_its_delay() -> None:
    posts = [stored(1, channel_id=n, channel_title=f"Вести {n}", date=NOON + timedelta(minutes=n)) for n in (0, 3)]
    chart, _ = show_spread(posts, LOCALE)
    assert [figures(panel) for panel in chart.panels] == [((0, 1), (180, 2)), [("1. Вести 0", 0), ("2. Вести 3", 180)]]
