"""Faults on demand: tests ask for errors, delays and losses, and the dispatcher and the server consult them."""

import asyncio
import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from telethon import utils
from telethon.errors import rpcerrorlist
from telethon.tl import TLObject

from bot.runtime.clock import utc_now

FLOOD = 420
BAD_REQUEST = 400
UNAUTHORIZED = 401


class Refusal(NamedTuple):
    """The RPC error that a fault answers with."""

    code: int
    message: str


class Hold:
    """Holds back the replies to one method until it is released."""

    def __init__(self, method: str, *, left: int | None = None) -> None:
        self.method = method
        self.held = 0  # replies that wait now
        self._left = left  # replies that are still to be held; None = all
        self._reached = asyncio.Event()
        self._released = asyncio.Event()

    async def reached(self) -> None:
        """Wait until a reply is held."""
        await self._reached.wait()

    def release(self) -> None:
        """Let the held replies and all later ones pass."""
        self._released.set()

    @property
    def released(self) -> bool:
        """Whether replies pass freely."""
        return self._released.is_set() or self._left == 0

    async def wait(self) -> None:
        """Wait for the release; the dispatcher calls this before it replies."""
        self.held += 1
        if self._left is not None:
            self._left -= 1
        self._reached.set()
        try:
            await self._released.wait()
        finally:
            self.held -= 1


@dataclass(slots=True, kw_only=True, eq=False)
class _Rule:
    method: str  # "SendMessage", or "messages.SendMessage" where the short name is not enough
    left: int | None = 1  # times it still strikes; None = always
    chat_id: int | None = None  # only requests to this peer, by its bare or marked id
    account_id: int | None = None  # only requests of this account
    words: str = ""  # only messages that say this
    pts: int | None = None  # only requests for the updates since this place
    refusal: Refusal | None = None  # None = the reply is lost
    until: datetime | None = None  # a flood wait that counts down to here

    def strikes(self, names: Collection[str], request: TLObject, account_id: int | None) -> bool:
        if self.left == 0 or self.method not in names or self.account_id not in (None, account_id):
            return False
        if self.chat_id is not None and self.chat_id not in _peers(request):
            return False
        if self.words not in (getattr(request, "message", None) or ""):
            return False
        if self.pts not in (None, getattr(request, "pts", None)):
            return False
        if self.left is not None:
            self.left -= 1
        return True


class _Shape(NamedTuple):
    method: str
    reshape: Callable[[Any], Any]


@dataclass(slots=True, kw_only=True, eq=False)
class _Drop:
    share: float  # of the pushes, 0 to 1
    account_id: int | None  # None = every account's
    left: int | None
    random: Random


