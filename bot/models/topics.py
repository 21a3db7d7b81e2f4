"""What a topic looks for at one time, and how people type it."""

import re
from dataclasses import dataclass

EVERY_POST = "*"
_WORD = re.compile(r"[\w@+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """What a topic looks for."""

    query: str  # as written, without its limits; `EVERY_POST` for a feed
    limits: tuple[str, ...] = ()  # names of the channels and channel groups whose posts alone it is about; none: all
    excluded: tuple[str, ...] = ()  # words that are left out in all chats, each a query of its own

    @property
    def source(self) -> str:
        """The query with its limits, as people type them."""
        return " ".join((self.query, *(f"in:{quoted(name)}" for name in self.limits)))

    @property
    def is_feed(self) -> bool:
        """Tell whether it finds every post of its channels."""
        return self.query == EVERY_POST


def quoted(name: str) -> str:
    """Write a name as it may stand behind `in:`: with quotes where it is more than a word."""
    if _WORD.fullmatch(name):
        return name
    return f"«{name}»" if '"' in name else f'"{name}"'
