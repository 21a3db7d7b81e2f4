"""What a chat wants to know that only a reader can ask Telegram, and what was found."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

USED_UP = "used_up"  # a reason: the searches of the day that are free


class EnquiryKind(StrEnum):
    """What is asked."""

    SIMILAR = "similar"  # which channels are like one
    POSTS = "posts"  # which public channels write some words
    COMMENTS = "comments"  # where the comments on the posts of a channel are, so that they can be followed


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundChannel:
    """A public channel that was found."""

    id: int  # bare
    title: str
    username: str  # as written, without @
    subscribers: int | None = None
    message_id: int | None = None  # the post that was found there …
    date: datetime | None = None  # … when it was posted …
    line: str = ""  # … and what of it shows the words


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The answer to an enquiry: channels, or why there is none."""

    channels: tuple[FoundChannel, ...] = ()
    reason: str | None = None  # Telegram's error string, or a word of ours
    free_left: int | None = None  # searches of today that are free
    free_at: datetime | None = None  # when one is free again, where none is left, or Telegram answers again
