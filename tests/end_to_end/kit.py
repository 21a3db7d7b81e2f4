"""The service in a time that a test chooses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from telethon.tl import types

from bot.demo.story import StoryClock
from bot.sandbox import Channel
from tests.kit import alerts_of
from tests.kit_service import Person, Service, running_service
from tests.waiting import until

EVENING = datetime(2025, 3, 10, 20, 30, tzinfo=UTC)  # 23:30 in Moscow
MORNING = datetime(2025, 3, 11, 4, tzinfo=UTC)  # 07:00
TOWNS = ("Тверь", "Псков", "Орёл", "Курск", "Омск", "Томск", "Пенза", "Самара", "Уфа", "Казань", "Пермь", "Чита")


def outage(number: int) -> str:
    """Tell of an outage as no other post does."""
    return f"{TOWNS[number % 12]}, дом {number}: сбой, сайт банка не работает. {TOWNS[number * 5 % 12]} {number * 77}."


class TimedService:
    """The service with an owner, a channel and a clock that a test moves."""

    def __init__(self, service: Service, owner: Person, channel: Channel, clock: StoryClock) -> None:
        self.service = service
        self.owner = owner
        self.channel = channel
        self.clock = clock

    async def go_to(self, moment: datetime) -> None:
        """Let it be another moment; the service looks at the clock as something happens."""
        self.clock.jump_to(moment)
        before = len(self._pongs())
        await self.owner.says("/ping")
        await self.owner.until(lambda: len(self._pongs()) > before)

    def _pongs(self) -> list[types.Message]:
        return [message for message in self.owner.heard if message.message.startswith("Pong")]

    async def stored(self, count: int) -> None:
        """Wait until so many posts are in the outbox, in whatever way."""
        async with self.service.archive() as db:

            async def reached() -> bool:
                return len(await alerts_of(db)) >= count

            await until(reached)

    async def said(self, text: str) -> None:
        """Wait until it is stored that a post says this."""
        async with self.service.archive() as db:

            async def reached() -> bool:
                return bool(await db.fetch_all("SELECT 1 FROM versions WHERE text = :text", {"text": text}))

            await until(reached)


def labels(message: types.Message) -> list[str]:
    rows = message.reply_markup.rows if message.reply_markup else []
    return [button.text for row in rows for button in row.buttons]


@asynccontextmanager
async def timed_service(folder: Path, start: datetime = EVENING) -> AsyncIterator[TimedService]:
    clock = StoryClock(start)
    async with running_service(folder, now=clock.now) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        yield TimedService(service, await service.owner(follows=[channel]), channel, clock)
