"""messages.checkChatInvite and importChatInvite: an invite's hash comes in; the channel, or a place in it, goes out."""

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.world import Channel, Group, Refused, User
from bot.sandbox.world.view import Cast, bundle


class InvitesService(Service):
    """Invite links."""

    @handles(functions.messages.CheckChatInviteRequest)
    def check(self, request: functions.messages.CheckChatInviteRequest, caller: Caller) -> TLObject:
        """Say where a link leads."""
        me = self.person(caller)
        group = self.world.by_invite(request.hash)
        if isinstance(group, Group):
            return _of_group(me, group)
        channel = self._channel(me, request.hash)
        if me in channel.roster:
            return tl.ChatInviteAlready(channel.shown_to(me))
        return tl.ChatInvite(
            channel.title,
            tl.PhotoEmpty(0),
            len(channel.roster.members),
            0,
            channel=True,
            broadcast=not channel.megagroup or None,
            megagroup=channel.megagroup or None,
            public=channel.username is not None or None,
            request_needed=channel.needs_approval or None,
            about=channel.about or None,
        )

    @handles(functions.messages.ImportChatInviteRequest)
    def join(self, request: functions.messages.ImportChatInviteRequest, caller: Caller) -> TLObject:
        """Join by a link."""
        me = self.person(caller)
        channel = self._channel(me, request.hash)
        if me in channel.roster:
            raise Refused("USER_ALREADY_PARTICIPANT")
        channel.asks_in(me, origin=caller.session)
        return joined(me, channel)

    def _channel(self, me: User, digest: str) -> Channel:
        channel = self.world.by_invite(digest)
        if not isinstance(channel, Channel):
            raise NotImplementedError("joining a basic group")
        if me.id in channel.roster.banned:
            raise Refused("INVITE_HASH_EXPIRED")
        return channel


def _of_group(me: User, group: Group) -> TLObject:
    if me.id in group.members:
        return tl.ChatInviteAlready(group.shown_to(me))
    return tl.ChatInvite(group.title, tl.PhotoEmpty(0), len(group.members), 0)


def joined(me: User, channel: Channel) -> TLObject:
    """Return what a join answers since layer 229."""
    return tl.messages.ChatInviteJoinResultOk(standing(me, channel))


def standing(me: User, channel: Channel) -> TLObject:
    """Return the updates that say how an account stands with a channel now."""
    cast = Cast(me)
    cast.add(channel.marked)
    return bundle(me, [tl.UpdateChannel(channel.id)], cast)
