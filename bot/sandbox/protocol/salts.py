"""Server salts: the numbers that a client must send with each packet, a new one every half hour."""

import os
from collections.abc import Callable
from hashlib import sha256

from telethon.tl.types import FutureSalt

PERIOD_S = 1800  # a new salt each half hour …
LIFETIME_S = 2 * PERIOD_S  # … that stays valid for an hour, as Telegram's do
MAX_FUTURE = 64  # https://core.telegram.org/mtproto/service_messages#request-for-several-future-salts


class Salts:
    """The salts of one server; `clock` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._secret = os.urandom(16)
        self._period = -1
        self._valid = (0, 0)  # the current one and its predecessor

    def now(self) -> int:
        """Return the server's time, in whole seconds since 1970."""
        return int(self._clock())

    def current(self) -> int:
        """Return the salt to send now."""
        self._refresh()
        return self._valid[0]

    def accepts(self, salt: int) -> bool:
        """Tell whether a client may still send this salt."""
        self._refresh()
        return salt in self._valid

    def rotate(self) -> None:
        """Make every salt that a client has invalid, as when Telegram loses a server."""
        self._secret = os.urandom(16)
        self._period = -1

    def future(self, count: int) -> list[FutureSalt]:
        """Return up to 64 salts, the current one first, with the times between which they are valid."""
        now = self.now() // PERIOD_S
        periods = range(now, now + max(1, min(count, MAX_FUTURE)))
        return [FutureSalt(p * PERIOD_S, p * PERIOD_S + LIFETIME_S, self._salt(p)) for p in periods]

    def _refresh(self) -> None:
        period = self.now() // PERIOD_S
        if period != self._period:
            self._period = period
            self._valid = self._salt(period), self._salt(period - 1)

    def _salt(self, period: int) -> int:
        digest = sha256(self._secret + period.to_bytes(8, "little", signed=True)).digest()
        return int.from_bytes(digest[:8], "little", signed=True)
