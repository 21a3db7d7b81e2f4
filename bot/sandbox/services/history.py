"""messages.getHistory, getDialogs and the like: pages of messages and of chats, newest first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, given_date, handles, messages_with_cast, page_of, refuse_unbuilt
from bot.sandbox.world import Channel, Message, Refused, User
from bot.sandbox.world.history import History, PageRequest
from bot.sandbox.world.peers import Peer
from bot.sandbox.world.view import Cast, message_tl

_MAX_LIMIT = 100
_LINKS = (tl.MessageEntityUrl, tl.MessageEntityTextUrl)


class HistoryService(RpcService):
    """The lists of chats and of messages."""

    @handles(functions.messages.GetHistoryRequest)
    def get_history(self, request: functions.messages.GetHistoryRequest, caller: Caller) -> TLObject:
        """Return a page of a chat, newest first."""
        me = self.person(caller)
        peer = self.peer(me, request.peer)
        history = peer.history(me)
        return page_of(me, peer, history.page(_window(request, given_date(request.offset_date))), len(history))

    @handles(functions.messages.SearchRequest)
    def search(self, request: functions.messages.SearchRequest, caller: Caller) -> TLObject:
        """Return a page of the messages in a chat that contain a text, have a sender, or are of a kind."""
        me = self.person(caller)
        refuse_unbuilt(request)
        peer = self.peer(me, request.peer)
        sender = None if request.from_id is None else self.peer(me, request.from_id)
        wanted = _filter(request.filter)
        found = History()
        for message in peer.history(me).oldest_first():
            of_sender = sender is None or message.sender_id == sender.marked
            in_time = _within(message.date, given_date(request.min_date), given_date(request.max_date))
            if of_sender and in_time and request.q.casefold() in message.text.casefold() and wanted(message):
                found.add(message)
        return page_of(me, peer, found.page(_window(request, None)), len(found))

    @handles(functions.messages.GetMessagesRequest)
    def get_messages(self, request: functions.messages.GetMessagesRequest, caller: Caller) -> TLObject:
        """Return messages of the caller's box by number."""
        me = self.me(caller)
        messages, cast = by_number(me, request.id, me.box, None)
        return tl.messages.Messages(messages, [], cast.chats, cast.users)

    @handles(functions.messages.GetRichMessageRequest)
    def get_rich_message(self, request: functions.messages.GetRichMessageRequest, caller: Caller) -> TLObject:
        """Return a long post with all its blocks."""
        me = self.person(caller)
        peer = self.peer(me, request.peer)
        message = peer.history(me).messages.get(request.id)
        if message is None or message.rich is None:
            raise Refused("MESSAGE_ID_INVALID")
        _, cast = messages_with_cast(me, [message], peer)
        return tl.messages.Messages([message_tl(message, me, whole=True)], [], cast.chats, cast.users)

    @handles(functions.messages.ReadHistoryRequest)
    def read_history(self, request: functions.messages.ReadHistoryRequest, caller: Caller) -> TLObject:
        """Mark a private chat or basic group as read."""
        me = self.person(caller)
        peer = self.peer(me, request.peer)
        mark_read(me, peer.marked, request.max_id, peer.history(me))
        return tl.messages.AffectedMessages(me.log.pts, 0)

    @handles(functions.messages.GetDialogsRequest)
    def get_dialogs(self, request: functions.messages.GetDialogsRequest, caller: Caller) -> TLObject:
        """Return a page: pinned dialogs first, unless they are left out, then by their newest message."""
        me = self.person(caller)
        chats = self._chats(me, request.folder_id)
        pinned = [chat for chat in chats if chat.marked in me.pinned]
        rest = [chat for chat in chats if chat.marked not in me.pinned]
        wanted = rest if request.exclude_pinned else [*pinned, *rest]
        below = _below(me, wanted, self._named(me, request.offset_peer), given_date(request.offset_date))
        page = below[: min(max(1, request.limit), _MAX_LIMIT)]
        parts = _parts(me, page)
        if len(page) == len(wanted):
            return tl.messages.Dialogs(*parts)
        return tl.messages.DialogsSlice(len(chats), *parts)

    @handles(functions.messages.GetPinnedDialogsRequest)
    def get_pinned_dialogs(self, request: functions.messages.GetPinnedDialogsRequest, caller: Caller) -> TLObject:
        """Return the pinned dialogs of a folder."""
        me = self.person(caller)
        pinned = [chat for chat in self._chats(me, request.folder_id) if chat.marked in me.pinned]
        return tl.messages.PeerDialogs(*_parts(me, pinned), state(me))

    @handles(functions.messages.GetPeerDialogsRequest)
    def get_peer_dialogs(self, request: functions.messages.GetPeerDialogsRequest, caller: Caller) -> TLObject:
        """Return the dialogs with these peers."""
        me = self.person(caller)
        chats = []
        for named in request.peers:
            if not isinstance(named, tl.InputDialogPeer):
                raise NotImplementedError(type(named).__name__)
            chats.append(self.peer(me, named.peer))
        for chat in chats:
            chat.history(me)  # refused where he may not read
        return tl.messages.PeerDialogs(*_parts(me, chats), state(me))

    def _chats(self, me: User, folder_id: int | None) -> list[Peer]:
        """Return the chats of a folder (None = of all), the pinned in their order, then the newest first."""
        peers: list[Peer] = [*self.world.joined(me)]
        peers += [me.hub.peers[marked] for marked, history in me.chats.items() if len(history)]
        if folder_id is not None:
            peers = [peer for peer in peers if (peer.marked in me.archived) is bool(folder_id)]
        peers.sort(key=lambda peer: _order(me, peer), reverse=True)
        return sorted(peers, key=lambda peer: me.pinned.index(peer.marked) if peer.marked in me.pinned else len(peers))

    def _named(self, me: User, offset_peer: TLObject) -> Peer | None:
        return None if isinstance(offset_peer, tl.InputPeerEmpty) else self.peer(me, offset_peer)


