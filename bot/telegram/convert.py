"""Turns Telethon's messages, entities and peers into ours, and back: Telegram's shapes stop at this door.

A message names its author by a number only, and names are changed at a touch. So the names that come along with an
answer or a push are kept with the post: they are evidence.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import chain

from telethon import utils
from telethon.tl import TLObject, types
from telethon.tl.alltlobjects import LAYER

from bot.models import Entity, Forward, Media, Post, RawFormat, ReplyTo, Withholding, Withholdings
from bot.models.outgoing import Button, Peer, PeerKind
from bot.telegram.parts import to_parts
from bot.telegram.rich import RichText, files, flatten, is_part
from bot.text.markup import units

Named = Mapping[int, TLObject]  # people and channels by marked id
NOBODY: Named = {}
_CHANNEL_MARK = 10**12

_FORMATTING = {  # what may be sent; links, mentions, tags and the like Telegram finds in a text by itself
    "bold": types.MessageEntityBold,
    "italic": types.MessageEntityItalic,
    "underline": types.MessageEntityUnderline,
    "strike": types.MessageEntityStrike,
    "spoiler": types.MessageEntitySpoiler,
    "code": types.MessageEntityCode,
    "blockquote": types.MessageEntityBlockquote,
}
# The kinds of entity that have a value, and where.
_VALUES = {"text_url": "url", "pre": "language", "custom_emoji": "document_id", "mention_name": "user_id"}


def to_post(message: TLObject, *, channel_id: int | None = None, named: Named = NOBODY) -> Post | None:
    """Return the post that a `types.Message` of a channel is; None for service messages and ids that hold nothing.

    `channel_id` stands in where the message does not name its channel; `named` came along with the message.
    """
    if not isinstance(message, types.Message):
        return None
    if isinstance(message.peer_id, types.PeerChannel):
        channel_id = message.peer_id.channel_id
    if channel_id is None:
        return None
    said = to_text(message)
    return Post(
        channel_id=channel_id,
        message_id=message.id,
        date=message.date,
        text=said.text,
        entities=said.entities,
        media=_media(message.media) or _media_of_blocks(message.rich_message),
        grouped_id=message.grouped_id,
        forward=_forward(message.fwd_from, named),
        **_reply(message.reply_to),
        root=None if message.post else _root(message.reply_to),
        copy_of=None if message.post else _copied(message),
        edit_date=message.edit_date,
        author=author_name(message, named),
        views=message.views,
        forwards=message.forwards,
        reactions=None if message.reactions is None else sum(each.count for each in message.reactions.results),
        parts=to_parts(message),
        is_part=is_part(message),
        withheld=to_withholdings(message),
        raw=bytes(message),
        raw_format=RawFormat.TL,
        layer=LAYER,
    )


def to_withholdings(shown: types.Message | types.Channel) -> Withholdings:
    """Return where Telegram withholds a message or channel, and why: https://core.telegram.org/constructor/restrictionReason."""
    return tuple(Withholding(each.platform, each.reason, each.text) for each in shown.restriction_reason or ())


def to_text(message: types.Message) -> RichText:
    """Return the text of a message with its formatting; the words of blocks come behind what it says besides."""
    own = RichText(str(message.message or ""), to_entities(message.entities or ()))
    if message.rich_message is None:
        return own
    blocks = flatten(message.rich_message)
    if not own.text:
        return blocks
    if _squeezed(blocks.text) in _squeezed(own.text):
        return own
    before = f"{own.text}\n\n"
    moved = (replace(entity, offset=entity.offset + units(before)) for entity in blocks.entities)
    return RichText(before + blocks.text, (*own.entities, *moved))


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def to_entities(entities: Iterable[TLObject]) -> tuple[Entity, ...]:
    """Return formatting of any kind that Telegram knows."""
    found = []
    for entity in entities:
        kind = _kind(type(entity).__name__)
        value = str(getattr(entity, _VALUES[kind])) if kind in _VALUES else None
        found.append(Entity(kind=kind, offset=entity.offset, length=entity.length, value=value))
    return tuple(found)


def from_entities(entities: Sequence[Entity]) -> list[TLObject]:
    """Return formatting to be sent, without the kinds that Telegram finds by itself or that only it can make."""
    return [made for entity in entities if (made := _from_entity(entity)) is not None]


def to_peer(peer: TLObject, *, access_hash: int = 0, thread_id: int | None = None) -> Peer:
    """Return the peer that a `PeerUser`, `PeerChat` or `PeerChannel` is."""
    if isinstance(peer, types.PeerUser):
        return Peer(kind=PeerKind.USER, id=peer.user_id, access_hash=access_hash)
    if isinstance(peer, types.PeerChat):
        return Peer(kind=PeerKind.GROUP, id=peer.chat_id)
    return Peer(kind=PeerKind.CHANNEL, id=peer.channel_id, access_hash=access_hash, thread_id=thread_id)


def from_peer(peer: Peer) -> TLObject:
    """Return the address of a peer for a request."""
    if peer.kind is PeerKind.USER:
        return types.InputPeerUser(peer.id, peer.access_hash)
    if peer.kind is PeerKind.GROUP:
        return types.InputPeerChat(peer.id)
    if peer.kind is PeerKind.TARGET:
        raise ValueError("Telegram knows no targets")
    return types.InputPeerChannel(peer.id, peer.access_hash)


