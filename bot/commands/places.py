"""News of where our bot may write comes in; the chat that it is about is followed, or written to again."""

from datetime import datetime

import structlog

from bot.store import addresses, chats, dead
from bot.store.database import Database, Transaction
from bot.telegram.chat_moves import Moved, Open

log = structlog.get_logger(__name__)


async def take_in(database: Database, news: Moved | Open, *, now: datetime) -> None:
    """Follow a group that became a supergroup; resume a chat that takes messages again. Only paired chats count."""
    if isinstance(news, Moved):
        if await database.write(lambda tx: addresses.upgrade(tx, news.group_id, news.to)):
            log.info("a group became a supergroup and is followed", group=news.group_id, supergroup=news.to.id)
        return

    async def resume(tx: Transaction) -> None:
        chat = await chats.by_peer(tx, news.peer.kind, news.peer.id)
        if chat is not None:
            await dead.resume(tx, chat.id, now)

    await database.write(resume)
