"""Posts as the archive has them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.models import Entity, Forward, Media, Post, post_link
from bot.parts import Part, whole_text


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPost:
    """A message as one of its versions had it."""

    id: int  # of its row: newest first is descending order; the cursor of `latest`
    channel_id: int  # bare
    channel_title: str
    channel_username: str | None  # as written, without @
    message_id: int
    grouped_id: int | None  # messages that share it are one post, an album
    date: datetime
    edit_date: datetime | None
    text: str
    parts: tuple[Part, ...]  # what people see apart from the text
    entities: tuple[Entity, ...]
    media: Media | None
    forward: Forward | None
    reply_to: int | None  # the message that is answered …
    reply_channel: int | None  # … in this channel, where it is another one
    author: str | None  # who wrote it, by the name that was seen: a signature, or the sender in a supergroup
    gone_at: datetime | None  # no longer visible to our reader since then
    views: int | None
    forwards: int | None
    reactions: int | None  # of all kinds together
    version_id: int  # descending order is newest first too; the cursor of searches
    is_current: bool  # what the message says now, or last said; else an earlier wording
    number: int  # of the version, from 1
    seen_at: datetime  # when we first saw this version
    observed_by: str  # the path by which it reached us

    @property
    def whole(self) -> str:
        """The text together with its parts."""
        return whole_text(self.text, self.parts)

    @property
    def key(self) -> str:
        """The name of the post within its channel, as in the column `post_key`."""
        return f"g{self.grouped_id}" if self.grouped_id else f"m{self.message_id}"

    @property
    def link(self) -> str:
        """Link to the message in Telegram."""
        return post_link(self.channel_id, self.channel_username, self.message_id)


class VersionChange(StrEnum):
    """What a version is to the message it belongs to."""

    NEW = "new"  # its first
    EDITED = "edited"  # what it says now instead of what it said before
    STALE = "stale"  # what it said before the version we knew: kept as evidence only
    PARTS_LOADED = "parts loaded"  # the version we knew, with other parts
    PARTS_REWORDED = "parts reworded"  # the text that we knew; words in its parts were replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A version that was not stored before, or that has other parts now."""

    post: Post
    version_id: int
    hash: bytes  # of what a reader sees
    change: VersionChange
    visible: bool  # to our reader, as far as we know
    whole_before: str | None  # what the message said before, with its parts; None: nothing
    followed_at: datetime | None  # of its channel; None: nobody follows it
