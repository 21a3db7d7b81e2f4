"""The database of a service comes in; the clock that its rows are dated by goes out."""

from bot.models import Clock
from bot.runtime.clock import utc_now
from bot.store import meta
from bot.store.database import Reader


async def clock_of(db: Reader) -> Clock:
    """Return Telegram's clock, as the service last saw it: that of this machine may be wrong, by hours too."""
    error = await meta.clock_error(db)
    return lambda: utc_now() + error
