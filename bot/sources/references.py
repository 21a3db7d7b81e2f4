"""What people call a channel comes in; Telegram's channel goes out, or why it cannot be followed."""

from dataclasses import dataclass

from telethon import TelegramClient, utils
from telethon.tl import TLObject, types
from telethon.tl.functions.channels import GetChannelsRequest
from telethon.tl.functions.contacts import ResolveUsernameRequest
from telethon.tl.functions.messages import CheckChatInviteRequest, ImportChatInviteRequest

from bot.errors import ChannelwatchError
from bot.sources.dialogs import channel_dialogs
from bot.sources.gateway import call


class NotFollowableError(ChannelwatchError):
    """It cannot be followed; `reason` is Telegram's error string, or one of ours: user, bot, basic_group, needs_app."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A private channel that the reader is not in; Telegram does not tell its id before."""

    title: str


async def by_name(client: TelegramClient, name: str) -> types.Channel:
    """Find a public channel by its username, without @. Raises TelegramError, NotFollowableError.

    Telegram allows few of these: a burst of about 50 may block them for a day.
    """
    answer = await call(client, ResolveUsernameRequest(name))
    named = utils.get_peer_id(answer.peer)  # what else came along, a linked chat say, was not asked for
    return _channel(next((c for c in (*answer.chats, *answer.users) if utils.get_peer_id(c) == named), None))


async def by_address(client: TelegramClient, channel_id: int, access_hash: int) -> types.Channel:
    """Look at a channel that was found before. Raises TelegramError, NotFollowableError."""
    answer = await call(client, GetChannelsRequest([types.InputChannel(channel_id, access_hash)]))
    return _channel(next(iter(answer.chats), None))


async def by_id(client: TelegramClient, channel_id: int) -> types.Channel:
    """Find a channel that the reader is in by its bare id. Raises TelegramError, NotFollowableError."""
    dialog = (await channel_dialogs(client)).get(channel_id)
    return _channel(dialog and dialog.chat)


async def by_invite(client: TelegramClient, invite: str) -> types.Channel | Invitation:
    """Look at an invite link, by its hash, without joining. Raises TelegramError, NotFollowableError."""
    answer = await call(client, CheckChatInviteRequest(invite))
    if isinstance(answer, types.ChatInviteAlready):
        return _channel(answer.chat)
    if isinstance(answer, types.ChatInvite):
        if not (answer.channel or answer.broadcast or answer.megagroup):
            raise NotFollowableError("basic_group")
        return Invitation(title=answer.title)
    return Invitation(title=_channel(answer.chat).title)  # a preview that ends after some minutes


async def accept_invite(client: TelegramClient, invite: str) -> types.Channel:
    """Join by an invite link. Raises TelegramError (INVITE_REQUEST_SENT: an admin decides), NotFollowableError."""
    joined = await call(client, ImportChatInviteRequest(invite))
    require_joined(joined)
    updates = getattr(joined, "updates", joined)
    if chats := getattr(updates, "chats", None):
        return _channel(chats[0])
    answer = await call(client, CheckChatInviteRequest(invite))  # the answer was too long, or did not say
    return _channel(getattr(answer, "chat", None))


def require_joined(answer: TLObject) -> None:
    """Tell a join that is done from one that wants a person to answer questions in the app."""
    if isinstance(answer, types.messages.ChatInviteJoinResultWebView):
        raise NotFollowableError("needs_app")


def _channel(chat: TLObject | None) -> types.Channel:
    if isinstance(chat, types.Channel):
        return chat
    if isinstance(chat, types.User):
        raise NotFollowableError("bot" if chat.bot else "user")
    if isinstance(chat, types.Chat | types.ChatForbidden):
        raise NotFollowableError("basic_group")
    raise NotFollowableError("CHANNEL_PRIVATE" if isinstance(chat, types.ChannelForbidden) else "CHANNEL_INVALID")
