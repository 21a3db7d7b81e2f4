"""The limits that Telegram sets to what we send and ask, as pure parts: nothing waits here.

Telegram's limits for bots: about 30 messages a second in all, one a second to a chat with short bursts, 20 a minute to
a group (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this); channels behave like groups,
and we count edits as messages. What is kept: at most 10 in any third of a second, and so 30 in any second; 3 to a chat
in any 3 s; 20 to a group in any 60 s. The windows slide, and each is 3 % longer than that, since the server counts what
arrives: it sees the limits kept as long as the time under way varies by no more than these 3 %, 10 ms for the shortest.
Times are seconds of a monotonic clock.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import islice

from bot.models.outgoing import Peer, PeerKind

TOTAL_BURST = 10  # messages; as few as this, so that whoever comes in the midst of many waits a third of a second
CHAT_BURST = 3  # messages
GROUP_BURST = 20  # messages
SLACK = 1.03  # how much longer our windows are than Telegram's

LEAST, RECOVERY = 0.1, 600.0  # the throttle of sends: the least share, and s
ALIKE = 10.0  # s within which floods in several chats are one sign …
FLOODED_CHATS = 3  # … if they are so many: the rate of all is too high
SETTLING = 2.0  # s after the rate of all was lowered in which floods still tell of the old one

ChatKey = tuple[PeerKind, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Messages a second that Telegram allows on average."""

    total: float = 30.0  # in all
    chat: float = 1.0  # to one chat
    group: float = 20 / 60  # to one group or channel


