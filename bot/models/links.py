"""Links to what is stored."""


def post_link(channel_id: int, username: str | None, message_id: int, own: str | None = None) -> str:
    """Link to a post, which may have its own; one of a private channel opens for its members only.

    The stories of a private channel have no links; what opens is the channel, which shows them.
    """
    if message_id < 0:
        return f"https://t.me/{username}/s/{-message_id}" if username else f"https://t.me/c/{channel_id}/1"
    return own or f"https://t.me/{username or f'c/{channel_id}'}/{message_id}"
