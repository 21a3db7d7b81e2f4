"""Files follow the alerts of their posts: one as itself, several as an album, in a silent reply.

Buttons cannot stand under an album, so the alert is a text of its own; it waits for no file.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import structlog

from bot.delivery.uploads import Uploads
from bot.errors import TelegramError, Verdict
from bot.locales import translator
from bot.models import Clock
from bot.models.outgoing import Outgoing, Remote, Upload
from bot.store import attachments, media
from bot.store.attachments import Attachment
from bot.store.database import Database
from bot.store.messages import Message
from bot.telegram.errors import UNANSWERABLE
from bot.telegram.media import ALBUM, is_outdated, is_refused, kind_of_album, outdated_among
from bot.telegram.sender import Sender
from bot.text.markup import Text, link, one_line

log = structlog.get_logger(__name__)

WAIT = 1.0  # s that a reply waits for its uploads, and what is behind it in the chat; later it is tried again
TRIES = 20  # of a reply whose files are not all uploaded, an hour; then it goes with those that are
TITLE_ROOM = 60  # UTF-16 units
_SILENT = Outgoing(text="", silent=True)


class NotYetError(Exception):
    """A message cannot be sent yet: it is to be tried again, and holds up nothing meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _UploadedFile:
    """An attachment that Telegram has."""

    attachment: Attachment
    upload: Upload
    remote: Remote


class Attachments:
    """Sends the replies that bring files."""

    def __init__(self, database: Database, sender: Sender, folder: Path, *, clock: Clock, wait: float = WAIT) -> None:
        self._database = database
        self._sender = sender
        self._uploads = Uploads(database, sender, folder, clock=clock)
        self._wait = wait

    async def close(self) -> None:
        """Give up what is on its way to Telegram."""
        await self._uploads.close()

    async def send(self, reply: Message) -> int | None:
        """Send the files of a reply; return the id of its first message, None where that is unknown or nothing went.

        Raises TelegramError, and NotYetError where a file is not uploaded yet or the chat's texts go first.
        """
        if not reply.chat.media:
            return None
        claimed = await self._database.write(lambda tx: attachments.claim(tx, reply.id))
        files = await self._uploaded(reply, claimed)
        if not self._sender.queue.has_room(reply.chat.peer, len(files)) and reply.attempts < TRIES:
            raise NotYetError("the chat's texts go first")
        caption, first_id = _caption(reply, claimed), None
        for album in _albums(files):
            sent = await self._send(reply, album, caption)
            first_id, caption = first_id or sent, _SILENT
        return first_id

    async def _uploaded(self, reply: Message, claimed: Sequence[Attachment]) -> list[_UploadedFile]:
        """Upload files, unless they are gone from the disk or refused."""
        stored = {
            (file.version_id, file.file_id): file
            for file in await media.of_versions(self._database, {c.version_id for c in claimed})
        }
        found = [(each, await self._uploads.of_file(stored[each.version_id, each.file_id])) for each in claimed]
        there = [(each, upload) for each, upload in found if upload is not None]
        remotes = await asyncio.gather(
            *(self._uploads.find(reply.chat.peer, upload, wait=self._wait) for _, upload in there)
        )
        if None in remotes and reply.attempts < TRIES:
            raise NotYetError("files are being uploaded")
        uploaded = list[_UploadedFile]()
        for (each, upload), remote in zip(there, remotes, strict=True):
            if isinstance(remote, Remote):
                uploaded.append(_UploadedFile(attachment=each, upload=upload, remote=remote))
            elif remote is not None:
                log.info("a file does not follow an alert", reply=reply.id, reason=remote.error)
        return uploaded

    async def _send(self, reply: Message, files: Sequence[_UploadedFile], caption: Outgoing) -> int | None:
        """Send a file or an album; one that is refused as an album is sent file by file.

        That is written down first: Telegram would take an album, of which a file was sent, for one that it has.
        """
        try:
            return await self._send_renewed(reply, files, caption)
        except TelegramError as error:
            if error.error == UNANSWERABLE and reply.reply_to is not None:  # the chat has deleted the alert
                return None
            if not is_refused(error):
                raise
            log.info("files do not follow an alert", reply=reply.id, files=len(files), reason=error.error)
            if len(files) == 1 or (error.verdict is not Verdict.DROP and _are_alike(files)):
                return None
        apart = [file.attachment for file in files]
        await self._database.write(lambda tx: attachments.split(tx, reply.id, apart))
        sent = [await self._send(reply, [file], caption if file is files[0] else _SILENT) for file in files]
        return next(filter(None, sent), None)

    async def _send_renewed(self, reply: Message, files: Sequence[_UploadedFile], caption: Outgoing) -> int | None:
        """Send files that go together; those whose references have expired are uploaded anew."""
        peer, sent = reply.chat.peer, [(file.remote, file.attachment.random_id) for file in files]
        renewals = len(files) + 1
        while True:
            try:
                return await self._sender.send_files(peer, caption, sent, reply_to=reply.reply_to, place=reply.id)
            except TelegramError as error:
                if not renewals or not is_outdated(error):
                    raise
                renewals -= 1
                for number in outdated_among(error, len(files)):
                    expired, random_id = sent[number]
                    sent[number] = (await self._anew(reply, files[number].upload, expired), random_id)

    async def _anew(self, reply: Message, upload: Upload, expired: Remote) -> Remote:
        remote = await self._uploads.find(reply.chat.peer, upload, wait=self._wait, expired=expired)
        if isinstance(remote, TelegramError):
            raise remote
        if remote is None:
            raise NotYetError("a file is being uploaded anew")
        return remote


def _are_alike(files: Sequence[_UploadedFile]) -> bool:
    """Say whether a chat that does not let in one of these files lets in none: it may let in photos, but no videos."""
    return len({file.upload.kind for file in files}) == 1


def _albums(files: Sequence[_UploadedFile]) -> Iterator[Sequence[_UploadedFile]]:
    """Group files as Telegram lets them share an album; their order stays."""
    for kind, alike in groupby(files, key=lambda file: None if file.attachment.alone else kind_of_album(file.upload)):
        listed, most = list(alike), 1 if kind is None else ALBUM
        for first in range(0, len(listed), most):
            yield listed[first : first + most]


def _caption(reply: Message, claimed: Sequence[Attachment]) -> Outgoing:
    """Say that files replace others, and name the post where there is no alert to answer; else nothing."""
    text, post = Text(), reply.post
    if any(each.replaces for each in claimed):
        text.add(translator(reply.chat.language).gettext("The post shows this file now:"))
    if reply.reply_to is None and post is not None:
        title = one_line(post.channel_title, TITLE_ROOM) or post.link
        text.add("\n" if text else "", link(title, post.link))
    words, entities = text.build()
    return Outgoing(text=words, entities=entities, silent=True)
