"""A channel that the reader can no longer read comes in; the archive knows, and whoever asked for it is told."""

from datetime import datetime

from bot.models import PeerKind
from bot.store import alerts, channels, chats
from bot.store.channels import Access, Channel
from bot.store.chats import Chat
from bot.store.database import Database, Reader, Transaction


async def lose(database: Database, channel: Channel, *, reader_id: int, reason: str, now: datetime) -> None:
    """Write down that a channel is lost, for a reason: Telegram's error string; nothing happens where it is known."""
    if channel.access is Access.LOST:
        return

    async def job(tx: Transaction) -> None:
        await channels.grant(
            tx, reader_id, channel.id, Access.LOST, access_hash=channel.access_hash, reason=reason, now=now
        )
        payload = {"notice": "lost", "channel": channel.title, "channel_id": channel.id, "reason": reason}
        for chat in await _interested(tx, channel):
            await alerts.enqueue(
                tx,
                chat=chat,
                kind=alerts.Kind.NOTICE,
                subject=f"lost:{channel.id}:{now.isoformat()}",
                payload=payload,
                now=now,
            )

    await database.write(job)


async def _interested(db: Reader, channel: Channel) -> list[Chat]:
    """Find whoever asked for a channel; where that was the settings, the private chats."""
    follows = await channels.all_follows(db)
    asked = {follow.chat_id for follow in follows if follow.channel_id == channel.id and follow.chat_id is not None}
    everyone = await chats.everyone(db)
    return [chat for chat in everyone if (chat.id in asked if asked else chat.peer.kind is PeerKind.USER)]
