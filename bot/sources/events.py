"""Telegram's updates about channels come in, pushed or asked for; posts, deletions and counts go out."""

from typing import NamedTuple

from telethon.tl import TLObject, types

from bot.models import Count, Deletion, Event
from bot.telegram.convert import Named, to_post

UPDATES = (
    types.UpdateNewChannelMessage,
    types.UpdateEditChannelMessage,
    types.UpdateDeleteChannelMessages,
    types.UpdateChannelMessageViews,
    types.UpdateChannelMessageForwards,
)


class Loaded(NamedTuple):
    """The preview of a link has loaded; Telegram does not say in which messages it stands."""

    channel_id: int
    page_id: int  # the id of the media of these messages


def to_event(update: TLObject, named: Named) -> Event | None:
    """Read an update that came with whom it names; None for those that change no post, or do not say which."""
    if isinstance(update, types.UpdateDeleteChannelMessages):
        return Deletion(channel_id=update.channel_id, message_ids=tuple(update.messages))
    if isinstance(update, types.UpdateChannelMessageViews):
        return Count(channel_id=update.channel_id, message_id=update.id, views=update.views)
    if isinstance(update, types.UpdateChannelMessageForwards):
        return Count(channel_id=update.channel_id, message_id=update.id, forwards=update.forwards)
    if isinstance(update, UPDATES):
        return to_post(update.message, named=named)
    return None


def to_loaded(update: TLObject) -> Loaded | None:
    """Read an update about the preview of a link; None for all others."""
    if isinstance(update, types.UpdateChannelWebPage):
        return Loaded(update.channel_id, update.webpage.id)
    return None
