"""Finds out under which posts of a channel its comments are, where the posts are older than what was read."""

from collections.abc import Sequence

import structlog
from telethon.tl import types

from bot.errors import TelegramError
from bot.models import Event, Post
from bot.sources.account import Account
from bot.sources.isolation import PAGE_SIZE, by_number
from bot.store import comments
from bot.store.channels import Channel
from bot.telegram.convert import named_in, to_post

log = structlog.get_logger(__name__)


class CommentedPosts:
    """Asks for the messages with which the chains of comments begin: those are copies of the posts."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def find_copies(self, channel: Channel, events: Sequence[Event]) -> list[Post]:
        """Return the copies of posts that some comments answer and that are not known yet; none of other channels.

        A refusal is only logged: the comments are stored all the same. Raises ReaderLostError.
        """
        if channel.comments_of is None or not channel.access_hash:
            return []
        there = {event.message_id for event in events if isinstance(event, Post)}
        roots = {event.root for event in events if isinstance(event, Post) and event.root is not None} - there
        unknown = await comments.unknown(self._account.database, channel.id, roots) if roots else []
        if not unknown:
            return []
        address = types.InputChannel(channel.id, channel.access_hash)
        found: dict[int, Post] = {}
        try:
            for start in range(0, len(unknown), PAGE_SIZE):
                read = await by_number(self._account, address, unknown[start : start + PAGE_SIZE])
                posts = (
                    to_post(message, channel_id=channel.id, named=named_in(answer))
                    for answer in read.answers
                    for message in answer.messages
                )
                found |= {post.message_id: post for post in posts if post is not None and post.copy_of is not None}
        except TelegramError as error:
            log.info("commented posts could not be asked for", channel=channel.id, error=error.error)
            return list(found.values())
        await self._account.database.write(lambda tx: comments.put_others(tx, channel.id, set(unknown) - found.keys()))
        return list(found.values())
