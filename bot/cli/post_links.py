"""Which stored messages the link of a post means."""

from bot.models.people import EVERYTHING, Viewer
from bot.store import channels, posts
from bot.store.database import Reader
from bot.text.references import comment_number, post_number


async def messages_at(db: Reader, link: str, viewer: Viewer = EVERYTHING) -> list[tuple[int, int]] | None:
    """Return the channels and message ids that a link may mean, stored or not; None where it names no post."""
    found = await posts.at_link(db, link.strip())  # of an entry of a site
    number = post_number(link)
    channel = None if number is None else await channels.find(db, link, viewer=viewer)
    if channel is None or number is None:
        return found or None
    comment = comment_number(link)
    if comment is not None:
        return [] if channel.comments_in is None else [(channel.comments_in, comment)]
    return [*found, (channel.id, number)]
