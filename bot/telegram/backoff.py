"""Connections that failed or ended early bring a pause before the next one, and a line in the log now and then.

Telethon connects again at once, also where something accepts each connection and closes it: hundreds of times a second.
"""

import asyncio
import errno
import random
from collections.abc import Callable
from functools import cache, partial
from time import monotonic
from typing import Any

import structlog
from telethon.network import Connection

log = structlog.get_logger(__name__)

FIRST, LONGEST = 0.1, 15.0  # s: the second pause, since the first connection after a good one comes at once; the last
MOST = 12.0  # early ends that count
HELD = 1.0  # s that a connection holds that is worth to be called one
REPORT_AFTER, REPORT_EVERY = 15.0, 60.0  # s without a good connection
BLOCKED = "Telegram seems blocked here; set TELEGRAM_PROXY"
PROXY_FAILS = "Telegram cannot be reached through TELEGRAM_PROXY; check that it works, or set another one"
NO_NETWORK = "this machine has no network; Telegram is tried again"
_NO_NETWORK = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH}
_SILENT, _BROKEN_OFF = "nothing came over the connection", "it ended soon after Telegram had answered"
_KEY_ID = 8  # bytes at the beginning of a packet; zero while a key is agreed on


class Backoff:
    """Decides how long to wait before the next connection to a server, and when to log that none holds.

    An attempt that fails counts one, as does the end of a connection; each second that a connection held over which
    Telegram said something takes one off.
    """

    def __init__(
        self,
        server: str,
        *,
        client: str = "",
        hint: str = BLOCKED,
        monotonic: Callable[[], float] = monotonic,
        jitter: Callable[[], float] = lambda: random.uniform(0.5, 1),  # noqa: S311 - no secret
    ) -> None:
        self._log = log.bind(client=client, server=server)
        self._hint = hint  # what a person can do
        self._monotonic = monotonic
        self._jitter = jitter  # the share of a pause that is waited
        self._early = 0.0
        self._attempts = 0  # since the last good connection …
        self._since = monotonic()  # … ended
        self._report_at = self._since + REPORT_AFTER
        self._is_reported = False
        self._answered_at: float | None = None  # when Telegram first said something over the present connection
        self._why, self._is_offline = _SILENT, False

    def pause(self) -> float:
        """Return how many seconds to wait until the next attempt, which is counted."""
        now = self._monotonic()
        held = 0.0 if self._answered_at is None else now - self._answered_at
        self._early = min(max(0.0, self._early - held) + 1, MOST) if self._attempts else 0.0
        if self._early <= 1 or held >= HELD:
            self._since, self._attempts, self._report_at = now, 0, now + REPORT_AFTER
        elif now >= self._report_at:
            self._report(now)
        self._answered_at = None
        self._attempts += 1
        return 0.0 if self._early <= 1 else min(FIRST * 2 ** (self._early - 2), LONGEST) * self._jitter()

    def fail(self, error: OSError) -> None:
        """Note why an attempt failed."""
        self._why, self._is_offline = f"{type(error).__name__}: {error}".rstrip(": "), error.errno in _NO_NETWORK

    def begin(self) -> None:
        """Note that there is a connection; nobody knows yet what is at its other end."""
        self._why, self._is_offline = _SILENT, False

    def receive(self, packet: bytes) -> None:
        """Note what came over the connection: only Telegram can say something under a key that we agreed on."""
        if self._answered_at is not None or len(packet) <= _KEY_ID or not any(packet[:_KEY_ID]):
            return
        self._answered_at, self._why = self._monotonic(), _BROKEN_OFF
        if self._is_reported:
            self._is_reported = False
            self._log.info("Telegram can be reached again", after=round(self._answered_at - self._since))

    def _report(self, now: float) -> None:
        self._is_reported, self._report_at = True, now + REPORT_EVERY
        self._log.warning(
            NO_NETWORK if self._is_offline else self._hint,
            attempts=self._attempts,
            seconds=round(now - self._since),
            why=self._why,
        )


def backed_off(kind: type[Connection], *, client: str, has_proxy: bool) -> type[Connection]:
    """Return a kind of Telethon's connections that waits before it connects where earlier ones to a server failed."""
    backoff = cache(partial(Backoff, client=client, hint=PROXY_FAILS if has_proxy else BLOCKED))
    return type(f"BackedOff{kind.__name__}", (_BackedOff, kind), {"backoff_of": staticmethod(backoff)})


class _BackedOff(Connection):
    backoff_of: Callable[[str], Backoff]  # of a server, the same for all connections of a client

    async def connect(self, timeout: float | None = None, ssl: object = None) -> None:  # noqa: ASYNC109 - as Telethon
        backoff = self.backoff_of(self._named())
        await asyncio.sleep(backoff.pause())
        # How the last connection ended may still stand there unread: Telethon would give the next one up for it.
        self._send_queue: asyncio.Queue[Any] = asyncio.Queue(1)
        self._recv_queue: asyncio.Queue[Any] = asyncio.Queue(1)
        try:
            await super().connect(timeout=timeout, ssl=ssl)
        except OSError as error:
            backoff.fail(error)
            raise
        backoff.begin()

    async def recv(self) -> Any:  # noqa: ANN401 - as Telethon has it
        packet = await super().recv()
        self.backoff_of(self._named()).receive(packet)
        return packet

    def _named(self) -> str:
        server = f"{self._ip}:{self._port}"
        through = self._proxy if isinstance(self._proxy, dict) else {}
        return f"{server} through {through['addr']}:{through['port']}" if through else server
