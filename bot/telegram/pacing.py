"""A chat and the present come in, the moment at which Telegram lets us send to it goes out. Pure: nothing waits here.

Telegram's limits for bots: about 30 messages a second in all, one a second to a chat with short bursts, 20 a minute to
a group (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this); channels behave like groups.
Times are seconds of a monotonic clock.
"""

from collections import defaultdict, deque
from dataclasses import dataclass

from bot.models import Peer, PeerKind

TOTAL_BURST = 30  # messages
CHAT_BURST = 3  # messages
GROUP_BURST = 20  # messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Messages a second that may be sent on average, over any stretch of time that holds a full burst."""

    total: float = 30.0  # in all
    chat: float = 1.0  # to one chat
    group: float = 20 / 60  # to one group or channel


class Window:
    """At most `count` sendings in any `period` seconds."""

    def __init__(self, count: int, period: float) -> None:
        self._period = period
        self._taken: deque[float] = deque(maxlen=count)

    def ready_at(self, now: float) -> float:
        """Say when the next sending may go: now or later."""
        if len(self._taken) < (self._taken.maxlen or 0):
            return now
        return max(now, self._taken[0] + self._period)

    def spend(self, at: float) -> None:
        """Count a sending at that moment, which may lie ahead: a place in the queue."""
        self._taken.append(at)


class Pacing:
    """What was sent when, in all and to each chat, and which chats are flooded."""

    def __init__(self, rates: Rates | None = None) -> None:
        self._rates = rates or Rates()
        self._total = Window(TOTAL_BURST, TOTAL_BURST / self._rates.total)
        self._chats: dict[tuple[PeerKind, int], list[Window]] = {}
        self._flooded: defaultdict[tuple[PeerKind, int], float] = defaultdict(float)

    def ready_at(self, peer: Peer, now: float) -> float:
        """Say when this chat may be sent to: now or later. It costs nothing to ask."""
        return max(self._total.ready_at(now), self._chat_ready_at(peer, now))

    def take_chat(self, peer: Peer, now: float) -> float:
        """Take this chat's next place and say when it comes."""
        at = self._chat_ready_at(peer, now)
        for window in self._windows(peer):
            window.spend(at)
        return at

    def take_total(self, now: float) -> float:
        """Take the next place among all chats and say when it comes.

        Taken once the chat's own place has come: a place far ahead would hold up everybody behind it.
        """
        at = self._total.ready_at(now)
        self._total.spend(at)
        return at

    def flooded(self, peer: Peer, until: float) -> None:
        """Remember that Telegram wants no message to this chat before that moment."""
        self._flooded[peer.kind, peer.id] = max(until, self._flooded[peer.kind, peer.id])

    def flooded_until(self, peer: Peer) -> float:
        """Say until when Telegram wants no message to this chat; a moment in the past where it takes them."""
        return self._flooded.get((peer.kind, peer.id), 0.0)

    def _chat_ready_at(self, peer: Peer, now: float) -> float:
        return max(self.flooded_until(peer), *(window.ready_at(now) for window in self._windows(peer)))

    def _windows(self, peer: Peer) -> list[Window]:
        key = peer.kind, peer.id
        if key not in self._chats:
            windows = [Window(CHAT_BURST, CHAT_BURST / self._rates.chat)]
            if peer.kind is not PeerKind.USER:
                windows.append(Window(GROUP_BURST, GROUP_BURST / self._rates.group))
            self._chats[key] = windows
        return self._chats[key]
