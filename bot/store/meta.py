"""Facts about the instance: single ones by key, secrets, heartbeats of its loops."""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from bot.models import Clock
from bot.runtime.clock import utc_now
from bot.store.database import Reader, Transaction
from bot.store.rows import from_ms, maybe_ms, to_ms

_CLOCK_ERROR = "clock_error"
_FAULT = "fault"
_PACE = "pace"
_PAGE_BACKOFF = "page_backoff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often the sources are to ask Telegram, by the settings: it decides how late a post may be."""

    round: float = 60.0  # s between two rounds of the sweep
    polls: int = 30  # channels that one reader reads from outside in a round
    fast: float = 20.0  # s between two readings of a fast channel from outside
    sites: float = 300.0  # s between two readings of a site
    verifies: bool = True  # the past is read again and compared


async def get(db: Reader, key: str) -> bytes | str | int | None:
    """Return the value of a fact, or None."""
    value: bytes | str | int | None = await db.fetch_value("SELECT value FROM meta WHERE key = :key", {"key": key})
    return value


async def put(tx: Transaction, key: str, value: bytes | str | int) -> None:
    """Set a fact."""
    await tx.execute(
        "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT DO UPDATE SET value = excluded.value",
        {"key": key, "value": value},
    )


async def clock_error(db: Reader) -> timedelta:
    """Return how far Telegram's clock was ahead of this machine's when the service last measured it."""
    seconds = await get(db, _CLOCK_ERROR)
    return timedelta(seconds=seconds if isinstance(seconds, int) else 0)


async def clock(db: Reader) -> Clock:
    """Return a clock with Telegram's time as last measured; this machine's may be wrong by hours."""
    error = await clock_error(db)
    return lambda: utc_now() + error


async def put_clock_error(tx: Transaction, error: timedelta) -> None:
    """Write down, in whole seconds, how far Telegram's clock is ahead; other processes use it as well."""
    await put(tx, _CLOCK_ERROR, round(error.total_seconds()))


async def secret(tx: Transaction, key: str, size: int = 32) -> bytes:
    """Return a random secret of `size` bytes, made at its first use."""
    found = await get(tx, key)
    if isinstance(found, bytes):
        return found
    fresh = secrets.token_bytes(size)
    await put(tx, key, fresh)
    return fresh


async def beat(tx: Transaction, loop: str, now: datetime) -> None:
    """Write down that a loop has gone round."""
    await tx.execute(
        "INSERT INTO heartbeats (loop, at) VALUES (:loop, :now) ON CONFLICT DO UPDATE SET at = excluded.at",
        {"loop": loop, "now": to_ms(now)},
    )


async def forget_beat(tx: Transaction, loop: str) -> None:
    """Forget when a loop went round."""
    await tx.execute("DELETE FROM heartbeats WHERE loop = :loop", {"loop": loop})


async def last_beats(db: Reader) -> dict[str, datetime]:
    """Return when each loop last went round."""
    return {row["loop"]: from_ms(row["at"]) for row in await db.fetch_all("SELECT loop, at FROM heartbeats")}


async def put_fault(tx: Transaction, fault: str) -> None:
    """Write down what the service found wrong with itself; nothing where it is well."""
    await put(tx, _FAULT, fault)


async def fault(db: Reader) -> str:
    """Return what the service last found wrong with itself; nothing where it was well."""
    return str(await get(db, _FAULT) or "")


async def put_pace(tx: Transaction, pace: Pace) -> None:
    """Write down how often Telegram is to be asked."""
    await put(tx, _PACE, json.dumps(asdict(pace)))


async def get_pace(db: Reader) -> Pace:
    """Return how often Telegram is to be asked; the defaults where the service never ran."""
    stored = await get(db, _PACE)
    return Pace() if stored is None else Pace(**json.loads(str(stored)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PageBackoff:
    """How long no public web page may be asked for."""

    seconds: float = 0.0  # the last wait that was not asked for; 0: there was none since a page was read
    until: datetime | None = None
    reason: str = ""


async def put_page_backoff(tx: Transaction, backoff: PageBackoff) -> None:
    """Write down how long no page may be asked for."""
    until = maybe_ms(backoff.until)
    await put(tx, _PAGE_BACKOFF, json.dumps({"seconds": backoff.seconds, "until": until, "reason": backoff.reason}))


async def get_page_backoff(db: Reader) -> PageBackoff:
    """Return how long no page may be asked for."""
    stored = await get(db, _PAGE_BACKOFF)
    if stored is None:
        return PageBackoff()
    said = json.loads(str(stored))
    until = None if said["until"] is None else from_ms(said["until"])
    return PageBackoff(seconds=said["seconds"], until=until, reason=said["reason"])
