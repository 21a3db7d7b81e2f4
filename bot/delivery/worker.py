"""Due alerts come in from the outbox, messages go out to chats, and what Telegram answered is written down.

Each chat is served by a task of its own, its alerts in order; no chat waits for another. Claims are these tasks, in
memory only: a row stays due until Telegram has answered for it; after a crash it is sent again with its `random_id`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.asides import Aside, AsideKind, Beside
from bot.delivery.changes import PostChange, render_change
from bot.delivery.notices import render_notice
from bot.delivery.rendering import Audience, Elsewhere, PostAlert, render_post
from bot.delivery.retry import GiveUp, backoff, decide
from bot.errors import FatalError, TelegramError, Verdict
from bot.locales import translator
from bot.models import Clock, Outgoing, post_link
from bot.store import alerts, channels, chats, posts
from bot.store.alerts import Alert, Kind
from bot.store.database import Database, Subject, Transaction
from bot.store.posts import StoredPost
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
            message_id = await self._put(alert)
        except TelegramError as error:
            return await self._refused(alert, error)
        now = self._clock()
        await self._database.write(lambda tx: alerts.sent(tx, alert.id, message_id, now))
        return None

    async def _put(self, alert: Alert) -> int | None:
        """Send or edit a message; return the id of a new one where Telegram says it. Raises TelegramError."""
        if alert.kind not in {Kind.EDIT, Kind.CHANGE}:
            outgoing = replace(self._render(await self._with_origin(alert)), silent=alert.silent)
            return await self._sender.send(alert.chat.peer, outgoing, random_id=alert.random_id)
        alert = await alerts.get(self._database, alert.id)  # what it follows may have been sent since it was read
        if alert.kind is Kind.CHANGE:
            return await self._answer(alert, replace(await self._render_change(alert), silent=alert.silent))
        # Without an id the alert was sent as it is to be now, or nobody knows where it is.
        if alert.followed_id is not None and not alert.superseded:
            outgoing = self._render(await self._with_origin(alert), now=alert.followed_at)
            await self._sender.edit(alert.chat.peer, alert.followed_id, outgoing)
        return None

    async def _answer(self, alert: Alert, outgoing: Outgoing) -> int | None:
        """Send a reply to the alert it follows, or a new message where that alert is unknown or deleted."""
        peer, random_id = alert.chat.peer, alert.random_id
        try:
            return await self._sender.send(peer, outgoing, random_id=random_id, reply_to=alert.followed_id)
        except TelegramError as error:
            if error.error != "REPLY_MESSAGE_ID_INVALID":
                raise
            return await self._sender.send(peer, outgoing, random_id=random_id)

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

    def _render(self, alert: Alert, *, now: datetime | None = None) -> Outgoing:
        """Write a message; one that is written anew shows the age that the post had `now`, when it was told."""
        if alert.post is None:
            return render_notice(alert.payload, self._audience(alert))
        audience = self._audience(alert)
        return render_post(_post_alert(alert, alert.post), audience if now is None else replace(audience, now=now))

    async def _render_change(self, alert: Alert) -> Outgoing:
        before = await posts.of_versions(self._database, filter(None, [alert.payload.get("before")]))
        return render_change(_post_change(alert, before[0] if before else None), self._audience(alert))

    def _audience(self, alert: Alert) -> Audience:
        chat = alert.chat
        return Audience(translator=translator(chat.language), time_zone=chat.time_zone, now=self._clock())

    async def _with_origin(self, alert: Alert) -> Alert:
        """Name the channel that a post was forwarded from, where we know it and the forward does not say."""
        post = alert.post
        if post is None or post.forward is None or post.forward.name or post.forward.channel_id is None:
            return alert
        origin = await channels.get(self._database, post.forward.channel_id)
        if origin is None:
            return alert
        return replace(alert, post=replace(post, forward=replace(post.forward, name=origin.title)))

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


def _post_alert(alert: Alert, post: StoredPost) -> PostAlert:
    return PostAlert(
        channel_id=post.channel_id,
        title=post.channel_title,
        username=post.channel_username,
        message_id=post.message_id,
        date=post.date,
        edit_date=post.edit_date,
        text=post.text,
        entities=post.entities,
        forward=post.forward,
        topics=tuple(alert.payload["topics"]),
        spans=tuple((start, end) for start, end in alert.payload["spans"]),
        beside=tuple(
            Beside(aside=Aside(kind=AsideKind(kind), text=text), spans=tuple((start, end) for start, end in spans))
            for kind, text, spans in alert.payload.get("beside", ())
        ),
        edited=alert.payload.get("edited", False),
        turned=alert.payload.get("turned", False),
        gone_at=alert.gone_at,
        part=alert.part,
        repeats=tuple(
            Elsewhere(title=each.title, link=post_link(each.channel_id, each.username, each.message_id))
            for each in alert.repeats
        ),
    )


def _post_change(alert: Alert, before: StoredPost | None) -> PostChange:
    post = alert.post
    assert post is not None  # noqa: S101 - no version is ever deleted that an alert needs
    return PostChange(
        channel_id=post.channel_id,
        title=post.channel_title,
        username=post.channel_username,
        message_id=post.message_id,
        text=post.text,
        asides=post.asides,
        before=before.text if before else None,
        asides_before=before.asides if before else (),
        edited_at=post.edit_date,
        joined=tuple(alert.payload.get("joined", ())),
        gone_at=alert.gone_at,
        part=alert.part,
    )
