"""The base of all services: the caller, the peers that a request names, and RPC errors for refusals of the world."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime
from typing import Any

from telethon.tl import TLObject, TLRequest
from telethon.tl import types as tl

from bot.sandbox import dispatcher
from bot.sandbox.dispatcher import Caller, RpcError
from bot.sandbox.world import Channel, Refused, User, World
from bot.sandbox.world.messages import Message
from bot.sandbox.world.peers import Peer
from bot.sandbox.world.view import Cast, message_tl

Method = Callable[[Any, Any, Caller], Any]

_UNBUILT = (  # fields that would change a request, and that no service handles
    "allow_paid_stars",
    "drop_media_captions",
    "effect",
    "monoforum_peer_id",
    "noforwards",
    "poll_option",
    "quick_reply_shortcut",
    "quick_reply_shortcut_id",
    "quote_text",
    "reply_to_peer_id",
    "rich_message",
    "saved_peer_id",
    "saved_reaction",
    "schedule_date",
    "send_as",
    "suggested_post",
    "todo_item_id",
    "top_msg_id",
)


def handles(*requests: type[TLRequest], anonymous: bool = False) -> Callable[[Method], Method]:
    """Mark a service method as the handler of requests; its Refused is answered as an RPC error."""

    def mark(method: Method) -> Method:
        @functools.wraps(method)
        def handler(self: RpcService, request: TLRequest, caller: Caller) -> object:
            try:
                result = method(self, request, caller)
            except Refused as refused:
                raise RpcError(refused.code, refused.message) from refused
            return _refusable(result) if inspect.isawaitable(result) else result

        return dispatcher.handles(*requests, anonymous=anonymous)(handler)

    return mark


async def _refusable(result: Awaitable[object]) -> object:
    try:
        return await result
    except Refused as refused:
        raise RpcError(refused.code, refused.message) from refused


class RpcService:
    """The handlers of one TL namespace, or of a part of a large one."""

    def __init__(self, world: World) -> None:
        self.world = world

    def me(self, caller: Caller) -> User:
        """Return the account that asks."""
        return self.world.user(caller.account_id)

    def person(self, caller: Caller) -> User:
        """Return the person that asks; raises Refused for bots."""
        me = self.me(caller)
        if me.bot:
            raise Refused("BOT_METHOD_INVALID")
        return me

    def bot(self, caller: Caller) -> User:
        """Return the bot that asks; raises Refused for persons."""
        me = self.me(caller)
        if not me.bot:
            raise Refused("USER_BOT_REQUIRED")
        return me

    def peer(self, me: User, named: TLObject) -> Peer:
        """Return the peer of an InputPeer; raises Refused."""
        if isinstance(named, tl.InputPeerSelf):
            return me
        if isinstance(named, tl.InputPeerChannel):
            return self.channel(me, named)
        if isinstance(named, tl.InputPeerChat):
            return self._known(-named.chat_id)
        if isinstance(named, tl.InputPeerUser):
            return self._vouched(me, named.user_id, named.access_hash, "PEER_ID_INVALID")
        raise Refused("PEER_ID_INVALID")

    def user(self, me: User, named: TLObject) -> User:
        """Return the account of an InputUser; raises Refused."""
        if isinstance(named, tl.InputUserSelf):
            return me
        if not isinstance(named, tl.InputUser):
            raise Refused("USER_ID_INVALID")
        peer = self._vouched(me, named.user_id, named.access_hash, "USER_ID_INVALID")
        return self.world.user(peer.id)

    def channel(self, me: User, named: TLObject) -> Channel:
        """Return the channel of an InputChannel or InputPeerChannel; raises Refused."""
        if not isinstance(named, tl.InputChannel | tl.InputPeerChannel):
            raise Refused("CHANNEL_INVALID")
        marked = -1_000_000_000_000 - named.channel_id
        channel = self._vouched(me, marked, named.access_hash, "CHANNEL_INVALID")
        if not isinstance(channel, Channel):
            raise Refused("CHANNEL_INVALID")
        return channel

    def _known(self, marked: int) -> Peer:
        peer = self.world.hub.peers.get(marked)
        if peer is None:
            raise Refused("PEER_ID_INVALID")
        return peer

    def _vouched(self, me: User, marked: int, access_hash: int, error: str) -> Peer:
        """Return a peer whose access hash the caller knows; raises Refused. Bots may give 0."""
        peer = self.world.hub.peers.get(marked)
        right = access_hash == self.world.hub.access_hash(me.id, marked) or (me.bot and access_hash == 0)
        if peer is None or not right:
            raise Refused(error)
        return peer


def refuse_unbuilt(asked: TLObject, *, built: Collection[str] = ()) -> None:
    """Raise NotImplementedError, for the test to see, for a field that no service handles."""
    fields = [name for name in _UNBUILT if name not in built and getattr(asked, name, None) not in (None, False)]
    if fields:
        raise NotImplementedError(f"{type(asked).__name__} with {', '.join(fields)}")


def given_date(date: datetime | None) -> datetime | None:
    """Return the date in a request; None for 0, which clients write for no date."""
    return date if date and date.timestamp() else None


def messages_with_cast(me: User, messages: Iterable[Message], *peers: Peer) -> tuple[list[TLObject], Cast]:
    """Return messages in TL, and the users and chats that they and these peers need."""
    listed = list(messages)
    cast = Cast(me)
    cast.add(*(peer.marked for peer in peers))
    cast.add_messages(listed)
    return [message_tl(message, me) for message in listed], cast


def page_of(me: User, peer: Peer, messages: Iterable[Message], count: int) -> TLObject:
    """Return a page of a chat in the constructor for its kind; `count` is of all its messages."""
    listed, cast = messages_with_cast(me, messages, peer)
    if isinstance(peer, Channel):
        return tl.messages.ChannelMessages(peer.log.pts, count, listed, [], cast.chats, cast.users)
    if len(listed) == count:
        return tl.messages.Messages(listed, [], cast.chats, cast.users)
    return tl.messages.MessagesSlice(count, listed, [], cast.chats, cast.users)
