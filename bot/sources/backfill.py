"""Reads the past of a channel as far back as somebody asked for.

It goes a page at a time, so that new posts never wait for old ones; after a restart each backfill goes on where it was.
"""

import asyncio

import structlog

from bot.errors import TelegramError, Verdict
from bot.runtime.supervisor import Beat, no_beat
from bot.sources.account import LONGEST_VISIT, Account, retry_pause
from bot.sources.sync import ChannelSync
from bot.store import backfills, channels
from bot.store.backfills import DONE, Backfill
from bot.store.channels import Access
from bot.store.database import Subject

log = structlog.get_logger(__name__)

PAGE_EVERY = 1.0  # s: a third of what the budget of an account allows
LOOK_AGAIN = 30.0  # s, where nothing was announced and nothing is to be read
READABLE = {Access.JOINED, Access.POLLED}


class Backfiller:
    """Reads what backfills want; `every` is the seconds between two pages."""

    def __init__(self, account: Account, sync: ChannelSync, *, every: float = PAGE_EVERY) -> None:
        self._account = account
        self._sync = sync
        self._every = every

    async def run(self, beat: Beat = no_beat) -> None:
        """Read and wait, for ever. Raises ReaderLostError."""
        changes = self._account.database.changes
        while True:
            revision = changes.revision(Subject.FOLLOWS)
            beat(LONGEST_VISIT)
            rest = await self.read_next(beat)
            beat((rest or LOOK_AGAIN) + LONGEST_VISIT)
            if rest is None:
                await changes.wait(Subject.FOLLOWS, revision, LOOK_AGAIN)
            else:
                await asyncio.sleep(rest)

    async def read_next(self, beat: Beat = no_beat) -> float | None:
        """Read one page; return the seconds to rest before the next, None where no backfill is open."""
        for backfill in await backfills.unfinished(self._account.database, self._account.reader_id):
            channel = await channels.get(self._account.database, backfill.channel_id, self._account.reader_id)
            if channel is None or channel.access is None:  # this reader is about to meet it
                continue
            if channel.access not in READABLE:
                await self._end(backfill, channel.reason or channel.access)
                continue
            return await self._read(backfill, channel, beat)
        return None

    async def _read(self, backfill: Backfill, channel: channels.Channel, beat: Beat) -> float:
        try:
            page = await self._sync.backfill_page(channel, below=backfill.below, beat=beat)
        except TelegramError as error:
            if error.verdict is Verdict.RETRY:
                return retry_pause(error).total_seconds()
            log.info("the backfill of a channel could not be read", channel=channel.id, error=error.error)
            await self._end(backfill, error.error)
            return self._every
        read = backfill.read + page.posts
        ended = DONE if page.below is None or read >= backfill.wanted else None
        await self._account.database.write(
            lambda tx: backfills.advance(tx, backfill.id, read=read, below=page.below, ended=ended)
        )
        return self._every

    async def _end(self, backfill: Backfill, reason: str) -> None:
        await self._account.database.write(
            lambda tx: backfills.advance(tx, backfill.id, read=backfill.read, below=backfill.below, ended=reason)
        )
