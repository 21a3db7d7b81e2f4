"""The lookup of messages of ours that Telegram has, but whose ids were lost.

A bot may not read histories, but it may ask for the messages with given ids. Our messages are known by their buttons.
"""

import re
from collections.abc import AsyncIterator, Iterable, Sequence

import structlog

from bot.errors import TelegramError
from bot.models.outgoing import Button, Outgoing, Peer, PeerKind
from bot.store import backup_recovery
from bot.store.database import Reader
from bot.store.messages import Message
from bot.telegram.convert import MessagePage, SentMessage
from bot.telegram.sender import READ_AT_ONCE, Sender

log = structlog.get_logger(__name__)

NOTHING_AFTER = 3  # pages in a row in which we see no message: that was the newest
JUST_NOW = 300  # ids below the newest known one, among which a message that was sent just now lies …
NEAR, FAR = 5, 10  # … pages that are read there, and from the last alert of the chat on
# `verb:<channel>:<message>` under an alert, also where a choice is open in its place; other messages have other verbs.
_KEY = re.compile(rb"(?:quote|snooze|wrong|back):(-?\d+):(\d+)(?::.*)?")
_POST_LINK = re.compile(r"https://t\.me/(?:c/)?\w+/(\d+)")


async def find(db: Reader, sender: Sender, message: Message, outgoing: Outgoing) -> int | None:
    """Return the id that a message, which Telegram refused as sent already, has in its chat.

    It is looked for where it lies if it was sent just now, above the newest known one of its chat, and above the newest
    one from before it came to be, since later ones may have passed it. None where it is not found, or Telegram refuses
    to say.
    """
    peer = message.chat.peer
    channel = peer if peer.kind is PeerKind.CHANNEL else None
    last = await backup_recovery.newest_message_id(db, message.chat.id)
    newest = last if channel else await backup_recovery.newest_message_id_of_account(db)
    began = await backup_recovery.newest_message_id(db, message.chat.id, before=message.created_at)
    near, found = max(last, newest - JUST_NOW), None
    try:
        for above in dict.fromkeys((near, last, began)):
            most = NEAR if above == near else FAR
            found = await _among(db, pages(sender, above, channel=channel, most=most), message, outgoing)
            if found is not None:
                break
    except TelegramError as error:
        log.warning("one of our messages cannot be searched for", message=message.id, reason=error.error)
        return None
    if found is None:
        log.info("the message of an alert was not found; continuing without it", message=message.id)
    return found


async def find_all(
    db: Reader, sender: Sender, written: Sequence[tuple[Message, Outgoing]]
) -> list[tuple[Message, int]]:
    """Return those of the messages of a chat that it shows though nobody knew, with their ids in the chat.

    They are looked for above the newest one that was sent before any of them came to be, once for all of them. Raises
    TelegramError.
    """
    if not written:
        return []
    chat, left, shown = written[0][0].chat, list(written), list[tuple[Message, int]]()
    channel = chat.peer if chat.peer.kind is PeerKind.CHANNEL else None
    began = min(message.created_at for message, _ in written)
    last = await backup_recovery.newest_message_id(db, chat.id, before=began)
    async for page in pages(sender, last, channel=channel, most=FAR):
        for own in page.own:
            if (own.kind, own.peer_id) != (chat.peer.kind, chat.peer.id):
                continue
            alike = next((each for each in left if is_same(own, each[1])), None)
            if alike is not None:
                left.remove(alike)
                shown.append((alike[0], own.message_id))
    return shown


async def _among(db: Reader, pages: AsyncIterator[MessagePage], message: Message, outgoing: Outgoing) -> int | None:
    peer, chat_id = message.chat.peer, message.chat.id
    async for page in pages:
        here = [own for own in page.own if (own.kind, own.peer_id) == (peer.kind, peer.id)]
        alike = [own.message_id for own in here if is_same(own, outgoing)]
        taken = await backup_recovery.known(db, [(chat_id, number) for number in alike])
        free = [number for number in alike if (chat_id, number) not in taken]
        if free:
            return free[0]
    return None


async def pages(
    sender: Sender, above: int, *, channel: Peer | None, most: int, nothing_after: int = NOTHING_AFTER
) -> AsyncIterator[MessagePage]:
    """Read page after page above an id, `most` of them, until some in a row show us nothing. Raises TelegramError.

    In a group a bot is not shown all messages: its own may lie beyond some pages of others.
    """
    empty = 0
    for number in range(most):
        first = above + 1 + number * READ_AT_ONCE
        page = await sender.read(range(first, first + READ_AT_ONCE), channel=channel)
        yield page
        empty = 0 if page.newest_id else empty + 1
        if empty == nothing_after:
            return


def is_same(own: SentMessage, outgoing: Outgoing) -> bool:
    """Say whether a message is the one that was to be sent: by its buttons, or by its text where it has none.

    The text of an alert changes with the time; two notices without buttons may have the same text.
    """
    buttons = [button for row in outgoing.buttons for button in row]
    if not buttons:
        return not own.buttons and own.text == outgoing.text.strip()
    key = key_of(buttons)
    return _actions(own.buttons) == _actions(buttons) if key is None else key_of(own.buttons) == key


def key_of(buttons: Iterable[Button]) -> tuple[int, int] | None:
    """Return the channel and the message id of the post that an alert shows; None where the buttons are of no alert."""
    keys = (_KEY.fullmatch(button.data) for button in buttons if button.data is not None)
    return next(((int(key[1]), int(key[2])) for key in keys if key), None)


def is_ours(own: SentMessage) -> bool:
    """Say whether only this program writes such messages; a script may use the token of our bot as well."""
    return any(button.data for button in own.buttons) or any(map(_POST_LINK.fullmatch, own.links))


def _actions(buttons: Iterable[Button]) -> list[tuple[str | None, bytes | None]]:
    return [(button.url, button.data) for button in buttons]
