"""Due messages are taken from the outbox and sent, and what Telegram answered is written down.

A chat whose turn may have come is served by a task of its own, its messages in order; no chat waits for another. Claims
are these tasks, in memory only: a row stays due until Telegram has answered for it; after a crash it is sent again with
its `random_id`. There are never many tasks, however many chats wait, since each holds messages in memory; chats that
something new came for are served though there are. Which message leaves first is up to the sender. Targets have a
worker of their own: none of them makes a chat of Telegram's wait.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from bot.delivery.attachments import NotYetError
from bot.delivery.composer import Composer
from bot.delivery.retry import GiveUp, backoff, decide
from bot.delivery.target_composer import TargetComposer
from bot.errors import FatalError, RefusalError, Verdict
from bot.models import Clock
from bot.models.alerts import MessageKind
from bot.runtime.supervisor import Beat, no_beat
from bot.store import addresses, attachments, fallbacks, messages, outbox, targets
from bot.store.database import Database, Subject, Transaction
from bot.store.messages import Message
from bot.telegram.sender import Sender

log = structlog.get_logger(__name__)

ROOM = 200  # chats that are served at once; some more where something new comes for them
CHATS = 100  # that the outbox is read for at once
EACH = 5  # messages of a chat that are read at once: more than it may get in a burst
LOOK_EVERY = timedelta(seconds=30)  # though nothing was announced: another process may have made messages due
HANGS_AFTER = 180.0  # s without a look
NAP = 5.0  # s that a chat's task waits for its turn; one that has to wait longer makes room
GRACE = 5.0  # s that a message on its way gets at the end
_CARRIED = {MessageKind.ALERT, MessageKind.GROUP}  # what a fallback may have brought to a target
BREATHER = 5.0  # s of rest after an error of our own


class Worker:
    """Empties the outbox as fast as Telegram allows."""

    def __init__(
        self,
        database: Database,
        composer: Composer | TargetComposer,
        *,
        sender: Sender | None,
        clock: Clock,
        album_within: timedelta = attachments.ALBUM_WITHIN,
    ) -> None:
        self._database = database
        self._sender = sender  # None: it serves the targets
        self._composer = composer
        self._clock = clock
        self._album_within = album_within
        self._serving: dict[int, asyncio.Task[None]] = {}  # by the chat's row
        self._resting: dict[int, datetime] = {}  # chats that are to be left alone until then
        self._reads = 0  # of the outbox
        self._seen = 0  # the latest message when the outbox was last read
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
                await _is_set_within(self._wake, await self._look(beat))
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

    async def deliver(self, message: Message) -> bool:
        """Send a message and write down how it went; return whether the chat's next may follow. Raises FatalError."""
        try:
            delivery = await self._composer.put(message)
        except RefusalError as error:
            return await self._refused(message, error)
        except NotYetError as error:
            log.info("sending is postponed", message=message.id, why=str(error))
            await self._put_off(message, type(error).__name__)
            return True
        if delivery is None:
            return True
        now = self._clock()

        async def write(tx: Transaction) -> None:
            await outbox.sent(tx, message.id, delivery, now=now)
            if message.chat.is_target and delivery.telegram_id is not None:
                await targets.taken(tx, message.chat.id, now=now)
                if message.kind is MessageKind.FALLBACK:
                    await fallbacks.move(tx, message, written_at=delivery.written_at, now=now)
            elif message.kind in _CARRIED and not message.is_sent:
                await fallbacks.arrived(tx, message.id, now=now)
            is_new_alert = message.kind is MessageKind.ALERT and not message.is_sent
            if is_new_alert and message.alert is not None and message.chat.media:
                await attachments.enqueue_for_alert(tx, message.alert, now=now, album_within=self._album_within)

        await self._database.write(write)
        return True

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
        found = await messages.first_due(
            self._database.at_once,
            now,
            exclude_chats=[*self._serving, *self._resting],
            limit=limit,
            each=EACH,
            after=None if room > 0 else self._seen,
            targets=self._sender is None,
        )
        by_chat = defaultdict(list)
        for message in found.messages:
            by_chat[message.chat.id].append(message)
        for chat_id, batch in by_chat.items():
            serving = self._serve(batch, self._reads)
            self._serving[chat_id] = asyncio.create_task(serving, name=f"delivery.chat.{chat_id}")
        self._seen = max(self._seen, found.last_id)
        if room > 0:
            self._more = len(found.messages) >= limit // 2 or any(len(batch) == EACH for batch in by_chat.values())
        if self._more and len(self._serving) < ROOM:
            return 0.0
        moments = [now + LOOK_EVERY, *self._resting.values(), *filter(None, [found.next_at])]
        return (min(moments) - now).total_seconds()

    async def _serve(self, batch: Sequence[Message], reads: int) -> None:
        """Deliver what the outbox held for a chat when it was read for the `reads`th time."""
        try:
            await self._deliver_all(batch)
        except FatalError as error:
            self._fatal = error
        except Exception:
            log.exception("serving a chat failed")
            await _is_set_within(self._stopping, BREATHER)
            self._more = True
        finally:
            del self._serving[batch[0].chat.id]
            # The outbox was read without this chat meanwhile, or holds more for it.
            self._more = self._more or self._reads != reads or len(batch) == EACH
            if self._fatal is not None or (self._more and len(self._serving) <= ROOM // 2):
                self._wake.set()

    async def _deliver_all(self, batch: Sequence[Message]) -> None:
        for message in sorted(batch, key=lambda each: each.kind is MessageKind.FILES):  # no text waits for a file
            delay = 0.0 if self._sender is None else self._sender.queue.delay(message.chat.peer)
            if delay > NAP:
                self._resting[message.chat.id] = self._clock() + timedelta(seconds=delay)
                self._wake.set()  # to know when to read for it again
                return
            if await _is_set_within(self._stopping, delay) or not await self._try(message):
                return

    async def _try(self, message: Message) -> bool:
        try:
            return await self.deliver(message)
        except FatalError:
            raise
        except Exception as error:
            log.exception("a message could not be delivered; the ones after it continue", message=message.id)
            await self._put_off(message, type(error).__name__)
            return True

    async def _put_off(self, message: Message, reason: str) -> None:
        """Try a message again later; those behind it go on."""
        at = self._clock() + timedelta(seconds=backoff(message.attempts))
        await self._database.write(lambda tx: outbox.put_off(tx, message.id, at=at, reason=reason))

    async def _refused(self, message: Message, error: RefusalError) -> bool:
        if error.verdict is Verdict.FATAL:
            advice = "check TELEGRAM_BOT_TOKEN, delete bot.session and start again"
            raise FatalError(f"The bot's session is of no use any more ({error.error}): {advice}.") from error
        now = self._clock()
        since = await targets.failing_since(self._database, message.chat.id, now) if message.chat.is_target else None
        decision = decide(error, attempts=message.attempts, now=now, failing_since=since)
        log.warning(
            "a message was refused", message=message.id, chat=message.chat.id, reason=error.error, decision=decision
        )
        if isinstance(decision, GiveUp):
            await self._give_up(message, decision, error.error)
            return not decision.suspend
        at, holds_chat = decision.at, decision.holds_chat

        async def write(tx: Transaction) -> None:
            await outbox.put_off(tx, message.id, at=at, reason=error.error, holds_chat=holds_chat)
            if message.chat.is_target:
                await targets.failed(tx, message.chat, error.error, now=now)

        await self._database.write(write)
        return not holds_chat

    async def _give_up(self, message: Message, decision: GiveUp, reason: str) -> None:
        async def write(tx: Transaction) -> None:
            if not (decision.suspend and message.is_sent):  # a chat that takes messages again may take the edit
                await outbox.give_up(tx, message.id, reason)
            if decision.suspend:
                await addresses.suspend(tx, message.chat, reason, now=self._clock())

        await self._database.write(write)

    async def _finish(self) -> None:
        if self._sender is not None:
            self._sender.queue.dismiss()
        if self._serving:
            _, late = await asyncio.wait(self._serving.values(), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._sender is not None:
            await self._composer.close()


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, for so many seconds at most; return whether it is set."""
    if seconds > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
    return event.is_set()
