"""Downloads the files of matched posts through a reader account, onto the disk.

A file stays wanted until it is there or given up: a crash in between costs another download. It is put off before each
attempt, so that a file that always fails holds up none of the others.
"""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from telethon.tl import types
from telethon.tl.functions.channels import GetMessagesRequest
from telethon.tl.functions.messages import GetRichMessageRequest

from bot.errors import TelegramError, Verdict
from bot.models.files import FileReason
from bot.runtime.disk import fatal_in
from bot.runtime.pauses import doubled
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.sources.account import Account
from bot.store import media
from bot.store.blobs import Blob, Blobs
from bot.store.database import Subject
from bot.store.media import Download, FileInfo
from bot.telegram.media import PIECE, Downloadable, downloadable, is_outdated, read_message
from bot.telegram.rich import is_part

log = structlog.get_logger(__name__)

MEGABYTE = 1 << 20
SPARE = 512 * MEGABYTE  # bytes of the disk that files leave free: the database must be able to grow
SLOWEST = PIECE / 80  # bytes/s: a piece is given up a minute after its turn has come, be the link throttled or not
LOOK_EVERY = 30.0  # s between two looks for what is to be tried again
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)  # after a failed attempt; doubled each time
GIVE_UP_AFTER = timedelta(days=3)  # of failures that could heal


class _GivenUpError(Exception):
    """A file is given up; `reason` is one of the words of `bot.store.media`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _NoRoomError(Exception):
    """A file of so many bytes would leave the database too little room."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class Downloads:
    """Downloads files of `most` bytes at most each; with 0 none at all."""

    def __init__(self, account: Account, folder: Path, *, most: int) -> None:
        self._account = account
        self._database = account.database
        self._clock = account.now
        self._folder = folder
        self._blobs = Blobs(folder)
        self._most = most
        self._busy: set[int] = set()  # files that are being downloaded, by other runs of this loop

    async def run(self, beat: Beat = no_beat) -> None:
        """Download for ever; several such loops may run at once. Raises ReaderLostError, FatalError."""
        await self._database.changes.work_off(
            Subject.MEDIA, self.download_next, beat, turn=self._most / SLOWEST + TURN, pause=LOOK_EVERY
        )

    async def download_next(self) -> bool:
        """Try one file; return False where there is none to try now."""
        now, reader_id = self._clock(), self._account.reader_id
        download = await media.next_download(self._database, reader_id, now, excluded=self._busy)
        if download is None:
            return False
        if download.id not in self._busy:  # else another run has taken it while we asked
            self._busy.add(download.id)
            try:
                await self._try(download)
            finally:
                self._busy.discard(download.id)
        return True

    async def _try(self, download: Download) -> None:
        again = self._clock() + doubled(FIRST_PAUSE, download.attempts, LONGEST_PAUSE)
        await self._database.write(lambda tx: media.put_off(tx, download.id, until=again))
        try:
            await self._download(download)
        except _GivenUpError as left:
            await self._give_up(download, left.reason)
        except TelegramError as error:
            log.info("a file could not be downloaded", file=download.id, error=error.error)
            if error.verdict is Verdict.DROP and not is_outdated(error):
                await self._give_up(download, error.error)
                return
            again = max(again, self._clock() + timedelta(seconds=error.retry_after))
            await self._put_off(download, error.error, again=again)
        except _NoRoomError as error:
            log.warning("a file would leave too little disk space", file=download.id, size=error.size)
            await self._put_off(download, FileReason.NO_ROOM, again=again)
        except OSError as error:
            if (fatal := fatal_in(error, place=self._folder)) is not None:
                raise fatal from error
            log.warning("a file could not be written", file=download.id, error=str(error))
            await self._put_off(download, type(error).__name__, again=again)

    async def _download(self, download: Download) -> None:
        if not self._most:
            raise _GivenUpError(FileReason.OFF)
        found = downloadable(read_message(download.raw, download.layer), download.file_id) if download.is_ours else None
        if await self._is_copied(download):
            return
        found = found or await self._anew(download)
        info = FileInfo(mime=found.mime, name=found.name, size=found.size)
        if found.size > self._most:
            await self._give_up(download, FileReason.TOO_LARGE, info)
            return
        if await asyncio.to_thread(self._blobs.free) < found.size + SPARE:
            raise _NoRoomError(found.size)
        try:
            blob = await self._transfer(found)
        except TelegramError as error:
            if not is_outdated(error):
                raise
            blob = await self._transfer(await self._anew(download))
        await self._write(download, blob, info)

    async def _is_copied(self, download: Download) -> bool:
        """Take the blob where the same file was downloaded for another post or version."""
        file = await media.kept_file(self._database, download.file_id)
        if file is None or file.sha256 is None or not await asyncio.to_thread(self._blobs.has, file.sha256):
            return False
        blob = Blob(sha256=file.sha256, size=file.size or 0)
        await self._write(download, blob, FileInfo(mime=file.mime or "", name=file.name, size=blob.size))
        return True

    async def _anew(self, download: Download) -> Downloadable:
        """Ask for the message again, in which this account gets a fresh reference to the file."""
        channel = types.InputChannel(download.channel_id, download.access_hash)
        answer = await self._account.ask(GetMessagesRequest(channel, [types.InputMessageID(download.message_id)]))
        message = next((m for m in answer.messages if isinstance(m, types.Message)), None)
        if message is None:
            raise _GivenUpError(FileReason.GONE)
        found = downloadable(message, download.file_id)
        if found is None and is_part(message):
            peer = types.InputPeerChannel(download.channel_id, download.access_hash)
            whole = await self._account.ask(GetRichMessageRequest(peer, download.message_id))
            found = downloadable(next(iter(whole.messages), None), download.file_id)
        if found is None:
            raise _GivenUpError(FileReason.REPLACED)
        return found

    async def _transfer(self, found: Downloadable) -> Blob:
        incoming = await asyncio.to_thread(self._blobs.begin)
        pieces = found.pieces(self._account.client)
        try:
            while piece := await self._account.through("GetFile", lambda: anext(pieces, b"")):
                if incoming.size + len(piece) > self._most:
                    raise _GivenUpError(FileReason.TOO_LARGE)
                await asyncio.to_thread(incoming.write, piece)
            if incoming.size != found.size:
                raise OSError(f"{incoming.size} bytes came of {found.size}")
            return await asyncio.to_thread(incoming.keep)
        finally:
            await pieces.close()
            incoming.drop()

    async def _write(self, download: Download, blob: Blob, info: FileInfo) -> None:
        now, reader_id = self._clock(), self._account.reader_id
        await self._database.write(lambda tx: media.keep(tx, download.id, blob, info, reader_id=reader_id, now=now))

    async def _give_up(self, download: Download, reason: str, info: FileInfo | None = None) -> None:
        log.info("a file download was given up", file=download.id, reason=reason)
        now = self._clock()
        await self._database.write(lambda tx: media.give_up(tx, download.id, reason, info, now=now))

    async def _put_off(self, download: Download, reason: str, *, again: datetime) -> None:
        """Try a file later, or give it up where that was done for long enough."""
        if self._clock() - download.wanted_at >= GIVE_UP_AFTER:
            await self._give_up(download, reason)
            return
        await self._database.write(lambda tx: media.put_off(tx, download.id, until=again, reason=reason))
