"""An alert whose post has a file comes in; it goes out with it, where the chat wants that and the file comes in time.

Whoever waits holds up nothing but the queue of its own chat. What did not come in time, and the other files of an
album, follow in bundles.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from bot.delivery.albums import Bundles
from bot.delivery.uploads import NotYetError, Uploads
from bot.errors import TelegramError
from bot.models import Clock, Enclosure, Outgoing, Remote
from bot.store import attachments, media
from bot.store.alerts import Kind
from bot.store.database import Database, Subject
from bot.store.media import File, State
from bot.store.outbox import Alert
from bot.telegram.media import is_outdated, is_refused
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

WAIT = 5.0  # s from the creation of an alert, after which its text goes alone
SHORTLY = 1.0  # s that an alert waits for an upload which has waited for its turn already, as files do that follow one
TRIES = 20  # to show another file in a message: an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A file that is to go with an alert."""

    enclosure: Enclosure
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
        self._clock = clock
        self._wait = wait
        self._shortly = min(wait, SHORTLY)
        self._uploads = Uploads(database, sender, folder, clock=clock)
        self.bundles = Bundles(database, sender, self._uploads, wait=self._shortly)

    async def close(self) -> None:
        """Give up what is on its way to Telegram."""
        await self._uploads.close()

    async def parcel(self, alert: Alert) -> Parcel | None:
        """Wait for the file of an alert; None where its text goes alone: written down where the post has files."""
        if alert.kind is not Kind.POST or alert.post is None or alert.post.media is None:
            return None
        if not alert.chat.media or alert.media is False:
            return None
        left = (alert.created_at + timedelta(seconds=self._wait) - self._clock()).total_seconds()
        until = self._now() + max(left, self._shortly)
        file = await self._awaited(alert.post.version_id, left)
        if file is None:
            return None
        enclosure = await self._uploads.enclosure(file)
        if enclosure is None:
            await self._decide(alert, with_media=False)
            return None
        return Parcel(enclosure=enclosure, until=until)

    async def carry(self, alert: Alert, parcel: Parcel, outgoing: Outgoing) -> Carried | None:
        """Send an alert with its file; None where the text is to go alone, since nothing was sent.

        That it goes with media is written down first: after a crash Telegram may only say that it was sent. Raises
        TelegramError.
        """
        try:
            remote = await self._uploads.named(alert.chat.peer, parcel.enclosure, until=parcel.until)
            if remote is None:
                log.info("a file was not uploaded in time", alert=alert.id)
                await self._decide(alert, with_media=False)
                return None
            await self._decide(alert, with_media=True)
            return await self._send(alert, parcel, outgoing, remote)
        except TelegramError as error:
            if not is_refused(error):
                raise
            log.info("an alert goes without its file", alert=alert.id, reason=error.error)
        await self._decide(alert, with_media=False, refused=True)
        return None

    async def replace(self, alert: Alert, outgoing: Outgoing) -> bool:
        """Edit a message so that it shows the file that its post shows now; False where the text alone is to be edited.

        Raises TelegramError, NotYetError.
        """
        post = alert.post
        if post is None or not await attachments.was_replaced(self._database, post.channel_id, post.message_id):
            return False
        file = await media.of_version(self._database, post.version_id)
        enclosure = None if file is None else await self._uploads.enclosure(file)
        if enclosure is None:  # once it is kept, another edit comes
            return False
        try:
            is_shown = await self._show(alert, enclosure, outgoing)
        except TelegramError as error:
            if not is_refused(error):
                raise
            log.info("a message goes on to show an old file", alert=alert.id, reason=error.error)
            return False
        if not is_shown and alert.attempts < TRIES:
            if not alert.attempts:  # the words wait for no file
                await self._sender.edit(alert.chat.peer, alert.followed_id or 0, outgoing, place=alert.id)
            raise NotYetError("a file is being uploaded")
        return is_shown

    async def _show(self, alert: Alert, enclosure: Enclosure, outgoing: Outgoing) -> bool:
        """Edit a message with a file; False where that is not uploaded in time."""
        known: Remote | None = None
        for _ in range(2):  # the second time under a new name
            peer, number, until = alert.chat.peer, alert.followed_id or 0, self._now() + self._shortly
            known = await self._uploads.named(peer, enclosure, until=until, instead_of=known)
            if known is None:
                return False
            try:
                await self._sender.edit(peer, number, outgoing, remote=known, place=alert.id)
            except TelegramError as error:
                if not is_outdated(error):
                    raise
            else:
                return True
        return False

    async def _send(self, alert: Alert, parcel: Parcel, outgoing: Outgoing, remote: Remote) -> Carried | None:
        peer, identity = alert.chat.peer, {"random_id": alert.random_id, "place": alert.id}
        try:
            return Carried(message_id=await self._sender.send_media(peer, outgoing, remote, **identity))
        except TelegramError as error:
            if not is_outdated(error):
                raise
        anew = await self._uploads.named(peer, parcel.enclosure, until=parcel.until, instead_of=remote)
        if anew is None:
            await self._decide(alert, with_media=False)
            return None
        return Carried(message_id=await self._sender.send_media(peer, outgoing, anew, **identity))

    async def _awaited(self, version_id: int, left: float) -> File | None:
        """Return the file of a version once nothing more is to come of it, or so many seconds are over."""
        changes = self._database.changes
        until = self._now() + left
        while True:
            revision = changes.revision(Subject.MEDIA)
            file = await media.of_version(self._database, version_id)
            left = until - self._now()
            if file is None or file.state is not State.WANTED or left <= 0:
                return file
            await changes.wait(Subject.MEDIA, revision, left)

    async def _decide(self, alert: Alert, *, with_media: bool, refused: bool = False) -> None:
        now, post = self._clock(), (alert.channel_id or 0, alert.post_key or "")
        await self._database.write(
            lambda tx: attachments.decide(tx, alert.id, *post, with_media=with_media, refused=refused, now=now)
        )

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
