"""A chart becomes a PNG of 1080 × 1350 pixels, which a phone shows whole; only for a process apart.

matplotlib takes a second to load, and keeps Python's lock while it draws. The colours are those of Okabe and Ito, which
people who do not see red or green tell apart (https://jfly.uni-koeln.de/color/); nothing is said by colour alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from bot.charts.chart import Bar, Bars, Chart, Columns, Grid, Panel, Steps
from bot.models.outgoing import Theme

WIDTH, HEIGHT, _DPI = 1080, 1350, 100
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.07, 0.95, 0.81, 0.075  # of the picture
_TITLE, _TEXT, _SMALL = 33, 25, 21  # points
_SIGN, _SMALL_SIGN = 21.5, 18.0  # pixels of a letter of text, and of a small one
_ROOM = (_RIGHT - _LEFT) * WIDTH  # pixels of a line
_NUMBERED = 8  # columns at most that bear their numbers
_FEWEST_SIGNS = 6  # of a number beside columns, so that those of two panels mostly stand below each other
_GAP, _BARS_WEIGHT = 0.125, 2.2  # between panels, as a part of the picture; how much higher bars are than others
_LONGEST = 44  # letters of a line of text
_FEWEST_ROWS = 6  # fewer bars are no thicker
_JOINERS = re.compile("[\ufe0e\ufe0f\u200d]")  # of emoji: the font has them, and shows nothing
_FONT: dict[Any, object] = {
    "font.family": "DejaVu Sans",
    "text.parse_math": False,
}  # titles are foreign: a dollar is a dollar


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """The colours of a theme."""

    ground: str
    ink: str
    faint: str
    series: tuple[str, ...]
    scale: tuple[str, str]  # from nothing to the most, of one hue


LOOKS = {
    Theme.LIGHT: _Look(
        ground="#FFFFFF",
        ink="#111111",
        faint="#5F5F5F",
        series=("#0072B2", "#D55E00", "#009E73"),
        scale=("#E9F1F7", "#00395C"),
    ),
    Theme.DARK: _Look(
        ground="#17212B",
        ink="#F5F5F5",
        faint="#A9B4BE",
        series=("#56B4E9", "#E69F00", "#009E73"),
        scale=("#24323F", "#FFC24D"),
    ),
}


def draw(chart: Chart, theme: Theme) -> bytes:
    """Draw a chart as PNG."""
    look = LOOKS[theme]
    with rc_context({**_FONT, "text.color": look.ink, "axes.labelcolor": look.ink}):
        figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor=look.ground)
        FigureCanvasAgg(figure)
        figure.text(_LEFT, 0.945, legible(chart.title, _LONGEST), fontsize=_TITLE, weight="bold", va="center")
        figure.text(_LEFT, 0.9, legible(chart.subtitle, 52), fontsize=_SMALL, color=look.faint, va="center")
        if not chart.panels:
            figure.text(0.5, 0.5, legible(chart.empty, 52), fontsize=_TEXT, color=look.faint, ha="center")
        for panel, (bottom, height) in zip(chart.panels, _places(chart.panels), strict=True):
            axes = figure.add_axes((_LEFT, bottom, _RIGHT - _LEFT, height), facecolor=look.ground)
            _draw_panel(axes, panel, look)
        written = BytesIO()
        figure.savefig(written, format="png", facecolor=look.ground)
    return written.getvalue()


def _places(panels: Sequence[Panel]) -> list[tuple[float, float]]:
    """Return bottom and height of each panel, from the top; between them is room for labels and a title."""
    weights = [_BARS_WEIGHT if isinstance(panel, Bars) else 1.0 for panel in panels]
    room, top, places = _TOP - _BOTTOM - _GAP * (len(panels) - 1), _TOP, list[tuple[float, float]]()
    for weight in weights:
        height = room * weight / sum(weights)
        places.append((top - height, height))
        top -= height + _GAP
    return places


def _draw_panel(axes: Axes, panel: Panel, look: _Look) -> None:
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, labelsize=_SMALL, colors=look.faint)
    match panel:
        case Columns():
            _draw_columns(axes, panel, look)
        case Steps():
            _draw_steps(axes, panel, look)
        case Bars():
            _draw_bars(axes, panel, look)
        case Grid():
            _draw_grid(axes, panel, look)


def _draw_columns(axes: Axes, panel: Columns, look: _Look) -> None:
    places = range(len(panel.values))
    colour, most = look.series[panel.place % len(look.series)], max(panel.values, default=0)
    axes.bar(places, panel.values, width=0.8, color=colour)
    axes.set_title(legible(panel.title, _LONGEST), loc="left", fontsize=_TEXT, color=colour, weight="bold", pad=14)
    axes.set_ylim(0, max(1.0, most * (1.25 if len(panel.values) <= _NUMBERED else 1.12)))
    axes.set_xlim(-0.6, len(panel.values) - 0.4)
    labelled = [place for place in places if panel.labels[place]]
    axes.set_xticks(labelled, [panel.labels[place] for place in labelled])
    axes.tick_params(axis="x", pad=10)
    if len(panel.values) <= _NUMBERED:  # each column has room for its number
        axes.set_yticks([])
        for place, value in zip(places, panel.values, strict=True):
            axes.text(place, value + most * 0.02, _number(value, panel), fontsize=_SMALL, ha="center", va="bottom")
        return
    axes.locator_params(axis="y", nbins=4, integer=True)
    ticks = [tick for tick in axes.get_yticks() if 0 < tick <= most]  # above it is the title
    axes.set_yticks(ticks, [""] * len(ticks))
    axes.grid(axis="y", color=look.faint, alpha=0.3)
    axes.set_axisbelow(True)
    signs = max([_FEWEST_SIGNS, *(len(_number(tick, panel)) for tick in ticks)])
    margin = (
        signs * _SMALL_SIGN / _ROOM * len(panel.values)
    )  # the numbers stand on their lines, before the first column
    axes.set_xlim(-0.6 - margin, len(panel.values) - 0.4)
    for tick in ticks:
        axes.text(-0.6 - margin, tick, _number(tick, panel), fontsize=_SMALL, va="bottom")


def _number(value: float, panel: Columns) -> str:
    return f"{value:,.0f}".replace(",", panel.thousands)


def _draw_steps(axes: Axes, panel: Steps, look: _Look) -> None:
    places, numbers = zip(*panel.points, strict=True)
    last = max(places[-1], 1.0)
    axes.step((*places, last * 1.02), (*numbers, numbers[-1]), where="post", color=look.series[0], linewidth=5)
    axes.set_title(legible(panel.title, _LONGEST), loc="left", fontsize=_TEXT, weight="bold", pad=14)
    axes.set_xlim(0, last * 1.02)
    axes.set_ylim(0, numbers[-1] * 1.15)
    axes.set_xticks([place for place, _ in panel.ticks], [label for _, label in panel.ticks])
    axes.set_yticks([])
    axes.text(last, numbers[-1] * 1.03, f"{numbers[-1]}", fontsize=_SMALL, ha="right", va="bottom")
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(look.faint)
    axes.grid(axis="x", color=look.faint, alpha=0.3)


def _draw_bars(axes: Axes, panel: Bars, look: _Look) -> None:
    most = max((sum(bar.parts) for bar in panel.bars), default=0) or 1.0
    rows = max(_FEWEST_ROWS, len(panel.bars))
    head = 0.42 * len(panel.legend)
    axes.set_xlim(0, most)
    axes.set_ylim(rows, -head)
    axes.set_xticks([])
    axes.set_yticks([])
    for number, text in enumerate(panel.legend):
        height = 0.42 * number - head + 0.1
        axes.text(0, height, f"■ {text}", fontsize=_SMALL, color=look.series[number], weight="bold", va="center")
    for number, bar in enumerate(panel.bars):
        _draw_bar(axes, bar, number, most, look)


def _draw_bar(axes: Axes, bar: Bar, number: int, most: float, look: _Look) -> None:
    room = int((_ROOM - _SMALL_SIGN * (len(bar.note) + 2)) / _SIGN)
    axes.text(0, number + 0.27, legible(bar.name, room), fontsize=_TEXT, va="center")
    axes.text(most, number + 0.27, bar.note, fontsize=_SMALL, color=look.faint, va="center", ha="right")
    axes.barh(number + 0.66, most, height=0.26, color=look.faint, alpha=0.18)
    left = 0.0
    for place, part in enumerate(bar.parts):
        axes.barh(number + 0.66, part, left=left, height=0.26, color=look.series[place])
        left += part


def _draw_grid(axes: Axes, panel: Grid, look: _Look) -> None:
    most = max((max(row) for row in panel.values), default=0) or 1.0
    scale_colours = LinearSegmentedColormap.from_list("scale", look.scale)
    axes.pcolormesh(panel.values, cmap=scale_colours, vmin=0, vmax=most, edgecolors=look.ground, linewidth=2)
    axes.invert_yaxis()
    axes.set_yticks([number + 0.5 for number in range(len(panel.rows))], panel.rows, fontsize=_TEXT, color=look.ink)
    labelled = [number for number, label in enumerate(panel.columns) if label]
    axes.set_xticks([number + 0.5 for number in labelled], [panel.columns[number] for number in labelled])
    box = axes.get_position()
    axes.set_position((box.x0 + 0.05, box.y0 + 0.1, box.width - 0.05, box.height - 0.1))
    axes.set_title(
        legible(panel.title, _LONGEST), loc="left", fontsize=_TEXT, color=look.series[0], weight="bold", pad=14
    )
    scale = axes.inset_axes((0.25, -0.2, 0.5, 0.045))
    scale.pcolormesh([[step / 50 for step in range(51)]], cmap=scale_colours)
    scale.set_axis_off()
    axes.text(0.23, -0.178, panel.least, fontsize=_SMALL, transform=axes.transAxes, ha="right", va="center")
    axes.text(0.77, -0.178, panel.most, fontsize=_SMALL, transform=axes.transAxes, ha="left", va="center")


def legible(text: str, longest: int) -> str:
    """Return a foreign text in one line, with the signs alone that the font has: no boxes where an emoji was."""
    known, text = _signs(), _JOINERS.sub("", text)
    words = " ".join("".join(sign for sign in text if sign.isspace() or ord(sign) in known).split())
    if text and not words:  # of emoji alone: the lines below the picture, in the same order, have it
        return "…"
    return words if len(words) <= longest else f"{words[: longest - 1].rstrip()}…"


@cache
def _signs() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
