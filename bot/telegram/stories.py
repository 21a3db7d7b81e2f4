"""Stories of channels as posts: what a channel shows for a day stands under numbers of its own.

https://core.telegram.org/api/stories. A story's number is kept below zero, so that no message has the same.
"""

from telethon.tl import TLObject, types
from telethon.tl.alltlobjects import LAYER

from bot.models import Deletion, Event, Forward, Media, Post, RawFormat
from bot.telegram.convert import to_entities

KIND = "story"  # of what is attached: nobody asks for its file


def to_story(update: types.UpdateStory) -> Event | None:
    """Return the event that a push of a story stands for; None for people's, and for what it does not show yet."""
    if not isinstance(update.peer, types.PeerChannel):
        return None
    if isinstance(update.story, types.StoryItemDeleted):
        return Deletion(channel_id=update.peer.channel_id, message_ids=(-update.story.id,))
    return read_story(update.story, update.peer.channel_id)


def read_story(story: TLObject, channel_id: int) -> Post | None:
    """Return the post that a story of a channel is; None where Telegram leaves out what it shows."""
    if not isinstance(story, types.StoryItem):
        return None
    content = getattr(story.media, "photo", None) or getattr(story.media, "document", None)
    views = story.views
    return Post(
        channel_id=channel_id,
        message_id=-story.id,
        date=story.date,
        text=story.caption or "",
        entities=to_entities(story.entities or ()),
        media=Media(kind=KIND, id=getattr(content, "id", None)),
        forward=_forward(story.fwd_from),
        views=None if views is None else views.views_count,
        forwards=None if views is None else views.forwards_count,
        reactions=None if views is None else views.reactions_count,
        raw=bytes(story),
        raw_format=RawFormat.TL,
        layer=LAYER,
    )


def _forward(header: types.StoryFwdHeader | None) -> Forward | None:
    if header is None:
        return None
    origin = header.from_.channel_id if isinstance(header.from_, types.PeerChannel) else None
    number = None if header.story_id is None else -header.story_id
    return Forward(channel_id=origin, message_id=number, name=header.from_name, date=None)
