"""The one door for requests of a reader account: paced, counted, and refused while Telegram wants us to wait.

Telegram publishes no limits for what user accounts may ask. So each method has a budget of its own, which is halved
whenever Telegram asks for a wait and comes back in the hours after; the wait is obeyed whole, across restarts too.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

import structlog
from telethon import TelegramClient
from telethon.tl import TLRequest

from bot.errors import ReaderLostError, TelegramError, Verdict
from bot.models import Clock
from bot.runtime.supervisor import Beat, no_beat, repeat
from bot.store import channels, readers
from bot.store.channels import Access, Channel
from bot.store.database import Database
from bot.telegram.errors import FLOOD, flood_wait
from bot.telegram.rate_limit import Bucket, Throttle, Window
from bot.telegram.rpc import ask

log = structlog.get_logger(__name__)

T = TypeVar("T")
RATE = 3.0  # requests a second of one method, on average …
BURST = 90  # … after so many at once
LEAST, RECOVERY = 1 / 16, 4 * 3600.0  # the throttle of a method: the least share, and s
NOTE_EVERY = 30.0  # s between writings of the counts
# Names are dear: a burst of 50 brings a wait, one of 160 waits of 15 hours and more, 30 a minute go well
# (notes/telethon.md B.3). A restart forgets the window, so that it is short.
NAMES, NAMES_WITHIN = 10, 20.0  # s
READING = {"GetDialogs", "GetHistory", "GetChannelDifference"}
LONGEST_VISIT = 1800.0  # s: for a few pages of a channel, by an account that Telegram holds up
ANSWER_WITHIN = 60.0  # s; a page of a history may come slowly
RETRY_AFTER = timedelta(minutes=1)  # at least, after what can heal
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def retry_pause(error: TelegramError) -> timedelta:
    """Return how long to leave a request alone after a refusal that can heal."""
    return max(timedelta(seconds=error.retry_after), RETRY_AFTER)


class Account:
    """A reader account, as all sources share it; each of their requests goes through `ask`."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        client: TelegramClient,
        database: Database,
        *,
        reader_id: int,
        clock: Clock,
        rate: float = RATE,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self.client = client
        self.reader_id = reader_id
        self.database = database
        self.now = clock
        self._rate = rate
        self._monotonic = monotonic
        self._buckets: dict[str, Bucket] = {}
        self._names = Window(NAMES, NAMES_WITHIN)
        self._waits: dict[str, datetime] | None = None
        self._asked: Counter[str] = Counter()

    async def ask(self, request: TLRequest) -> Any:  # noqa: ANN401 - each request has its own answer
        """Send a request once the budget of its method allows, and return Telegram's answer.

        Raises TelegramError, without asking while Telegram wants us to wait; ReaderLostError where the account
        or its session is gone.
        """
        return await self.through(type(request).__name__.removesuffix("Request"), lambda: self.client(request))

    async def through(self, method: str, question: Callable[[], Awaitable[T]]) -> T:
        """Put a question that counts as a request of this method; otherwise like `ask`."""
        await self._obey(method)
        if method not in self._buckets:
            throttle = Throttle(least=LEAST, recovery=RECOVERY)
            self._buckets[method] = Bucket(rate=self._rate, burst=BURST, now=self._monotonic(), throttle=throttle)
        bucket = self._buckets[method]
        await asyncio.sleep(bucket.take(self._monotonic()))
        self._asked[method] += 1
        try:
            return await ask(question(), within=ANSWER_WITHIN)
        except TelegramError as error:
            if error.verdict is Verdict.FATAL:
                raise ReaderLostError(error.error) from error
            if error.code == FLOOD:
                bucket.flood(self._monotonic())
                await self._wait(method, error)
            raise

    async def channels(self) -> list[Channel]:
        """Return the followed channels that are assigned to this reader."""
        return await readers.assigned_channels(self.database, self.reader_id)

    async def grant(
        self,
        channel: Channel,
        access: Access,
        *,
        access_hash: int | None = None,
        reason: str | None = None,
        joined_at: datetime | None = None,
    ) -> None:
        """Write down how the account reaches a channel now; an access hash of None stays as it is."""
        now = self.now()
        await self.database.write(
            lambda tx: channels.set_access(
                tx,
                self.reader_id,
                channel.id,
                access,
                access_hash=access_hash,
                reason=reason,
                joined_at=joined_at,
                now=now,
            )
        )

    async def run(self, beat: Beat = no_beat) -> None:
        """Write the counts of requests down every half a minute, for ever."""
        await repeat(self.note, beat, every=NOTE_EVERY, after=NOTE_EVERY)

    def may_ask_name(self) -> bool:
        """Tell whether Telegram would bear one more question for a username now."""
        now = self.now().timestamp()
        return self._names.ready_at(now) <= now

    def spend_name(self) -> None:
        """Count a question for a username that is about to be put."""
        self._names.spend(self.now().timestamp())

    def held_up(self) -> timedelta:
        """Return how much longer Telegram forbids one of the methods that reading channels takes."""
        now = self.now()
        waits = [until - now for method, until in (self._waits or {}).items() if method in READING]
        return max([timedelta(), *waits])

    async def note(self) -> None:
        """Write down how often each method was used since the last time."""
        asked, self._asked = self._asked, Counter()
        if asked:
            now = self.now()
            await self.database.write(lambda tx: readers.count_requests(tx, self.reader_id, asked, now))

    async def _obey(self, method: str) -> None:
        if self._waits is None:
            self._waits = await readers.flood_waits(self.database, self.now(), reader_id=self.reader_id)
        until = self._waits.get(method)
        if until is None:
            return
        left = (until - self.now()).total_seconds()
        if left > 0:
            raise flood_wait(left)
        del self._waits[method]

    async def _wait(self, method: str, error: TelegramError) -> None:
        assert self._waits is not None  # noqa: S101 - whoever asks has obeyed
        until = self.now() + timedelta(seconds=error.retry_after)
        self._waits[method] = until
        log.warning("Telegram asks us to wait", method=method, seconds=error.retry_after)
        await self.database.write(lambda tx: readers.put_flood_wait(tx, self.reader_id, method, until))
