"""A bundle comes in, files that an alert did not bring along; they go out after it, an album where there are several.

They answer the alert without a sound: buttons cannot stand under an album.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog

from bot.delivery.uploads import NotYetError, Uploads
from bot.errors import TelegramError, Verdict
from bot.locales import translator
from bot.models import Enclosure, Outgoing, Remote, post_link
from bot.store import attachments, media
from bot.store.database import Database
from bot.store.outbox import Alert
from bot.telegram.errors import UNANSWERABLE
from bot.telegram.media import ALBUM, is_outdated, is_refused, kind_of_album, outdated_among
from bot.telegram.sender import Sender
from bot.text.markup import Text, link, one_line

log = structlog.get_logger(__name__)

TRIES = 20  # at a bundle whose files are not all uploaded, an hour; then those that are go
TITLE_ROOM = 60  # UTF-16 units


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A file of a bundle."""

    enclosure: Enclosure
    random_id: int
    remote: Remote


class Bundles:
    """Sends files after alerts."""

    def __init__(self, database: Database, sender: Sender, uploads: Uploads, *, wait: float) -> None:
        self._database = database
        self._sender = sender
        self._uploads = uploads
        self._wait = wait  # s that a chat's alerts wait for uploads

    async def bring(self, alert: Alert) -> int | None:
        """Send a bundle; return the number of its first message, where it can be known.

        Raises TelegramError, and NotYetError where the alert has not gone or a file is not uploaded yet.
        """
        if not alert.chat.media or alert.followed_state == "dead":
            return None
        if alert.followed_state == "due":
            raise NotYetError("the alert has not gone yet")
        pieces = await self._pieces(alert)
        if not self._sender.has_room(alert.chat.peer, len(pieces)) and alert.attempts < TRIES:
            raise NotYetError("the chat's texts go first")
        caption, first_id = _caption(alert), None
        for together in _albums(pieces, apart=alert.payload.get("apart", False)):
            sent = await self._send(alert, together, caption)
            first_id, caption = first_id or sent, _silent("")
        return first_id

    async def _pieces(self, alert: Alert) -> list[_Piece]:
        items = sorted(alert.payload["items"], key=lambda item: item["message"])  # they were kept in any order
        files = {f.version_id: f for f in await media.of_versions(self._database, [i["version"] for i in items])}
        found = [(await self._uploads.enclosure(files[item["version"]]), item["random_id"]) for item in items]
        enclosed = [(enclosure, random_id) for enclosure, random_id in found if enclosure is not None]
        until = asyncio.get_running_loop().time() + self._wait
        named = await asyncio.gather(*(self._named(alert, enclosure, until=until) for enclosure, _ in enclosed))
        if None in named and alert.attempts < TRIES:
            raise NotYetError("files are being uploaded")
        return [
            _Piece(enclosure=enclosure, random_id=random_id, remote=remote)
            for (enclosure, random_id), remote in zip(enclosed, named, strict=True)
            if isinstance(remote, Remote)
        ]

    async def _named(self, alert: Alert, enclosure: Enclosure, *, until: float) -> Remote | TelegramError | None:
        """Return how Telegram calls a file, or why it is refused; None: not in time."""
        try:
            return await self._uploads.named(alert.chat.peer, enclosure, until=until)
        except TelegramError as error:
            log.info("a file does not follow an alert", alert=alert.id, reason=error.error)
            return error

    async def _send(self, alert: Alert, pieces: Sequence[_Piece], caption: Outgoing) -> int | None:
        """Send files that go together; one by one where they are refused as an album.

        That is written down first: an album of which a part was sent, Telegram would take for one that it has.
        """
        try:
            return await self._send_renewed(alert, pieces, caption)
        except TelegramError as error:
            if error.error == UNANSWERABLE and alert.reply_to is not None:  # who deletes an alert wants no files of it
                return None
            if not is_refused(error):
                raise
            log.info("files do not follow an alert", alert=alert.id, files=len(pieces), reason=error.error)
            if len(pieces) == 1 or (error.verdict is not Verdict.DROP and _are_alike(pieces)):
                return None
        await self._database.write(lambda tx: attachments.part(tx, alert.id))
        sent = [await self._send(alert, [piece], caption if piece is pieces[0] else _silent("")) for piece in pieces]
        return next(filter(None, sent), None)

    async def _send_renewed(self, alert: Alert, pieces: Sequence[_Piece], caption: Outgoing) -> int | None:
        """Send files, those under new names whose names have expired."""
        remotes = [piece.remote for piece in pieces]
        for _ in range(len(pieces) + 1):
            try:
                return await self._send_named(alert, pieces, remotes, caption)
            except TelegramError as error:
                if not is_outdated(error):
                    raise
                for number in outdated_among(error, len(pieces)):
                    remotes[number] = await self._anew(alert, pieces[number].enclosure, remotes[number])
        return await self._send_named(alert, pieces, remotes, caption)

    async def _send_named(
        self, alert: Alert, pieces: Sequence[_Piece], remotes: Sequence[Remote], caption: Outgoing
    ) -> int | None:
        peer, answer, random_id = alert.chat.peer, alert.reply_to, pieces[0].random_id
        if len(pieces) == 1:
            return await self._sender.send_media(
                peer, caption, remotes[0], random_id=random_id, reply_to=answer, place=alert.id
            )
        files = [(remote, piece.random_id) for remote, piece in zip(remotes, pieces, strict=True)]
        return await self._sender.send_album(peer, caption, files, reply_to=answer, place=alert.id)

    async def _anew(self, alert: Alert, enclosure: Enclosure, expired: Remote) -> Remote:
        until = asyncio.get_running_loop().time() + self._wait
        remote = await self._uploads.named(alert.chat.peer, enclosure, until=until, instead_of=expired)
        if remote is None:
            raise NotYetError("a file is being uploaded anew")
        return remote


def _are_alike(pieces: Sequence[_Piece]) -> bool:
    """Say whether a chat that does not let in one of these files lets in none: it may let in photos, but no videos."""
    return len({piece.enclosure.kind for piece in pieces}) == 1


def _albums(pieces: Sequence[_Piece], *, apart: bool) -> Iterator[Sequence[_Piece]]:
    """Part files as Telegram lets them go together, or let each go by itself; their order stays."""
    for kind, alike in groupby(pieces, key=lambda piece: kind_of_album(piece.enclosure)):
        listed, most = list(alike), 1 if apart or kind is None else ALBUM
        for first in range(0, len(listed), most):
            yield listed[first : first + most]


def _caption(alert: Alert) -> Outgoing:
    """Say what the files are where that is not clear: they replace others, or there is no alert to answer."""
    text = Text()
    if alert.payload["replaces"]:
        text.add(translator(alert.chat.language).gettext("The post shows this file now:"))
    if alert.reply_to is None and alert.post is not None:
        post = alert.post
        url = post_link(post.channel_id, post.channel_username, post.message_id)
        text.add("\n" if text else "", link(one_line(post.channel_title, TITLE_ROOM) or url, url))
    words, entities = text.build()
    return Outgoing(text=words, entities=entities, silent=True)


def _silent(text: str) -> Outgoing:
    return Outgoing(text=text, silent=True)
