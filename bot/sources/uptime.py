"""The reader accounts come in; in which spans of time each of them heard Telegram goes into the store.

Of what was posted while nobody heard it, nobody can say that Telegram did not push it.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from weakref import WeakKeyDictionary

from telethon.tl.functions import PingRequest

from bot.errors import TelegramError
from bot.models import Clock
from bot.runtime.supervisor import TURN, Beat, unheard
from bot.sources.reader import ReaderAccount
from bot.store import uptimes
from bot.store.database import Database
from bot.telegram.client import Client
from bot.telegram.rpc import ask

ASK_EVERY = 20.0  # s
ANSWERS_WITHIN = 5.0  # s; a connection that was made anew so soon has lost nothing to speak of


class Hearing:
    """Asks now and then whether Telegram is there; a ping is no request, and counts towards no limit."""

    def __init__(self, database: Database, readings: Iterable[ReaderAccount], *, clock: Clock) -> None:
        self._database = database
        self._readings = tuple(readings)
        self._clock = clock
        # Since when each has heard without a break; an account that is logged in anew has a client anew.
        self._began = WeakKeyDictionary[Client, datetime]()

    async def run(self, beat: Beat = unheard) -> None:
        """Ask for ever."""
        while True:
            beat(ASK_EVERY + TURN)
            for reading in self._readings:
                if reading.hears_as:
                    await self.listen(reading.hears_as, reading.client)
            await asyncio.sleep(ASK_EVERY)

    async def listen(self, reader_id: int, client: Client) -> bool:
        """Write down that a reader hears, or end its span; say which."""
        if not await _answers(client):
            self._began.pop(client, None)
            return False
        now = self._clock()
        began = self._began.setdefault(client, now)
        await self._database.write(lambda tx: uptimes.extend(tx, reader_id, began=began, now=now))
        return True


async def _answers(client: Client) -> bool:
    try:
        await ask(client(PingRequest(0)), within=ANSWERS_WITHIN)
    except TelegramError:
        return False
    return True
