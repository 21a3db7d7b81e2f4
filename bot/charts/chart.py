"""What a chart shows, in values and words, before anybody draws it. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """One number for each step of time, upright; every label that is not empty stands below its column."""

    title: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    place: int  # of its colour
    thousands: str  # what stands between the thousands of a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A thing by its name, the parts of its bar, and the figures in words."""

    name: str
    parts: tuple[float, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Things one below the other, each with its name above its bar."""

    bars: tuple[Bar, ...]
    legend: tuple[str, ...] = ()  # what the parts are


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A number for each cell, further from the ground where there is more."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]  # those that are empty have no label
    values: tuple[tuple[float, ...], ...]  # by row
    least: str  # what the ends of the scale are
    most: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """A number that grows in the course of time."""

    title: str
    points: tuple[tuple[float, int], ...]  # seconds since the first, and the number from then on
    ticks: tuple[tuple[float, str], ...]


Panel = Steps | Columns | Bars | Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture: its panels one below the other."""

    title: str
    subtitle: str
    panels: tuple[Panel, ...]  # none: there is nothing to show, as `empty` says
    empty: str = ""
