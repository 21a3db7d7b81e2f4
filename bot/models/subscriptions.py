"""Chats that want alerts, and how loudly."""

from dataclasses import dataclass
from enum import StrEnum

from bot.schedule import Schedule, Storms


class Priority(StrEnum):
    """How an alert arrives."""

    URGENT = "loud!"  # with a sound, in quiet hours too
    LOUD = "loud"
    SILENT = "silent"  # without a sound
    DIGEST = "digest"  # with others, in the next digest


class Edits(StrEnum):
    """Which changes of a post get a reply to its alert, which is edited in any case."""

    ALL = "all"  # also punctuation and typos, without a sound
    WORDS = "words"  # other words, and a post that is no longer visible
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A chat that wants alerts on a topic from a channel."""

    channel_id: int
    topic_id: int
    chat_id: int
    chat_key: bytes
    priority: Priority
    thread_id: int | None  # the forum thread for the topic; None: the chat's own …
    chat_thread: int | None  # … which is this one; None: the general one, or no forum
    confirmations: bool  # the chat wants a reply where a second channel says the same
    schedule: Schedule  # of the chat
    storms: Storms | None  # likewise
