"""What was sent before a restart comes in from the store; pacing goes on as if there had been none.

Telegram counts what an account sent, and knows nothing of our processes.
"""

from datetime import datetime, timedelta

from bot.store import sendings
from bot.store.database import Reader
from bot.telegram.rate_limit import Pacing


async def resume(db: Reader, pacing: Pacing, *, now: datetime, monotonic: float) -> int:
    """Count what was sent so lately that it matters, `monotonic` being the seconds it is now; return how many."""
    found = await sendings.lately(db, since=now - timedelta(seconds=pacing.memory), now=now)
    for sending in found:
        pacing.spend(sending.peer, monotonic - (now - sending.at).total_seconds())
    return len(found)
