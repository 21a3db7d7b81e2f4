"""Notices enter the outbox: for one chat, or for the chats that follow a channel."""

from collections.abc import Iterable
from datetime import datetime

from bot.models.alerts import Draft, MessageKind
from bot.models.notices import NOTICES, Notice, Sound
from bot.models.outgoing import PeerKind
from bot.store import access, channels, chats, follows, outbox
from bot.store.access import Restrictable
from bot.store.chats import Chat
from bot.store.database import Transaction


async def notify(tx: Transaction, chat: Chat, notice: Notice, *, now: datetime) -> bool:
    """Put a notice into the outbox; return False where the chat has had one of the same subject."""
    return await _enqueue(tx, [chat], notice, now=now) > 0


async def notify_owners(tx: Transaction, notice: Notice, *, now: datetime) -> bool:
    """Put a notice into the outbox for the owners whose chats take something; False where there are none."""
    owners = await _owners(tx)
    await _enqueue(tx, owners, notice, now=now)
    return bool(owners)


async def notify_followers(tx: Transaction, channel_id: int, notice: Notice, *, now: datetime) -> None:
    """Put a notice into the outbox for the chats that follow a channel; for none where it is followed no more."""
    channel = await channels.get(tx, channel_id)
    if channel is None or channel.followed_at is None:
        return
    requests = await follows.all_follows(tx)
    of = {channel_id, channel.comments_of}  # who asked for a channel asked for its comments
    asked = {follow.chat_id for follow in requests if follow.channel_id in of and follow.chat_id is not None}
    everyone = await chats.everyone(tx)  # where the settings asked for it: the private chats
    to = [chat for chat in everyone if (chat.id in asked if asked else chat.peer.kind is PeerKind.USER)]
    if channel.restricted:
        belongs = await access.chats_of(tx, Restrictable.CHANNEL, channel_id)
        to = [chat for chat in everyone if chat.id in belongs]
    await _enqueue(tx, to, notice, now=now)


async def _owners(tx: Transaction) -> list[Chat]:
    return [owner for owner in await chats.of_owners(tx) if owner.suspended is None]


async def _enqueue(tx: Transaction, to: Iterable[Chat], notice: Notice, *, now: datetime) -> int:
    """Put a notice into the outbox; what is not for everybody comes to the owners and not into a broadcast."""
    to, is_kept_in = list(to), not notice.for_everybody
    if is_kept_in and any(chat.broadcast for chat in to):
        apart = [chat for chat in to if not chat.broadcast]
        to = list({chat.id: chat for chat in (*apart, *await _owners(tx))}.values())
    drafts = [
        Draft(
            chat_id=chat.id,
            chat_key=chat.key,
            kind=MessageKind.NOTICE,
            subject=notice.subject,
            notice=notice.kind,
            body=NOTICES.dump_python(notice, mode="json"),
            silent=notice.sound is Sound.NEVER,
        )
        for chat in to
    ]
    return await outbox.enqueue(tx, drafts, now=now)
