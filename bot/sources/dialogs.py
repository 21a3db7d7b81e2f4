"""The reader's list of chats comes in page by page, the state of each channel that it is in goes out."""

from dataclasses import dataclass
from datetime import datetime

from telethon import utils
from telethon.tl import TLObject, types
from telethon.tl.functions.messages import GetDialogsRequest

from bot.sources.account import Account

PAGE = 100  # Telegram's limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """How a channel stands, read in one moment."""

    chat: types.Channel | types.ChannelForbidden
    top_message: int  # the id of the newest message
    pts: int  # grows with each change of the channel


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offset:
    """Where the next page begins."""

    date: datetime | None
    message_id: int
    peer: TLObject


async def channel_dialogs(account: Account) -> dict[int, Dialog]:
    """Ask for all channels and supergroups that the reader is in, by bare id. Raises TelegramError."""
    found: dict[int, Dialog] = {}
    offset: _Offset | None = _Offset(date=None, message_id=0, peer=types.InputPeerEmpty())
    while offset is not None:
        request = GetDialogsRequest(
            offset_date=offset.date, offset_id=offset.message_id, offset_peer=offset.peer, limit=PAGE, hash=0
        )
        answer = await account.ask(request)
        found |= _channels(answer)
        following = _next(answer)
        offset = None if following == offset else following  # a server that takes no offset would be asked for ever
    return found


def _channels(answer: types.messages.Dialogs) -> dict[int, Dialog]:
    chats = {chat.id: chat for chat in answer.chats if isinstance(chat, types.Channel | types.ChannelForbidden)}
    return {
        dialog.peer.channel_id: Dialog(
            chat=chats[dialog.peer.channel_id], top_message=dialog.top_message, pts=dialog.pts or 0
        )
        for dialog in answer.dialogs
        if isinstance(dialog, types.Dialog)
        and isinstance(dialog.peer, types.PeerChannel)
        and dialog.peer.channel_id in chats
    }


def _next(answer: types.messages.Dialogs) -> _Offset | None:
    """Begin after the last dialog whose newest message came along; pinned dialogs stand out of order, at the top."""
    if not isinstance(answer, types.messages.DialogsSlice) or len(answer.dialogs) < PAGE:
        return None
    peers = {utils.get_peer_id(chat): chat for chat in (*answer.users, *answer.chats)}
    there = (m for m in answer.messages if not isinstance(m, types.MessageEmpty))
    messages = {(utils.get_peer_id(message.peer_id), message.id): message for message in there}
    for dialog in reversed(answer.dialogs):
        peer_id = utils.get_peer_id(dialog.peer)
        last = messages.get((peer_id, dialog.top_message))
        if last is not None and peer_id in peers:
            peer = utils.get_input_peer(peers[peer_id], check_hash=False)
            return _Offset(date=last.date, message_id=last.id, peer=peer)
    return None
