"""The common ground of the world: the hub, and the base classes of peers and accounts."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import blake2b
from random import Random
from typing import NamedTuple, Protocol

from telethon.tl import TLObject
from telethon.tl import types as tl

from bot.sandbox.world.history import History
from bot.sandbox.world.log import Log, LoggedChange, UpdateKind
from bot.sandbox.world.messages import Message, MessageDraft, Revision, peer_of
from bot.sandbox.world.refused import Refused

_COMMAND = re.compile(r"/\w+(?:@(?P<bot>\w+))?")


class Emit(Protocol):
    """Sends updates to every session of an account but `skip`; `make` runs only if one is connected."""

    def __call__(self, account_id: int, make: Callable[[], TLObject], skip: object | None) -> None:
        """Deliver one Updates object."""


class CallbackQuery(NamedTuple):
    """A pressed button, or a search in any chat, until its bot answers."""

    bot_id: int
    answer: asyncio.Future[TLObject]  # a BotCallbackAnswer, or BotResults


class Hub:
    """The clock, the peers and the way out for updates of one world."""

    def __init__(self, now: Callable[[], datetime], random: Random, emit: Emit) -> None:
        self.clock = now
        self.random = random
        self.emit = emit
        self.peers: dict[int, Peer] = {}  # by marked id
        self.names: dict[str, Peer] = {}  # by lower-case username
        self.invites: dict[str, Peer] = {}  # by hash
        self.queries: dict[int, CallbackQuery] = {}  # that wait for an answer
        self.query_timeout_s = 10.0  # for a bot's answer
        self.slice_limit = 100  # changes per difference, at most
        self._secret = random.randbytes(16)
        self._hashes: dict[tuple[int, int], int] = {}

    def now(self) -> datetime:
        """Return the time in whole seconds, as Telegram counts."""
        return self.clock().replace(microsecond=0)

    def access_hash(self, account_id: int, marked: int) -> int:
        """Return the hash by which an account may name a peer; it differs for every account."""
        known = self._hashes.get((account_id, marked))
        if known is None:
            digest = blake2b(f"{account_id}:{marked}".encode(), digest_size=8, key=self._secret).digest()
            known = self._hashes[account_id, marked] = int.from_bytes(digest, "big", signed=True)
        return known

    def name(self, peer: "Peer", username: str | None) -> None:
        """Give a peer this username instead of its old one, or none; raises Refused."""
        for name in [name for name, named in self.names.items() if named is peer]:
            del self.names[name]
        if username:
            if username.lower() in self.names:
                raise Refused("USERNAME_OCCUPIED")
            self.names[username.lower()] = peer


class Peer(ABC):
    """An account, a group or a channel."""

    hub: Hub
    id: int
    marked: int  # the id with its kind, as Telethon marks it: 5, -5, -1000000000005
    username: str | None = None

    @abstractmethod
    def tl_for(self, viewer: "Account") -> TLObject:
        """Return the User, Chat or Channel as an account sees it."""

    @abstractmethod
    def history(self, viewer: "Account") -> History:
        """Return the messages that an account may read; raises Refused."""

    @abstractmethod
    def store(self, viewer: "Account") -> Mapping[int, Message]:
        """Return the messages by the ids that changes of this chat have for an account."""

    @abstractmethod
    def accept(self, sender: "Account", draft: MessageDraft, *, origin: object = None) -> LoggedChange:
        """Take a message from a client of this account; its session `origin` gets no update. Raises Refused."""

    @abstractmethod
    def revise(self, editor: "Account", message_id: int, revision: Revision, *, origin: object = None) -> LoggedChange:
        """Take an edit from a client of this account. Raises Refused."""

    def peer(self) -> TLObject:
        """Return the Peer in TL."""
        return peer_of(self.marked)


class Account(Peer):
    """A person or a bot, with its box: the messages of its private chats and basic groups."""

    def __init__(self, hub: Hub, number: int, *, first_name: str, username: str | None) -> None:
        self.hub = hub
        self.id = self.marked = number
        self.first_name = first_name
        self.username = username
        self.phone: str | None = None
        self.password: str | None = None  # of 2FA
        self.language = "en"
        self.bot = False
        self.deleted = False  # nobody can write to it any more
        self.premium = False
        self.free_searches = 10  # a day in all public posts, with Premium
        self.searched: set[str] = set()  # for what, today
        self.log = Log()
        self.too_long_after: int | None = None  # changes; a difference that spans more is refused as too long
        self.box: dict[int, Message] = {}
        self.chats: dict[int, History] = {}  # of the box, by marked id
        self.commands: dict[str, list[TLObject]] = {}  # of a bot: scope and language → BotCommands
        self.info: dict[str, dict[str, str]] = {}  # of a bot: language → name, about, description that were set
        self.joined: set[int] = set()  # marked ids of channels
        self.read: dict[int, int] = {}  # marked id → the newest message that was read
        self.pinned: list[int] = []  # dialogs
        self.archived: set[int] = set()
        self.blocked: set[int] = set()  # accounts
        self.writers: set[int] = set()  # accounts that wrote to this one
        self.random_ids: set[int] = set()
        self._last_id = 0

    def chat(self, marked: int) -> History:
        """Return a private chat or basic group of the box."""
        return self.chats.setdefault(marked, History())

    def next_id(self) -> int:
        """Return the id of the next message in the box."""
        self._last_id += 1
        return self._last_id

    def put(self, message: Message) -> LoggedChange:
        """Add a message to the box."""
        self.box[message.id] = message
        self.chat(message.chat).add(message)
        if message.sender_id == self.id:
            self.read[message.chat] = message.id
        return self.log.add(UpdateKind.NEW, message.chat, [message.id])

    def drop(self, ids: list[int]) -> LoggedChange:
        """Remove messages from the box; all must be in it."""
        for number in ids:
            message = self.box.pop(number)
            self.chat(message.chat).remove(number)
        return self.log.add(UpdateKind.DELETE, self.id, ids)

    def gets(self, message: Message, replied: Message | None) -> bool:
        """Tell whether this account gets a group's message, given the one it answers: bots are in privacy mode.

        The rules: https://core.telegram.org/bots/features#privacy-mode.
        """
        if not self.bot or message.action is not None or message.sender_id == self.id:
            return True
        if replied is not None and replied.sender_id == self.id:
            return True
        name = (self.username or "").lower()
        command = _COMMAND.match(message.text)
        if command and (command["bot"] or name).lower() == name:
            return True
        return f"@{name}" in re.findall(r"@\w+", message.text.lower())

    def once(self, *random_ids: int) -> None:
        """Raise Refused for random_ids that are zero, occur twice, or were used before."""
        if 0 in random_ids:
            raise Refused("RANDOM_ID_EMPTY")
        if len({*random_ids}) < len(random_ids) or not self.random_ids.isdisjoint(random_ids):
            raise Refused("RANDOM_ID_DUPLICATE", 500)

    def forget_random_ids(self) -> None:
        """Accept every random_id again, as Telegram does some time after a message was sent."""
        self.random_ids.clear()

    def tl_for(self, viewer: "Account") -> TLObject:
        """Return the User; only its owner sees the phone number, only bots see the language."""
        own = viewer is self
        return tl.User(
            self.id,
            is_self=own or None,
            deleted=self.deleted or None,
            access_hash=self.hub.access_hash(viewer.id, self.marked),
            first_name=self.first_name,
            username=self.username,
            phone=self.phone if own else None,
            bot=self.bot or None,
            bot_info_version=1 if self.bot else None,
            lang_code=self.language if viewer.bot and not self.bot else None,
        )
