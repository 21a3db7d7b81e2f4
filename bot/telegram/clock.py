"""Measures how wrong the machine's clock is, tells Telegram's time, and gives Telethon a clock that goes on evenly."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace

import structlog
from telethon import TelegramClient
from telethon.client import users
from telethon.network import authenticator, mtprotostate
from telethon.tl.functions.help import GetConfigRequest

from bot.errors import TelegramError
from bot.models import Clock
from bot.runtime.clock import Steady
from bot.telegram.rpc import ask

log = structlog.get_logger(__name__)

CLOCK_ERROR = timedelta(seconds=2)  # of a machine: what is more is put right
SECOND = timedelta(seconds=1)


@cache
def steady_telethon() -> None:
    """Let Telethon go by a steady clock from now on, in all clients of this process.

    It numbers its requests by the machine's clock, and ignores answers and pushes whose numbers are far from that:
    where somebody sets the clock back, it would be deaf for minutes, and its flood waits would be as much longer. How
    far Telegram's clock is from the steady one Telethon finds out by itself when a request is refused for that.
    """
    steady = Steady()
    for module in (mtprotostate, authenticator, users):  # each uses nothing of `time` but this
        module.time = SimpleNamespace(time=lambda: steady().timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The outcome of a measurement of a clock."""

    behind: timedelta  # Telegram's; negative where it is ahead of that
    doubt: timedelta  # by which this may be wrong, either way: a slow answer says little

    @property
    def is_wrong(self) -> bool:
        """Tell whether the clock is certainly wrong."""
        return abs(self.behind) > CLOCK_ERROR + self.doubt


async def measure(client: TelegramClient, clock: Clock) -> Measured:
    """Ask Telegram what time it is. Raises TelegramError.

    Of its answers only the date of a configuration is documented as the present:
    https://core.telegram.org/constructor/config.
    """
    asked_at = clock()
    config = await ask(client(GetConfigRequest()))
    now = clock()
    # Telegram cuts fractions off, and may have looked at its clock at any moment since it was asked.
    doubt = (SECOND + abs(now - asked_at)) / 2
    return Measured(behind=config.date + doubt - now, doubt=doubt)


class TelegramClock:
    """Tells Telegram's time, by which posts and commands are dated; a machine's clock may be hours off.

    Between two measurements it goes by `steady`, where there is one: the machine's clock may be set meanwhile, and
    until the next measurement new posts would seem old, and waits would be as much too long.
    """

    def __init__(self, machine: Clock, *, steady: Clock | None = None, error: timedelta = timedelta()) -> None:
        self._machine = machine
        self._steady = steady or machine
        self._behind = error

    def __call__(self) -> datetime:
        """Return the time."""
        return self._steady() + self._behind

    @property
    def error(self) -> timedelta:
        """How much the machine's clock is behind now."""
        return self() - self._machine()

    async def set_by(self, client: TelegramClient) -> None:
        """Measure the clock; where Telegram does not answer, the last measurement holds on."""
        try:
            measured = await measure(client, self._steady)
        except TelegramError as error:
            log.info("Telegram does not say what time it is", error=error.error)
            return
        if replace(measured, behind=measured.behind - self._behind).is_wrong:
            self._behind = measured.behind if measured.is_wrong else timedelta()
            if abs(self.error) > CLOCK_ERROR:
                seconds = round(-self.error.total_seconds())
                log.warning("the clock of this machine is wrong; synchronize it with NTP", seconds=seconds)
