"""When the web pages of channels were compared with the archive, and how often both show a text alike."""

from dataclasses import dataclass
from datetime import datetime

from bot.store import meta
from bot.store.database import Reader, Transaction
from bot.store.rows import to_ms

_COMPARED, _UNEQUAL = "page_compared", "page_unequal"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAgreement:
    """How many posts were compared on a page and in the archive, and how many texts of them were not alike."""

    compared: int
    unequal: int


async def put_look(tx: Transaction, channel_id: int, *, now: datetime) -> None:
    """Write down that the page of a channel was compared."""
    sql = "UPDATE channels SET witnessed_at = :now WHERE id = :id"
    await tx.execute(sql, {"id": channel_id, "now": to_ms(now)})


async def count(tx: Transaction, *, compared: int, unequal: int) -> None:
    """Add to what was compared."""
    before = await agreement(tx)
    await meta.put(tx, _COMPARED, before.compared + compared)
    await meta.put(tx, _UNEQUAL, before.unequal + unequal)


async def agreement(db: Reader) -> PageAgreement:
    """Return how often pages and reader accounts have shown the same text."""
    compared, unequal = await meta.get(db, _COMPARED), await meta.get(db, _UNEQUAL)
    return PageAgreement(compared=int(compared or 0), unequal=int(unequal or 0))
