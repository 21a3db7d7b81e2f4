"""A machine's clock comes in, and what Telegram answers to the question of the time; Telegram's time goes out."""

from datetime import datetime, timedelta

import structlog

from bot.models import Clock
from bot.telegram import clients
from bot.telegram.client import Client

log = structlog.get_logger(__name__)

CLOCK_ERROR = timedelta(seconds=2)  # of this machine: what is more is put right …
MOST_CLOCK_ERROR = timedelta(minutes=10)  # … up to here, else `channelwatch invite` and the service would disagree


class TelegramClock:
    """Tells Telegram's time, by which posts and commands are dated; a machine's own may be off."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._error = timedelta()

    def __call__(self) -> datetime:
        """Tell the time."""
        return self._clock() + self._error

    async def set_by(self, client: Client) -> None:
        """Ask Telegram what time it is."""
        error = await clients.clock_error(client, self._clock)
        if abs(error) <= CLOCK_ERROR:
            return
        log.warning("the clock of this machine is wrong; set it by NTP", seconds=-error.total_seconds())
        if abs(error) <= MOST_CLOCK_ERROR:
            self._error = error
