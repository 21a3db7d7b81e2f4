"""News of a channel come in; notices to whoever follows it go into the outbox."""

from collections.abc import Mapping
from datetime import datetime

from bot.models import PeerKind
from bot.store import alerts, channels, chats, follows
from bot.store.chats import Chat
from bot.store.database import Reader, Transaction


async def tell(  # noqa: PLR0913 - what an alert is made of
    tx: Transaction, channel_id: int, *, subject: str, payload: Mapping[str, object], now: datetime, silent: bool = True
) -> None:
    """Tell whoever follows a channel, each once for the same `subject`; nobody where it is followed no more."""
    channel = await channels.get(tx, channel_id)
    if channel is None or channel.followed_at is None:
        return
    for chat in await _followers(tx, channel_id):
        await alerts.notify(tx, chat, subject=subject, payload=payload, now=now, silent=silent)


async def _followers(db: Reader, channel_id: int) -> list[Chat]:
    """Find whoever asked for a channel; where that was the settings, the private chats."""
    wishes = await follows.all_follows(db)
    asked = {follow.chat_id for follow in wishes if follow.channel_id == channel_id and follow.chat_id is not None}
    everyone = await chats.everyone(db)
    return [chat for chat in everyone if (chat.id in asked if asked else chat.peer.kind is PeerKind.USER)]
