"""Files that we keep come in; how Telegram calls them goes out, each uploaded once for all chats and messages.

Afterwards Telegram is told the name of a file only, until that name has expired.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from bot.errors import TelegramError, Verdict
from bot.models import Clock, Enclosure, Peer, Remote
from bot.store import evidence, uploads
from bot.store.blobs import Vault
from bot.store.database import Database
from bot.store.media import File, State
from bot.telegram.media import is_refused
from bot.telegram.sender import Sender
from bot.text.markup import one_line

log = structlog.get_logger(__name__)

Key = tuple[bytes, str, str | None]  # of an upload: what, as what, and under which name
NAME_ROOM = 200  # UTF-16 units of a file's name, which must not pass for another: «fdp.exe» turned around
AT_ONCE = 3  # files on their way up


class NotYetError(Exception):
    """What a message needs is not there yet: it is to be tried again, and holds up nothing meanwhile."""


class Uploads:
    """Brings files to Telegram, and remembers how it calls them."""

    def __init__(self, database: Database, sender: Sender, folder: Path, *, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._vault = Vault(folder)
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

    async def enclosure(self, file: File) -> Enclosure | None:
        """Describe a file that we keep; None where it does not lie on the disk."""
        if file.state is not State.KEPT or file.sha256 is None or not self._vault.has(file.sha256):
            return None
        raw, layer = await evidence.raw_of(self._database, file.version_id)
        return Enclosure(
            kind=file.kind,
            path=self._vault.path(file.sha256),
            sha256=file.sha256,
            mime=file.mime or "",
            name=one_line(file.name, NAME_ROOM) if file.name else None,
            raw=raw,
            layer=layer,
        )

    async def named(
        self, peer: Peer, enclosure: Enclosure, *, until: float, instead_of: Remote | None = None
    ) -> Remote | None:
        """Return how Telegram calls a file, which is uploaded where that is unknown or has expired; None: not in time.

        Whoever comes second waits for the first; where a chat of the first's refuses it, the second tries itself. What
        takes too long for one message, by the loop's clock, goes on for the next one. Raises TelegramError where the
        file is refused.
        """
        key = (enclosure.sha256, enclosure.kind, enclosure.name)
        bot_id = await self._sender.bot_id()
        while True:
            known = await uploads.find(self._database, bot_id, enclosure)
            if known is not None and known != instead_of:
                return known
            if key in self._refused:
                raise self._refused[key]
            is_own = key not in self._running
            if is_own:
                self._begin(key, self._upload(key, peer, enclosure, bot_id))
            uploading = self._running[key]
            left = max(0.0, until - asyncio.get_running_loop().time())
            await asyncio.wait({uploading}, timeout=left)
            result = uploading.result() if uploading.done() else None
            if is_own and isinstance(result, TelegramError):
                raise result
            if not uploading.done() or (is_own and result is None):
                return None

    def _begin(self, key: Key, work: Coroutine[Any, Any, Remote | TelegramError | None]) -> None:
        self._running[key] = uploading = asyncio.create_task(work, name="delivery.upload")
        uploading.add_done_callback(lambda _: self._running.pop(key))

    async def _upload(self, key: Key, peer: Peer, enclosure: Enclosure, bot_id: int) -> Remote | TelegramError | None:
        """Upload a file; return why it is refused where it is, None where that can heal."""
        async with self._room:
            if self._clock() < self._from:
                return None
            try:
                remote = await self._sender.upload(peer, enclosure)
            except OSError as error:
                log.info("a file was not uploaded", sha256=enclosure.sha256.hex(), reason=type(error).__name__)
                return None
            except TelegramError as error:  # what is fatal is met again by the text
                log.info("a file was not uploaded", sha256=enclosure.sha256.hex(), reason=error.error)
                self._from = self._clock() + timedelta(seconds=error.retry_after)
                if error.verdict is Verdict.DROP:
                    self._refused[key] = error
                return error if is_refused(error) else None
        now = self._clock()
        await self._database.write(lambda tx: uploads.put(tx, bot_id, enclosure, remote, now=now))
        return remote
