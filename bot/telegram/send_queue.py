"""Messages wait here for their turn to leave, in an order that is fair and as the limits allow.

In a chat the smallest place goes first. Among the chats that may be sent to, answers to people go first; of alerts,
every second turn belongs to the one that came into the outbox first, the others to the one that came last. So news
overtakes whatever is queued, however it was queued, and nothing waits for ever: what is old gets half of the rate.
Edits have no place of their own: the edit of an alert stands behind what was to be sent before it, and an edit that
somebody asked for is an answer.
"""

import asyncio
from bisect import bisect_left, insort
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from bot.errors import TelegramError
from bot.models.outgoing import Peer
from bot.telegram.errors import flood_wait
from bot.telegram.rate_limit import ChatKey, Pacing, key_of

FOR_TEXTS = 5  # messages of a group's minute that files leave
SLOW_MODE = "SLOWMODE_WAIT"  # of a group, for all its members: it says nothing of how much we send
AT_ONCE = float("-inf")  # the place of an answer: somebody waits for it


class Ticket:
    """The place of one message in the queue."""

    __slots__ = ("key", "number", "peer", "place", "waits")

    def __init__(self, peer: Peer, place: float, number: int) -> None:
        self.peer = peer
        self.key = key_of(peer)
        self.place = place
        self.number = number  # later wishes of the same place go later
        self.waits = True  # until it is let go, or withdrawn

    def __lt__(self, other: "Ticket") -> bool:
        """Tell whether this message goes before another one."""
        return (self.place, self.number) < (other.place, other.number)


class _Queue:
    """The messages that wait to be sent to one chat."""

    __slots__ = ("closed_until", "opened", "tickets")

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []  # a heap
        self.opened: Ticket | None = None  # the one that stands among those of other chats
        self.closed_until: float | None = None  # it is looked at again then

    def first(self) -> Ticket | None:
        while self.tickets and not self.tickets[0].waits:
            heappop(self.tickets)
        return self.tickets[0] if self.tickets else None


class Turns:
    """Decides whose turn it is, as the pacing allows. Pure; a caller that asks again at `next_at` loses no time."""

    def __init__(self, pacing: Pacing) -> None:
        self._pacing = pacing
        self._numbers = count()
        self._queues: dict[ChatKey, _Queue] = {}
        self._open: list[Ticket] = []  # the first of each chat that may be sent to, in order
        self._closed: list[tuple[float, int, ChatKey]] = []  # a heap: when to look at other chats again
        self._newest = False  # whose turn it was, the newest's or the oldest's

    def join(self, peer: Peer, place: float, now: float) -> Ticket:
        """Queue a message for a chat; `admit` lets its ticket go."""
        ticket = Ticket(peer, place, next(self._numbers))
        heappush(self._queues.setdefault(ticket.key, _Queue()).tickets, ticket)
        self._settle(ticket.key, now)
        return ticket

    def leave(self, ticket: Ticket, now: float) -> None:
        """Give a ticket up; one that was let go already is left alone."""
        if ticket.waits:
            ticket.waits = False
            self._settle(ticket.key, now)

    def dismiss(self, peer: Peer, now: float) -> list[Ticket]:
        """Give up all tickets of a chat, and return them."""
        queue = self._queues.get(key_of(peer))
        gone = [] if queue is None else [ticket for ticket in queue.tickets if ticket.waits]
        for ticket in gone:
            ticket.waits = False
        if queue is not None:
            self._settle(key_of(peer), now)
        return gone

    def admit(self, now: float) -> list[Ticket]:
        """Let go all messages that may be sent now, in this order, and count them."""
        while self._closed and self._closed[0][0] <= now:
            key = heappop(self._closed)[2]
            if key in self._queues:
                self._queues[key].closed_until = None
                self._settle(key, now)
        gone: list[Ticket] = []
        while self._open and self._pacing.total_ready_at(now) <= now:
            ticket = self._open[0]
            if ticket.place != AT_ONCE:
                self._newest = not self._newest
                ticket = self._open[-1 if self._newest else 0]
            if self._pacing.chat_ready_at(ticket.peer, now) > now:  # it was closed after it had been open
                self._settle(ticket.key, now, anew=True)
                continue
            ticket.waits = False
            self._pacing.spend(ticket.peer, now)
            self._settle(ticket.key, now)
            gone.append(ticket)
        return gone

    def next_at(self, now: float) -> float | None:
        """Return when `admit` will let a message go, if nothing changes; None where none waits."""
        if self._open:
            return self._pacing.total_ready_at(now)
        return self._closed[0][0] if self._closed else None

    def _settle(self, key: ChatKey, now: float, *, anew: bool = False) -> None:
        """Put the first ticket of a chat among those of open or of closed chats."""
        queue = self._queues[key]
        first = queue.first()
        if queue.opened is not None and (anew or queue.opened is not first):
            del self._open[bisect_left(self._open, queue.opened)]
            queue.opened = None
        if first is None:
            del self._queues[key]
        elif queue.opened is None and queue.closed_until is None:
            at = self._pacing.chat_ready_at(first.peer, now)
            if at <= now:
                queue.opened = first
                insort(self._open, first)
            else:
                queue.closed_until = at
                heappush(self._closed, (at, first.number, key))


