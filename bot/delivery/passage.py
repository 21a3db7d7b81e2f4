"""A foreign text and its entities in UTF-16 units come in, parts of it with valid ones go out. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Self

from bot.models import Entity

_BASIC = "\uffff"  # characters above it take two units


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a stretch of a passage looks, counted in Python characters."""

    kind: str
    start: int
    end: int
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and its styles."""

    text: str
    styles: tuple[Style, ...] = ()

    @classmethod
    def read(cls, text: str, entities: Iterable[Entity], *, kinds: frozenset[str]) -> Self:
        """Read entities of these kinds; one that begins or ends inside a character takes all of it."""
        offsets = _unit_offsets(text)
        styles = (
            Style(
                kind=entity.kind,
                start=max(0, bisect_right(offsets, entity.offset) - 1),
                end=min(len(text), bisect_left(offsets, entity.offset + entity.length)),
                value=entity.value,
            )
            for entity in entities
            if entity.kind in kinds
        )
        return cls(text, tuple(style for style in styles if style.start < style.end))

    def cut(self, start: int, end: int) -> "Passage":
        """Take the characters from `start` to `end`, with what is left of the styles there."""
        clipped = (
            replace(style, start=max(style.start, start) - start, end=min(style.end, end) - start)
            for style in self.styles
        )
        return Passage(self.text[start:end], tuple(style for style in clipped if style.start < style.end))

    def entities(self) -> list[Entity]:
        """Write the styles as entities in UTF-16 units."""
        offsets = _unit_offsets(self.text)
        return [
            Entity(
                kind=style.kind,
                offset=offsets[style.start],
                length=offsets[style.end] - offsets[style.start],
                value=style.value,
            )
            for style in self.styles
        ]


def _unit_offsets(text: str) -> Sequence[int]:
    """Give the offset in UTF-16 units of each character and of the end."""
    if not text or max(text) <= _BASIC:
        return range(len(text) + 1)
    return list(accumulate((1 + (character > _BASIC) for character in text), initial=0))
