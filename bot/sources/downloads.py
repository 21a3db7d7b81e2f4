"""Wanted files of posts come in; they are downloaded through the reader account, and lie on the disk by their hash.

A file stays wanted until it lies there or cannot: a crash in between costs one download more. It is put off before
each attempt, so that one that always fails holds up none of the others.
"""

import asyncio
import errno
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from telethon.tl import types
from telethon.tl.functions.channels import GetMessagesRequest

from bot.errors import TelegramError, Verdict
from bot.models import Clock
from bot.runtime.supervisor import TURN, Beat, unheard
from bot.sources.account import Account
from bot.store import media
from bot.store.blobs import Stored, Vault
from bot.store.database import Database, Subject
from bot.store.media import About, Wanted
from bot.telegram.media import PIECE, Attached, attached, is_outdated, read_message

log = structlog.get_logger(__name__)

MEGABYTE = 1 << 20
SPARE = 512 * MEGABYTE  # bytes of the disk that files leave free: the database must be able to grow
SLOWEST = PIECE / 80  # bytes/s: a piece is given up a minute after its turn has come, be the link throttled or not
LOOK_EVERY = 30.0  # s between two looks for what is to be tried again
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)  # after a failed attempt; doubled each time
GIVE_UP_AFTER = timedelta(days=3)  # of failures that could heal


class _LeftError(Exception):
    """A file that will not be kept; `reason` is a word of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Keeping:
    """Keeps the files of matched posts, of `most` bytes at most each; 0 keeps none."""

    def __init__(self, account: Account, database: Database, folder: Path, *, clock: Clock, most: int) -> None:
        self._account = account
        self._database = database
        self._vault = Vault(folder)
        self._clock = clock
        self._most = most
        self._busy: set[int] = set()  # files on their way, by other runs of this loop

    async def run(self, beat: Beat = unheard) -> None:
        """Keep what is wanted, for ever; several may run at once. Raises ReaderLostError."""
        changes = self._database.changes
        while True:
            beat(LOOK_EVERY + TURN + self._most / SLOWEST)
            revision = changes.revision(Subject.MEDIA)
            if not await self.keep_next():
                await changes.wait(Subject.MEDIA, revision, LOOK_EVERY)

    async def keep_next(self) -> bool:
        """Try one file; False where there is none to try now."""
        now, reader_id = self._clock(), self._account.reader_id
        wanted = await media.next_wanted(self._database, reader_id, now, besides=self._busy)
        if wanted is None:
            return False
        if wanted.id not in self._busy:  # else another run has taken it while we asked
            self._busy.add(wanted.id)
            try:
                await self._try(wanted)
            finally:
                self._busy.discard(wanted.id)
        return True

    async def _try(self, wanted: Wanted) -> None:
        again = self._clock() + min(FIRST_PAUSE * 2 ** min(wanted.attempts, 20), LONGEST_PAUSE)
        await self._database.write(lambda tx: media.put_off(tx, wanted.id, until=again))
        try:
            await self._keep(wanted)
        except _LeftError as left:
            await self._leave(wanted, left.reason)
        except TelegramError as error:
            log.info("a file could not be downloaded", file=wanted.id, error=error.error)
            if error.verdict is Verdict.DROP and not is_outdated(error):
                await self._leave(wanted, error.error)
                return
            again = max(again, self._clock() + timedelta(seconds=error.retry_after))
            await self._put_off(wanted, error.error, again=again)
        except OSError as error:
            log.warning("a file could not be written", file=wanted.id, error=str(error))
            reason = media.NO_ROOM if error.errno == errno.ENOSPC else type(error).__name__
            await self._put_off(wanted, reason, again=again)

    async def _keep(self, wanted: Wanted) -> None:
        if not self._most:
            raise _LeftError(media.OFF)
        found = attached(read_message(wanted.raw, wanted.layer)) if wanted.is_ours else None
        if await self._is_known(wanted):
            return
        found = found or await self._anew(wanted)
        about = About(mime=found.mime, name=found.name, size=found.size)
        if found.size > self._most:
            await self._leave(wanted, media.TOO_LARGE, about)
            return
        if await asyncio.to_thread(self._vault.free) < found.size + SPARE:
            raise OSError(errno.ENOSPC, f"{found.size} bytes would leave too little room")
        stored = await self._fetch(wanted, found)
        await self._write_down(wanted, stored, about)

    async def _is_known(self, wanted: Wanted) -> bool:
        """Take what we have already where the same file was kept for another post or version."""
        file = await media.known(self._database, wanted.file_id)
        if file is None or file.sha256 is None or not await asyncio.to_thread(self._vault.has, file.sha256):
            return False
        stored = Stored(sha256=file.sha256, size=file.size or 0)
        await self._write_down(wanted, stored, About(mime=file.mime or "", name=file.name, size=stored.size))
        return True

    async def _fetch(self, wanted: Wanted, found: Attached) -> Stored:
        try:
            return await self._download(found)
        except TelegramError as error:
            if not is_outdated(error):
                raise
        return await self._download(await self._anew(wanted))

    async def _anew(self, wanted: Wanted) -> Attached:
        """Ask for the message again: it names the file for this account, and for now."""
        channel = types.InputChannel(wanted.channel_id, wanted.access_hash)
        answer = await self._account.ask(GetMessagesRequest(channel, [types.InputMessageID(wanted.message_id)]))
        message = next((m for m in answer.messages if isinstance(m, types.Message)), None)
        if message is None:
            raise _LeftError(media.GONE)
        found = attached(message)
        if found is None or found.file_id != wanted.file_id:
            raise _LeftError(media.REPLACED)
        return found

    async def _download(self, found: Attached) -> Stored:
        incoming = await asyncio.to_thread(self._vault.begin)
        pieces = found.pieces(self._account.client)
        try:
            while piece := await self._account.through("GetFile", lambda: anext(pieces, b"")):
                if incoming.size + len(piece) > self._most:
                    raise _LeftError(media.TOO_LARGE)
                await asyncio.to_thread(incoming.write, piece)
            if incoming.size != found.size:
                raise OSError(f"{incoming.size} bytes came of {found.size}")
            return await asyncio.to_thread(incoming.keep)
        finally:
            await pieces.close()
            incoming.drop()

    async def _write_down(self, wanted: Wanted, stored: Stored, about: About) -> None:
        now, reader_id = self._clock(), self._account.reader_id
        await self._database.write(lambda tx: media.keep(tx, wanted.id, stored, about, reader_id=reader_id, now=now))

    async def _leave(self, wanted: Wanted, reason: str, about: About | None = None) -> None:
        log.info("a file is not kept", file=wanted.id, reason=reason)
        now = self._clock()
        await self._database.write(lambda tx: media.leave(tx, wanted.id, reason, about, now=now))

    async def _put_off(self, wanted: Wanted, reason: str, *, again: datetime) -> None:
        """Try it later, unless that was done for long enough."""
        if self._clock() - wanted.wanted_at >= GIVE_UP_AFTER:
            await self._leave(wanted, reason)
            return
        await self._database.write(lambda tx: media.put_off(tx, wanted.id, until=again, reason=reason))