class SendQueue:
    """The only way out for messages: it keeps the limits, and refuses at once where a chat is flooded."""

    def __init__(self, pacing: Pacing, *, monotonic: Callable[[], float]) -> None:
        self.pacing = pacing
        self._turns = Turns(pacing)
        self._monotonic = monotonic
        self._waiting: dict[Ticket, asyncio.Future[None]] = {}
        self._alarm: asyncio.TimerHandle | None = None  # rings when the next one's turn comes

    def delay(self, peer: Peer) -> float:
        """Return the seconds until a chat takes a message, flood waits included, whatever other chats do."""
        now = self._monotonic()
        return self.pacing.chat_ready_at(peer, now) - now

    def has_room(self, peer: Peer, count: int) -> bool:
        """Tell whether so many files may go to a chat: some of a group's messages of a minute are left to texts."""
        return self.pacing.left(peer, self._monotonic()) >= count + FOR_TEXTS

    async def wait(self, peer: Peer, place: float, *, count: int = 1) -> None:
        """Wait for the turn of a message; a small `place` goes before a greater one.

        An album goes when one message may; all of its `count` messages are counted. Raises TelegramError while
        the chat is flooded.
        """
        await self._wait(peer, place)
        self.pacing.spend_more(peer, self._monotonic(), count - 1)

    async def _wait(self, peer: Peer, place: float) -> None:
        now = self._monotonic()
        closed = self.pacing.closed_until(peer) - now
        if closed > 0:
            raise flood_wait(closed)
        may_go = max(self.pacing.chat_ready_at(peer, now), self.pacing.total_ready_at(now)) <= now
        if may_go and not self._waiting:
            self.pacing.spend(peer, now)
            return
        ticket = self._turns.join(peer, place, now)
        self._let_go()
        if not ticket.waits:
            return
        turn = self._waiting[ticket] = asyncio.get_running_loop().create_future()
        try:
            await turn
        finally:
            del self._waiting[ticket]
            if ticket.waits:  # it was given up: what stands behind it may go
                self._turns.leave(ticket, self._monotonic())
                self._let_go()

    def flood(self, peer: Peer, error: TelegramError) -> None:
        """Close a chat as Telegram's error says; messages that wait for it are refused, as Telegram would."""
        now = self._monotonic()
        until = now + error.retry_after
        if error.error.startswith(SLOW_MODE):
            self.pacing.close(peer, until)
        else:
            self.pacing.flood(peer, now, until=until)
        for ticket in self._turns.dismiss(peer, now):
            turn = self._waiting[ticket]
            if not turn.done():
                turn.set_exception(flood_wait(error.retry_after))

    def dismiss(self) -> None:
        """Cancel whoever waits to send an alert, unless the alert is on its way. Answers go on."""
        for ticket, turn in self._waiting.items():
            if ticket.place != AT_ONCE:
                turn.cancel()

    def _let_go(self) -> None:
        """Let go all messages that may leave, and come back when the next one's turn comes."""
        now = self._monotonic()
        for ticket in self._turns.admit(now):
            turn = self._waiting.get(ticket)  # none: it has just come, and need not wait
            if turn is not None and not turn.done():
                turn.set_result(None)
        if self._alarm is not None:
            self._alarm.cancel()
        at = self._turns.next_at(now)
        loop = asyncio.get_running_loop()
        self._alarm = None if at is None else loop.call_later(max(0.0, at - now), self._let_go)
