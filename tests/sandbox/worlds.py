"""A world without a server: its updates are kept for the test to look at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from telethon.tl import TLObject

from bot.sandbox.world import World
from tests.kit_clock import Clock

START = datetime(2021, 10, 4, 15, 40, tzinfo=UTC)


@dataclass(slots=True)
class Updates:
    """What was emitted, in order."""

    all: list[tuple[int, TLObject, object | None]] = field(default_factory=list)

    def __call__(self, account_id: int, make: Callable[[], TLObject], skip: object | None) -> None:
        self.all += [(account_id, update, skip) for update in make().updates]

    def to(self, account_id: int) -> list[TLObject]:
        return [update for number, update, _ in self.all if number == account_id]


@dataclass(slots=True)
class RecordedWorld:
    """A world with its clock and its updates."""

    clock: Clock = field(default_factory=lambda: Clock(START))
    updates: Updates = field(default_factory=Updates)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.clock, Random(1), self.updates)  # noqa: S311 - a repeatable world is wanted
