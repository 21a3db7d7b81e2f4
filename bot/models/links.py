"""Links to what is stored."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentedPost:
    """What is commented on, where a message is in the supergroup with the comments on a channel's posts."""

    channel_id: int
    title: str  # of the channel
    username: str | None
    message_id: int | None  # the post there; None: the message answers none, or nobody knows which


def post_link(
    channel_id: int,
    username: str | None,
    message_id: int,
    own: str | None = None,
    *,
    commented: CommentedPost | None = None,
) -> str:
    """Link to a post, which may have its own; one of a private channel opens for its members only.

    A comment is linked to below its post, where everybody may read it. The stories of a private channel have no links;
    what opens is the channel, which shows them.
    """
    if commented is not None and commented.message_id is not None:
        return f"{post_link(commented.channel_id, commented.username, commented.message_id)}?comment={message_id}"
    if message_id < 0:
        return f"https://t.me/{username}/s/{-message_id}" if username else f"https://t.me/c/{channel_id}/1"
    return own or f"https://t.me/{username or f'c/{channel_id}'}/{message_id}"
