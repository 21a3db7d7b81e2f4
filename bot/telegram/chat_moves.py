"""Reads Telegram's updates about where our bot may write: a group moved, a chat is open to it, a thread has a title.

Which updates bots get: https://core.telegram.org/constructor/updateBotStopped, …/updateChannelParticipant,
…/updateChatParticipant, …/updateChatDefaultBannedRights; the service messages of an upgrade: …/api/channel#migration.
"""

from dataclasses import dataclass

from telethon import types, utils
from telethon.tl import TLObject

from bot.models.outgoing import GENERAL_THREAD, Peer, PeerKind
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
_TITLED = (types.MessageActionTopicCreate, types.MessageActionTopicEdit)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastAccess:
    """What our bot may do in a broadcast channel from now on, and who has decided so."""

    peer: Peer
    title: str
    person_id: int
    name: str  # of that person; empty where Telegram does not say
    was_admin: bool
    is_admin: bool
    may_post: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadNamed:
    """A thread of a forum was opened or renamed."""

    peer: Peer  # of the forum
    thread_id: int
    title: str


ChatNews = ChatMoved | ChatOpened | BroadcastAccess | ThreadNamed


def is_relevant(update: TLObject) -> bool:
    """Tell at a glance whether `read` may find something in one of the `UPDATES`; most are plain messages."""
    return not isinstance(update, _MESSAGES) or isinstance(update.message, types.MessageService)


def read(update: TLObject, bot_id: int) -> ChatNews | None:
    """Return what an update means for a chat; None where it means nothing to us."""
    if isinstance(update, _MESSAGES):
        return _read_service(update, bot_id)
    if isinstance(update, types.UpdateBotStopped):
        return None if update.stopped else ChatOpened(peer=Peer(kind=PeerKind.USER, id=update.user_id))
    if isinstance(update, types.UpdateChatDefaultBannedRights):
        return None if update.default_banned_rights.send_messages else ChatOpened(peer=to_peer(update.peer))
    return _read_participant(update) if update.user_id == bot_id else None


def _read_participant(
    update: types.UpdateChannelParticipant | types.UpdateChatParticipant,
) -> ChatOpened | BroadcastAccess | None:
    """Read what became of our bot in a group or channel."""
    is_channel = isinstance(update, types.UpdateChannelParticipant)
    channel = _named(update, types.PeerChannel(update.channel_id)) if is_channel else None
    if getattr(channel, "broadcast", False):
        return _read_access(update, channel)
    if update.new_participant is None or isinstance(update.new_participant, _OUTSIDE):
        return None
    if is_channel:
        return ChatOpened(peer=Peer(kind=PeerKind.CHANNEL, id=update.channel_id))
    return ChatOpened(peer=Peer(kind=PeerKind.GROUP, id=update.chat_id))


def _read_access(update: types.UpdateChannelParticipant, channel: TLObject) -> BroadcastAccess:
    before, after = update.prev_participant, update.new_participant
    person = _named(update, types.PeerUser(update.actor_id))
    rights = getattr(after, "admin_rights", None)
    return BroadcastAccess(
        peer=Peer(kind=PeerKind.CHANNEL, id=update.channel_id, access_hash=getattr(channel, "access_hash", None) or 0),
        title=channel.title,
        person_id=update.actor_id,
        name=utils.get_display_name(person) if person is not None else "",
        was_admin=isinstance(before, types.ChannelParticipantAdmin),
        is_admin=isinstance(after, types.ChannelParticipantAdmin),
        may_post=bool(rights is not None and rights.post_messages),
    )


def _read_service(update: types.UpdateNewMessage | types.UpdateNewChannelMessage, bot_id: int) -> ChatNews | None:
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
    if isinstance(action, _TITLED) and action.title is not None:
        return ThreadNamed(peer=place, thread_id=_thread(message), title=action.title)
    if isinstance(action, types.MessageActionChatAddUser) and bot_id in action.users:
        return ChatOpened(peer=place)
    return None


def _thread(message: types.MessageService) -> int:
    """Return the thread that a service message opened, or in which it stands."""
    reply, number = message.reply_to, message.id
    if not isinstance(message.action, types.MessageActionTopicCreate):
        number = GENERAL_THREAD if reply is None else reply.reply_to_top_id or reply.reply_to_msg_id
    return int(number)


def _hash(update: TLObject, peer: types.PeerChannel) -> int:
    """Return the access hash that came with an update; zero, which bots are allowed, where none did."""
    return getattr(_named(update, peer), "access_hash", None) or 0


def _named(update: TLObject, peer: types.TypePeer) -> TLObject | None:
    """Return what came with an update about a peer."""
    return getattr(update, "_entities", {}).get(utils.get_peer_id(peer))  # Telethon's own, beside each update
