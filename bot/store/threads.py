"""What the threads of forums are called, as far as our bot has heard."""

from collections.abc import Mapping

from bot.models.outgoing import Peer
from bot.store.database import Reader, Transaction


async def set_title(tx: Transaction, peer: Peer, thread_id: int, title: str) -> None:
    """Note the title of a thread; that of a chat which is not paired is of no use."""
    await tx.execute(
        """INSERT INTO threads (chat_id, thread_id, title)
        SELECT id, :thread, :title FROM chats WHERE kind = :kind AND telegram_id = :id
        ON CONFLICT DO UPDATE SET title = excluded.title""",
        {"kind": peer.kind, "id": peer.id, "thread": thread_id, "title": title},
    )


async def titles(db: Reader, chat_id: int) -> Mapping[int, str]:
    """Return the titles of the threads of a chat by their numbers."""
    rows = await db.fetch_all("SELECT thread_id, title FROM threads WHERE chat_id = :chat", {"chat": chat_id})
    return {row["thread_id"]: row["title"] for row in rows}


async def lacks_title(db: Reader, peer: Peer) -> bool:
    """Tell whether the thread of an address in a paired chat has no title yet."""
    found = await db.fetch_value(
        """SELECT 1 FROM chats c WHERE c.kind = :kind AND c.telegram_id = :id AND NOT EXISTS
            (SELECT 1 FROM threads t WHERE t.chat_id = c.id AND t.thread_id = :thread)""",
        {"kind": peer.kind, "id": peer.id, "thread": peer.thread_id},
    )
    return found is not None
