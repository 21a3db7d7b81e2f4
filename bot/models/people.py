"""Who may do what: the roles of people, and whoever looks at topics, channels and posts."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do."""

    OWNER = "owner"  # everything
    EDITOR = "editor"  # follow channels and make topics
    READER = "reader"  # read, search, mute


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Whoever looks: what is restricted to other chats does not exist for them."""

    chat_id: int | None  # the chat in which they look; None: they see everything


EVERYTHING = Viewer(chat_id=None)  # an owner in private, and whoever works on the server
ANYBODY = Viewer(chat_id=0)  # no chat of ours: whoever sees what belongs to everybody, and nothing else
