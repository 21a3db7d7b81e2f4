"""users.*: accounts by number come in; what the asker may know of them goes out."""

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.services.bots import commands_of
from bot.sandbox.world import Refused, User


class UsersService(Service):
    """People and bots."""

    @handles(functions.users.GetUsersRequest)
    def get_users(self, request: functions.users.GetUsersRequest, caller: Caller) -> list[TLObject]:
        """Return users; those the asker cannot name are empty."""
        me = self.me(caller)
        return [self._shown(me, named) for named in request.id]

    def _shown(self, me: User, named: TLObject) -> TLObject:
        try:
            return self.user(me, named).shown_to(me)
        except Refused:
            return tl.UserEmpty(getattr(named, "user_id", 0))

    @handles(functions.users.GetFullUserRequest)
    def get_full_user(self, request: functions.users.GetFullUserRequest, caller: Caller) -> TLObject:
        """Return all about a user; of a bot also its commands."""
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
        return tl.users.UserFull(full, [], [user.shown_to(me)])
