"""Finds the channel that a name, id, invite link or folder link stands for, or says why it cannot be followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telethon import utils
from telethon.tl import TLObject, types
from telethon.tl.functions.channels import GetChannelsRequest, GetFullChannelRequest
from telethon.tl.functions.chatlists import CheckChatlistInviteRequest
from telethon.tl.functions.contacts import ResolveUsernameRequest
from telethon.tl.functions.messages import CheckChatInviteRequest, ImportChatInviteRequest

from bot.errors import ChannelwatchError
from bot.sources.account import Account
from bot.store.channels import Channel
from bot.store.follows import BASIC_GROUP
from bot.telegram.unreadable import GetDialogsRequest

DIALOGS_PAGE = 100  # Telegram's limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """The state of a channel in the reader's list of chats, read in one moment."""

    chat: types.Channel | types.ChannelForbidden
    top_message: int  # the id of the newest message
    pts: int  # grows with each change of the channel


_Offset = tuple[datetime | None, int, TLObject]  # the date, id and peer after which a page of the list begins


async def channel_dialogs(account: Account) -> dict[int, Dialog]:
    """Return all channels and supergroups that the reader is in, by bare id. Raises TelegramError."""
    found: dict[int, Dialog] = {}
    offset: _Offset | None = (None, 0, types.InputPeerEmpty())
    while offset is not None:
        answer = await account.ask(GetDialogsRequest(*offset, limit=DIALOGS_PAGE, hash=0))
        chats = {chat.id: chat for chat in answer.chats if isinstance(chat, types.Channel | types.ChannelForbidden)}
        for dialog in answer.dialogs:
            chat = chats.get(getattr(dialog.peer, "channel_id", None)) if isinstance(dialog, types.Dialog) else None
            if chat is not None:
                found[chat.id] = Dialog(chat=chat, top_message=dialog.top_message, pts=dialog.pts or 0)
        following = _next(answer)
        offset = None if following == offset else following  # a server that takes no offset would be asked for ever
    return found


def _next(answer: types.messages.Dialogs) -> _Offset | None:
    """Begin after the last dialog whose newest message came along; pinned dialogs stand out of order, at the top."""
    if not isinstance(answer, types.messages.DialogsSlice) or len(answer.dialogs) < DIALOGS_PAGE:
        return None
    peers = {utils.get_peer_id(chat): chat for chat in (*answer.users, *answer.chats)}
    there = (m for m in answer.messages if not isinstance(m, types.MessageEmpty))
    messages = {(utils.get_peer_id(message.peer_id), message.id): message for message in there}
    for dialog in reversed(answer.dialogs):
        peer_id = utils.get_peer_id(dialog.peer)
        last = messages.get((peer_id, dialog.top_message))
        if last is not None and peer_id in peers:
            return last.date, last.id, utils.get_input_peer(peers[peer_id], check_hash=False)
    return None


class NotFollowableError(ChannelwatchError):
    """A channel cannot be followed; `reason` is Telegram's error string, or a word of ours: see `locales.refusals`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedChannels:
    """The channels of a chat folder that somebody shares by a link, or of the reader's own list."""

    title: str | None  # of the folder
    chats: Sequence[types.Channel]  # the channels and supergroups that can be read
    closed: Sequence[str]  # titles of the private ones that the account is not in


async def by_name(account: Account, name: str) -> types.Channel:
    """Return a public channel by its username, without @. Raises TelegramError, NotFollowableError.

    Telegram allows few of these requests: a burst of about 50 may block them for a day.
    """
    answer = await account.ask(ResolveUsernameRequest(name))
    named = utils.get_peer_id(answer.peer)  # what else came along, a linked chat say, was not asked for
    return _channel(next((c for c in (*answer.chats, *answer.users) if utils.get_peer_id(c) == named), None))


async def by_address(account: Account, channel_id: int, access_hash: int) -> types.Channel:
    """Return a channel that was found before. Raises TelegramError, NotFollowableError."""
    answer = await account.ask(GetChannelsRequest([types.InputChannel(channel_id, access_hash)]))
    return _channel(next(iter(answer.chats), None))


