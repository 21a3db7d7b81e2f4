"""Due alerts come in from the outbox, messages go out to chats, and what Telegram answered is written down.

A chat whose turn may have come is served by a task of its own, its alerts in order; no chat waits for another. Claims
are these tasks, in memory only: a row stays due until Telegram has answered for it; after a crash it is sent again with
its `random_id`. There are never many tasks, however many chats wait, since each holds messages in memory; chats that
something new came for are served though there are. Which message leaves first is up to the sender.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from bot.delivery.attachments import Attachments
from bot.delivery.chat_moves import Forwarding
from bot.delivery.composer import Courier
from bot.delivery.retry import GiveUp, backoff, decide
from bot.delivery.uploads import NotYetError
from bot.errors import FatalError, TelegramError, Verdict
from bot.models import Clock
from bot.runtime.supervisor import Beat, no_beat
from bot.store import addresses, alerts, attachments, outbox
from bot.store.alerts import Kind
from bot.store.database import Database, Subject, Transaction
from bot.store.outbox import Alert
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

ROOM = 200  # chats that are served at once; some more where something new comes for them
CHATS = 100  # that the outbox is read for at once
EACH = 5  # alerts of a chat that are read at once: more than it may get in a burst
LOOK_EVERY = timedelta(seconds=30)  # though nothing was announced: another process may have made alerts due
HANGS_AFTER = 180.0  # s without a look
NAP = 5.0  # s that a chat's task waits for its turn; one that has to wait longer makes room
GRACE = 5.0  # s that a message on its way gets at the end
BREATHER = 5.0  # s of rest after an error of our own


class Worker:
    """Empties the outbox as fast as Telegram allows."""

    def __init__(self, database: Database, sender: Sender, *, clock: Clock, files: Attachments | None = None) -> None:
        self._database = database
        self._sender = sender
        self._files = files
        self._courier = Forwarding(database, sender, Courier(database, sender, clock=clock, files=files), clock=clock)
        self._clock = clock
        self._serving: dict[int, asyncio.Task[None]] = {}  # by the chat's row
        self._resting: dict[int, datetime] = {}  # chats that are to be left alone until then
        self._reads = 0  # of the outbox
        self._seen = 0  # the latest alert when the outbox was last read
        self._more = False  # may be due than is being served
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._fatal: FatalError | None = None

    async def run(self, beat: Beat = no_beat) -> None:
        """Deliver until `stop`, then let what is on its way arrive. Raises FatalError where our bot is no more."""
        listener = asyncio.create_task(self._listen(), name="delivery.listener")
        beat(HANGS_AFTER)
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                await self._rest(await self._look(beat))
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

    async def deliver(self, alert: Alert) -> bool:
        """Send one alert and write down how it went; say whether the chat's next one may follow. Raises FatalError."""
        try:
            message_id = await self._courier.put(alert)
        except TelegramError as error:
            return await self._refused(alert, error)
        except NotYetError as error:
            log.info("what is to be sent is put off", alert=alert.id, why=str(error))
            await self._put_off(alert, type(error).__name__)
            return True
        await self._database.write(lambda tx: self._write_sent(tx, alert, message_id))
        return True

    async def _write_sent(self, tx: Transaction, alert: Alert, message_id: int | None) -> None:
        now = self._clock()
        await alerts.sent(tx, alert.id, message_id, now)
        if alert.kind is Kind.POST and alert.chat.media:
            await attachments.enqueue_for_alert(tx, alert.id, now=now)

    async def _listen(self) -> None:
        changes = self._database.changes
        revision = changes.revision(Subject.ALERTS)
        while True:
            revision = await changes.wait(Subject.ALERTS, revision)
            self._wake.set()

    async def _look(self, beat: Beat) -> float:
        """Read the outbox and serve the chats that something is due for; return the seconds until the next look."""
        try:
            pause = await self._start_due()
        except FatalError:
            raise
        except Exception:
            log.exception("reading the outbox failed")
            return BREATHER
        beat(HANGS_AFTER)
        return pause

    async def _start_due(self) -> float:
        now, self._reads = self._clock(), self._reads + 1
        self._resting = {chat_id: until for chat_id, until in self._resting.items() if until > now}
        room = ROOM - len(self._serving)
        limit = min(room, CHATS) if room > 0 else CHATS
        reading = await outbox.first_due(
            self._database,
            now,
            exclude_chats=[*self._serving, *self._resting],
            limit=limit,
            each=EACH,
            after=None if room > 0 else self._seen,
        )
        by_chat = defaultdict(list)
        for alert in reading.alerts:
            by_chat[alert.chat.id].append(alert)
        for chat_id, batch in by_chat.items():
            serving = self._serve(batch, self._reads)
            self._serving[chat_id] = asyncio.create_task(serving, name=f"delivery.chat.{chat_id}")
        self._seen = max(self._seen, reading.last_id)
        if room > 0:
            self._more = len(reading.alerts) >= limit // 2 or any(len(batch) == EACH for batch in by_chat.values())
        if self._more and len(self._serving) < ROOM:
            return 0.0
        moments = [now + LOOK_EVERY, *self._resting.values(), *filter(None, [reading.next_at])]
        return (min(moments) - now).total_seconds()

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
            self._more = True
        finally:
            del self._serving[batch[0].chat.id]
            # The outbox was read without this chat meanwhile, or holds more for it.
            self._more = self._more or self._reads != reads or len(batch) == EACH
            if self._fatal is not None or (self._more and len(self._serving) <= ROOM // 2):
                self._wake.set()

    async def _deliver_all(self, batch: Sequence[Alert]) -> None:
        for alert in sorted(batch, key=lambda alert: alert.kind is Kind.FILES):  # no text waits for a file
            delay = self._sender.delay(alert.chat.peer)
            if delay > NAP:
                self._rest_chat(alert.chat.id, delay)
                return
            if await self._stopped_within(delay) or not await self._try(alert):
                return

    def _rest_chat(self, chat_id: int, seconds: float) -> None:
        self._resting[chat_id] = self._clock() + timedelta(seconds=seconds)
        self._wake.set()  # to know when to read for it again

    async def _try(self, alert: Alert) -> bool:
        try:
            return await self.deliver(alert)
        except FatalError:
            raise
        except Exception as error:
            log.exception("an alert could not be delivered; the ones behind it go on", alert=alert.id)
            await self._put_off(alert, type(error).__name__)
            return True

    async def _put_off(self, alert: Alert, reason: str) -> None:
        """Try an alert again later; those behind it go on."""
        at = self._clock() + timedelta(seconds=backoff(alert.attempts))
        await self._database.write(lambda tx: alerts.retry(tx, alert.id, at=at, reason=reason))

    async def _refused(self, alert: Alert, error: TelegramError) -> bool:
        if error.verdict is Verdict.FATAL:
            advice = "check TELEGRAM_BOT_TOKEN, delete bot.session and start again"
            raise FatalError(f"The bot's session is of no use any more ({error.error}): {advice}.") from error
        now = self._clock()
        decision = decide(error, attempts=alert.attempts, now=now)
        log.warning("an alert was refused", alert=alert.id, chat=alert.chat.id, reason=error.error, decision=decision)
        if isinstance(decision, GiveUp):
            await self._give_up(alert, decision, error.error)
            return not decision.suspend
        at, holds_chat = decision.at, decision.holds_chat
        await self._database.write(
            lambda tx: alerts.retry(tx, alert.id, at=at, reason=error.error, holds_chat=holds_chat)
        )
        return not holds_chat

    async def _give_up(self, alert: Alert, decision: GiveUp, reason: str) -> None:
        async def write(tx: Transaction) -> None:
            await alerts.dead(tx, alert.id, reason)
            if decision.suspend:
                await addresses.suspend(tx, alert.chat, reason, now=self._clock())

        await self._database.write(write)

    async def _stopped_within(self, seconds: float) -> bool:
        """Wait, unless we are to stop; say whether we are."""
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopping.wait()
        return self._stopping.is_set()

    async def _finish(self) -> None:
        self._sender.dismiss()
        if self._serving:
            _, late = await asyncio.wait(self._serving.values(), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._files is not None:
            await self._files.close()
