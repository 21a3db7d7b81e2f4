"""Telegram's description of a channel comes in, ours goes out and into the store."""

from telethon.tl import types

from bot.store import channels
from bot.store.channels import Channel, ResolvedChannel
from bot.store.database import Database


def resolved(chat: types.Channel | types.ChannelForbidden) -> ResolvedChannel:
    """Read what a channel is, what it is called, and its username, or the first of those in use."""
    names = [name.username for name in getattr(chat, "usernames", None) or () if name.active]
    return ResolvedChannel(
        id=chat.id,
        kind="broadcast" if chat.broadcast else "supergroup",
        title=chat.title,
        username=getattr(chat, "username", None) or next(iter(names), None),
    )


async def describe(database: Database, channel: Channel, chat: types.Channel) -> None:
    """Follow a rename; nothing is written where nothing changed."""
    new = resolved(chat)
    if (channel.title, channel.username) != (new.title, new.username):
        await database.write(lambda tx: channels.describe(tx, channel.id, title=new.title, username=new.username))
