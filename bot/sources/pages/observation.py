"""What a channel's web page shows, as posts with their evidence: one for each message of an album. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.models import Post, RawFormat, page_album
from bot.sources.pages.answers import PageAnswer
from bot.sources.pages.page import PagePost


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPage:
    """What a page shows of a channel."""

    posts: tuple[Post, ...]
    hidden_dates: Mapping[int, datetime]  # of posts that are there, and that the page does not show, by id
    ids: frozenset[int]  # all, with those of service messages

    @property
    def hidden(self) -> frozenset[int]:
        """The ids of posts that are there, and that the page does not show."""
        return frozenset(self.hidden_dates)

    @property
    def low(self) -> int:
        """The lowest id; 0: the page has none."""
        return min(self.ids, default=0)

    @property
    def high(self) -> int:
        """The highest id; 0: the page has none."""
        return max(self.ids, default=0)

    def missing(self, stored: Iterable[int]) -> set[int]:
        """Return those stored ids that the page misses, between ids that it shows: at its edges nothing is proved."""
        return {number for number in stored if self.low < number < self.high and number not in self.ids}


def see(answer: PageAnswer, channel_id: int) -> SeenPage:
    """Read the page of an answer as posts of a channel."""
    found = () if answer.page is None else answer.page.posts
    shown = [post for post in found if not post.is_service]
    return SeenPage(
        posts=tuple(each for post in shown if not post.is_unreadable for each in _to_posts(post, answer, channel_id)),
        hidden_dates={post.message_id: post.date for post in shown if post.is_unreadable},
        ids=frozenset(number for post in found for number in post.album or (post.message_id,)),
    )


def _to_posts(post: PagePost, answer: PageAnswer, channel_id: int) -> list[Post]:
    """Return the messages of a post: the words and the evidence are the first one's, to which the others point."""
    numbers = post.album or (post.message_id,)
    first = Post(
        channel_id=channel_id,
        message_id=numbers[0],
        date=post.date,
        text=post.text,
        entities=post.entities,
        media=post.media,
        grouped_id=page_album(numbers[0]) if post.album else None,
        forward=post.forward,
        reply_to=post.reply_to,
        author=post.author,
        views=post.views,
        reactions=post.reactions,
        parts=post.parts,
        is_edited=post.is_edited,
        raw=answer.evidence(post),
        raw_format=RawFormat.HTML,
    )
    pointer = answer.evidence(replace(post, html=f"<!-- an item of the album {numbers[0]} -->"))
    others = [
        Post(
            channel_id=channel_id,
            message_id=number,
            date=post.date,
            text="",
            media=media,
            grouped_id=first.grouped_id,
            author=post.author,
            raw=pointer,
            raw_format=RawFormat.HTML,
        )
        for number, media in zip(numbers[1:], post.album_media[1:], strict=True)
    ]
    return [first, *others]
