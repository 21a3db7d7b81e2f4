"""Numbers of messages come in; what the bot itself has written there goes out, and which of it an alert is.

A bot may not read histories, but it may ask what lies at given numbers. Our messages are known by their buttons.
"""

import re
from collections.abc import AsyncIterator, Iterable

import structlog

from bot.errors import TelegramError
from bot.models import Button, Outgoing, Peer, PeerKind
from bot.store import sightings
from bot.store.database import Database
from bot.store.outbox import Alert
from bot.telegram.sender import READ_AT_ONCE, Sender
from bot.telegram.sent_messages import MessagePage, SentMessage

log = structlog.get_logger(__name__)

NOTHING_AFTER = 3  # pages in a row in which we see no message: that was the newest
JUST_NOW = 300  # numbers below the newest one that we know, among which what was sent just now lies …
NEAR, FAR = 5, 10  # … pages that are read there, and from the last alert of the chat on
# `verb:<channel>:<message>` under an alert, also where a choice is open in its place; other messages have other verbs.
_KEY = re.compile(rb"(?:quote|snooze|wrong|back):(\d+):(\d+)(?::.*)?")
# Until quotes came, an alert had a link to the post and muted its channel.
_OLD_KEY, _POST_LINK = re.compile(rb"mute:(\d+)"), re.compile(r"https://t\.me/(?:c/)?\w+/(\d+)")


class Finder:
    """Finds messages of ours."""

    def __init__(self, database: Database, sender: Sender) -> None:
        self._database = database
        self._sender = sender

    async def find(self, alert: Alert, outgoing: Outgoing) -> int | None:
        """Return the number of a message that was sent, and whose number was lost; None where it is not found."""
        try:
            return await self._find(alert, outgoing)
        except TelegramError as error:
            log.warning("a message of ours cannot be looked for", alert=alert.id, reason=error.error)
            return None

    async def _find(self, alert: Alert, outgoing: Outgoing) -> int | None:
        peer = alert.chat.peer
        channel = peer if peer.kind is PeerKind.CHANNEL else None
        last = await sightings.newest_id(self._database, alert.chat.id)
        newest = last if channel else await sightings.newest_id_of_account(self._database)
        near = max(last, newest - JUST_NOW)
        found = await self._among(self.pages(near, channel=channel, most=NEAR), alert, outgoing)
        if found is None and near > last:
            found = await self._among(self.pages(last, channel=channel, most=FAR), alert, outgoing)
        if found is None:
            log.info("the message of an alert was not found; it is done without", alert=alert.id)
        return found

    async def _among(self, pages: AsyncIterator[MessagePage], alert: Alert, outgoing: Outgoing) -> int | None:
        async for page in pages:
            here = [own for own in page.own if own.kind is alert.chat.peer.kind and own.peer_id == alert.chat.peer.id]
            alike = [own.message_id for own in here if is_same(own, outgoing)]
            taken = await sightings.known(self._database, [(alert.chat.id, number) for number in alike])
            free = [number for number in alike if (alert.chat.id, number) not in taken]
            if free:
                return free[0]
        return None

    async def pages(
        self, above: int, *, channel: Peer | None, most: int, nothing_after: int = NOTHING_AFTER
    ) -> AsyncIterator[MessagePage]:
        """Read page after page above a number, until some in a row show us nothing. Raises TelegramError.

        In a group a bot may not be shown what it was not told: its own messages may lie beyond.
        """
        empty = 0
        for number in range(most):
            first = above + 1 + number * READ_AT_ONCE
            page = await self._sender.read(range(first, first + READ_AT_ONCE), channel=channel)
            yield page
            empty = 0 if page.newest_id else empty + 1
            if empty == nothing_after:
                return


def is_same(own: SentMessage, outgoing: Outgoing) -> bool:
    """Tell whether a message is the one that was to be sent: by what its buttons name, where it has none by its text.

    What an alert says changes with the time; two notices without buttons may say the same.
    """
    buttons = [button for row in outgoing.buttons for button in row]
    if not buttons:
        return not own.buttons and own.text == outgoing.text.strip()
    key = key_of(buttons)
    return _actions(own.buttons) == _actions(buttons) if key is None else key_of(own.buttons) == key


def key_of(buttons: Iterable[Button]) -> tuple[int, int] | None:
    """Return the post, (channel, message), that an alert tells of; None for messages that are no alert of a post."""
    listed = list(buttons)
    for button in listed:
        if button.data is not None and (key := _KEY.fullmatch(button.data)):
            return int(key[1]), int(key[2])
    channels = [channel for button in listed if button.data and (channel := _OLD_KEY.fullmatch(button.data))]
    numbers = [number for button in listed if button.url and (number := _POST_LINK.fullmatch(button.url))]
    return (int(channels[0][1]), int(numbers[0][1])) if channels and numbers else None


def is_ours(own: SentMessage) -> bool:
    """Tell whether only this program writes such messages; a script may use the token of our bot as well."""
    return any(button.data for button in own.buttons) or any(map(_POST_LINK.fullmatch, own.links))


def _actions(buttons: Iterable[Button]) -> list[tuple[str | None, bytes | None]]:
    return [(button.url, button.data) for button in buttons]
