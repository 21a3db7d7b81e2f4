"""A worker on a real client, and how tests wait for what it does."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from telethon import TelegramClient

from bot.delivery.worker import Worker
from bot.telegram.pacing import Pacing, Rates
from bot.telegram.sender import Sender

WAIT_S = 10.0  # a test that waits longer has failed
UNLIMITED = Rates(total=float("inf"), chat=float("inf"), group=float("inf"))


def utc_now() -> datetime:
    return datetime.now(UTC)


def sender_of(client: TelegramClient, rates: Rates = UNLIMITED) -> Sender:
    return Sender(client, Pacing(rates), monotonic=time.monotonic)


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[Worker]:
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(running, WAIT_S)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not await condition():  # noqa: ASYNC110 - neither the store nor the server has an event for this
            await asyncio.sleep(0.005)
