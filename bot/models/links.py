"""Links to what is stored."""


def post_link(channel_id: int, username: str | None, message_id: int, own: str | None = None) -> str:
    """Link to a post, which may have its own; one of a private channel opens for its members only."""
    return own or f"https://t.me/{username or f'c/{channel_id}'}/{message_id}"
