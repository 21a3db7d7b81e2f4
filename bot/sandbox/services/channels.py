"""channels.*: requests about channels and supergroups come in; their messages and memberships go out."""

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.services.history import by_number, mark_read
from bot.sandbox.services.invites import joined, standing
from bot.sandbox.world import Channel, Refused, User


class ChannelsService(Service):
    """Channels and supergroups, without their lists of members."""

    @handles(functions.channels.GetChannelsRequest)
    def get_channels(self, request: functions.channels.GetChannelsRequest, caller: Caller) -> TLObject:
        """Return channels as the asker sees them."""
        me = self.me(caller)
        return tl.messages.Chats([self.channel(me, named).shown_to(me) for named in request.id])

    @handles(functions.channels.GetMessagesRequest)
    def get_messages(self, request: functions.channels.GetMessagesRequest, caller: Caller) -> TLObject:
        """Return messages by number; bots must be members."""
        me = self.me(caller)
        channel = self._readable(me, request.channel)
        messages, cast = by_number(me, request.id, channel.store(me), channel)
        return tl.messages.ChannelMessages(channel.log.pts, len(messages), messages, [], cast.chats, cast.users)

    @handles(functions.channels.GetFullChannelRequest)
    def get_full_channel(self, request: functions.channels.GetFullChannelRequest, caller: Caller) -> TLObject:
        """Return all about a channel."""
        me = self.me(caller)
        channel = self._readable(me, request.channel)
        return tl.messages.ChatFull(_full(me, channel), [channel.shown_to(me)], [])

    @handles(functions.channels.JoinChannelRequest)
    def join(self, request: functions.channels.JoinChannelRequest, caller: Caller) -> TLObject:
        """Join a public channel."""
        me = self.person(caller)
        channel = self.channel(me, request.channel)
        channel.history(me)  # refused where he may not read
        channel.asks_in(me, origin=caller.session)
        return joined(me, channel)

    @handles(functions.channels.LeaveChannelRequest)
    def leave(self, request: functions.channels.LeaveChannelRequest, caller: Caller) -> TLObject:
        """Leave a channel."""
        me = self.me(caller)
        channel = self.channel(me, request.channel)
        channel.leave(me, origin=caller.session)
        return standing(me, channel)

    @handles(functions.channels.DeleteMessagesRequest)
    def delete_messages(self, request: functions.channels.DeleteMessagesRequest, caller: Caller) -> TLObject:
        """Delete messages."""
        me = self.me(caller)
        channel = self.channel(me, request.channel)
        change = channel.remove(me, request.id, origin=caller.session)
        return tl.messages.AffectedMessages(channel.log.pts, change.count if change else 0)

    @handles(functions.channels.ReadHistoryRequest)
    def read_history(self, request: functions.channels.ReadHistoryRequest, caller: Caller) -> bool:
        """Mark a channel as read."""
        me = self.person(caller)
        channel = self.channel(me, request.channel)
        mark_read(me, channel.marked, request.max_id, channel.history(me))
        return True

    def _readable(self, me: User, named: TLObject) -> Channel:
        channel = self.channel(me, named)
        if me.bot and me not in channel.roster:
            raise Refused("CHANNEL_PRIVATE")
        channel.history(me)  # refused where he may not read
        return channel


def _full(me: User, channel: Channel) -> TLObject:
    read = me.read.get(channel.marked, 0)
    invite = None
    if channel.roster.is_admin(me):
        invite = tl.ChatInviteExported(f"https://t.me/+{channel.invite}", me.id, channel.date, permanent=True)
    return tl.ChannelFull(
        channel.id,
        channel.about,
        read,
        channel.last_id,
        channel.kept.count_above(read),
        tl.PhotoEmpty(0),
        tl.PeerNotifySettings(),
        [],
        channel.log.pts,
        participants_count=len(channel.roster.members),
        can_view_participants=(channel.megagroup or channel.roster.is_admin(me)) or None,
        pinned_msg_id=channel.pinned[-1] if channel.pinned else None,
        exported_invite=invite,
    )