async def by_id(account: Account, channel_id: int) -> types.Channel:
    """Return a channel that the reader is in by its bare id. Raises TelegramError, NotFollowableError."""
    dialog = (await channel_dialogs(account)).get(channel_id)
    return _channel(dialog and dialog.chat)


async def by_invite(account: Account, invite: str) -> types.Channel | str:
    """Return the channel of an invite link, given by its hash, without joining; only its title to strangers.

    Raises TelegramError, NotFollowableError.
    """
    answer = await account.ask(CheckChatInviteRequest(invite))
    if isinstance(answer, types.ChatInviteAlready):
        new = getattr(answer.chat, "migrated_to", None)  # the supergroup that a basic group has become
        return _channel(answer.chat) if new is None else await by_address(account, new.channel_id, new.access_hash)
    if isinstance(answer, types.ChatInvite):
        if not (answer.channel or answer.broadcast or answer.megagroup):
            raise NotFollowableError(BASIC_GROUP)
        return str(answer.title)
    return str(_channel(answer.chat).title)  # a preview that ends after some minutes


async def comments_of(account: Account, channel: Channel) -> types.Channel | None:
    """Return the supergroup with the comments on a channel's posts; None where there is none. Raises TelegramError."""
    address = types.InputChannel(channel.id, channel.access_hash or 0)
    answer = await account.ask(GetFullChannelRequest(address))
    linked = answer.full_chat.linked_chat_id
    return next((chat for chat in answer.chats if isinstance(chat, types.Channel) and chat.id == linked), None)


async def by_comments(account: Account, channel: Channel | None, group_id: int) -> types.Channel:
    """Return a supergroup as the one with a channel's comments. Raises TelegramError, NotFollowableError."""
    group = None if channel is None else await comments_of(account, channel)
    return _channel(group if group is not None and group.id == group_id else None)


async def by_folder(account: Account, slug: str) -> ListedChannels:
    """Return a folder by its link, without taking it over. Raises TelegramError.

    People, bots and basic groups are left out.
    """
    answer = await account.ask(CheckChatlistInviteRequest(slug))
    found = [chat for chat in answer.chats if isinstance(chat, types.Channel | types.ChannelForbidden)]
    title = getattr(answer, "title", None)  # of a folder that the account has taken over, Telegram tells no name
    return ListedChannels(
        title=title.text if title is not None else slug,
        chats=[chat for chat in found if _is_open(chat)],
        closed=[chat.title for chat in found if not _is_open(chat)],
    )


def _is_open(chat: types.Channel | types.ChannelForbidden) -> bool:
    return isinstance(chat, types.Channel) and bool(chat.username or chat.usernames or not chat.left)


async def accept_invite(account: Account, invite: str) -> types.Channel:
    """Join by an invite link. Raises TelegramError (INVITE_REQUEST_SENT: an admin decides), NotFollowableError."""
    joined = await account.ask(ImportChatInviteRequest(invite))
    require_joined(joined)
    updates = getattr(joined, "updates", joined)
    if chats := getattr(updates, "chats", None):
        return _channel(chats[0])
    answer = await account.ask(CheckChatInviteRequest(invite))  # the answer was too long, or did not say
    return _channel(getattr(answer, "chat", None))


def require_joined(answer: TLObject) -> None:
    """Raise NotFollowableError where a join wants a person to answer questions in the app."""
    if isinstance(answer, types.messages.ChatInviteJoinResultWebView):
        raise NotFollowableError("needs_app")


def _channel(chat: TLObject | None) -> types.Channel:
    if isinstance(chat, types.Channel):
        return chat
    if isinstance(chat, types.User):
        raise NotFollowableError("bot" if chat.bot else "user")
    if isinstance(chat, types.Chat | types.ChatForbidden):
        raise NotFollowableError(BASIC_GROUP)
    raise NotFollowableError("CHANNEL_PRIVATE" if isinstance(chat, types.ChannelForbidden) else "CHANNEL_INVALID")
