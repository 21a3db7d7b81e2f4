"""Telegram's description of a channel comes in, ours goes out and into the store; followers are told of a new name."""

from datetime import datetime

from telethon.tl import types

from bot.models.notices import ChannelRenamed
from bot.store import channels
from bot.store.channels import Channel, ResolvedChannel
from bot.store.database import Database, Transaction
from bot.store.notices import notify_followers


def resolved(chat: types.Channel | types.ChannelForbidden) -> ResolvedChannel:
    """Read what a channel is, what it is called, and its username, or the first of those in use."""
    names = [name.username for name in getattr(chat, "usernames", None) or () if name.active]
    return ResolvedChannel(
        id=chat.id,
        kind="broadcast" if chat.broadcast else "supergroup",
        title=chat.title,
        username=getattr(chat, "username", None) or next(iter(names), None),
    )


async def describe(database: Database, channel: Channel, chat: types.Channel, *, now: datetime) -> None:
    """Follow a rename and tell of it, once a day at most; nothing is written where nothing changed."""
    new = resolved(chat)
    if (channel.title, channel.username) == (new.title, new.username):
        return

    async def job(tx: Transaction) -> None:
        old = await channels.describe(tx, channel.id, title=new.title, username=new.username)
        if old is not None:
            notice = ChannelRenamed(
                event=f"{channel.id}:{now:%Y-%m-%d}",
                old_title=old.title,
                old_username=old.username,
                title=new.title,
                username=new.username,
            )
            await notify_followers(tx, channel.id, notice, now=now)

    await database.write(job)
