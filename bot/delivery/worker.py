"""Due alerts come in from the outbox, messages go out to chats, and what Telegram answered is written down.

Each chat is served by a task of its own, its alerts in order; no chat waits for another. Claims are these tasks, in
memory only: a row stays due until Telegram has answered for it; after a crash it is sent again with its `random_id`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from bot.delivery.courier import Courier
from bot.delivery.retry import GiveUp, backoff, decide
from bot.errors import FatalError, TelegramError, Verdict
from bot.models import Clock
from bot.store import alerts, chats
from bot.store.alerts import Alert
from bot.store.database import Database, Subject, Transaction
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

BATCH = 100  # alerts read at once
LOOK_AHEAD = timedelta(hours=1)  # alerts that fall due within it are read too, to know when to wake
GRACE = 5.0  # s that a message on its way gets at the end
BREATHER = 5.0  # s of rest after an error of our own


class Worker:
    """Empties the outbox as fast as Telegram allows."""

    def __init__(self, database: Database, sender: Sender, *, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._courier = Courier(database, sender, clock=clock)
        self._clock = clock
        self._serving: dict[int, asyncio.Task[None]] = {}  # by the chat's row
        self._reads = 0  # of the outbox
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._fatal: FatalError | None = None

    async def run(self) -> None:
        """Deliver until `stop`, then let what is on its way arrive. Raises FatalError where our bot is no more."""
        listener = asyncio.create_task(self._listen(), name="delivery.listener")
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                await self._rest(await self._look())
                if self._fatal is not None:
                    raise self._fatal
        finally:
            self.stop()
            listener.cancel()
            await self._finish()

    def stop(self) -> None:
        """Begin nothing new; `run` returns once the messages on their way are written down."""
        self._stopping.set()
        self._wake.set()

    async def deliver(self, alert: Alert) -> float | None:
        """Send one alert and write down how it went.

        Return None where the chat's next one may follow, else for how many seconds to leave the chat alone before the
        outbox is read anew. Raises FatalError.
        """
        try:
            message_id = await self._courier.put(alert)
        except TelegramError as error:
            return await self._refused(alert, error)
        now = self._clock()
        await self._database.write(lambda tx: alerts.sent(tx, alert.id, message_id, now))
        return None

    async def _listen(self) -> None:
        changes = self._database.changes
        revision = changes.revision(Subject.ALERTS)
        while True:
            revision = await changes.wait(Subject.ALERTS, revision)
            self._wake.set()

    async def _look(self) -> float:
        """Read the outbox and serve the chats that something is due for; return the seconds until the next look."""
        try:
            return await self._start_due()
        except FatalError:
            raise
        except Exception:
            log.exception("reading the outbox failed")
            return BREATHER

    async def _start_due(self) -> float:
        now, self._reads = self._clock(), self._reads + 1
        found = await alerts.due(self._database, now + LOOK_AHEAD, exclude_chats=self._serving, limit=BATCH)
        by_chat = defaultdict(list)
        for alert in found:
            if alert.due_at <= now:
                by_chat[alert.chat.id].append(alert)
        for chat_id, batch in by_chat.items():
            batch.sort(key=lambda alert: alert.id)  # one that was put off goes before those that came after it
            serving = self._serve(batch, self._reads)
            self._serving[chat_id] = asyncio.create_task(serving, name=f"delivery.chat.{chat_id}")
        upcoming = next((alert.due_at for alert in found if alert.due_at > now), None)
        if upcoming is None:
            return 0.0 if len(found) == BATCH else LOOK_AHEAD.total_seconds()
        return (upcoming - now).total_seconds()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _serve(self, batch: Sequence[Alert], reads: int) -> None:
        """Deliver what the outbox held for a chat when it was read for the `reads`th time."""
        try:
            await self._deliver_all(batch)
        except FatalError as error:
            self._fatal = error
        except Exception:
            log.exception("serving a chat failed")
            await self._stopped_within(BREATHER)
            reads = 0
        finally:
            del self._serving[batch[0].chat.id]
            if self._fatal is not None or self._reads != reads:  # the outbox was read without this chat meanwhile
                self._wake.set()

    async def _deliver_all(self, batch: Sequence[Alert]) -> None:
        for alert in batch:
            if await self._stopped_within(self._sender.delay(alert.chat.peer)):
                return
            pause = await self._try(alert)
            if pause is not None:
                await self._stopped_within(pause)
                return

    async def _try(self, alert: Alert) -> float | None:
        try:
            return await self.deliver(alert)
        except FatalError:
            raise
        except Exception as error:
            log.exception("an alert could not be delivered; the ones behind it go on", alert=alert.id)
            at, reason = self._clock() + timedelta(seconds=backoff(alert.attempts)), type(error).__name__
            await self._database.write(lambda tx: alerts.retry(tx, alert.id, at=at, reason=reason))
            return None

    async def _refused(self, alert: Alert, error: TelegramError) -> float | None:
        if error.verdict is Verdict.FATAL:
            advice = "check TELEGRAM_BOT_TOKEN, delete bot.session and start again"
            raise FatalError(f"The bot's session is of no use any more ({error.error}): {advice}.") from error
        now = self._clock()
        decision = decide(error, attempts=alert.attempts, now=now)
        log.warning("an alert was refused", alert=alert.id, chat=alert.chat.id, reason=error.error, decision=decision)
        if isinstance(decision, GiveUp):
            await self._give_up(alert, decision, error.error)
            return 0.0 if decision.suspend else None
        at = decision.at
        await self._database.write(lambda tx: alerts.retry(tx, alert.id, at=at, reason=error.error))
        return (at - now).total_seconds() if decision.holds_chat else None

    async def _give_up(self, alert: Alert, decision: GiveUp, reason: str) -> None:
        async def write(tx: Transaction) -> None:
            await alerts.dead(tx, alert.id, reason)
            if decision.suspend:
                await chats.suspend(tx, alert.chat.id, reason)

        await self._database.write(write)

    async def _stopped_within(self, seconds: float) -> bool:
        """Wait, unless we are to stop; say whether we are."""
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopping.wait()
        return self._stopping.is_set()

    async def _finish(self) -> None:
        if not self._serving:
            return
        _, late = await asyncio.wait(self._serving.values(), timeout=GRACE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
