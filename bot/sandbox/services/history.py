"""messages.getHistory, search and their kin: which page of which chat is wanted comes in; messages go out."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, given, handles, page_of, refuse_unbuilt, shown
from bot.sandbox.world import Message, Refused, User
from bot.sandbox.world.history import History, Window
from bot.sandbox.world.peers import Peer
from bot.sandbox.world.view import Cast, message_tl

_MAX_LIMIT = 100
_LINKS = (tl.MessageEntityUrl, tl.MessageEntityTextUrl)


class HistoryService(Service):
    """Reading chats."""

    @handles(functions.messages.GetHistoryRequest)
    def get_history(self, request: functions.messages.GetHistoryRequest, caller: Caller) -> TLObject:
        """Return a page of a chat, newest first."""
        me = self.person(caller)
        peer = self.peer(me, request.peer)
        history = peer.history(me)
        return page_of(me, peer, history.page(_window(request, given(request.offset_date))), len(history))

    @handles(functions.messages.SearchRequest)
    def search(self, request: functions.messages.SearchRequest, caller: Caller) -> TLObject:
        """Return a page of the messages in a chat that contain a text, come from somebody, or are of a kind."""
        me = self.person(caller)
        refuse_unbuilt(request)
        peer = self.peer(me, request.peer)
        sender = None if request.from_id is None else self.peer(me, request.from_id)
        wanted = _filter(request.filter)
        found = History()
        for message in peer.history(me).oldest_first():
            of_sender = sender is None or message.sender_id == sender.marked
            in_time = _within(message.date, given(request.min_date), given(request.max_date))
            if of_sender and in_time and request.q.casefold() in message.text.casefold() and wanted(message):
                found.add(message)
        return page_of(me, peer, found.page(_window(request, None)), len(found))

    @handles(functions.messages.GetMessagesRequest)
    def get_messages(self, request: functions.messages.GetMessagesRequest, caller: Caller) -> TLObject:
        """Return messages of the asker's box by number."""
        me = self.me(caller)
        messages, cast = by_number(me, request.id, me.box, None)
        return tl.messages.Messages(messages, [], cast.chats, cast.users)

    @handles(functions.messages.ReadHistoryRequest)
    def read_history(self, request: functions.messages.ReadHistoryRequest, caller: Caller) -> TLObject:
        """Mark a private chat or basic group as read."""
        me = self.person(caller)
        peer = self.peer(me, request.peer)
        mark_read(me, peer.marked, request.max_id, peer.history(me))
        return tl.messages.AffectedMessages(me.log.pts, 0)


def mark_read(me: User, marked: int, max_id: int, history: History) -> None:
    """Move the mark up to an id, 0 = to the newest."""
    top = history.top.id if history.top else 0
    me.read[marked] = max(me.read.get(marked, 0), min(max_id or top, top))


def by_number(
    me: User, named: Iterable[TLObject], store: Mapping[int, Message], peer: Peer | None
) -> tuple[list[TLObject], Cast]:
    """Return the messages that InputMessages name, in their order, with a MessageEmpty where there is none."""
    found = [(item, _named(item, store)) for item in named]
    _, cast = shown(me, [message for _, message in found if message is not None], *([peer] if peer else []))
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


def _window(request: TLObject, offset_date: datetime | None) -> Window:
    return Window(
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
    """Return the test that a MessagesFilter stands for; raises Refused for filters unknown here."""
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