def named_in(answer: TLObject) -> Named:
    """Return the people and channels that an answer names; a push in its short form names none."""
    known = chain(getattr(answer, "users", ()), getattr(answer, "chats", ()))
    return {_marked_id(each): each for each in known}


def _marked_id(entity: TLObject) -> int:
    """Return what `utils.get_peer_id` does, which asks twenty kinds of object one after the other."""
    if isinstance(entity, types.Channel | types.ChannelForbidden):
        return -(_CHANNEL_MARK + int(entity.id))
    return int(entity.id) if isinstance(entity, types.User | types.UserEmpty) else -int(entity.id)


def attach(update: TLObject, named: Named) -> None:
    """Keep the people and channels that a push names with an update, where Telethon will keep them later."""
    update._entities = named  # noqa: SLF001 - Telethon's own, which a test pins


def attached(update: TLObject) -> Named:
    """Return the people and channels that were named along with an update."""
    found: Named = getattr(update, "_entities", NOBODY)
    return found


def author_name(message: types.Message, named: Named) -> str | None:
    """Return the signature of a post, or the name of the author in a supergroup; None where neither is known.

    The author may be a person, a channel that somebody speaks as, or, for an anonymous admin, the rank they carry
    or the supergroup itself (https://core.telegram.org/constructor/chatAdminRights).
    """
    if message.post_author:
        return str(message.post_author)
    return name_of(message.from_id or (None if message.post else message.peer_id), named)


def name_of(peer: TLObject | None, named: Named) -> str | None:
    """Return the name of a person, or the title of a channel; None where it is not among the named."""
    known = None if peer is None else named.get(utils.get_peer_id(peer))
    return utils.get_display_name(known) or None


@cache
def _kind(class_name: str) -> str:
    """Turn MessageEntityTextUrl into text_url, MessageMediaWebPage into web_page."""
    name = re.sub("^Message(Entity|Media)", "", class_name)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _from_entity(entity: Entity) -> TLObject | None:
    if entity.kind in _FORMATTING:
        return _FORMATTING[entity.kind](entity.offset, entity.length)
    if entity.kind == "text_url":
        return types.MessageEntityTextUrl(entity.offset, entity.length, entity.value or "")
    if entity.kind == "pre":
        return types.MessageEntityPre(entity.offset, entity.length, entity.value or "")
    if entity.kind == "custom_emoji" and entity.value:
        return types.MessageEntityCustomEmoji(entity.offset, entity.length, int(entity.value))
    return None


def _media(media: TLObject | None) -> Media | None:
    if media is None or isinstance(media, types.MessageMediaEmpty):
        return None
    kind = _kind(type(media).__name__)
    content = getattr(media, kind.replace("_", ""), None)  # media.photo, .document, .webpage, .poll, .todo, .game
    return Media(kind=kind, id=getattr(content, "id", None), title=_title(media if content is None else content))


def _media_of_blocks(rich: types.RichMessage | None) -> Media | None:
    """Return the first photo or document of a long post, with the others."""
    shown = [] if rich is None else files(rich)
    if not shown:
        return None
    kinds = ["photo" if isinstance(each, types.Photo | types.PhotoEmpty) else "document" for each in shown]
    listed = tuple((kind, each.id) for kind, each in zip(kinds, shown, strict=True))
    return Media(kind=kinds[0], id=shown[0].id, title=_title(shown[0]), files=listed if len(listed) > 1 else ())


def _title(content: TLObject) -> str | None:
    if isinstance(content, types.Document):
        names = (a.file_name for a in content.attributes if isinstance(a, types.DocumentAttributeFilename))
        return next(names, None)
    title = getattr(content, "question", None) or getattr(content, "title", None)
    return title.text if isinstance(title, types.TextWithEntities) else title


def _forward(header: types.MessageFwdHeader | None, named: Named) -> Forward | None:
    if header is None:
        return None
    channel = header.from_id if isinstance(header.from_id, types.PeerChannel) else None
    return Forward(
        channel_id=channel and channel.channel_id,
        message_id=header.channel_post,
        name=header.from_name or name_of(header.from_id, named),
        date=header.date,
    )


def _reply(header: TLObject | None) -> ReplyTo:
    if not isinstance(header, types.MessageReplyHeader):
        return {}
    if header.reply_to_peer_id is None:
        return {"reply_to": header.reply_to_msg_id}
    if isinstance(header.reply_to_peer_id, types.PeerChannel):
        return {"reply_to": header.reply_to_msg_id, "reply_channel": header.reply_to_peer_id.channel_id}
    return {}


def _root(header: TLObject | None) -> int | None:
    """Return the message with which a chain of answers begins; None in forums.

    https://core.telegram.org/api/threads.
    """
    if not isinstance(header, types.MessageReplyHeader) or header.forum_topic or header.reply_to_peer_id is not None:
        return None
    root: int | None = header.reply_to_top_id or header.reply_to_msg_id
    return root


def _copied(message: types.Message) -> tuple[int, int] | None:
    """Return the channel and post that Telegram itself has put into a supergroup, for people to comment on.

    Such a message is sent as the channel that it is saved from (https://core.telegram.org/api/discussion).
    """
    header = message.fwd_from
    origin = None if header is None else header.saved_from_peer
    if not isinstance(origin, types.PeerChannel) or message.from_id != origin or header.saved_from_msg_id is None:
        return None
    return origin.channel_id, header.saved_from_msg_id


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