@dataclass(slots=True, eq=False)
class Faults:
    """All faults asked for: each verb adds one, `clear` removes all. `now` is the clock of flood waits."""

    now: Callable[[], datetime] = utc_now
    unanswered: bool = False  # the server reads, but neither acts nor answers
    skew_s: float = 0.0  # how far the server's clock is ahead of the machine's, in seconds
    _rules: list[_Rule] = field(default_factory=list)
    _drops: list[_Drop] = field(default_factory=list)
    _holds: list[Hold] = field(default_factory=list)
    _shapes: list[_Shape] = field(default_factory=list)
    _banned: set[int] = field(default_factory=set)  # accounts

    def clear(self) -> None:
        """Remove every fault, and release the replies that are held."""
        self.unanswered = False
        self.skew_s = 0.0
        self._rules.clear()
        self._drops.clear()
        self._shapes.clear()
        self._banned.clear()
        for hold in self._holds:
            hold.release()
        self._holds.clear()

    def drop_pushes(
        self,
        share: float = 1.0,
        *,
        account_id: int | None = None,
        times: int | None = None,
        random: Random | None = None,
    ) -> None:
        """Lose this share (0 to 1) of the pushes to one account or to all, `times` times (None = from now on)."""
        source = random or Random(0)  # noqa: S311 - chance for tests, and repeatable
        self._drops.append(_Drop(share=share, account_id=account_id, left=times, random=source))

    def answer(  # noqa: PLR0913 - whom it strikes
        self,
        method: str,
        error: str,
        *,
        code: int | None = None,
        times: int | None = 1,
        chat_id: int | None = None,
        account_id: int | None = None,
        words: str = "",
    ) -> None:
        """Answer a method with an RPC error, always or only in one chat, to one account, or to a message with `words`.

        `method` is the request's class name without «Request», with its namespace where that is needed
        («channels.GetMessages»). Without `code` it is the one that Telegram sends with this error, else 400.
        """
        refusal = Refusal(code or code_of(error), error)
        rule = _Rule(method=method, refusal=refusal, left=times, chat_id=chat_id, account_id=account_id, words=words)
        self._rules.append(rule)

    def lose_place(self, pts: int, *, account_id: int | None = None) -> None:
        """Fail for good to say what an account missed since this place among its updates."""
        refusal = Refusal(BAD_REQUEST, "PERSISTENT_TIMESTAMP_INVALID")
        self._rules.append(_Rule(method="GetDifference", refusal=refusal, left=None, account_id=account_id, pts=pts))

    def freeze(self, account_id: int) -> None:
        """Freeze an account: it reads nothing more, and Telegram has two strings that say so."""
        for method in ("GetDifference", "GetChannelDifference", "GetHistory"):
            self.answer(method, "FROZEN_PARTICIPANT_MISSING", times=None, account_id=account_id)
        for method in ("GetDialogs", "JoinChannel", "ImportChatInvite", "ResolveUsername"):
            self.answer(method, "FROZEN_METHOD_INVALID", times=None, account_id=account_id)

    def ban(self, account_id: int) -> None:
        """Ban an account: it is told so whatever it asks, and hears nothing."""
        self._banned.add(account_id)

    def lift_ban(self, account_id: int) -> None:
        """Let an account do again what it could."""
        self._banned.discard(account_id)

    def flood_wait(self, method: str, seconds: int, *, chat_id: int | None = None, times: int | None = 1) -> None:
        """Answer a method with FLOOD_WAIT_seconds; with `times=None` until so many seconds have passed on the clock."""
        until = self.now() + timedelta(seconds=seconds) if times is None else None
        refusal = Refusal(FLOOD, f"FLOOD_WAIT_{seconds}")
        self._rules.append(_Rule(method=method, refusal=refusal, left=times, chat_id=chat_id, until=until))

    def hold(self, method: str, *, times: int | None = None) -> Hold:
        """Hold back replies to a method, all or `times` of them, until the returned hold is released."""
        hold = Hold(method, left=times)
        self._holds.append(hold)
        return hold

    def reshape(self, method: str, shape: Callable[[Any], Any]) -> None:
        """Answer a method with `shape(result)`, since Telegram has several constructors for the same answer."""
        self._shapes.append(_Shape(method, shape))

    def lose_reply(self, method: str, times: int = 1) -> None:
        """Run the handler of a method, but cut the connection instead of replying, `times` times."""
        self._rules.append(_Rule(method=method, left=times))

    def skew(self, seconds: float) -> None:
        """Set the server's clock so many seconds ahead of the client's (negative: behind)."""
        self.skew_s = seconds

    def refusal(self, names: Collection[str], request: TLObject, account_id: int | None = None) -> Refusal | None:
        """Return the error to answer this request of an account with, if any; counts as one strike."""
        if account_id in self._banned:
            return Refusal(UNAUTHORIZED, "USER_DEACTIVATED_BAN")
        for rule in self._rules:
            if rule.refusal is None or (rule.until and rule.until <= self.now()):
                continue
            if rule.strikes(names, request, account_id):
                return self._count_down(rule.refusal, rule.until)
        return None

    def _count_down(self, refusal: Refusal, until: datetime | None) -> Refusal:
        if until is None:
            return refusal
        return Refusal(FLOOD, f"FLOOD_WAIT_{math.ceil((until - self.now()).total_seconds())}")

    def reshape_result(self, names: Collection[str], result: Any) -> Any:  # noqa: ANN401 - whatever a handler returns
        """Return the result of a method as it is to be sent."""
        for shape in self._shapes:
            if shape.method in names:
                result = shape.reshape(result)
        return result

    def find_hold(self, names: Collection[str]) -> Hold | None:
        """Return the hold that keeps back replies to this method, if any."""
        return next((hold for hold in self._holds if hold.method in names and not hold.released), None)

    def loses_reply(self, names: Collection[str], request: TLObject) -> bool:
        """Tell whether the reply to this request is to be lost; counts as one strike."""
        return any(rule.refusal is None and rule.strikes(names, request, None) for rule in self._rules)

    def drops_push(self, account_id: int) -> bool:
        """Tell whether the next push to this account is to be dropped; counts as one strike."""
        hits = [self._hits(drop, account_id) for drop in self._drops]  # each draws its own chance
        return account_id in self._banned or any(hits)

    def _hits(self, drop: _Drop, account_id: int) -> bool:
        if drop.left == 0 or drop.account_id not in (None, account_id) or drop.random.random() >= drop.share:
            return False
        if drop.left is not None:
            drop.left -= 1
        return True


def code_of(error: str) -> int:
    """Return the code that Telegram sends with an error, by Telethon's tables; 400 for an unknown error."""
    known: Any = rpcerrorlist.rpc_errors_dict.get(error)
    if known is None:
        patterns = rpcerrorlist.rpc_errors_re
        known = next((kind for pattern, kind in patterns if re.fullmatch(pattern, error)), None)
    return getattr(known, "code", None) or BAD_REQUEST


def _peers(request: TLObject) -> set[int]:
    """Return the chats that a request is about, each as its bare and its marked id."""
    peers: set[int] = set()
    for name in ("peer", "channel", "to_peer", "chat_id", "user_id"):
        target = getattr(request, name, None)
        if isinstance(target, int):
            peers.add(target)
        elif target is not None:
            peers |= _ids(target)
    return peers


def _ids(target: TLObject) -> set[int]:
    bare = next((getattr(target, name) for name in ("channel_id", "chat_id", "user_id") if hasattr(target, name)), None)
    if bare is None:  # inputPeerSelf, inputPeerEmpty
        return set()
    if hasattr(target, "channel_id"):
        return {bare, utils.get_peer_id(target)}
    return {bare, -bare} if hasattr(target, "chat_id") else {bare}
