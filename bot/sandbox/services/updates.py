"""updates.*: the state of an account, and the differences since a client's pts."""

from datetime import datetime

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles, messages_with_cast
from bot.sandbox.services.history import dialog, state
from bot.sandbox.world import Channel, Refused, User
from bot.sandbox.world.history import PageRequest
from bot.sandbox.world.log import LoggedChange, Missed
from bot.sandbox.world.view import Cast, difference_of

_TIMEOUT_S = 30  # when a client that shows the channel should ask again
_LATEST = 20  # messages in a channelDifferenceTooLong


class UpdatesService(RpcService):
    """States and differences."""

    @handles(functions.updates.GetStateRequest)
    def get_state(self, _request: functions.updates.GetStateRequest, caller: Caller) -> TLObject:
        """Return the account's pts."""
        return state(self.me(caller))

    @handles(functions.updates.GetDifferenceRequest)
    def get_difference(self, request: functions.updates.GetDifferenceRequest, caller: Caller) -> TLObject:
        """Return the changes in the caller's box, and the channels that changed."""
        me = self.me(caller)
        behind = me.log.behind(request.pts)
        if me.too_long_after is not None and behind > me.too_long_after:
            return tl.updates.DifferenceTooLong(me.log.pts)
        limit = min(request.pts_limit or self.world.hub.slice_limit, self.world.hub.slice_limit)
        missed = me.log.since(request.pts, limit)
        changed = self._changed_channels(me, request.date) if missed.final else []
        if not missed.changes and not changed:
            return tl.updates.DifferenceEmpty(me.hub.now(), state(me).seq)
        return self._difference(me, missed, changed)

    def _changed_channels(self, me: User, after: datetime) -> list[Channel]:
        if not self.world.difference_lists_channels:
            return []
        return [channel for channel in self.world.joined(me) if channel.log.pts > 1 and channel.changed >= after]

    def _difference(self, me: User, missed: Missed, changed: list[Channel]) -> TLObject:
        sorted_out = difference_of(me, missed.changes)
        messages, cast = messages_with_cast(me, sorted_out.new, *changed)
        _name_others(me, cast, missed.changes)
        others = [*sorted_out.others, *(tl.UpdateChannelTooLong(channel.id, channel.log.pts) for channel in changed)]
        now = state(me)
        if missed.final:
            return tl.updates.Difference(messages, [], others, cast.chats, cast.users, now)
        now.pts = missed.changes[-1].pts
        return tl.updates.DifferenceSlice(messages, [], others, cast.chats, cast.users, now)

    @handles(functions.updates.GetChannelDifferenceRequest)
    def get_channel_difference(
        self, request: functions.updates.GetChannelDifferenceRequest, caller: Caller
    ) -> TLObject:
        """Return the changes in a channel."""
        me = self.me(caller)
        channel = self.channel(me, request.channel)
        channel.history(me)  # refused where he may not read
        if not isinstance(request.filter, tl.ChannelMessagesFilterEmpty):
            raise NotImplementedError(type(request.filter).__name__)
        if request.limit <= 0:
            raise Refused("LIMIT_INVALID")
        behind = channel.log.behind(request.pts)
        if not behind:
            return tl.updates.ChannelDifferenceEmpty(channel.log.pts, final=True, timeout=_TIMEOUT_S)
        if channel.too_long_after is not None and behind > channel.too_long_after:
            return self._too_long(me, channel)
        return self._missed(me, channel, channel.log.since(request.pts, min(request.limit, me.hub.slice_limit)))

    def _too_long(self, me: User, channel: Channel) -> TLObject:
        messages, cast = messages_with_cast(me, channel.history(me).page(PageRequest(limit=_LATEST)), channel)
        return tl.updates.ChannelDifferenceTooLong(
            dialog(me, channel), messages, cast.chats, cast.users, final=True, timeout=_TIMEOUT_S
        )

    def _missed(self, me: User, channel: Channel, missed: Missed) -> TLObject:
        meant = [change for change in missed.changes if channel.reaches(me, change)]
        sorted_out = difference_of(me, meant)
        messages, cast = messages_with_cast(me, sorted_out.new, channel)
        _name_others(me, cast, meant)
        return tl.updates.ChannelDifference(
            missed.changes[-1].pts,
            messages,
            sorted_out.others,
            cast.chats,
            cast.users,
            final=missed.final or None,
            timeout=_TIMEOUT_S,
        )


def _name_others(me: User, cast: Cast, changes: list[LoggedChange]) -> None:
    """Add the users and chats of edited messages."""
    for change in changes:
        store = me.hub.peers[change.chat].store(me)
        cast.add_messages(store[number] for number in change.ids if number in store)
