"""Whoever wants to send comes in and waits; each goes out when its turn has come, as `turns` and `pacing` say."""

import asyncio
from collections.abc import Callable

from bot.errors import TelegramError, Verdict
from bot.models import Peer
from bot.telegram.pacing import Pacing
from bot.telegram.turns import AT_ONCE, Ticket, Turns

FOR_TEXTS = 5  # messages of a group's minute that files leave
SLOW_MODE = "SLOWMODE_WAIT"  # of a group, for all its members: it says nothing of how much we send


class Gate:
    """The only way out; it keeps the limits, and refuses at once where a chat is flooded."""

    def __init__(self, pacing: Pacing, *, monotonic: Callable[[], float]) -> None:
        self._pacing = pacing
        self._turns = Turns(pacing)
        self._monotonic = monotonic
        self._waiting: dict[Ticket, asyncio.Future[None]] = {}
        self._alarm: asyncio.TimerHandle | None = None  # rings when the next one's turn comes

    def delay(self, peer: Peer) -> float:
        """Say how many seconds it is until a chat takes a message, flood waits included, whatever other chats do."""
        now = self._monotonic()
        return self._pacing.chat_ready_at(peer, now) - now

    def has_room(self, peer: Peer, count: int) -> bool:
        """Say whether so many files leave room for texts."""
        return self._pacing.left(peer, self._monotonic()) >= count + FOR_TEXTS

    async def wait(self, peer: Peer, place: float, *, count: int = 1) -> None:
        """Wait for the turn of a message; a small `place` goes before a greater one. Raises TelegramError.

        An album goes when one message may; all of its `count` messages are counted.
        """
        await self._wait(peer, place)
        self._pacing.spend_more(peer, self._monotonic(), count - 1)

    async def _wait(self, peer: Peer, place: float) -> None:
        now = self._monotonic()
        closed = self._pacing.closed_until(peer) - now
        if closed > 0:
            raise _refusal(closed)
        if not self._waiting and self._may_go(peer, now):
            self._pacing.spend(peer, now)
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

    def refused(self, peer: Peer, error: TelegramError) -> None:
        """Take in that Telegram wants us to wait; those who wait for this chat are refused, as it would refuse them."""
        now = self._monotonic()
        until = now + error.retry_after
        if error.error.startswith(SLOW_MODE):
            self._pacing.close(peer, until)
        else:
            self._pacing.flooded(peer, now, until=until)
        for ticket in self._turns.dismiss(peer, now):
            turn = self._waiting[ticket]
            if not turn.done():
                turn.set_exception(_refusal(error.retry_after))

    def dismiss(self) -> None:
        """Let no alert wait any longer: who brings one is cancelled. Answers go on."""
        for ticket, turn in self._waiting.items():
            if ticket.place != AT_ONCE:
                turn.cancel()

    def _may_go(self, peer: Peer, now: float) -> bool:
        return self._pacing.chat_ready_at(peer, now) <= now and self._pacing.total_ready_at(now) <= now

    def _let_go(self) -> None:
        """Let go who may, and ring again when the next one's turn comes."""
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


def _refusal(seconds: float) -> TelegramError:
    return TelegramError(f"FLOOD_WAIT_{seconds:.0f}", code=420, verdict=Verdict.RETRY, retry_after=seconds)