def mark_read(me: User, marked: int, max_id: int, history: History) -> None:
    """Move the read mark of a chat up to an id; 0 is the newest."""
    top = history.top.id if history.top else 0
    me.read[marked] = max(me.read.get(marked, 0), min(max_id or top, top))


def by_number(
    me: User, named: Iterable[TLObject], store: Mapping[int, Message], peer: Peer | None
) -> tuple[list[TLObject], Cast]:
    """Return the messages of InputMessages, in their order, with a MessageEmpty for each that is missing."""
    found = [(item, _named(item, store)) for item in named]
    _, cast = messages_with_cast(
        me, [message for _, message in found if message is not None], *([peer] if peer else [])
    )
    place = peer.peer() if peer else None
    return [
        message_tl(message, me) if message else tl.MessageEmpty(_number(item), place) for item, message in found
    ], cast


def _named(named: TLObject, store: Mapping[int, Message]) -> Message | None:
    message = store.get(_number(named))
    if isinstance(named, tl.InputMessageReplyTo):
        return store.get(message.reply_to or 0) if message else None
    return message


def _number(named: TLObject) -> int:
    if not isinstance(named, tl.InputMessageID | tl.InputMessageReplyTo):
        raise NotImplementedError(type(named).__name__)
    number: int = named.id
    return number


def _window(request: TLObject, offset_date: datetime | None) -> PageRequest:
    return PageRequest(
        limit=min(max(0, request.limit), _MAX_LIMIT),
        offset_id=request.offset_id,
        offset_date=offset_date,
        add_offset=request.add_offset,
        max_id=request.max_id,
        min_id=request.min_id,
    )


def _within(date: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or date > start) and (end is None or date < end)


def _filter(wanted: TLObject) -> Callable[[Message], bool]:
    """Return the predicate of a MessagesFilter; raises Refused for unknown filters."""
    tests: dict[type[TLObject], Callable[[Message], bool]] = {
        tl.InputMessagesFilterEmpty: lambda _: True,
        tl.InputMessagesFilterPinned: lambda message: message.pinned,
        tl.InputMessagesFilterPhotos: lambda message: isinstance(message.media, tl.MessageMediaPhoto),
        tl.InputMessagesFilterDocument: lambda message: isinstance(message.media, tl.MessageMediaDocument),
        tl.InputMessagesFilterUrl: lambda message: any(isinstance(entity, _LINKS) for entity in message.entities),
    }
    if type(wanted) not in tests:
        raise Refused("INPUT_FILTER_INVALID")
    return tests[type(wanted)]


def _below(me: User, chats: list[Peer], last: Peer | None, offset_date: datetime | None) -> list[Peer]:
    """Return the chats after the last one of the page before; where it is gone, those older than it was."""
    if last in chats:
        return chats[chats.index(last) + 1 :]
    if offset_date is not None:
        return [chat for chat in chats if _order(me, chat)[0] < offset_date]
    return chats


def _kept(me: User, chat: Peer) -> History:
    return chat.kept if isinstance(chat, Channel) else me.chat(chat.marked)


def _order(me: User, chat: Peer) -> tuple[datetime, int]:
    top = _kept(me, chat).top
    if top is not None:
        return top.date, top.id
    return chat.date if isinstance(chat, Channel) else datetime.min.replace(tzinfo=UTC), 0


def dialog(me: User, chat: Peer) -> TLObject:
    """Return the dialog of an account with a chat."""
    history = _kept(me, chat)
    read = me.read.get(chat.marked, 0)
    top = history.top.id if history.top else 0
    return tl.Dialog(
        chat.peer(),
        top,
        read,
        top,
        history.count_above(read),
        0,
        0,
        0,
        tl.PeerNotifySettings(),
        pinned=(chat.marked in me.pinned) or None,
        pts=chat.log.pts if isinstance(chat, Channel) else None,
        folder_id=1 if chat.marked in me.archived else None,
    )


def state(me: User) -> TLObject:
    """Return the state of an account's updates."""
    return tl.updates.State(me.log.pts, 0, me.hub.now(), 1, 0)


def _parts(me: User, chats: Sequence[Peer]) -> tuple[list[TLObject], list[TLObject], list[TLObject], list[TLObject]]:
    """Return dialogs, their newest messages, chats and users."""
    tops = [history.top for history in (_kept(me, chat) for chat in chats) if history.top is not None]
    messages, cast = messages_with_cast(me, tops, *chats)
    return [dialog(me, chat) for chat in chats], messages, cast.chats, cast.users
