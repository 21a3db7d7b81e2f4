"""An alert whose post has a file comes in; it goes out with it, where the chat wants that and the file comes in time.

Whoever waits holds up nothing but the queue of its own chat. A file is uploaded once for all chats; afterwards Telegram
is told its name only, until that name has expired.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from bot.errors import TelegramError
from bot.markup import one_line
from bot.models import Clock, Enclosure, Outgoing, Remote
from bot.store import evidence, media, uploads
from bot.store.alerts import Kind
from bot.store.database import Database, Subject
from bot.store.media import File, State
from bot.store.outbox import Alert
from bot.store.vault import Vault
from bot.telegram.media import is_outdated, is_refused
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

Key = tuple[bytes, str, str | None]  # of an upload: what, as what, and under which name
NAME_ROOM = 200  # UTF-16 units of a file's name, which must not pass for another: «fdp.exe» turned around
WAIT = 5.0  # s from the creation of an alert, after which its text goes alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A file that is to go with an alert."""

    enclosure: Enclosure
    more: int  # items of the album that do not come along
    until: float  # by the loop's clock, when it has to be uploaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What became of an alert that went with its file."""

    message_id: int | None  # None: it was sent before


class Relay:
    """Sends alerts with the files of their posts."""

    def __init__(self, database: Database, sender: Sender, folder: Path, *, clock: Clock, wait: float = WAIT) -> None:
        self._database = database
        self._sender = sender
        self._vault = Vault(folder)
        self._clock = clock
        self._wait = wait
        self._uploads: dict[Key, asyncio.Task[Remote | None]] = {}  # that are on their way
        self._uploads_from = clock()  # Telegram wants no upload before

    async def close(self) -> None:
        """Give up what is on its way to Telegram."""
        uploading = list(self._uploads.values())
        for task in uploading:
            task.cancel()
        await asyncio.gather(*uploading, return_exceptions=True)

    async def parcel(self, alert: Alert) -> Parcel | None:
        """Wait for the file of an alert; None where its text goes alone: written down where the post has files."""
        if alert.kind is not Kind.POST or alert.post is None or alert.post.media is None:
            return None
        if not alert.chat.media or alert.media is False:
            return None
        left = (alert.created_at + timedelta(seconds=self._wait) - self._clock()).total_seconds()
        until = asyncio.get_running_loop().time() + (left if left > 0 else self._wait)
        file = await self._awaited(alert.post.version_id, left)
        if file is None:
            return None
        if file.state is not State.KEPT or file.sha256 is None or not self._vault.has(file.sha256):
            await self._decide(alert, with_media=False)
            return None
        raw, layer = await evidence.raw_of(self._database, file.version_id)
        enclosure = Enclosure(
            kind=file.kind,
            path=self._vault.path(file.sha256),
            sha256=file.sha256,
            mime=file.mime or "",
            name=one_line(file.name, NAME_ROOM) if file.name else None,
            raw=raw,
            layer=layer,
        )
        more = await media.others(self._database, alert.post.channel_id, alert.post.key)
        return Parcel(enclosure=enclosure, more=more, until=until)

    async def carry(self, alert: Alert, parcel: Parcel, outgoing: Outgoing) -> Carried | None:
        """Send an alert with its file; None where the text is to go alone, since nothing was sent.

        That it goes with media is written down first: after a crash Telegram may only say that it was sent. Raises
        TelegramError.
        """
        remote = await self._uploaded(alert, parcel.enclosure, until=parcel.until)
        if remote is None:
            await self._decide(alert, with_media=False)
            return None
        await self._decide(alert, with_media=True)
        try:
            return await self._send(alert, parcel, outgoing, remote)
        except TelegramError as error:
            if not is_refused(error):
                raise
            log.info("an alert goes without its file", alert=alert.id, reason=error.error)
        await self._decide(alert, with_media=False)
        return None

    async def _send(self, alert: Alert, parcel: Parcel, outgoing: Outgoing, remote: Remote) -> Carried | None:
        peer, identity = alert.chat.peer, {"random_id": alert.random_id, "place": alert.id}
        try:
            return Carried(message_id=await self._sender.send_media(peer, outgoing, remote, **identity))
        except TelegramError as error:
            if not is_outdated(error):
                raise
        until = asyncio.get_running_loop().time() + self._wait
        anew = await self._uploaded(alert, parcel.enclosure, until=until, instead_of=remote)
        if anew is None:
            await self._decide(alert, with_media=False)
            return None
        return Carried(message_id=await self._sender.send_media(peer, outgoing, anew, **identity))

    async def _awaited(self, version_id: int, left: float) -> File | None:
        """Return the file of a version once nothing more is to come of it, or so many seconds are over."""
        changes, loop = self._database.changes, asyncio.get_running_loop()
        until = loop.time() + left
        while True:
            revision = changes.revision(Subject.MEDIA)
            file = await media.of_version(self._database, version_id)
            left = until - loop.time()
            if file is None or file.state is not State.WANTED or left <= 0:
                return file
            await changes.wait(Subject.MEDIA, revision, left)

    async def _uploaded(
        self, alert: Alert, enclosure: Enclosure, *, until: float, instead_of: Remote | None = None
    ) -> Remote | None:
        """Return how Telegram calls a file, which is uploaded where that is unknown or has expired; None: not in time.

        Whoever comes second waits for the first; where a chat of the first's refuses it, the second tries itself. What
        takes too long for an alert goes on for the next one.
        """
        key = (enclosure.sha256, enclosure.kind, enclosure.name)
        bot_id = await self._sender.bot_id()
        while True:
            known = await uploads.find(self._database, bot_id, enclosure)
            if known is not None and known != instead_of:
                return known
            is_own = key not in self._uploads
            if is_own:
                self._begin(key, self._upload(alert, enclosure, bot_id))
            uploading = self._uploads[key]
            left = max(0.0, until - asyncio.get_running_loop().time())
            await asyncio.wait({uploading}, timeout=left)
            if not uploading.done() or (is_own and uploading.result() is None):
                log.info("a file was not uploaded in time", alert=alert.id)
                return None

    def _begin(self, key: Key, work: Coroutine[Any, Any, Remote | None]) -> None:
        self._uploads[key] = uploading = asyncio.create_task(work, name="delivery.upload")
        uploading.add_done_callback(lambda _: self._uploads.pop(key))

    async def _upload(self, alert: Alert, enclosure: Enclosure, bot_id: int) -> Remote | None:
        if self._clock() < self._uploads_from:
            return None
        try:
            remote = await self._sender.upload(alert.chat.peer, enclosure)
        except OSError as error:
            log.info("a file was not uploaded", alert=alert.id, reason=type(error).__name__)
            return None
        except TelegramError as error:  # what is fatal is met again by the text
            log.info("a file was not uploaded", alert=alert.id, reason=error.error)
            self._uploads_from = self._clock() + timedelta(seconds=error.retry_after)
            return None
        now = self._clock()
        await self._database.write(lambda tx: uploads.put(tx, bot_id, enclosure, remote, now=now))
        return remote

    async def _decide(self, alert: Alert, *, with_media: bool) -> None:
        await self._database.write(lambda tx: media.decide(tx, alert.id, with_media=with_media))
