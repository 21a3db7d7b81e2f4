"""users.* and contacts.*: accounts, usernames and blocks."""

import re

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles
from bot.sandbox.services.bots import commands_of
from bot.sandbox.world import Refused, User
from bot.sandbox.world.view import Cast

_USERNAME = re.compile(r"[A-Za-z]\w{2,31}", re.ASCII)


class UsersService(RpcService):
    """Users, the peers behind usernames, and blocks."""

    @handles(functions.users.GetUsersRequest)
    def get_users(self, request: functions.users.GetUsersRequest, caller: Caller) -> list[TLObject]:
        """Return users; a UserEmpty for each that the caller may not name."""
        me = self.me(caller)
        return [self._shown(me, named) for named in request.id]

    def _shown(self, me: User, named: TLObject) -> TLObject:
        try:
            return self.user(me, named).tl_for(me)
        except Refused:
            return tl.UserEmpty(getattr(named, "user_id", 0))

    @handles(functions.users.GetFullUserRequest)
    def get_full_user(self, request: functions.users.GetFullUserRequest, caller: Caller) -> TLObject:
        """Return the full record of a user, with the commands of a bot."""
        me = self.me(caller)
        user = self.user(me, request.id)
        full = tl.UserFull(
            user.id,
            tl.PeerSettings(),
            tl.PeerNotifySettings(),
            0,
            blocked=(user.id in me.blocked) or None,
            bot_info=tl.BotInfo(user_id=user.id, commands=commands_of(user, me.language)) if user.bot else None,
        )
        return tl.users.UserFull(full, [], [user.tl_for(me)])

    @handles(functions.contacts.ResolveUsernameRequest)
    def resolve(self, request: functions.contacts.ResolveUsernameRequest, caller: Caller) -> TLObject:
        """Return the peer with a username."""
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
        """Block a peer."""
        me, target = self._both(request.id, caller)
        me.blocks(target)
        return True

    @handles(functions.contacts.UnblockRequest)
    def unblock(self, request: functions.contacts.UnblockRequest, caller: Caller) -> bool:
        """Unblock a peer."""
        me, target = self._both(request.id, caller)
        me.unblocks(target)
        return True

    def _both(self, named: TLObject, caller: Caller) -> tuple[User, User]:
        me = self.person(caller)
        return me, self.world.user(self.peer(me, named).marked)
