"""Updates that were handled, with their answers: stored in the transaction of the effect, so that none has it twice."""

from datetime import datetime, timedelta

from bot.models.outgoing import Peer
from bot.store.database import Reader, Transaction, to_ms

KEPT = timedelta(days=30)  # a button under an older answer says that it is too old


async def record(tx: Transaction, key: str, answer: str, *, peer: Peer | None = None, now: datetime) -> None:
    """Store the answer to an update as JSON; that to a command counts as a message to the chat `peer`."""
    await tx.execute(
        """INSERT INTO handled (key, chat_kind, chat_telegram_id, at, answer)
        VALUES (:key, :kind, :telegram_id, :at, :answer)""",
        {
            "key": key,
            "kind": peer and peer.kind,
            "telegram_id": peer and peer.id,
            "at": to_ms(now),
            "answer": answer,
        },
    )


async def answer_to(db: Reader, key: str) -> str | None:
    """Return the answer to an update as JSON; None where it was not handled yet."""
    answer: str | None = await db.fetch_value("SELECT answer FROM handled WHERE key = :key", {"key": key})
    return answer


async def answer_in(db: Reader, peer: Peer, key: str) -> str | None:
    """Return the answer that a chat was given to an update, as JSON; None where there is none, or another chat's."""
    sql = "SELECT answer FROM handled WHERE key = :key AND chat_kind = :kind AND chat_telegram_id = :id"
    answer: str | None = await db.fetch_value(sql, {"key": key, "kind": peer.kind, "id": peer.id})
    return answer


async def mark_delivered(tx: Transaction, key: str, *, now: datetime, answer: str | None = None) -> None:
    """Mark the answer to an update as delivered, or as one that cannot be; keep another `answer` in its place."""
    sql = "UPDATE handled SET answered_at = :now, answer = coalesce(:answer, answer) WHERE key = :key"
    await tx.execute(sql, {"key": key, "now": to_ms(now), "answer": answer})


async def is_delivered(db: Reader, key: str) -> bool:
    """Tell whether the answer to an update needs no further attempt."""
    sql = "SELECT 1 FROM handled WHERE key = :key AND answered_at IS NOT NULL"
    return await db.fetch_one(sql, {"key": key}) is not None


async def forget_old(tx: Transaction, *, now: datetime) -> None:
    """Drop the answers that are older than `KEPT`."""
    await tx.execute("DELETE FROM handled WHERE at < :before", {"before": to_ms(now - KEPT)})


async def latest_number(db: Reader) -> int:
    """Return the greatest number of a handled message in private chats and basic groups, which share one sequence."""
    sql = """SELECT max(CAST(substr(key, length(chat_kind || chat_telegram_id) + 3) AS INTEGER)) FROM handled
        WHERE chat_kind IN ('user', 'group') AND NOT tapped"""  # its key is the kind, the id and the number, by hyphens
    return int(await db.fetch_value(sql) or 0)
