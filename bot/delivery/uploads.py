"""Uploads: each file goes to Telegram once, for all chats and messages; afterwards it is sent by reference.

A reference expires some day; then the file is uploaded anew.
"""

import asyncio
from datetime import timedelta
from pathlib import Path

import structlog

from bot.errors import TelegramError, Verdict
from bot.models import Clock
from bot.models.outgoing import Peer, Remote, Upload
from bot.store import media, version_rows
from bot.store.blobs import Blobs
from bot.store.database import Database
from bot.store.media import FileState, MediaFile
from bot.telegram.media import is_refused
from bot.telegram.sender import Sender
from bot.text.markup import one_line

log = structlog.get_logger(__name__)

Key = tuple[bytes, str, str | None]  # of an upload: what, as what, and under which name
NAME_ROOM = 200  # UTF-16 units of a file's name, which must not pass for another: «fdp.exe» turned around
AT_ONCE = 3  # files on their way up


class Uploads:
    """Uploads files, and remembers how Telegram calls them."""

    def __init__(self, database: Database, sender: Sender, folder: Path, *, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._blobs = Blobs(folder)
        self._clock = clock
        self._running: dict[Key, asyncio.Task[Remote | TelegramError | None]] = {}
        self._refused: dict[Key, TelegramError] = {}  # files that Telegram takes for no chat
        self._room = asyncio.Semaphore(AT_ONCE)
        self._from = clock()  # Telegram wants no upload before

    async def close(self) -> None:
        """Give up what is on its way to Telegram."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def of_file(self, file: MediaFile) -> Upload | None:
        """Describe a file for Telegram; None where it is not on the disk."""
        if file.state is not FileState.KEPT or file.sha256 is None or not self._blobs.has(file.sha256):
            return None
        raw, layer = await version_rows.raw_message(self._database, file.version_id)
        return Upload(
            kind=file.kind,
            path=self._blobs.path(file.sha256),
            sha256=file.sha256,
            mime=file.mime or "",
            name=one_line(file.name, NAME_ROOM) if file.name else None,
            file_id=file.file_id,
            raw=raw,
            layer=layer,
        )

    async def find(
        self, peer: Peer, upload: Upload, *, wait: float, expired: Remote | None = None
    ) -> Remote | TelegramError | None:
        """Return a file as Telegram calls it, or why it is refused; uploaded where that is unknown or `expired`.

        Two that want the same file wait for one upload; where it is refused to the first one's chat, the second tries
        for its own. None where it takes more than `wait` seconds: it goes on, and is there for the next message.
        """
        until = asyncio.get_running_loop().time() + wait
        key = (upload.sha256, upload.kind, upload.name)
        bot_id = await self._sender.bot_id()
        while True:
            known = await media.find_upload(self._database, bot_id, upload)
            if known is not None and known != expired:
                return known
            if key in self._refused:
                return self._refused[key]
            is_own = key not in self._running
            if is_own:
                work = self._upload(key, peer, upload, bot_id, expired)
                self._running[key] = asyncio.create_task(work, name="delivery.upload")
                self._running[key].add_done_callback(lambda _: self._running.pop(key))
            uploading = self._running[key]
            left = max(0.0, until - asyncio.get_running_loop().time())
            await asyncio.wait({uploading}, timeout=left)
            result = uploading.result() if uploading.done() else None
            if is_own and isinstance(result, TelegramError):
                return result
            if not uploading.done() or (is_own and result is None):
                return None

    async def _upload(
        self, key: Key, peer: Peer, upload: Upload, bot_id: int, expired: Remote | None
    ) -> Remote | TelegramError | None:
        """Upload a file; return why it is refused where it is, None where that can heal."""
        async with self._room:
            known = await media.find_upload(self._database, bot_id, upload)
            if known is not None and known != expired:  # an upload ended while the caller looked for its row
                return known
            if self._clock() < self._from:
                return None
            try:
                remote = await self._sender.upload(peer, upload)
            except OSError as error:
                log.info("a file was not uploaded", sha256=upload.sha256.hex(), reason=type(error).__name__)
                return None
            except TelegramError as error:  # what is fatal is met again by the text
                log.info("a file was not uploaded", sha256=upload.sha256.hex(), reason=error.error)
                self._from = self._clock() + timedelta(seconds=error.retry_after)
                if error.verdict is Verdict.DROP:
                    self._refused[key] = error
                return error if is_refused(error) else None
        now = self._clock()
        await self._database.write(lambda tx: media.save_upload(tx, bot_id, upload, remote, now=now))
        return remote
