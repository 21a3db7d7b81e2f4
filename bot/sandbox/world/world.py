"""The world of one server, to which tests and the demo add accounts and chats."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import count
from random import Random
from typing import NamedTuple

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.channels import Channel
from bot.sandbox.world.groups import BasicGroup
from bot.sandbox.world.logins import Logins, Token
from bot.sandbox.world.media import MediaFiles
from bot.sandbox.world.messages import MessageDraft
from bot.sandbox.world.passwords import Passwords
from bot.sandbox.world.peers import Account, Emit, Hub, Peer
from bot.sandbox.world.refused import Refused
from bot.sandbox.world.roster import MemberRole
from bot.sandbox.world.users import User


class Folder(NamedTuple):
    """A shared chat folder."""

    title: str
    peers: Sequence[Peer]


class World:
    """Every account, channel, group, file and login of one server."""

    def __init__(self, now: Callable[[], datetime], random: Random, emit: Emit) -> None:
        self.hub = Hub(now, random, emit)
        self.media = MediaFiles(random, self.hub.now)
        self.logins = Logins(random)
        self.passwords = Passwords()
        self.difference_lists_channels = True  # getDifference names the channels that changed
        self.on_token: Callable[[Token], None] = _ignore_token  # called when a QR token is scanned
        self._folders: dict[str, Folder] = {}  # by the slug of their links
        self._users = count(1_000_001)
        self._groups = count(4_000_001)
        self._channels = count(1_500_000_001)

    def add_user(
        self,
        first_name: str,
        *,
        phone: str | None = None,
        username: str | None = None,
        password: str | None = None,
        language: str = "en",
    ) -> User:
        """Make a person; `password` turns 2FA on, `language` is the one that bots see."""
        user = self._account(first_name, username)
        user.phone, user.password, user.language = phone, password, language
        if phone:
            self.logins.add_phone(phone, user)
        return user

    def add_bot(self, token: str, first_name: str, username: str, owner: User | None = None) -> User:
        """Make a bot; its owner, if given, has started it."""
        bot = self._account(first_name, username)
        bot.bot = True
        self.logins.add_bot(token, bot)
        if owner is not None:
            owner.starts(bot)
        return bot

    def add_channel(
        self,
        title: str,
        *,
        username: str | None = None,
        invite: str | None = None,
        megagroup: bool = False,
        members: Iterable[Account] = (),
    ) -> Channel:
        """Make a channel, private unless it has a username; `invite` is the hash of its link, else drawn."""
        channel = Channel(self.hub, next(self._channels), title, megagroup=megagroup)
        channel.username = username
        channel.invite = invite or self.hub.random.randbytes(8).hex()
        self.hub.invites[channel.invite] = channel
        self._register(channel)
        for account in members:
            channel.join(account)
        return channel

    def take_name(self, channel: Channel, title: str) -> Channel:
        """Make another channel under the username that a channel has, and has lost by that."""
        name = channel.username
        channel.make_private()
        return self.add_channel(title, username=name)

    def add_group(self, title: str, members: Iterable[Account]) -> BasicGroup:
        """Make a basic group; the first member is the creator."""
        group = BasicGroup(self.hub, next(self._groups), title, members)
        group.invite = self.hub.random.randbytes(8).hex()
        self.hub.invites[group.invite] = group
        self._register(group)
        return group

    def upgrade(self, group: BasicGroup) -> Channel:
        """Make a supergroup of a basic group, with its members and its invite link; the group stays, deactivated."""
        channel = Channel(self.hub, next(self._channels), group.title, megagroup=True)
        channel.invite = group.invite
        self.hub.invites[group.invite] = channel
        self._register(channel)
        for account in group.members.values():
            channel.roster.put(
                account, MemberRole.CREATOR if account is group.creator else MemberRole.MEMBER, self.hub.now()
            )
            account.joined.add(channel.marked)
        group.mark_upgraded(channel)
        channel.publish(None, MessageDraft(action=tl.MessageActionChannelMigrateFrom(group.title, group.id)))
        return channel

    def add_folder(self, title: str, peers: Iterable[Peer]) -> str:
        """Share a chat folder; returns the slug of its link t.me/addlist/…."""
        slug = self.hub.random.randbytes(8).hex()
        self._folders[slug] = Folder(title, tuple(peers))
        return slug

    def folder(self, slug: str) -> Folder:
        """Return a shared folder; raises Refused."""
        if slug not in self._folders:
            raise Refused("INVITE_SLUG_EXPIRED")
        return self._folders[slug]

    def _account(self, first_name: str, username: str | None) -> User:
        user = User(self.hub, next(self._users), first_name=first_name, username=username)
        self._register(user)
        return user

    def _register(self, peer: Peer) -> None:
        self.hub.peers[peer.marked] = peer
        self.hub.name(peer, peer.username)

    def user(self, number: int | None) -> User:
        """Return an account; raises Refused."""
        peer = self.hub.peers.get(number or 0)
        if not isinstance(peer, User):
            raise Refused("USER_ID_INVALID")
        return peer

    def by_invite(self, digest: str) -> Channel | BasicGroup:
        """Return the channel or basic group of an invite link; raises Refused."""
        if not digest:
            raise Refused("INVITE_HASH_EMPTY")
        chat = self.hub.invites.get(digest)
        if not isinstance(chat, Channel | BasicGroup):
            raise Refused("INVITE_HASH_EXPIRED")
        return chat

    def joined(self, account: Account) -> list[Channel]:
        """Return the channels an account is in."""
        peers = (self.hub.peers[marked] for marked in account.joined)
        return [peer for peer in peers if isinstance(peer, Channel)]

    def login_code(self, phone: str) -> str:
        """Return the code that was sent to a phone; KeyError where none was."""
        return self.logins.code(phone)

    def accept_login_token(self, token: bytes, user: User) -> None:
        """Scan a QR code with a user's phone; raises Refused."""
        self.on_token(self.logins.accept(token, user, self.hub.now()))

    def answer_query(self, bot: Account, query_id: int, answer: TLObject) -> None:
        """Pass a bot's answer to the person who pressed its button; raises Refused where nobody waits any more."""
        query = self.hub.queries.get(query_id)
        if query is None or query.bot_id != bot.id or query.answer.done():
            raise Refused("QUERY_ID_INVALID")
        query.answer.set_result(answer)


def _ignore_token(_token: Token) -> None:
    """Do nothing, until a server is there to notify the client that shows the token."""
