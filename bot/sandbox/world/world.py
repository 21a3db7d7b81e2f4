"""What comes in are the accounts and chats that a test wishes for; what goes out is a world that holds them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count
from random import Random

from telethon.tl import TLObject

from bot.sandbox.world.channels import Channel
from bot.sandbox.world.groups import Group
from bot.sandbox.world.logins import Logins, Token
from bot.sandbox.world.media import Media
from bot.sandbox.world.passwords import Passwords
from bot.sandbox.world.peers import Account, Emit, Hub, Peer
from bot.sandbox.world.refused import Refused
from bot.sandbox.world.users import User


class World:
    """Every account, channel, group, file and login of one server."""

    def __init__(self, now: Callable[[], datetime], random: Random, emit: Emit) -> None:
        self.hub = Hub(now, random, emit)
        self.media = Media(random, self.hub.now)
        self.logins = Logins(random)
        self.passwords = Passwords()
        self.difference_lists_channels = True  # getDifference names the channels that changed
        self.on_token: Callable[[Token], None] = _nobody_waits  # a QR token was scanned
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
        """Make a person; `password` turns 2FA on, `language` is what bots see."""
        user = self._account(first_name, username)
        user.phone, user.password, user.language = phone, password, language
        if phone:
            self.logins.add_phone(phone, user)
        return user

    def add_bot(self, token: str, first_name: str, username: str, owner: User | None = None) -> User:
        """Make a bot; its owner has started it."""
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

    def add_group(self, title: str, members: Iterable[Account]) -> Group:
        """Make a basic group; the first member made it."""
        group = Group(self.hub, next(self._groups), title, members)
        self._register(group)
        return group

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

    def channel_by_invite(self, digest: str) -> Channel:
        """Return the channel of an invite link; raises Refused."""
        if not digest:
            raise Refused("INVITE_HASH_EMPTY")
        channel = self.hub.invites.get(digest)
        if not isinstance(channel, Channel):
            raise Refused("INVITE_HASH_EXPIRED")
        return channel

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
        """Give a bot's answer to whoever pressed its button; raises Refused where nobody waits any more."""
        query = self.hub.queries.get(query_id)
        if query is None or query.bot_id != bot.id or query.answer.done():
            raise Refused("QUERY_ID_INVALID")
        query.answer.set_result(answer)


def _nobody_waits(_token: Token) -> None:
    """Stand in for a server that would tell the client which shows the token."""
