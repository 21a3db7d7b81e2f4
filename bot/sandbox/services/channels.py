"""channels.*, chatlists.*, and the groups and invites of messages.*: chats and their members."""

from collections.abc import Callable

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles
from bot.sandbox.services.history import by_number, mark_read
from bot.sandbox.world import BasicGroup, Channel, MemberRole, Refused, User
from bot.sandbox.world.feed import Feed
from bot.sandbox.world.roster import Member
from bot.sandbox.world.view import Cast, bundle

_MAX_LIMIT = 200


class ChannelsService(RpcService):
    """Channels, groups, their members and their invites."""

    @handles(functions.messages.CheckChatInviteRequest)
    def check_invite(self, request: functions.messages.CheckChatInviteRequest, caller: Caller) -> TLObject:
        """Return the chat behind an invite link."""
        me = self.person(caller)
        group = self.world.by_invite(request.hash)
        if isinstance(group, BasicGroup):
            return _of_group(me, group)
        channel = self._channel(me, request.hash)
        if me in channel.roster:
            return tl.ChatInviteAlready(channel.tl_for(me))
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
    def join_by_invite(self, request: functions.messages.ImportChatInviteRequest, caller: Caller) -> TLObject:
        """Join by a link."""
        me = self.person(caller)
        channel = self._channel(me, request.hash)
        if me in channel.roster:
            raise Refused("USER_ALREADY_PARTICIPANT")
        channel.request_to_join(me, origin=caller.session)
        return join_result(me, channel)

    def _channel(self, me: User, digest: str) -> Channel:
        channel = self.world.by_invite(digest)
        if not isinstance(channel, Channel):
            raise NotImplementedError("joining a basic group")
        if me.id in channel.roster.banned:
            raise Refused("INVITE_HASH_EXPIRED")
        return channel

    @handles(functions.channels.GetChannelsRequest)
    def get_channels(self, request: functions.channels.GetChannelsRequest, caller: Caller) -> TLObject:
        """Return channels as the caller sees them."""
        me = self.me(caller)
        return tl.messages.Chats([self.channel(me, named).tl_for(me) for named in request.id])

    @handles(functions.channels.GetMessagesRequest)
    def get_messages(self, request: functions.channels.GetMessagesRequest, caller: Caller) -> TLObject:
        """Return messages by number; bots must be members."""
        me = self.me(caller)
        channel = self._readable(me, request.channel)
        messages, cast = by_number(me, request.id, channel.store(me), channel)
        return tl.messages.ChannelMessages(channel.log.pts, len(messages), messages, [], cast.chats, cast.users)

    @handles(functions.messages.GetForumTopicsByIDRequest)
    def get_topics(self, request: functions.messages.GetForumTopicsByIDRequest, caller: Caller) -> TLObject:
        """Return topics of a forum by number; those that are gone without a title."""
        me = self.me(caller)
        channel = self._readable(me, request.peer)
        titles = {number: channel.forum.topics.get(number) for number in request.topics}
        found = [
            tl.ForumTopicDeleted(number) if title is None else _topic(channel, number, title)
            for number, title in titles.items()
        ]
        return tl.messages.ForumTopics(len(found), found, [], [channel.tl_for(me)], [], channel.log.pts)

    @handles(functions.channels.GetFullChannelRequest)
    def get_full_channel(self, request: functions.channels.GetFullChannelRequest, caller: Caller) -> TLObject:
        """Return the full record of a channel."""
        me = self.me(caller)
        channel = self._readable(me, request.channel)
        linked = channel.discussion or channel.discusses
        chats = [each.tl_for(me) for each in (channel, linked) if each is not None]
        return tl.messages.ChatFull(_full(me, channel, linked), chats, [])

    @handles(functions.channels.JoinChannelRequest)
    def join(self, request: functions.channels.JoinChannelRequest, caller: Caller) -> TLObject:
        """Join a public channel."""
        me = self.person(caller)
        channel = self.channel(me, request.channel)
        channel.history(me)  # refused where he may not read
        channel.request_to_join(me, origin=caller.session)
        return join_result(me, channel)

    @handles(functions.channels.LeaveChannelRequest)
    def leave(self, request: functions.channels.LeaveChannelRequest, caller: Caller) -> TLObject:
        """Leave a channel."""
        me = self.me(caller)
        channel = self.channel(me, request.channel)
        channel.leave(me, origin=caller.session)
        return channel_update(me, channel)

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
        """Return basic groups as the caller sees them."""
        me = self.me(caller)
        return tl.messages.Chats([self._group(number).tl_for(me) for number in request.id])

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

    def _group(self, number: int) -> BasicGroup:
        group = self.world.hub.peers.get(-number)
        if not isinstance(group, BasicGroup):
            raise Refused("CHAT_ID_INVALID")
        return group

    @handles(functions.chatlists.CheckChatlistInviteRequest)
    def check_chatlist(self, request: functions.chatlists.CheckChatlistInviteRequest, caller: Caller) -> TLObject:
        """Return the chats of a shared folder, as one that the caller has not added."""
        me = self.person(caller)
        folder = self.world.folder(request.slug)
        cast = Cast(me)
        cast.add(*(peer.marked for peer in folder.peers))
        peers = [peer.peer() for peer in folder.peers]
        title = tl.TextWithEntities(folder.title, [])
        return tl.chatlists.ChatlistInvite(title, peers, cast.chats, cast.users)


