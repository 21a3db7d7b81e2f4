"""contacts.*: usernames and accounts to block come in; peers go out."""

import re

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.world import Refused, User
from bot.sandbox.world.view import Cast

_USERNAME = re.compile(r"[A-Za-z]\w{2,31}", re.ASCII)


class ContactsService(Service):
    """Finding and blocking people."""

    @handles(functions.contacts.ResolveUsernameRequest)
    def resolve(self, request: functions.contacts.ResolveUsernameRequest, caller: Caller) -> TLObject:
        """Return who has a username."""
        me = self.me(caller)
        if not _USERNAME.fullmatch(request.username):
            raise Refused("USERNAME_INVALID")
        peer = self.world.hub.names.get(request.username.lower())
        if peer is None:
            raise Refused("USERNAME_NOT_OCCUPIED")
        cast = Cast(me)
        cast.add(peer.marked)
        return tl.contacts.ResolvedPeer(peer.peer(), cast.chats, cast.users)

    @handles(functions.contacts.BlockRequest)
    def block(self, request: functions.contacts.BlockRequest, caller: Caller) -> bool:
        """Block somebody."""
        me, target = self._both(request.id, caller)
        me.blocks(target)
        return True

    @handles(functions.contacts.UnblockRequest)
    def unblock(self, request: functions.contacts.UnblockRequest, caller: Caller) -> bool:
        """Unblock somebody."""
        me, target = self._both(request.id, caller)
        me.unblocks(target)
        return True

    def _both(self, named: TLObject, caller: Caller) -> tuple[User, User]:
        me = self.person(caller)
        return me, self.world.user(self.peer(me, named).marked)
