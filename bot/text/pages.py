"""A page of a list, and the row of buttons that turns it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.models.outgoing import ButtonRows
from bot.text.buttons import button

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list."""

    items: Sequence[T]
    start: int  # how many items stand on the pages before
    number: int  # from 0
    last: int  # the number of the last page

    def turns(self, *before: str | int, after: Sequence[str | int] = ()) -> ButtonRows:
        """Return a row of buttons for the pages around this one, each `before:NUMBER:after`; none for a single page."""
        if not self.last:
            return ()
        labels = {self.number - 1: "‹", self.number: f"{self.number + 1}/{self.last + 1}", self.number + 1: "›"}
        shown = {number: label for number, label in labels.items() if 0 <= number <= self.last}
        return (tuple(button(label, *before, number, *after) for number, label in shown.items()),)


def page_of(items: Sequence[T], number: int, size: int) -> Page[T]:
    """Return a page of `size` items; the last one where there are not so many."""
    last = max(0, (len(items) - 1) // size)
    number = min(max(0, number), last)
    start = number * size
    return Page(items=items[start : start + size], start=start, number=number, last=last)
