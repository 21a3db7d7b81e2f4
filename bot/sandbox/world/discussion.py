"""Comments of a channel: its posts are copied into the linked supergroup, where they are answered.

https://core.telegram.org/api/discussion, https://core.telegram.org/api/threads.
"""

from telethon.tl import types as tl

from bot.sandbox.world.feed import Feed
from bot.sandbox.world.messages import Message, MessageDraft


def copy_of(channel: Feed, post: Message) -> MessageDraft:
    """Return the draft of the message that Telegram puts into the linked supergroup for a post, sent as the channel."""
    header = tl.MessageFwdHeader(
        post.date,
        from_id=channel.peer(),
        channel_post=post.id,
        saved_from_peer=channel.peer(),
        saved_from_msg_id=post.id,
    )
    return MessageDraft(
        text=post.text,
        entities=post.entities,
        media=post.media,
        rich=post.rich,
        grouped=post.grouped,
        forward=header,
        sent_as=channel.marked,
        date=post.date,
    )


def copy_in(group: Feed, post_id: int) -> int:
    """Return the number of a post's copy in its group."""
    headers = ((each.id, each.forward) for each in group.kept.oldest_first())
    return next(number for number, header in headers if header is not None and header.saved_from_msg_id == post_id)
