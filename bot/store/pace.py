"""How often the sources ask Telegram comes in at each start; whoever says how late a post may be asks here."""

import json
from dataclasses import asdict, dataclass

from bot.store import meta
from bot.store.database import Reader, Transaction

_KEY = "pace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the sources set out to do; the settings decide."""

    round: float = 60.0  # s between two rounds of the sweep
    polls: int = 30  # channels that one reader reads from outside in a round
    fast: float = 20.0  # s between two readings of a fast channel from outside
    verifies: bool = True  # the past is read again and compared


async def put(tx: Transaction, pace: Pace) -> None:
    """Write down how often Telegram is asked from now on."""
    await meta.put(tx, _KEY, json.dumps(asdict(pace)))


async def get(db: Reader) -> Pace:
    """Return how often Telegram is asked; as it is by default, where the service never ran."""
    stored = await meta.get(db, _KEY)
    return Pace() if stored is None else Pace(**json.loads(str(stored)))
