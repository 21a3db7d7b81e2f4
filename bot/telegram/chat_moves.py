"""Reads Telegram's updates about where our bot may write: a group moved, or a chat is open to it.

Which updates bots get: https://core.telegram.org/constructor/updateBotStopped, …/updateChannelParticipant,
…/updateChatParticipant, …/updateChatDefaultBannedRights; the service messages of an upgrade: …/api/channel#migration.
"""

from dataclasses import dataclass

from telethon import types, utils
from telethon.tl import TLObject

from bot.models import Peer, PeerKind
from bot.telegram.convert import to_peer

UPDATES = (
    types.UpdateNewMessage,
    types.UpdateNewChannelMessage,
    types.UpdateBotStopped,
    types.UpdateChannelParticipant,
    types.UpdateChatParticipant,
    types.UpdateChatDefaultBannedRights,
)
_MESSAGES = (types.UpdateNewMessage, types.UpdateNewChannelMessage)
_OUTSIDE = (types.ChannelParticipantLeft, types.ChannelParticipantBanned)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMoved:
    """A basic group became a supergroup."""

    group_id: int
    to: Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOpened:
    """A chat takes messages of ours, again or for the first time."""

    peer: Peer


def is_relevant(update: TLObject) -> bool:
    """Tell at a glance whether `read` may find something in one of the `UPDATES`; most are plain messages."""
    return not isinstance(update, _MESSAGES) or isinstance(update.message, types.MessageService)


def read(update: TLObject, bot_id: int) -> ChatMoved | ChatOpened | None:
    """Return what an update means for a chat; None where it means neither a move nor an open chat."""
    if isinstance(update, _MESSAGES):
        return _read_service(update, bot_id)
    if isinstance(update, types.UpdateBotStopped):
        return None if update.stopped else ChatOpened(peer=Peer(kind=PeerKind.USER, id=update.user_id))
    if isinstance(update, types.UpdateChatDefaultBannedRights):
        return None if update.default_banned_rights.send_messages else ChatOpened(peer=to_peer(update.peer))
    participant = getattr(update, "new_participant", None)
    if participant is None or update.user_id != bot_id or isinstance(participant, _OUTSIDE):
        return None
    if isinstance(update, types.UpdateChatParticipant):
        return ChatOpened(peer=Peer(kind=PeerKind.GROUP, id=update.chat_id))
    return ChatOpened(peer=Peer(kind=PeerKind.CHANNEL, id=update.channel_id))


def _read_service(
    update: types.UpdateNewMessage | types.UpdateNewChannelMessage, bot_id: int
) -> ChatMoved | ChatOpened | None:
    message = update.message
    if not isinstance(message, types.MessageService):
        return None
    action, place = message.action, to_peer(message.peer_id)
    if isinstance(action, types.MessageActionChatMigrateTo):
        to = types.PeerChannel(action.channel_id)
        return ChatMoved(group_id=place.id, to=to_peer(to, access_hash=_hash(update, to)))
    if isinstance(action, types.MessageActionChannelMigrateFrom):
        to = types.PeerChannel(place.id)
        return ChatMoved(group_id=action.chat_id, to=to_peer(to, access_hash=_hash(update, to)))
    if isinstance(action, types.MessageActionChatAddUser) and bot_id in action.users:
        return ChatOpened(peer=place)
    return None


def _hash(update: TLObject, peer: types.PeerChannel) -> int:
    """Return the access hash that came with an update; zero, which bots are allowed, where none did."""
    named = getattr(update, "_entities", {}).get(utils.get_peer_id(peer))  # Telethon's own, beside each update
    return getattr(named, "access_hash", None) or 0
