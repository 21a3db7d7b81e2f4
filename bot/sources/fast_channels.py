"""Asks for the changes of the channels that people want fast, as often as Telegram bears it.

Telegram does not push large channels promptly, except to apps that have them on the screen: such an app asks for the
channel's difference again after the `timeout` that came with the last one
(https://core.telegram.org/api/updates#subscribing-to-updates-of-channels-supergroups).
"""

from datetime import datetime, timedelta

import structlog

from bot.errors import TelegramError
from bot.runtime.supervisor import Beat, no_beat
from bot.sources.account import LONGEST_VISIT, Account
from bot.sources.sync import ChannelSync
from bot.store.channels import Access, Channel
from bot.store.database import Subject

log = structlog.get_logger(__name__)

LEAST, MOST = 1, 60  # s between two questions about a channel, whatever the server says
OUTSIDE = 20  # s between two, where the history has to be read
LOOK_AGAIN = 30.0  # s, where nothing was announced and nothing is due


class FastChannels:
    """The few channels of a reader that are followed closely."""

    def __init__(self, account: Account, sync: ChannelSync) -> None:
        self._account = account
        self._sync = sync
        self._next: dict[int, datetime] = {}  # channel id → when to ask again

    async def run(self, beat: Beat = no_beat) -> None:
        """Ask and wait, for ever. Raises ReaderLostError."""
        changes = self._account.database.changes
        while True:
            revision = changes.revision(Subject.FOLLOWS)
            pause = await self.ask_due(beat)
            beat(pause + LONGEST_VISIT)
            await changes.wait(Subject.FOLLOWS, revision, pause)

    async def ask_due(self, beat: Beat = no_beat) -> float:
        """Sync each channel whose time has come; return the seconds until the next one's."""
        followed = await self._account.channels()
        fast = [channel for channel in followed if channel.fast and channel.access in {Access.JOINED, Access.POLLED}]
        self._next = {channel.id: self._next.get(channel.id, self._account.now()) for channel in fast}
        for channel in fast:
            beat(LONGEST_VISIT)
            if self._next[channel.id] <= self._account.now() and channel.is_swept:
                await self._ask(channel, beat)
        upcoming = min(self._next.values(), default=None)
        return LOOK_AGAIN if upcoming is None else max(0.1, (upcoming - self._account.now()).total_seconds())

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
        self._next[channel.id] = self._account.now() + timedelta(seconds=pause)
