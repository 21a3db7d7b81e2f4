"""Channels that people want fast come in; each is asked for its changes as often as Telegram bears it.

Telegram does not push large channels promptly, except to who has them on the screen: such an app asks for the
channel's difference again after the `timeout` that came with the last one
(https://core.telegram.org/api/updates#subscribing-to-updates-of-channels-supergroups).
"""

from datetime import datetime, timedelta

import structlog

from bot.errors import TelegramError
from bot.models import Clock
from bot.runtime.supervisor import Beat, unheard
from bot.sources.account import LONGEST_VISIT, Account
from bot.sources.sync import ChannelSync
from bot.store import assignments
from bot.store.channels import Access, Channel
from bot.store.database import Database, Subject

log = structlog.get_logger(__name__)

LEAST, MOST = 1, 60  # s between two questions about a channel, whatever the server says
OUTSIDE = 20  # s between two, where the history has to be read
LOOK_AGAIN = 30.0  # s, where nothing was announced and nothing is due


class FastChannels:
    """Follows a few channels closely."""

    def __init__(self, account: Account, database: Database, sync: ChannelSync, *, clock: Clock) -> None:
        self._account = account
        self._database = database
        self._sync = sync
        self._clock = clock
        self._next: dict[int, datetime] = {}  # channel id → when to ask again

    async def run(self, beat: Beat = unheard) -> None:
        """Ask and wait, for ever. Raises ReaderLostError."""
        changes = self._database.changes
        while True:
            revision = changes.revision(Subject.FOLLOWS)
            pause = await self.ask_due(beat)
            beat(pause + LONGEST_VISIT)
            await changes.wait(Subject.FOLLOWS, revision, pause)

    async def ask_due(self, beat: Beat = unheard) -> float:
        """Ask about each channel whose time has come; return the seconds until the next one's."""
        followed = await assignments.assigned_channels(self._database, self._account.reader_id)
        fast = [channel for channel in followed if channel.fast and channel.access in {Access.JOINED, Access.POLLED}]
        self._next = {channel.id: self._next.get(channel.id, self._clock()) for channel in fast}
        for channel in fast:
            beat(LONGEST_VISIT)
            if self._next[channel.id] <= self._clock() and channel.is_swept:
                await self._ask(channel, beat)
        upcoming = min(self._next.values(), default=None)
        return LOOK_AGAIN if upcoming is None else max(0.1, (upcoming - self._clock()).total_seconds())

    async def _ask(self, channel: Channel, beat: Beat) -> None:
        pause: float = OUTSIDE
        try:
            await self._sync.complete(channel, None, beat)
        except TelegramError as error:
            log.info("a fast channel could not be asked", channel=channel.id, error=error.error)
            pause = max(error.retry_after, MOST)
        else:
            if channel.access is Access.JOINED:
                pause = min(MOST, max(LEAST, self._sync.timeouts.get(channel.id, MOST)))
        self._next[channel.id] = self._clock() + timedelta(seconds=pause)
