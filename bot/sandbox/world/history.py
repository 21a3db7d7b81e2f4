"""The messages of one chat by id, and pages of them as messages.getHistory asks for them."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.world.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """The page of a history to return, with the fields of messages.getHistory."""

    limit: int = 100
    offset_id: int = 0  # start below this id; 0 = at the newest
    offset_date: datetime | None = None  # or below the first message of this time
    add_offset: int = 0  # go so many messages further down, or up where negative
    max_id: int = 0  # ids below it only; 0 = all
    min_id: int = 0  # ids above it only


class History:
    """The messages of one chat as one account sees them, by id."""

    def __init__(self) -> None:
        self.messages: dict[int, Message] = {}
        self._ids: list[int] = []  # ascending

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, message: Message) -> None:
        """Add a message; ids need not come in order."""
        insort(self._ids, message.id)
        self.messages[message.id] = message

    def remove(self, message_id: int) -> None:
        """Forget a message, if there is one."""
        if self.messages.pop(message_id, None) is not None:
            del self._ids[bisect_left(self._ids, message_id)]

    @property
    def top(self) -> Message | None:
        """The newest message."""
        return self.messages[self._ids[-1]] if self._ids else None

    def oldest_first(self) -> list[Message]:
        """Return all messages."""
        return [self.messages[number] for number in self._ids]

    def count_above(self, message_id: int) -> int:
        """Return how many messages have higher ids."""
        return len(self._ids) - bisect_right(self._ids, message_id)

    def page(self, window: PageRequest) -> list[Message]:
        """Return a page, newest first."""
        end = self._offset(window) - window.add_offset
        start = max(0, end - window.limit, bisect_right(self._ids, window.min_id))
        if window.max_id:
            end = min(end, bisect_left(self._ids, window.max_id))
        return [self.messages[number] for number in reversed(self._ids[start : max(0, end)])]

    def _offset(self, window: PageRequest) -> int:
        if window.offset_id:
            return bisect_left(self._ids, window.offset_id)
        if window.offset_date:
            return bisect_left(self._ids, window.offset_date, key=lambda number: self.messages[number].date)
        return len(self._ids)