def _of_group(me: User, group: BasicGroup) -> TLObject:
    if me.id in group.members:
        return tl.ChatInviteAlready(group.tl_for(me))
    return tl.ChatInvite(group.title, tl.PhotoEmpty(0), len(group.members), 0)


def join_result(me: User, channel: Channel) -> TLObject:
    """Return the answer to a join, by layer 229."""
    return tl.messages.ChatInviteJoinResultOk(channel_update(me, channel))


def channel_update(me: User, channel: Channel) -> TLObject:
    """Return the updates that make a client ask for the channel again."""
    cast = Cast(me)
    cast.add(channel.marked)
    return bundle(me, [tl.UpdateChannel(channel.id)], cast)


def _full(me: User, channel: Channel, linked: Feed | None) -> TLObject:
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
        linked_chat_id=linked.id if linked is not None else None,
    )


def _check_may_list(channel: Channel, me: User) -> None:
    if me not in channel.roster and channel.username is None:
        raise Refused("CHANNEL_PRIVATE")
    if not channel.roster.is_admin(me) and not (channel.megagroup and me in channel.roster):
        raise Refused("CHAT_ADMIN_REQUIRED")


def _participants(group: BasicGroup) -> TLObject:
    creator = group.creator.id if group.creator else 0
    members = [
        tl.ChatParticipantCreator(number) if number == creator else tl.ChatParticipant(number, creator, group.date)
        for number in group.members
    ]
    return tl.ChatParticipants(group.id, members, group.version)


def _filter(wanted: TLObject) -> Callable[[Member], bool]:
    """Return the predicate of a ChannelParticipantsFilter."""
    if isinstance(wanted, tl.ChannelParticipantsRecent):
        return lambda _: True
    if isinstance(wanted, tl.ChannelParticipantsAdmins):
        return lambda member: member.role is not MemberRole.MEMBER
    if isinstance(wanted, tl.ChannelParticipantsBots):
        return lambda member: member.account.bot
    if isinstance(wanted, tl.ChannelParticipantsSearch):
        text: str = wanted.q.casefold()
        return lambda member: text in f"{member.account.first_name} {member.account.username or ''}".casefold()
    raise NotImplementedError(type(wanted).__name__)


def _topic(channel: Channel, number: int, title: str) -> TLObject:
    """Return a topic of which nobody has read anything."""
    unread = {"unread_count": 0, "unread_mentions_count": 0, "unread_reactions_count": 0, "unread_poll_votes_count": 0}
    read = {"top_message": number, "read_inbox_max_id": 0, "read_outbox_max_id": 0}
    return tl.ForumTopic(
        number,
        None,
        channel.peer(),
        title,
        0,
        from_id=channel.peer(),
        notify_settings=tl.PeerNotifySettings(),
        **read,
        **unread,
    )
