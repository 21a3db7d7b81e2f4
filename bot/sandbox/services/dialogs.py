"""messages.getDialogs and its kin: which part of the list of chats is wanted comes in; dialogs go out, newest first."""

from collections.abc import Sequence
from datetime import UTC, datetime

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, given, handles, shown
from bot.sandbox.world import Channel, User
from bot.sandbox.world.history import History
from bot.sandbox.world.peers import Peer

_MAX_LIMIT = 100


class DialogsService(Service):
    """The list of an account's chats."""

    @handles(functions.messages.GetDialogsRequest)
    def get_dialogs(self, request: functions.messages.GetDialogsRequest, caller: Caller) -> TLObject:
        """Return a page: pinned dialogs first, unless they are left out, then by their newest message."""
        me = self.person(caller)
        chats = self._chats(me, request.folder_id)
        pinned = [chat for chat in chats if chat.marked in me.pinned]
        rest = [chat for chat in chats if chat.marked not in me.pinned]
        wanted = rest if request.exclude_pinned else [*pinned, *rest]
        below = _below(me, wanted, self._named(me, request.offset_peer), given(request.offset_date))
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
        """Return the chats of a folder (None = of all), those that are pinned in their order, then the newest first."""
        peers: list[Peer] = [*self.world.joined(me)]
        peers += [me.hub.peers[marked] for marked, history in me.chats.items() if len(history)]
        if folder_id is not None:
            peers = [peer for peer in peers if (peer.marked in me.archived) is bool(folder_id)]
        peers.sort(key=lambda peer: _order(me, peer), reverse=True)
        return sorted(peers, key=lambda peer: me.pinned.index(peer.marked) if peer.marked in me.pinned else len(peers))

    def _named(self, me: User, offset_peer: TLObject) -> Peer | None:
        return None if isinstance(offset_peer, tl.InputPeerEmpty) else self.peer(me, offset_peer)


def _below(me: User, chats: list[Peer], last: Peer | None, offset_date: datetime | None) -> list[Peer]:
    """Return the chats after the one that the last page ended with; where it is gone, those older than it was."""
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
    messages, cast = shown(me, tops, *chats)
    return [dialog(me, chat) for chat in chats], messages, cast.chats, cast.users
