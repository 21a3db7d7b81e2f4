"""Sees to messages that could not be read: owners get a notice, and a new version of this program tries them again."""

import asyncio
from datetime import datetime, timedelta

import structlog

from bot.errors import TelegramError
from bot.models.notices import PostsUnreadable
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.sources.account import LONGEST_VISIT, Account
from bot.sources.isolation import PAGE_SIZE
from bot.sources.sync import EDITION, ChannelSync
from bot.store import unreadable
from bot.store.channels import Channel
from bot.store.database import Database, Transaction
from bot.store.notices import notify_owners

log = structlog.get_logger(__name__)

LOOK_EVERY = 60.0  # s
REST = timedelta(hours=1)  # that a channel is left alone after an error
APART = timedelta(days=1)  # between two notices at least


class UnreadableMessages:
    """Reads them again once, after the program or Telethon was brought up to date."""

    def __init__(self, account: Account, sync: ChannelSync) -> None:
        self._account = account
        self._sync = sync
        self._rests: dict[int, datetime] = {}  # channel id → until when it is left alone

    async def run(self, beat: Beat = no_beat) -> None:
        """Look for ever. Raises ReaderLostError."""
        while True:
            beat(LOOK_EVERY + TURN)
            await asyncio.sleep(LOOK_EVERY)
            await self.read_again(beat)
            await self.notify_owners()

    async def read_again(self, beat: Beat = no_beat) -> int:
        """Read what only another version has tried; return how many messages that were."""
        tried = 0
        for channel in await self._account.channels():
            if channel.is_readable and self._rests.get(channel.id, self._account.now()) <= self._account.now():
                tried += await self._read_channel(channel, beat)
        return tried

    async def _read_channel(self, channel: Channel, beat: Beat) -> int:
        tried, db = 0, self._account.database
        while ids := await unreadable.tried_before(db, channel.id, EDITION, most=PAGE_SIZE):
            beat(LONGEST_VISIT)
            try:
                found = await self._sync.read_by_number(channel, ids, beat)
            except TelegramError as error:
                log.info("what could not be read is not available now", channel=channel.id, error=error.error)
                self._rests[channel.id] = self._account.now() + REST
                break
            tried += len(ids)
            log.info("what could not be read was tried again", channel=channel.id, messages=len(ids), posts=found.new)
        return tried

    async def notify_owners(self) -> bool:
        """Send the owners a notice of what is new since the last, one a day at most; return whether one was sent."""
        return await notify_of_unreadable(self._account.database, self._account.now())


async def notify_of_unreadable(database: Database, now: datetime, *, on_page: bool = False) -> bool:
    """Send the owners a notice of what is new since the last, one a day at most; return whether one was sent.

    What web pages do not show has notices of its own.
    """

    async def job(tx: Transaction) -> bool:
        counts = await unreadable.take_unnotified(tx, now=now, apart=APART, on_page=on_page)
        notice = PostsUnreadable(
            event=now.isoformat(),
            posts=sum(count.posts for count in counts),
            channels=tuple(count.channel for count in counts),
            on_page=on_page,
        )
        if counts:
            await notify_owners(tx, notice, now=now)
        return bool(counts)

    return await database.write(job)
