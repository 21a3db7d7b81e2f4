"""Events of Telethon as requests: messages and taps that are meant for our bot."""

from dataclasses import replace
from typing import Any

import structlog
from telethon import events, types

from bot.commands.context import ForwardOrigin, Request, read_command
from bot.errors import TelegramError
from bot.locales import LANGUAGES
from bot.models.outgoing import Peer, PeerKind
from bot.parts import PartKind, whole_text
from bot.telegram.convert import to_peer, to_text
from bot.telegram.parts import to_parts
from bot.telegram.rpc import ask

log = structlog.get_logger(__name__)

BotEvent = Any  # an event of Telethon, which has no types: a NewMessage or a CallbackQuery


def to_request(event: BotEvent, username: str) -> Request | None:
    """Read a message or a tap; return None where it is not meant for the bot of this name."""
    if isinstance(event, events.CallbackQuery.Event):
        return _to_tap(event)
    message = event.message
    peer = _to_peer(event.input_chat, message.peer_id, message.reply_to)
    private = peer.kind is PeerKind.USER
    parsed = read_command(message.message or "", username, alone=private)
    replied = answered(message.reply_to)
    if parsed is None or message.post or (not parsed.command and not private and replied is None):
        return None
    return Request(
        key=f"{peer.kind}-{peer.id}-{f'g{message.grouped_id}' if message.grouped_id else message.id}",
        peer=peer,
        person_id=_author(message),
        name=_person(event.sender),
        username=getattr(event.sender, "username", None),
        title=_title(event.chat),
        language=_language(event.sender),
        command=parsed.command,
        argument=parsed.argument,
        links=_links(message),
        addressed=private or parsed.named,
        message_id=message.id,
        sent_at=message.date,
        origin=_origin(message),
        reply_to=replied,
        forum=bool(getattr(event.chat, "forum", False)) or peer.thread_id is not None,
    )


async def with_replied(request: Request, event: BotEvent) -> Request:
    """Fetch the text of the message that a request replies to, if any."""
    if request.reply_to is None:
        return request
    try:
        # Telethon asks for «what this message answers»: a bot may see that, not any message of a chat by its number.
        message = await ask(event.message.get_reply_message())
    except TelegramError as error:
        log.warning("the replied-to message could not be read", error=error.error)
        return request
    if message is None:
        return request
    parts = (part for part in to_parts(message) if part.kind != PartKind.BUTTON)  # the buttons are ours
    return replace(request, replied=whole_text(to_text(message).text, parts), replied_origin=_origin(message))


def _to_tap(event: events.CallbackQuery.Event) -> Request | None:
    query = event.query
    if not isinstance(query, types.UpdateBotCallbackQuery) or query.data is None:
        return None
    verb, _, argument = query.data.decode("utf-8", "replace").partition(":")
    return Request(
        key=f"tap-{query.query_id}",
        peer=_to_peer(event.input_chat, query.peer, None),
        person_id=query.user_id,
        name=_person(event.sender),
        username=getattr(event.sender, "username", None),
        title=_title(event.chat),
        language=_language(event.sender),
        command=verb,
        argument=argument,
        message_id=query.msg_id,
        query_id=query.query_id,
    )


def _to_peer(
    known: types.TypeInputPeer | None, peer: types.TypePeer, reply: types.TypeMessageReplyHeader | None
) -> Peer:
    """Return the address of a chat; a chat new to Telethon has a zero access hash, which Telegram allows bots."""
    thread = None
    if reply is not None and getattr(reply, "forum_topic", None):  # a reply to a story has none
        thread = reply.reply_to_top_id or reply.reply_to_msg_id
    return to_peer(peer, access_hash=getattr(known, "access_hash", 0), thread_id=thread)


def answered(header: types.TypeMessageReplyHeader | None) -> int | None:
    """Return the message of the same chat that is answered; each message of a forum topic names the topic's first."""
    if not isinstance(header, types.MessageReplyHeader) or header.reply_to_peer_id is not None:
        return None
    if header.forum_topic and header.reply_to_top_id is None:
        return None
    number: int | None = header.reply_to_msg_id
    return number


def _author(message: types.Message) -> int:
    """Return the person who wrote a message; 0 for a group's anonymous administrator."""
    author = message.from_id or message.peer_id
    return author.user_id if isinstance(author, types.PeerUser) else 0


def _links(message: types.Message) -> tuple[str, ...]:
    """Return the addresses hidden behind words of a message."""
    return tuple(each.url for each in message.entities or () if isinstance(each, types.MessageEntityTextUrl))


def _person(sender: types.TypeUser | types.TypeChat | None) -> str:
    return _title(sender) if isinstance(sender, types.User) else ""


def _title(chat: types.TypeChat | types.TypeUser | None) -> str:
    names = (getattr(chat, "title", None) or getattr(chat, "first_name", None), getattr(chat, "last_name", None))
    return " ".join(name for name in names if name)


def _language(sender: types.TypeUser | types.TypeChat | None) -> str:
    return getattr(sender, "lang_code", None) or LANGUAGES[0]


def _origin(message: types.Message) -> ForwardOrigin | None:
    forward = message.fwd_from
    if forward is None or not isinstance(forward.from_id, types.PeerChannel):
        return None
    channel = message.forward.chat if message.forward else None
    return ForwardOrigin(
        channel_id=forward.from_id.channel_id,
        title=getattr(channel, "title", None),
        username=getattr(channel, "username", None),
        message_id=forward.channel_post,
    )
