"""Reads Telegram's answers about our own messages: their ids, and how they stand in a chat."""

from dataclasses import dataclass
from datetime import datetime

from telethon import types
from telethon.tl import TLObject

from bot.models import Button, PeerKind
from bot.telegram.convert import to_peer


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message of ours as it stands in a chat."""

    kind: PeerKind  # of the chat
    peer_id: int  # bare id of the chat
    message_id: int
    date: datetime
    text: str
    buttons: tuple[Button, ...]
    links: tuple[str, ...] = ()  # behind words of the text


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """The messages at some numbers."""

    newest_id: int  # of what is there, whoever wrote it; 0 where there is nothing
    own: tuple[SentMessage, ...]


def sent_id(updates: TLObject | None, random_id: int) -> int | None:
    """Return the id of the message that was sent with `random_id`; None where it was sent before."""
    if isinstance(updates, types.UpdateShortSentMessage):
        return int(updates.id)
    found = getattr(updates, "updates", None) or [getattr(updates, "update", None)]  # the latter of an UpdateShort
    for update in found:
        if isinstance(update, types.UpdateMessageID) and update.random_id == random_id:
            return int(update.id)
    # A server may leave the pair out; what answers one message is about that message.
    new = [u.message.id for u in found if isinstance(u, types.UpdateNewMessage | types.UpdateNewChannelMessage)]
    return int(new[0]) if len(new) == 1 else None


def to_message_page(answer: types.messages.Messages) -> MessagePage:
    """Read the answer to a question for messages by number."""
    there = [message for message in answer.messages if not isinstance(message, types.MessageEmpty)]
    own = [_own(message) for message in there if isinstance(message, types.Message) and message.out]
    return MessagePage(newest_id=max((message.id for message in there), default=0), own=tuple(own))


def _own(message: types.Message) -> SentMessage:
    peer = to_peer(message.peer_id)
    rows = message.reply_markup.rows if isinstance(message.reply_markup, types.ReplyInlineMarkup) else ()
    return SentMessage(
        kind=peer.kind,
        peer_id=peer.id,
        message_id=message.id,
        date=message.date,
        text=message.message,
        buttons=tuple(
            Button(text=button.text, url=getattr(button.type, "url", None), data=getattr(button.type, "data", None))
            for row in rows
            for button in row.buttons
        ),
        links=tuple(e.url for e in message.entities or () if isinstance(e, types.MessageEntityTextUrl)),
    )
