"""Telegram's updates about channels come in, pushed or asked for; posts and deletions go out."""

from telethon.tl import TLObject, types

from bot.models import Deletion, Post
from bot.telegram.convert import to_post

UPDATES = (types.UpdateNewChannelMessage, types.UpdateEditChannelMessage, types.UpdateDeleteChannelMessages)


def to_event(update: TLObject) -> Post | Deletion | None:
    """Read an update; None for those that change no post."""
    if isinstance(update, types.UpdateDeleteChannelMessages):
        return Deletion(channel_id=update.channel_id, message_ids=tuple(update.messages))
    if isinstance(update, UPDATES):
        return to_post(update.message)
    return None
