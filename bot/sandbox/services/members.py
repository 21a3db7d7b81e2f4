"""channels.getParticipant(s), messages.getChats and getFullChat: whose members are wanted comes in; they go out."""

from collections.abc import Callable

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.world import Channel, Group, Refused, Role, User
from bot.sandbox.world.roster import Member
from bot.sandbox.world.view import Cast

_MAX_LIMIT = 200


class MembersService(Service):
    """Who is in channels and groups."""

    @handles(functions.channels.GetParticipantRequest)
    def get_participant(self, request: functions.channels.GetParticipantRequest, caller: Caller) -> TLObject:
        """Return one member."""
        me = self.me(caller)
        channel = self.channel(me, request.channel)
        account = self.world.user(self.peer(me, request.participant).marked)
        if account is not me:
            _check_may_list(channel, me)
        cast = Cast(me)
        cast.add(channel.marked, account.id)
        return tl.channels.ChannelParticipant(channel.roster.participant(account, me), cast.chats, cast.users)

    @handles(functions.channels.GetParticipantsRequest)
    def get_participants(self, request: functions.channels.GetParticipantsRequest, caller: Caller) -> TLObject:
        """Return members: all of a supergroup for its members, those of a channel only for admins."""
        me = self.me(caller)
        channel = self.channel(me, request.channel)
        _check_may_list(channel, me)
        wanted = _filter(request.filter)
        found = [member for member in channel.roster.members.values() if wanted(member)]
        page = found[request.offset : request.offset + min(request.limit, _MAX_LIMIT)]
        cast = Cast(me)
        cast.add(channel.marked, *(member.account.id for member in page))
        participants = [channel.roster.participant(member.account, me) for member in page]
        return tl.channels.ChannelParticipants(len(found), participants, cast.chats, cast.users)

    @handles(functions.messages.GetChatsRequest)
    def get_chats(self, request: functions.messages.GetChatsRequest, caller: Caller) -> TLObject:
        """Return basic groups as the asker sees them."""
        me = self.me(caller)
        return tl.messages.Chats([self._group(number).shown_to(me) for number in request.id])

    @handles(functions.messages.GetFullChatRequest)
    def get_full_chat(self, request: functions.messages.GetFullChatRequest, caller: Caller) -> TLObject:
        """Return a basic group with its members."""
        me = self.me(caller)
        group = self._group(request.chat_id)
        group.history(me)  # refused for strangers
        cast = Cast(me)
        cast.add(group.marked, *group.members)
        full = tl.ChatFull(group.id, "", _participants(group), tl.PeerNotifySettings())
        return tl.messages.ChatFull(full, cast.chats, cast.users)

    def _group(self, number: int) -> Group:
        group = self.world.hub.peers.get(-number)
        if not isinstance(group, Group):
            raise Refused("CHAT_ID_INVALID")
        return group


def _check_may_list(channel: Channel, me: User) -> None:
    if me not in channel.roster and channel.username is None:
        raise Refused("CHANNEL_PRIVATE")
    if not channel.roster.is_admin(me) and not (channel.megagroup and me in channel.roster):
        raise Refused("CHAT_ADMIN_REQUIRED")


def _participants(group: Group) -> TLObject:
    creator = group.creator.id if group.creator else 0
    members = [
        tl.ChatParticipantCreator(number) if number == creator else tl.ChatParticipant(number, creator, group.date)
        for number in group.members
    ]
    return tl.ChatParticipants(group.id, members, group.version)


def _filter(wanted: TLObject) -> Callable[[Member], bool]:
    """Return the test that a ChannelParticipantsFilter stands for."""
    if isinstance(wanted, tl.ChannelParticipantsRecent):
        return lambda _: True
    if isinstance(wanted, tl.ChannelParticipantsAdmins):
        return lambda member: member.role is not Role.MEMBER
    if isinstance(wanted, tl.ChannelParticipantsBots):
        return lambda member: member.account.bot
    if isinstance(wanted, tl.ChannelParticipantsSearch):
        text: str = wanted.q.casefold()
        return lambda member: text in f"{member.account.first_name} {member.account.username or ''}".casefold()
    raise NotImplementedError(type(wanted).__name__)
