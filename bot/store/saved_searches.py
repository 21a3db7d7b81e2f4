"""Searches that a chat has saved, as they were typed."""

from dataclasses import dataclass
from datetime import datetime

from bot.store.database import Reader, Transaction
from bot.store.rows import read_all, to_ms

MOST = 20  # of a chat


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """A search that a chat has saved."""

    id: int
    typed: str


async def save(tx: Transaction, chat_id: int, typed: str, *, now: datetime) -> bool:
    """Save a search; False where the chat has `MOST` already. One that is saved stays so."""
    await tx.execute(
        """INSERT OR IGNORE INTO saved_searches (chat_id, typed, created_at) SELECT :chat, :typed, :now
        WHERE (SELECT count(*) FROM saved_searches WHERE chat_id = :chat) < :most""",
        {"chat": chat_id, "typed": typed, "now": to_ms(now), "most": MOST},
    )
    return await find(tx, chat_id, typed) is not None


async def find(db: Reader, chat_id: int, typed: str) -> SavedSearch | None:
    """Return a search of a chat as it was typed; None where the chat has not saved it."""
    return next((each for each in await of_chat(db, chat_id) if each.typed == typed), None)


async def get(db: Reader, chat_id: int, search_id: int) -> SavedSearch | None:
    """Return a saved search of a chat; None where there is none."""
    return next((each for each in await of_chat(db, chat_id) if each.id == search_id), None)


async def of_chat(db: Reader, chat_id: int) -> list[SavedSearch]:
    """Return the searches of a chat, in the order in which they were saved."""
    sql = "SELECT id, typed FROM saved_searches WHERE chat_id = :chat ORDER BY id"
    return read_all(SavedSearch, await db.fetch_all(sql, {"chat": chat_id}))


async def drop(tx: Transaction, chat_id: int, search_id: int) -> bool:
    """Forget a saved search of a chat; False where there is none."""
    sql = "DELETE FROM saved_searches WHERE chat_id = :chat AND id = :id"
    return await tx.execute(sql, {"chat": chat_id, "id": search_id}) > 0
