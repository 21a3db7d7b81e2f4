"""A world without a server: its updates are kept for the test to look at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from telethon.tl import TLObject

from bot.sandbox.world import World

START = datetime(2021, 10, 4, 15, 40, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """Stands still until it is moved."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass(slots=True)
class Told:
    """What was emitted, in order."""

    updates: list[tuple[int, TLObject, object | None]] = field(default_factory=list)

    def __call__(self, account_id: int, make: Callable[[], TLObject], skip: object | None) -> None:
        self.updates += [(account_id, update, skip) for update in make().updates]

    def to(self, account_id: int) -> list[TLObject]:
        return [update for number, update, _ in self.updates if number == account_id]


@dataclass(slots=True)
class Stage:
    """A world with its clock and its updates."""

    clock: Clock = field(default_factory=Clock)
    told: Told = field(default_factory=Told)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.clock, Random(1), self.told)  # noqa: S311 - a repeatable world is wanted
