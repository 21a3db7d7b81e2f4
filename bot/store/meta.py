"""Single facts by key, and the secrets made at first use."""

import secrets
from datetime import timedelta

from bot.models import Clock
from bot.runtime.clock import utc_now
from bot.store.database import Reader, Transaction

_CLOCK_ERROR = "clock_error"


async def get(db: Reader, key: str) -> bytes | str | int | None:
    """Return the value of a fact, or None."""
    row = await db.fetch_one("SELECT value FROM meta WHERE key = :key", {"key": key})
    return None if row is None else row["value"]


async def put(tx: Transaction, key: str, value: bytes | str | int) -> None:
    """Set a fact."""
    await tx.execute(
        "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT DO UPDATE SET value = excluded.value",
        {"key": key, "value": value},
    )


async def clock_error(db: Reader) -> timedelta:
    """Return by how much Telegram's clock was ahead of this machine's, when the service last measured it."""
    seconds = await get(db, _CLOCK_ERROR)
    return timedelta(seconds=seconds if isinstance(seconds, int) else 0)


async def clock(db: Reader) -> Clock:
    """Return Telegram's clock as the service last saw it: that of this machine may be wrong, by hours too."""
    error = await clock_error(db)
    return lambda: utc_now() + error


async def put_clock_error(tx: Transaction, error: timedelta) -> None:
    """Write down, in whole seconds, by how much Telegram's clock is ahead: other processes live by it as well."""
    await put(tx, _CLOCK_ERROR, round(error.total_seconds()))


async def secret(tx: Transaction, key: str, size: int = 32) -> bytes:
    """Return a secret of `size` bytes, made at random when it is first asked for."""
    found = await get(tx, key)
    if isinstance(found, bytes):
        return found
    fresh = secrets.token_bytes(size)
    await put(tx, key, fresh)
    return fresh
