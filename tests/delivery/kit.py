"""A worker on a real client, and how tests wait for what it does."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from telethon import TelegramClient

from bot.delivery.attachments import Attachments
from bot.delivery.composer import Composer
from bot.delivery.message_lookup import MessageLookup
from bot.delivery.worker import Worker
from bot.models import Clock
from bot.runtime.clock import utc_now
from bot.runtime.supervisor import Beat, no_beat
from bot.store.database import Database
from bot.telegram.rate_limit import Pacing, Rates
from bot.telegram.sender import Sender
from tests.waiting import WAIT_S

UNLIMITED = Rates(total=float("inf"), chat=float("inf"), group=float("inf"))


class Halted:
    """A clock, of both kinds, that stands a little ahead of the present until it is moved."""

    def __init__(self) -> None:
        self._now = utc_now() + timedelta(minutes=1)
        self._seconds = time.monotonic()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._seconds

    def moves(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds


def sender_of(client: TelegramClient, rates: Rates = UNLIMITED) -> Sender:
    return Sender(client, Pacing(rates), monotonic=time.monotonic)


def worker_of(db: Database, sender: Sender, *, clock: Clock = utc_now, files: Attachments | None = None) -> Worker:
    composer = Composer(db, sender, MessageLookup(db, sender), clock=clock, files=files)
    return Worker(db, sender, composer, clock=clock, files=files)


@asynccontextmanager
async def at_work(worker: Worker, beat: Beat = no_beat) -> AsyncIterator[Worker]:
    running = asyncio.create_task(worker.run(beat))
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(running, WAIT_S)