class Window:
    """At most `count` events in any stretch of `seconds`."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._taken: deque[float] = deque(maxlen=count)

    def ready_at(self, now: float, share: float = 1.0) -> float:
        """Return when the next event may come, now or later, at a share of the rate."""
        if len(self._taken) < self._count:
            return now
        return max(now, self._taken[0] + self._seconds / share)

    def left(self, now: float) -> int:
        """Return how many events may still come at once."""
        return self._count - sum(at + self._seconds > now for at in self._taken)

    def is_empty(self, now: float) -> bool:
        """Tell whether no event counts any more."""
        return not self._taken or self._taken[-1] + self._seconds <= now

    def spend(self, now: float) -> None:
        """Count an event."""
        self._taken.append(now)


class Throttle:
    """The share of a rate that floods leave: each flood halves it, and it comes back evenly."""

    def __init__(self, *, least: float, recovery: float) -> None:
        self._least = least  # however many floods there are
        self._recovery = recovery  # s in which the rate would come back from nothing to all
        self._left = 1.0
        self._since = 0.0

    def share(self, now: float) -> float:
        """Return the share: above 0, at most 1."""
        return min(1.0, self._left + max(0.0, now - self._since) / self._recovery)

    def halve(self, since: float) -> None:
        """Halve the share, which begins to come back at that moment."""
        self._left = max(self._least, self.share(since) / 2)
        self._since = since


class Bucket:
    """A budget of requests that fills up again with time, more slowly after floods."""

    def __init__(self, *, rate: float, burst: int, now: float, throttle: Throttle) -> None:
        self._rate = rate  # requests a second
        self._burst = burst
        self._throttle = throttle
        self._left = float(burst)  # below 0 where requests wait
        self._at = now

    def take(self, now: float) -> float:
        """Take one request out of the budget; return the seconds to wait before it is made."""
        rate = self._rate * self._throttle.share(now)
        self._left = min(self._burst, self._left + (now - self._at) * rate) - 1
        self._at = now
        return max(0.0, -self._left / rate)

    def flood(self, now: float) -> None:
        """Halve the rate: Telegram found it too high."""
        self._throttle.halve(now)
        self._left, self._at = 0.0, now


class _Chat:
    """The messages that went to a chat, and until when Telegram wants no more."""

    def __init__(self, kind: PeerKind, rates: Rates) -> None:
        self._windows = [Window(CHAT_BURST, SLACK * CHAT_BURST / rates.chat)]
        if kind is not PeerKind.USER:
            self._windows.append(Window(GROUP_BURST, SLACK * GROUP_BURST / rates.group))
        self.throttle = Throttle(least=LEAST, recovery=RECOVERY)
        self.closed_until = 0.0

    def ready_at(self, now: float) -> float:
        share = self.throttle.share(now)
        return max(self.closed_until, *(window.ready_at(now, share) for window in self._windows))

    def spend(self, now: float) -> None:
        for window in self._windows:
            window.spend(now)

    def left(self, now: float) -> float:
        return min((window.left(now) for window in self._windows[1:]), default=float("inf"))

    def is_forgettable(self, now: float) -> bool:
        idle = self.closed_until <= now and self.throttle.share(now) >= 1.0
        return idle and all(window.is_empty(now) for window in self._windows)


class Pacing:
    """When messages may leave, to each chat and in all, by the messages that were sent and Telegram's flood errors."""

    def __init__(self, rates: Rates | None = None) -> None:
        self._rates = rates or Rates()
        self._total = Window(TOTAL_BURST, SLACK * TOTAL_BURST / self._rates.total)
        self._total_throttle = Throttle(least=LEAST, recovery=RECOVERY)
        self._settled_at = 0.0
        self._floods: deque[tuple[float, ChatKey]] = deque()
        self._chats: OrderedDict[ChatKey, _Chat] = OrderedDict()  # the one to be looked at next first

    def __len__(self) -> int:
        """Return the number of chats that anything is remembered of."""
        return len(self._chats)

    @property
    def memory(self) -> float:
        """The seconds for which a message counts, at most."""
        rates = self._rates
        return SLACK * max(TOTAL_BURST / rates.total, CHAT_BURST / rates.chat, GROUP_BURST / rates.group)

    def chat_ready_at(self, peer: Peer, now: float) -> float:
        """Return when this chat takes the next message, now or later, whatever the other chats do."""
        chat = self._chats.get(key_of(peer))
        return now if chat is None else chat.ready_at(now)

    def left(self, peer: Peer, now: float) -> float:
        """Return how many messages of its minute a group has left; other chats have no such limit."""
        chat = self._chats.get(key_of(peer))
        return GROUP_BURST if chat is None else chat.left(now)

    def total_ready_at(self, now: float) -> float:
        """Return when the next message may go to any chat, now or later."""
        return self._total.ready_at(now, self._total_throttle.share(now))

    def spend(self, peer: Peer, now: float) -> None:
        """Count a message that leaves now; forget chats of which nothing counts any more."""
        self._total.spend(now)
        self._chat(peer).spend(now)
        for key in list(islice(self._chats, 2)):  # one more than a message can add
            if self._chats[key].is_forgettable(now):
                del self._chats[key]
            else:
                self._chats.move_to_end(key)

    def spend_more(self, peer: Peer, now: float, count: int) -> None:
        """Count further messages of an album that leaves now; to its chat, each as if it had waited its turn.

        No limit of a burst lets a whole album pass: the message after it waits until the album's would have
        gone one by one.
        """
        chat, at = self._chat(peer), now
        for _ in range(count):
            self._total.spend(now)
            at = chat.ready_at(at)
            chat.spend(at)

    def close(self, peer: Peer, until: float) -> None:
        """Let no message leave to this chat before that moment."""
        chat = self._chat(peer)
        chat.closed_until = max(until, chat.closed_until)

    def flood(self, peer: Peer, now: float, *, until: float) -> None:
        """Close a chat that got too much, and be slower with it afterwards.

        Where several chats were flooded in a short time, too much is sent in all: everything becomes slower.
        """
        self.close(peer, until)
        self._chat(peer).throttle.halve(until)
        if now < self._settled_at:
            return
        self._floods.append((now, key_of(peer)))
        while self._floods[0][0] <= now - ALIKE:
            self._floods.popleft()
        if len({key for _, key in self._floods}) >= FLOODED_CHATS:
            self._total_throttle.halve(now)
            self._settled_at = now + SETTLING
            self._floods.clear()

    def closed_until(self, peer: Peer) -> float:
        """Return until when Telegram wants no message to this chat; a past moment where it takes them."""
        chat = self._chats.get(key_of(peer))
        return 0.0 if chat is None else chat.closed_until

    def _chat(self, peer: Peer) -> _Chat:
        key = key_of(peer)
        if key not in self._chats:
            self._chats[key] = _Chat(peer.kind, self._rates)
        return self._chats[key]


def key_of(peer: Peer) -> ChatKey:
    """Return the chat that Telegram's limits hold for, whatever its threads."""
    return peer.kind, peer.id
